//! RFC 6455 §5.5.2, §7.1.1, §7.2.2: by when has something to happen, and what if it does not?

use alloc::vec::Vec;
use core::time::Duration;

use crate::connection::{State, Watched};
use crate::error::TimedOut;
use crate::wire::CloseCode;

/// How long a peer may take. [`Duration::MAX`] is for ever; zero is not, but the shortest time there is.
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::Timeouts;
///
/// let mut timeouts = Timeouts::default();
/// timeouts.idle = Duration::from_secs(600);
/// assert_eq!(timeouts.ping, Duration::from_secs(30));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For the opening handshake, from the stream's beginning to its end (10 s).
    pub handshake: Duration,
    /// For being silent: then it is sent a Ping (30 s).
    pub ping: Duration,
    /// For letting hear from it after that Ping: then it is sent a Close with 1011 (20 s).
    pub pong: Duration,
    /// For the end of the stream after the first Close, whoever sent it; both Closes and all that waits before them
    /// have to be through by then, and TCP's end as well (10 s).
    pub close: Duration,
    /// For taking the next octet of what waits to be written to it (30 s). One that takes an octet from time to time
    /// is ended by `lifetime`, by a [`Backlog`](crate::Backlog), or by `idle`, if what is sent does not count there.
    pub write: Duration,
    /// For being of no use: without a whole message, in any direction, it is sent a Close with 1001 (for ever). It is
    /// what ends a peer that sends an octet from time to time.
    pub idle: Duration,
    /// For all of it, from the handshake's end: then it is sent a Close with 1001 (for ever).
    pub lifetime: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            ping: Duration::from_secs(30),
            pong: Duration::from_secs(20),
            close: Duration::from_secs(10),
            write: Duration::from_secs(30),
            idle: Duration::MAX,
            lifetime: Duration::MAX,
        }
    }
}

/// The deadlines of one connection, as data: you say what happens and when, it says by when it wants to be asked again,
/// and does then what is due. It has no clock: `now` is the time since any moment of yours, the same for all calls; one
/// that is earlier than that of the call before counts as that.
///
/// ```
/// use core::time::Duration;
/// use websocket_proto::{Config, Connection, Keepalive, Timeouts};
///
/// let secs = Duration::from_secs;
/// let mut keepalive = Keepalive::new(&Timeouts::default(), secs(0)); // the stream is there
/// assert_eq!(keepalive.handshake_deadline(), Some(secs(10)));
///
/// let mut ws = Connection::server(&Config::default());
/// let mut output = Vec::new();
/// keepalive.opened(secs(1)); // the handshake is over
/// assert_eq!(keepalive.next_deadline(secs(1), &ws), Some(secs(31)));
///
/// // 30 seconds later, nothing has come
/// keepalive.handle_timeout(secs(31), &mut ws, &mut output)?;
/// assert_eq!(output, b"\x89\x04\0\0\0\x01"); // a Ping, to be written
/// assert_eq!(keepalive.next_deadline(secs(31), &ws), Some(secs(51)));
///
/// // its Pong comes
/// keepalive.heard(secs(32));
/// keepalive.pong(secs(32), &[0, 0, 0, 1]);
/// assert_eq!(keepalive.round_trip(), Some(secs(1)));
/// assert_eq!(keepalive.next_deadline(secs(32), &ws), Some(secs(62)));
/// # Ok::<(), websocket_proto::TimedOut>(())
/// ```
///
/// A turn of a loop with it:
///
/// 1. when the stream gave octets, [`heard`](Self::heard); for each message in them, [`active`](Self::active), if
///    [`Timeouts::idle`] is used; for each [`Event::Pong`](crate::Event::Pong), [`pong`](Self::pong);
/// 2. in every turn, [`handle_timeout`](Self::handle_timeout), which does nothing unless a deadline has come: a stream
///    that is always ready must not keep it from being called;
/// 3. when octets wait to be written, and when some were, [`wrote`](Self::wrote); when the stream takes no more for
///    now, [`blocked`](Self::blocked). This is not optional: a peer that does not read is ended by nothing else;
/// 4. sleep until the stream is ready or [`next_deadline`](Self::next_deadline) has come, whichever is first.
///
/// Where a connection is [split](crate::Connection::split), it belongs to the task that sends, and the other tells it
/// what has come and when, even while the output has no room for more.
#[derive(Clone, Debug)]
pub struct Keepalive {
    within: Within,
    /// The latest time that was told.
    now: Nanos,
    /// When the stream was there; then, when the handshake was over.
    began: Nanos,
    /// When the peer let hear from it last.
    heard: Nanos,
    /// When there was a message last.
    active: Nanos,
    /// When the Ping was sent that nothing has come after.
    pinged: Nanos,
    /// When the Ping was sent whose Pong has not come.
    asked: Nanos,
    /// Since when output waits, and none of it is taken.
    stuck: Nanos,
    /// When the first Close was noticed.
    closing: Nanos,
    round_trip: Nanos,
    /// The payload of the last Ping.
    count: u32,
    /// The stream has taken no more.
    is_blocked: bool,
    /// What was not done in time, first.
    reason: Option<TimedOut>,
}

