//! permessage-deflate beside other crates: what does a message cost in time, on the wire and in memory?

mod judge;
mod library;
mod measure;
mod ours;
mod payload;
mod pipe;
mod report;
mod sockudo;
mod wtx;
mod yawc;
mod zlib;

use crate::Wanted;
use library::{Library, Setup};
use measure::{Cell, Direction, Effort, measure, memory};
use report::{Summary, memory_table};

/// Prints the tables that are wanted, and how this crate compares.
pub(crate) fn run(wanted: &Wanted) {
    let libraries: Vec<Box<dyn Library>> = vec![
        Box::new(ours::Ours::default()),
        Box::new(ours::Ours::pooled()),
        Box::new(zlib::Zlib::default()),
        Box::new(yawc::Yawc::default()),
        Box::new(yawc::Yawc::pooled()),
        Box::new(sockudo::Sockudo::default()),
        Box::new(wtx::Wtx::default()),
    ];
    let (plain, takeover) = (Setup::Level1 { takeover: false }, Setup::Level1 { takeover: true });
    let mut summary = Summary::default();
    for (title, direction, setup) in [
        ("I1. inflate, level 1, no takeover", Direction::Inflate, plain),
        ("I2. deflate, level 1, no takeover", Direction::Deflate, plain),
        ("I3a. inflate, level 1, takeover", Direction::Inflate, takeover),
        ("I3b. deflate, level 1, takeover", Direction::Deflate, takeover),
        ("I4. deflate, library defaults", Direction::Deflate, Setup::Defaults),
    ] {
        if !wanted.has(title) {
            continue;
        }
        let cells: Vec<_> = [1 << 10, 64 << 10]
            .into_iter()
            .map(|len| {
                let cell = Cell { direction, setup, len };
                // short passes, many rounds: what is compared is near in time
                let rounds = wanted.effort.choose(140, 7);
                let passes = if len > 1 << 10 || matches!(setup, Setup::Defaults) { 1 } else { 4 };
                (cell, measure(&libraries, cell, Effort { rounds, passes }))
            })
            .collect();
        summary.table(title, &libraries, &cells);
    }
    for (title, setup) in [
        ("H1. memory, level 1, no takeover", plain),
        ("H2. memory, level 1, takeover", takeover),
        ("H3. memory, library defaults", Setup::Defaults),
    ] {
        if !wanted.has(title) {
            continue;
        }
        let rows = libraries.iter().filter_map(|library| Some((library.name(), memory(&**library, setup)?)));
        memory_table(title, &rows.collect::<Vec<_>>());
    }
    summary.print();
}
