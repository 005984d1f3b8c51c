//! What have the clients done, and what went wrong?

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) connections: AtomicU64,
    /// Honest ones that ended with a clean close.
    pub(crate) closed: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) octets: AtomicU64,
    pub(crate) pings: AtomicU64,
    pub(crate) compressed: AtomicU64,
    hostile: Mutex<BTreeMap<&'static str, Hostile>>,
    faults: Mutex<Vec<String>>,
}

/// What became of the clients of one kind.
#[derive(Clone, Copy, Default)]
struct Hostile {
    done: u64,
    /// The server said the right thing.
    refused: u64,
    /// The stream ended before it could.
    cut_off: u64,
}

/// How a hostile client's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By the client, or nothing was expected.
    Left,
    /// By the server, which said why.
    Refused,
    /// By an error of the stream.
    CutOff,
}

pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(count as u64, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Tally {
    pub(crate) fn hostile(&self, kind: &'static str, end: End) {
        let mut kinds = lock(&self.hostile);
        let kind = kinds.entry(kind).or_default();
        kind.done += 1;
        kind.refused += u64::from(end == End::Refused);
        kind.cut_off += u64::from(end == End::CutOff);
    }

    /// Something is wrong; of too many things, the first are kept.
    pub(crate) fn fault(&self, what: fmt::Arguments<'_>) {
        let mut faults = lock(&self.faults);
        if faults.len() < 20 {
            faults.push(what.to_string());
        }
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        lock(&self.faults).clone()
    }

    /// For a line.
    pub(crate) fn short(&self) -> String {
        let hostile: u64 = lock(&self.hostile).values().map(|kind| kind.done).sum();
        let (connections, messages) = (get(&self.connections), get(&self.messages));
        format!("{connections} connections, {messages} messages, {hostile} attacks")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} connections; of honest clients: {} closed cleanly, {} messages ({} octets) echoed, {} of them on \
             connections that compress, {} pings answered; hostile ones, by kind:",
            get(&self.connections),
            get(&self.closed),
            get(&self.messages),
            get(&self.octets),
            get(&self.compressed),
            get(&self.pings),
        )?;
        for (kind, Hostile { done, refused, cut_off }) in lock(&self.hostile).iter() {
            writeln!(f, "  {kind:<28} {done:>8}, {refused:>8} refused, {cut_off:>6} cut off")?;
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