impl Keepalive {
    /// For a stream that was opened or accepted now; its handshake begins.
    #[must_use]
    pub fn new(timeouts: &Timeouts, now: Duration) -> Self {
        let now = Nanos::at(now);
        Self {
            within: Within::from(timeouts),
            now,
            began: now,
            heard: now,
            active: now,
            pinged: Nanos::NEVER,
            asked: Nanos::NEVER,
            stuck: Nanos::NEVER,
            closing: Nanos::NEVER,
            round_trip: Nanos::NEVER,
            count: 0,
            is_blocked: false,
            reason: None,
        }
    }

    /// Changes the timeouts, also those that run: after a login, say.
    pub fn set_timeouts(&mut self, timeouts: &Timeouts) {
        self.within = Within::from(timeouts);
    }

    /// By when the opening handshake has to be over. `None`: it may take for ever.
    #[must_use]
    pub fn handshake_deadline(&self) -> Option<Duration> {
        self.began.after(self.within.handshake).duration()
    }

    /// Whether the opening handshake, which is not over, may still take its time.
    ///
    /// # Errors
    /// [`TimedOut::Handshake`] if not: answer what is to be answered, or drop the stream.
    pub fn check_handshake(&mut self, now: Duration) -> Result<(), TimedOut> {
        let deadline = self.began.after(self.within.handshake);
        if self.time(now) >= deadline && deadline != Nanos::NEVER {
            return Err(self.give_up(TimedOut::Handshake));
        }
        Ok(())
    }

    /// The opening handshake is over.
    pub fn opened(&mut self, now: Duration) {
        self.began = self.time(now);
        (self.heard, self.active) = (self.began, self.began);
    }

    /// Octets of the peer have come, of whatever kind: it lives. This `now`, and that of [`pong`](Self::pong), may well
    /// be earlier than that of the call before: when they came, and not when somebody was told so.
    pub fn heard(&mut self, now: Duration) {
        self.time(now);
        let now = Nanos::at(now);
        self.heard = self.heard.max(now);
        if self.pinged <= now {
            self.pinged = Nanos::NEVER;
        }
    }

    /// A whole message was received or sent: the connection is of use. Who does not say so for what is sent has peers
    /// closed that only listen.
    pub fn active(&mut self, now: Duration) {
        self.active = self.time(now);
    }

    /// A Pong has come. If it answers the last Ping that was sent here, its round-trip time is known.
    pub fn pong(&mut self, now: Duration, payload: &[u8]) {
        if self.asked != Nanos::NEVER && payload == self.count.to_be_bytes() {
            self.round_trip = Nanos(Nanos::at(now).0.saturating_sub(self.asked.0));
            (self.asked, self.pinged) = (Nanos::NEVER, Nanos::NEVER);
        }
    }

    /// So many octets of the output were written, and so many still wait. With 0 written: they begin to wait, for the
    /// stream or for somebody else who writes them.
    ///
    /// A peer that takes octets after the stream was [blocked](Self::blocked) is alive: that counts as
    /// [heard](Self::heard), so that one is not taken for dead that is not read, as it is slow (see
    /// [`Backlog`](crate::Backlog)). What is taken at once says nothing: it may lie in the buffers below.
    pub fn wrote(&mut self, now: Duration, written: usize, left: usize) {
        let time = self.time(now);
        if written > 0 && self.is_blocked {
            self.heard = time;
            self.pinged = Nanos::NEVER;
        }
        self.is_blocked &= written == 0 && left > 0;
        self.stuck = match left {
            0 => Nanos::NEVER,
            _ if written > 0 => time,
            _ => self.stuck.min(time),
        };
    }

    /// The stream takes no more of the output for now. Call it after [`wrote`](Self::wrote), when
    ///
    /// * a stream that does not wait says `WouldBlock` or `Pending`;
    /// * a write that waits, or that others do, takes less than it was offered, or is not done by the next turn.
    ///
    /// Not when a write begins: then whatever the buffers below take would pass for a sign of life.
    ///
    /// A system may be slow to say that a stream takes more: Linux waits until a third of its send buffer is free,
    /// which may be a megabyte. Have it say so earlier (`TCP_NOTSENT_LOWAT`), or try once more before
    /// [`handle_timeout`](Self::handle_timeout), or a peer that reads steadily and slowly is taken for one that does
    /// not.
    pub fn blocked(&mut self, now: Duration) {
        self.is_blocked = true;
        self.stuck = self.stuck.min(self.time(now));
    }

