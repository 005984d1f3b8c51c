//! The worst of allocators: it never grows memory where it is, but takes new memory, copies, and frees the old.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator without its `realloc`, with a count for each thread.
struct Moving;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

#[allow(unsafe_code)] // an allocator is unsafe by its nature
// SAFETY: all calls go to the system's allocator as they are; the counters allocate nothing. `realloc` is the one that
// the trait has by itself: `alloc`, a copy, `dealloc`.
unsafe impl GlobalAlloc for Moving {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // a thread that is ending has no counters any more
        let _ = LIVE.try_with(|live| {
            live.set(live.get().wrapping_add(layout.size()));
            PEAK.with(|peak| peak.set(peak.get().max(live.get())));
        });
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = LIVE.try_with(|live| live.set(live.get().wrapping_sub(layout.size())));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Moving = Moving;

/// By how much the memory in use of this thread rises at the most while something runs. What it frees has to be its
/// own.
pub(crate) fn peak_of(run: impl FnOnce()) -> usize {
    let before = LIVE.get();
    PEAK.set(before);
    run();
    PEAK.get() - before
}

/// The memory in use of this thread.
pub(crate) fn live() -> usize {
    LIVE.get()
}
