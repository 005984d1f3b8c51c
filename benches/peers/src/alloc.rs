//! How often is memory asked for, how much of it is held, and where does it lie?
//!
//! Copies of more than 2 KiB take several times as long where they go to just behind the page offset that they come
//! from. Two buffers of a connection always lie as luck and their sizes have it: so that this is not what is measured,
//! each large piece can be made to begin at another place within its page.

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

thread_local! {
    /// 0: all begin where the allocator has them.
    static PLACES: Cell<usize> = const { Cell::new(0) };
}

/// From now on large pieces begin at places that follow from the seed, none if it is 0.
pub(crate) fn vary_places(seed: usize) {
    PLACES.set(seed.wrapping_mul(0x9E37_79B9));
}

/// Octets that the next large piece is shifted by.
fn next_shift() -> usize {
    let places = PLACES.get();
    PLACES.set(places.wrapping_mul(0x5851_F42D).wrapping_add(places.min(1) * 0x1405_7B7F));
    (places >> 20) % (PAGE / STEP) * STEP
}

const PAGE: usize = 4096;
const STEP: usize = 64;

/// In front of a large piece: there it says how far it is shifted.
const HEAD: usize = 16;

fn is_large(layout: Layout) -> bool {
    layout.size() >= PAGE && layout.align() <= HEAD
}

/// With room to be shifted.
fn padded(layout: Layout) -> Layout {
    Layout::from_size_align(layout.size().saturating_add(HEAD + PAGE), HEAD).unwrap_or(layout)
}

/// # Safety
/// The memory was asked for as `padded`, or is null.
unsafe fn shifted(base: *mut u8, shift: usize) -> *mut u8 {
    if base.is_null() {
        return base;
    }
    // SAFETY: it is as large as that
    unsafe {
        let memory = base.add(HEAD + shift);
        memory.sub(HEAD).cast::<[u8; size_of::<usize>()]>().write(shift.to_ne_bytes());
        memory
    }
}

/// Where a large piece was shifted from, and how far.
///
/// # Safety
/// It is one that `shifted` returned.
unsafe fn unshifted(memory: *mut u8) -> (*mut u8, usize) {
    // SAFETY: as the caller promised
    unsafe {
        let shift = usize::from_ne_bytes(memory.sub(HEAD).cast::<[u8; size_of::<usize>()]>().read());
        (memory.sub(HEAD + shift), shift)
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

// SAFETY: all is left to `System`, under the same conditions, but that a large piece is asked for with room in front;
// the counts allocate nothing and have nothing to drop.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promised
        unsafe {
            if is_large(layout) { shifted(System.alloc(padded(layout)), next_shift()) } else { System.alloc(layout) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as the caller promised
        unsafe {
            if is_large(layout) {
                shifted(System.alloc_zeroed(padded(layout)), next_shift())
            } else {
                System.alloc_zeroed(layout)
            }
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as the caller promised
        unsafe {
            if is_large(layout) {
                System.dealloc(unshifted(memory).0, padded(layout));
            } else {
                System.dealloc(memory, layout);
            }
        }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promised; the lengths are those of the two
        unsafe {
            let new = Layout::from_size_align_unchecked(size, layout.align());
            match (is_large(layout), is_large(new)) {
                (false, false) => {
                    count(size, layout.size());
                    System.realloc(memory, layout, size)
                }
                (true, true) => {
                    count(size, layout.size());
                    let (base, shift) = unshifted(memory);
                    shifted(System.realloc(base, padded(layout), padded(new).size()), shift)
                }
                _ => {
                    let moved = self.alloc(new);
                    if !moved.is_null() {
                        moved.copy_from_nonoverlapping(memory, size.min(layout.size()));
                        self.dealloc(memory, layout);
                    }
                    moved
                }
            }
        }
    }
}