    /// The time from the last Ping that was answered to its Pong; to be exact, from when the Ping was appended to the
    /// output.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip.duration()
    }

    /// What the peer has not done in time, once there is something: why it was sent a Close, or has to be dropped.
    #[must_use]
    pub fn timed_out(&self) -> Option<TimedOut> {
        self.reason
    }

    /// By when [`handle_timeout`](Self::handle_timeout) wants to be called. It changes with all that happens, and costs
    /// little: ask once a turn, before you sleep. `None`: never. `ws` is the whole connection, or its half that sends.
    pub fn next_deadline(&mut self, now: Duration, ws: &impl Watched) -> Option<Duration> {
        let now = self.time(now);
        self.notice(now, ws);
        self.next().0.duration()
    }

    /// Does what is due: appends a Ping or a Close to the output, to be written. Where nothing is due, nothing happens.
    ///
    /// # Errors
    /// What the peer did not do in time, first of all. Drop the stream then: there is nothing more to say to it, or it
    /// does not read.
    pub fn handle_timeout(
        &mut self,
        now: Duration,
        ws: &mut impl Watched,
        output: &mut Vec<u8>,
    ) -> Result<(), TimedOut> {
        let now = self.time(now);
        self.notice(now, ws);
        // each of these puts off what it does, and after a Close, neither is due; so both can be sent
        loop {
            let (at, due) = self.next();
            if at > now || at == Nanos::NEVER {
                return Ok(());
            }
            match due {
                Due::Drop(error) => return Err(self.give_up(error)),
                Due::Ping => {
                    self.count = self.count.wrapping_add(1);
                    let _ = ws.sender_mut().send_ping(&self.count.to_be_bytes(), output);
                    (self.pinged, self.asked) = (now, now);
                }
                Due::Close(error, code, reason) => {
                    self.give_up(error);
                    let _ = ws.sender_mut().close(code, reason, output);
                    self.closing = now;
                }
            }
        }
    }

    /// The time, which never goes back.
    fn time(&mut self, now: Duration) -> Nanos {
        self.now = self.now.max(Nanos::at(now));
        self.now
    }

    /// Begins to wait for the stream's end once a Close was sent, or can be sent no more.
    fn notice(&mut self, now: Nanos, ws: &impl Watched) {
        if ws.sender().state() != State::Open {
            self.closing = self.closing.min(now);
        }
    }

    /// What is due first, and when.
    fn next(&self) -> (Nanos, Due) {
        let Within { ping, pong, close, write, idle, lifetime, .. } = self.within;
        let stuck = (self.stuck.after(write), Due::Drop(TimedOut::Write));
        if self.closing != Nanos::NEVER {
            return first(stuck, (self.closing.after(close), Due::Drop(TimedOut::Close)));
        }
        let silent = match self.pinged {
            Nanos::NEVER => (self.heard.after(ping), Due::Ping),
            pinged => {
                let close = Due::Close(TimedOut::Pong, CloseCode::INTERNAL_ERROR, "no pong in time");
                (pinged.after(pong), close)
            }
        };
        let idle_end = Due::Close(TimedOut::Idle, CloseCode::GOING_AWAY, "idle for too long");
        let last = Due::Close(TimedOut::Lifetime, CloseCode::GOING_AWAY, "open for too long");
        let ends = first((self.active.after(idle), idle_end), (self.began.after(lifetime), last));
        first(first(stuck, silent), ends)
    }

    /// Notes the first of the reasons.
    fn give_up(&mut self, reason: TimedOut) -> TimedOut {
        *self.reason.get_or_insert(reason)
    }
}

/// What a deadline asks for.
#[derive(Clone, Copy, Debug)]
enum Due {
    Ping,
    Close(TimedOut, CloseCode, &'static str),
    Drop(TimedOut),
}

/// The earlier of two.
fn first(a: (Nanos, Due), b: (Nanos, Due)) -> (Nanos, Due) {
    if b.0 < a.0 { b } else { a }
}

/// The timeouts, in half the memory: there is one for each connection.
#[derive(Clone, Copy, Debug)]
struct Within {
    handshake: Nanos,
    ping: Nanos,
    pong: Nanos,
    close: Nanos,
    write: Nanos,
    idle: Nanos,
    lifetime: Nanos,
}

impl From<&Timeouts> for Within {
    fn from(timeouts: &Timeouts) -> Self {
        let Timeouts { handshake, ping, pong, close, write, idle, lifetime } = *timeouts;
        Self {
            handshake: handshake.into(),
            ping: ping.into(),
            pong: pong.into(),
            close: close.into(),
            write: write.into(),
            idle: idle.into(),
            lifetime: lifetime.into(),
        }
    }
}

/// A time or a timeout in nanoseconds, of which 2^64 are 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nanos(u64);

impl Nanos {
    const NEVER: Self = Self(u64::MAX);

    /// A time, which is never never.
    fn at(now: Duration) -> Self {
        Self::from(now).min(Self(u64::MAX - 1))
    }

    /// Never, if either is.
    fn after(self, timeout: Self) -> Self {
        Self(self.0.saturating_add(timeout.0))
    }

    fn duration(self) -> Option<Duration> {
        (self != Self::NEVER).then_some(Duration::from_nanos(self.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        u64::try_from(duration.as_nanos()).map_or(Self::NEVER, Self)
    }
}
