//! Framing beside other crates: what does a message cost in time and in memory?
//!
//! All is in memory: a read copies into the library's buffer, a write is counted. Nothing waits.

mod async_pipe;
pub(crate) mod codec;
mod fastwebsockets;
mod floor;
mod measure;
mod memory;
mod nexus;
mod ours;
pub(crate) mod report;
mod sans_io;
mod sockudo;
mod tokio_websockets;
mod transport;
mod tungstenite;
pub(crate) mod workload;
mod xor;
mod yawc;

use crate::{Effort, Wanted};
use codec::{Delivery, Library};
use measure::measure;
use memory::memory;
use report::{Cell, Compared, Summary, length, memory_table};
use workload::{WORKLOADS, Workload};

/// Prints the tables that are wanted; how this crate compares.
pub(crate) fn run(wanted: &Wanted) -> Summary {
    let libraries: Vec<Box<dyn Library>> = vec![
        Box::new(ours::Ours { delivery: Delivery::Messages }),
        Box::new(ours::Ours { delivery: Delivery::Pieces }),
        Box::new(floor::Floor { name: "floor 16K", size: 16 << 10 }),
        Box::new(floor::Floor { name: "floor 64K", size: 64 << 10 }),
        Box::new(nexus::Nexus::with_defaults()),
        Box::new(nexus::Nexus::with_small_buffer()),
        Box::new(sockudo::Sockudo),
        Box::new(sans_io::SansIo),
        Box::new(tungstenite::Tungstenite::default()),
        Box::new(tungstenite::Tungstenite::small()),
        Box::new(fastwebsockets::FastWebSockets),
        Box::new(tokio_websockets::TokioWebSockets),
        Box::new(yawc::Yawc),
    ];
    let mut summary = Summary::default();
    for workload in WORKLOADS.iter().filter(|workload| wanted.has(workload.title)) {
        let cells: Vec<_> = workload.lens.iter().map(|&len| cell(&libraries, workload, len, wanted)).collect();
        summary.table(workload.title, &libraries, &cells);
    }
    let title = "H0. memory, framing";
    if wanted.has(title) {
        let rows = libraries.iter().map(|library| (library.name(), memory(&**library)));
        memory_table(title, &rows.collect::<Vec<_>>());
        let (connection, buffer) = ours::SIZES;
        println!("\nours: a connection is {connection} octets, its read buffer {buffer}");
    }
    summary
}

/// The figures of each library, and how ours compares: a cell that is lost is measured once more, with full
/// effort, as it may be noise.
fn cell(libraries: &[Box<dyn Library>], workload: &Workload, len: usize, wanted: &Wanted) -> Cell {
    let tried = |effort| {
        let figures = measure(libraries, workload, len, effort);
        let name = format!("{} {}", workload.title, length(len));
        let compared = Compared::new(name, libraries, &figures);
        Cell { len, figures, compared }
    };
    let first = tried(wanted.effort);
    let ratio = |cell: &Cell| cell.compared.as_ref().map_or(0.0, |compared| compared.to_peer);
    if !first.compared.as_ref().is_some_and(Compared::is_lost) {
        return first;
    }
    let second = tried(Effort::Full);
    if ratio(&second) < ratio(&first) { second } else { first }
}
