//! How do the figures compare? The tables, in Markdown.

use super::codec::{Delivery, Library, Standing};
use super::measure::Figure;
use super::memory::Memory;

/// How far a cell may be above the best peer before it is lost: less may be noise.
const LOST: f64 = 1.15;

/// What this crate is compared with, cell by cell.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    cells: Vec<Compared>,
}

/// One length of a table.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) len: usize,
    /// Of each library.
    pub(crate) figures: Vec<Option<Figure>>,
    pub(crate) compared: Option<Compared>,
}

/// What this crate takes of the time of others.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    cell: String,
    /// The best one's name.
    peer: &'static str,
    pub(crate) to_peer: f64,
    to_floor: Option<f64>,
}

impl Compared {
    /// `None`: this crate cannot do it, or nobody else.
    pub(crate) fn new(cell: String, libraries: &[Box<dyn Library>], figures: &[Option<Figure>]) -> Option<Self> {
        let rows = || libraries.iter().zip(figures).filter_map(|(library, figure)| Some((library, figure.as_ref()?)));
        let ours = || rows().filter(|(library, _)| library.standing() == Standing::Ours);
        let best = |standing| {
            let others = rows().filter(move |(library, _)| library.standing() == standing);
            let ratios = others.filter_map(|(other, figure)| {
                // who hands out pieces is compared with whatever this crate does; who hands out messages, with messages
                let may = |library: &dyn Library| [library.delivery(), Delivery::Pieces].contains(&other.delivery());
                let ratios = ours().filter(|(library, _)| may(&***library)).map(|(_, ours)| ours.ratio(figure));
                Some((other.name(), ratios.reduce(f64::min)?))
            });
            ratios.max_by(|one, two| one.1.total_cmp(&two.1))
        };
        let (peer, to_peer) = best(Standing::Peer)?;
        Some(Self { cell, peer, to_peer, to_floor: best(Standing::Floor).map(|(_, ratio)| ratio) })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.to_peer > LOST
    }
}

impl Summary {
    /// Prints a table of cells that differ in their lengths only.
    pub(crate) fn table(&mut self, title: &str, libraries: &[Box<dyn Library>], cells: &[Cell]) {
        println!("\n**{title}** (ns per message; allocations per message, if there are any)\n");
        let heads: Vec<_> = cells.iter().map(|cell| format!(" {} |", length(cell.len))).collect();
        println!("| |{}\n| --- |{}", heads.concat(), " ---: |".repeat(cells.len()));
        for (row, library) in libraries.iter().enumerate() {
            if cells.iter().any(|cell| cell.figures[row].is_some()) {
                let figures: Vec<_> = cells.iter().map(|cell| cell_text(cell.figures[row].as_ref())).collect();
                println!("| {} |{}", library.name(), figures.concat());
            }
        }
        let row = |of: &dyn Fn(&Compared) -> Option<f64>| {
            let ratios = cells.iter().map(|cell| cell.compared.as_ref().and_then(of));
            ratios.map(|ratio| ratio.map_or(" - |".into(), |ratio| format!(" {ratio:.2} |"))).collect::<String>()
        };
        println!("| *ours / best peer* |{}", row(&|compared| Some(compared.to_peer)));
        println!("| *ours / floor* |{}", row(&|compared| compared.to_floor));
        self.cells.extend(cells.iter().filter_map(|cell| cell.compared.clone()));
    }

    /// Prints one line, and one for each cell that is lost; how many are.
    pub(crate) fn print(&self) -> usize {
        let Some(worst) = self.cells.iter().max_by(|one, two| one.to_peer.total_cmp(&two.to_peer)) else { return 0 };
        let won = self.cells.iter().filter(|cell| cell.to_peer < 1.0).count();
        println!(
            "\nframing: ahead of the best peer in {won} of {} cells, at worst {:.2} of it ({}, {})",
            self.cells.len(),
            worst.to_peer,
            worst.cell,
            worst.peer
        );
        let lost = self.cells.iter().filter(|cell| cell.is_lost());
        lost.map(|cell| println!("lost: {}, {:.2} of {}", cell.cell, cell.to_peer, cell.peer)).count()
    }
}

pub(crate) fn memory_table(title: &str, rows: &[(&str, Memory)]) {
    println!("\n**{title}** (heap octets of an idle server connection, its own size among them)\n");
    println!("| | new | after one 16 B message | after one 512 KiB message | then given back, where it can be |");
    println!("| --- |{}", " ---: |".repeat(4));
    for (name, Memory { new, small, large, idle }) in rows {
        println!("| {name} | {new} | {small} | {large} | {idle} |");
    }
}

pub(crate) fn length(len: usize) -> String {
    match len {
        ..1024 => format!("{len} B"),
        1024..0x10_0000 => format!("{} KiB", len >> 10),
        _ => format!("{} MiB", len >> 20),
    }
}

fn cell_text(figure: Option<&Figure>) -> String {
    let Some(figure) = figure else { return " - |".into() };
    let nanos = short(figure.nanos());
    match figure.allocations() {
        ..0.005 => format!(" {nanos} |"),
        allocations => format!(" {nanos}; {allocations:.2} |"),
    }
}

/// Three digits of it, or somewhat more.
pub(crate) fn short(nanos: f64) -> String {
    match nanos {
        ..10.0 => format!("{nanos:.2}"),
        ..100.0 => format!("{nanos:.1}"),
        ..10_000.0 => format!("{nanos:.0}"),
        _ => format!("{:.1}k", nanos / 1000.0),
    }
}
