//! Deadlines in programs: how long a peer may take, and what becomes of the time.

use std::time::Duration;

use arbitrary::Arbitrary;
use websocket_proto::{Keepalive, Timeouts};

/// Timeouts in ms, from no time to 254; 255 is for ever. Ping, Pong, Close, writing, idleness, lifetime.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Times(pub [u8; 6]);

impl Times {
    pub fn timeouts(self) -> Timeouts {
        let [ping, pong, close, write, idle, lifetime] = self.0.map(|ms| match ms {
            255 => Duration::MAX,
            ms => Duration::from_millis(ms.into()),
        });
        let mut timeouts = Timeouts::default();
        (timeouts.ping, timeouts.pong, timeouts.close) = (ping, pong, close);
        (timeouts.write, timeouts.idle, timeouts.lifetime) = (write, idle, lifetime);
        timeouts
    }

    /// Of a connection that is open at 0.
    pub fn keepalive(self) -> Keepalive {
        let mut keepalive = Keepalive::new(&self.timeouts(), Duration::ZERO);
        keepalive.opened(Duration::ZERO);
        keepalive
    }
}

/// What becomes of the time.
#[derive(Arbitrary, Debug)]
pub enum Turn {
    /// So many ms go by.
    On(u8),
    /// The clock is set back.
    Back(u8),
    /// The next deadline comes, exactly.
    Due,
    /// It is almost there.
    AlmostDue,
    /// It is long ago.
    Late(u8),
}

/// A clock that may be wrong.
#[derive(Debug, Default)]
pub struct Clock {
    pub now: Duration,
    /// The latest time that it has shown.
    pub latest: Duration,
}

impl Clock {
    pub fn set(&mut self, turn: &Turn, deadline: Option<Duration>) -> Duration {
        let ms = |ms: &u8| Duration::from_millis((*ms).into());
        let deadline = deadline.unwrap_or(self.now);
        self.now = match turn {
            Turn::On(gone) => self.now + ms(gone),
            Turn::Back(gone) => self.now.saturating_sub(ms(gone)),
            Turn::Due => deadline,
            Turn::AlmostDue => deadline.saturating_sub(Duration::from_nanos(1)),
            Turn::Late(gone) => deadline + ms(gone) * 100,
        };
        self.latest = self.latest.max(self.now);
        self.now
    }
}
