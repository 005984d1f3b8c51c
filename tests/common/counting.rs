//! What is allocated, and when: counted, for this thread, by the allocator itself.

#![allow(dead_code, unreachable_pub)] // a module of several test programs, each of which uses its part

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with a count for each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(octets: isize) {
    // a thread that is ending has no counters any more
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + octets);
        PEAK.with(|peak| peak.set(peak.get().max(live.get())));
        if octets > 0 {
            ALLOCATIONS.with(|allocations| allocations.set(allocations.get() + 1));
        }
    });
}

#[allow(unsafe_code)] // an allocator is unsafe by its nature
// SAFETY: all calls go to the system's allocator as they are; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations something makes, and by how much the memory in use rises at the most meanwhile.
pub fn measure<T>(run: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = LIVE.get();
    ALLOCATIONS.set(0);
    PEAK.set(before);
    let result = run();
    (result, ALLOCATIONS.get(), (PEAK.get() - before).cast_unsigned())
}

/// The memory in use, in octets, less what was when the thread began.
pub fn live() -> isize {
    LIVE.get()
}

/// The memory that something holds, its own size aside.
pub fn held_by<T>(value: T) -> usize {
    let before = live();
    drop(value);
    (before - live()).cast_unsigned()
}
