//! Which states of zlib are free to be lent?

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::{fmt, mem};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::zlib::{Compressor, Decompressor, Settings};

/// States of zlib that connections share: one is lent for as long as a message takes. It is yours; its clones are the
/// same pool.
///
/// A loop has one, and needs one state for each direction, and one more for each message that is compressed and has
/// come or gone in part. Threads may share one: it is locked to take a state and to give it back, not in between.
///
/// ```
/// use websocket_proto::Config;
/// use websocket_proto::deflate::{DeflateConfig, DeflateMemory, DeflatePool};
///
/// let pool = DeflatePool::default();
/// let mut deflate = DeflateConfig::default();
/// deflate.memory = DeflateMemory::Shared(pool.clone());
/// let mut config = Config::default();
/// config.deflate = Some(deflate); // for all connections of this loop
/// ```
#[derive(Clone)]
pub struct DeflatePool(Arc<Mutex<Free>>);

/// Each lies in a box of its own, which is what is lent: a connection without one holds a pointer's size, and to lend
/// allocates nothing.
#[derive(Default)]
#[allow(clippy::vec_box)] // for that reason
struct Free {
    /// States of each kind that are kept, the one that was given back last at the end.
    most: usize,
    compressors: Vec<Box<Compressor>>,
    decompressors: Vec<Box<Decompressor>>,
}

impl DeflatePool {
    /// A pool that keeps at most so many free states of each direction; beyond that, those are freed that
    /// were used longest ago.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Free { most, ..Free::default() })))
    }

    /// Frees all states that are not lent.
    pub fn clear(&self) {
        let mut free = self.free();
        let states = (mem::take(&mut free.compressors), mem::take(&mut free.decompressors));
        drop(free); // what takes long is not done under the lock, here and below
        drop(states);
    }

    pub(crate) fn take_compressor(&self, settings: Settings) -> Box<Compressor> {
        let mut free = self.free();
        let fitting = free.compressors.iter().rposition(|free| free.settings() == settings);
        let state = fitting.map(|fitting| free.compressors.remove(fitting));
        drop(free);
        state.unwrap_or_else(|| Box::new(Compressor::new(settings)))
    }

    pub(crate) fn give_compressor(&self, state: Box<Compressor>) {
        let mut free = self.free();
        let most = free.most;
        let oldest = give(state, &mut free.compressors, most);
        drop(free);
        drop(oldest);
    }

    #[allow(clippy::unnecessary_box_returns)] // see `Free`
    pub(crate) fn take_decompressor(&self) -> Box<Decompressor> {
        let state = self.free().decompressors.pop();
        state.unwrap_or_default()
    }

    pub(crate) fn give_decompressor(&self, state: Box<Decompressor>) {
        let mut free = self.free();
        let most = free.most;
        let oldest = give(state, &mut free.decompressors, most);
        drop(free);
        drop(oldest);
    }

    /// Nothing that is done under the lock can leave the lists in disorder.
    fn free(&self) -> MutexGuard<'_, Free> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where there is no place, the one goes that has lain there longest: its settings may be those of nobody any more.
#[allow(clippy::vec_box)] // see `Free`
fn give<T>(state: Box<T>, free: &mut Vec<Box<T>>, most: usize) -> Option<Box<T>> {
    free.push(state);
    (free.len() > most).then(|| free.remove(0))
}

impl Default for DeflatePool {
    /// A pool that keeps up to 16 free states of each direction.
    fn default() -> Self {
        Self::new(16)
    }
}

impl PartialEq for DeflatePool {
    /// Whether they are the same pool.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for DeflatePool {}

impl fmt::Debug for DeflatePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = self.free();
        f.debug_struct("DeflatePool")
            .field("compressors", &free.compressors.len())
            .field("decompressors", &free.decompressors.len())
            .finish_non_exhaustive()
    }
}
