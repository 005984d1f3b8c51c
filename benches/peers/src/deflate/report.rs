//! The tables, in Markdown.

use super::library::{Library, Role, Setup};
use super::measure::{Cell, Figure, Memory};

/// What this crate is compared with, cell by cell.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    rows: Vec<(&'static str, Vec<Compared>)>,
}

#[derive(Clone, Copy, Debug)]
struct Compared {
    peer: f64,
    floor: Option<f64>,
}

impl Summary {
    /// Prints a table of cells that differ in their lengths only.
    pub(crate) fn table(&mut self, title: &str, libraries: &[Box<dyn Library>], cells: &[(Cell, Vec<Option<Figure>>)]) {
        println!(
            "\n**{title}** (ns per message; MB/s; octets on the wire; allocations / octets allocated per message)\n"
        );
        let heads: Vec<_> = cells.iter().map(|(cell, _)| format!(" {} KiB |", cell.len >> 10)).collect();
        println!("| |{}\n| --- |{}", heads.concat(), " ---: |".repeat(cells.len()));
        for (row, library) in libraries.iter().enumerate() {
            if cells.iter().all(|(_, figures)| figures[row].is_none()) {
                continue;
            }
            let figures: Vec<_> = cells.iter().map(|(cell, figures)| cell_text(*cell, figures[row].as_ref())).collect();
            println!("| {} |{}", library.name(), figures.concat());
        }
        for (row, library) in libraries.iter().enumerate().filter(|(_, library)| library.role() == Role::Ours) {
            let name = library.name();
            let (mut to_peer, mut to_floor) = (Vec::new(), Vec::new());
            for (cell, figures) in cells {
                let Some(ours) = &figures[row] else { continue };
                let ratio = |role| {
                    let others = libraries.iter().zip(figures).filter(move |(library, _)| library.role() == role);
                    others.filter_map(|(_, figure)| Some(ours.ratio(figure.as_ref()?))).reduce(f64::max)
                };
                // whose defaults are others is not comparable with zlib-rs at its own
                let floor = ratio(Role::Floor).filter(|_| !matches!(cell.setup, Setup::Defaults));
                let compared = Compared { peer: ratio(Role::Peer).expect("there is a peer"), floor };
                to_peer.push(format!(" {:.2} |", compared.peer));
                to_floor.push(floor.map_or(" - |".into(), |floor| format!(" {floor:.3} |")));
                match self.rows.iter_mut().find(|(row, _)| *row == name) {
                    Some((_, cells)) => cells.push(compared),
                    None => self.rows.push((name, vec![compared])),
                }
            }
            println!("| *{name} / best peer* |{}\n| *{name} / zlib-rs alone* |{}", to_peer.concat(), to_floor.concat());
        }
    }

    /// One line for each of our rows.
    pub(crate) fn print(&self) {
        println!();
        for (name, cells) in &self.rows {
            let won = cells.iter().filter(|cell| cell.peer < 1.0).count();
            let worst = cells.iter().map(|cell| cell.peer).fold(0.0, f64::max);
            let floor = cells.iter().filter_map(|cell| cell.floor).fold(0.0, f64::max);
            println!(
                "{name}: ahead of the best peer in {won} of {} cells, at worst {worst:.2} of it; \
                 at worst {floor:.3} of zlib-rs alone",
                cells.len()
            );
        }
    }
}

pub(crate) fn memory_table(title: &str, rows: &[(&str, Memory)]) {
    println!("\n**{title}** (heap octets of an idle server connection)\n");
    println!("| | new | after 16 B each way | after 64 KiB each way | then shrunk, where it can be |");
    println!("| --- |{}", " ---: |".repeat(4));
    for (name, Memory { new, small, large, idle }) in rows {
        println!("| {name} | {new} | {small} | {large} | {idle} |");
    }
}

fn cell_text(cell: Cell, figure: Option<&Figure>) -> String {
    let Some(figure) = figure else { return " - |".into() };
    let (nanos, wire, allocated) = (figure.nanos(), figure.wire, figure.allocated);
    let speed = cell.len as u64 * 1000 / u64::from(nanos);
    let (whole, hundredths) = (figure.allocations / 100, figure.allocations % 100);
    format!(" {nanos}; {speed} MB/s; {wire} B; {whole}.{hundredths:02} / {allocated} |")
}
