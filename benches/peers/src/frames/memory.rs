//! How much memory does a connection hold?

use super::codec::{Library, Role};
use super::workload::Traffic;
use crate::alloc::Counts;

/// Heap octets that a connection holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) new: i64,
    /// After one message of 16 octets.
    pub(crate) small: i64,
    /// After one more of 512 KiB.
    pub(crate) large: i64,
    /// Then, once the application has said that it is idle.
    pub(crate) idle: i64,
}

/// The third connection's: what is shared by all is there by then.
pub(crate) fn memory(library: &dyn Library) -> Memory {
    let messages = [16, 512 << 10].map(|len| Traffic::single(len).place(0));
    let mut measured = Memory { new: 0, small: 0, large: 0, idle: 0 };
    let mut kept = Vec::with_capacity(3);
    for _ in 0..3 {
        let before = Counts::now().live;
        let held = || Counts::now().live - before;
        let mut codec = library.open(Role::Server);
        measured.new = held();
        [measured.small, measured.large] = messages.each_ref().map(|placed| {
            codec.receive(&mut placed.source.clone()).expect("all of them receive");
            held()
        });
        codec.idle();
        measured.idle = held();
        kept.push(codec);
    }
    measured
}
