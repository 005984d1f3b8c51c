//! How often is memory asked for, and how much of it is held?

#![allow(unsafe_code, reason = "an allocator is made of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What this thread has asked for since it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Allocations and reallocations.
    pub(crate) allocations: u64,
    /// Octets of them.
    pub(crate) octets: u64,
    /// Octets that are held.
    pub(crate) live: i64,
}

const NOTHING: Counts = Counts { allocations: 0, octets: 0, live: 0 };

thread_local! {
    // no atomics: who allocates shall not pay for being counted
    static COUNTS: Cell<Counts> = const { Cell::new(NOTHING) };
}

impl Counts {
    pub(crate) fn now() -> Self {
        COUNTS.get()
    }
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(asked: usize, freed: usize) {
    let Counts { allocations, octets, live } = COUNTS.get();
    COUNTS.set(Counts {
        allocations: allocations + u64::from(asked > 0),
        octets: octets + asked as u64,
        live: live.wrapping_add_unsigned(asked as u64).wrapping_sub_unsigned(freed as u64),
    });
}

// SAFETY: all is left to `System`, under the same conditions; the counts allocate nothing and have nothing to drop.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promised
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promised
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as the caller promised
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as the caller promised
        unsafe { System.realloc(memory, layout, size) }
    }
}
