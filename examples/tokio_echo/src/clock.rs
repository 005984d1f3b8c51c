//! What time is it, and when was the peer last heard?

use std::future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{self, Instant};

/// Time since the program began, which is what the library counts in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.0.elapsed()
    }

    /// Waits for a deadline; for ever, if there is none. Cancelling it loses nothing: the deadline is the caller's.
    pub(crate) async fn sleep_until(self, deadline: Option<Duration>) {
        match deadline.and_then(|deadline| self.0.checked_add(deadline)) {
            Some(instant) => time::sleep_until(instant).await,
            None => future::pending().await,
        }
    }
}

/// When the reading task last got octets of the peer. The writing task asks when a deadline is due: to be woken for
/// every read would cost more than to be woken too early now and then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<AtomicU64>);

impl Heard {
    pub(crate) fn note(&self, now: Duration) {
        let nanoseconds = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanoseconds.saturating_add(1), Ordering::Relaxed); // 0 is for none
    }

    /// The latest that was noted and not yet taken.
    pub(crate) fn take(&self) -> Option<Duration> {
        match self.0.swap(0, Ordering::Relaxed) {
            0 => None,
            more => Some(Duration::from_nanos(more - 1)),
        }
    }
}
