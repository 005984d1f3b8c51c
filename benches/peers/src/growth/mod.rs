//! How does the cost of a message grow with its length, its fragments, and the connections beside it?
//!
//! This crate alone: the curves are what is looked at. There are no limits on time, but all that comes is counted.

mod connections;
mod feed;
mod fragments;
mod length;
mod measure;
mod report;

use crate::Wanted;

/// Measures a table, and prints it under its title.
type Part = fn(&str, &Wanted);

/// Prints the tables that are wanted.
pub(crate) fn run(wanted: &Wanted) {
    let tables: [(&str, Part); 3] = [
        ("N1. growth with the length of a message", length::run),
        ("N2. growth with the fragments of a message", fragments::run),
        ("N3. growth with the connections of a loop", connections::run),
    ];
    for (title, run) in tables.into_iter().filter(|(title, _)| wanted.has(title)) {
        run(title, wanted);
    }
}
