//! RFC 6455 §5.5.2, §7.1.1, §7.2.2: by when has something to happen, and what if it does not?

use alloc::vec::Vec;
use core::time::Duration;

use crate::connection::{Sender, State};
use crate::error::TimedOut;
use crate::wire::CloseCode;

/// How long a peer may take; [`Duration::MAX`] is for ever.
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
    /// For taking the next octet of what waits to be written to it (30 s).
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
/// and does then what is due. It has no clock: `now` is the time since any moment of yours, the same for all calls; a
/// `now` that runs backwards is as good as one that stands still.
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
/// 3. after each attempt to write, [`wrote`](Self::wrote); where others write, [`queued`](Self::queued) before that;
/// 4. sleep until the stream is ready or [`next_deadline`](Self::next_deadline) has come, whichever is first.
#[derive(Clone, Copy, Debug)]
pub struct Keepalive {
    timeouts: Timeouts,
    /// When the stream was there; then, when the handshake was over.
    began: Duration,
    /// When the peer let hear from it last.
    heard: Duration,
    /// When there was a message last.
    active: Duration,
    /// When the Ping was sent that nothing has come after.
    pinged: Option<Duration>,
    /// When the Ping was sent whose Pong has not come.
    asked: Option<Duration>,
    /// The payload of the last Ping.
    count: u32,
    /// Since when output waits, and none of it is taken.
    stuck: Option<Duration>,
    /// Of the octets that were last tried to be written, some were left.
    is_full: bool,
    /// When the first Close was noticed.
    closing: Option<Duration>,
    round_trip: Option<Duration>,
}

impl Keepalive {
    /// For a stream that was opened or accepted now; its handshake begins.
    #[must_use]
    pub fn new(timeouts: &Timeouts, now: Duration) -> Self {
        Self {
            timeouts: *timeouts,
            began: now,
            heard: now,
            active: now,
            pinged: None,
            asked: None,
            count: 0,
            stuck: None,
            is_full: false,
            closing: None,
            round_trip: None,
        }
    }

    /// By when the opening handshake has to be over, or else the stream is to be dropped. `None`: it may take for ever.
    #[must_use]
    pub fn handshake_deadline(&self) -> Option<Duration> {
        after(self.began, self.timeouts.handshake)
    }

    /// The opening handshake is over.
    pub fn opened(&mut self, now: Duration) {
        self.began = self.began.max(now);
        self.heard(now);
        self.active(now);
    }

    /// Octets of the peer have come, of whatever kind: it lives.
    pub fn heard(&mut self, now: Duration) {
        self.heard = self.heard.max(now);
        self.pinged = None;
    }

    /// A whole message was received or sent: the connection is of use.
    pub fn active(&mut self, now: Duration) {
        self.active = self.active.max(now);
    }

    /// A Pong has come. If it answers the last Ping that was sent here, its round-trip time is known.
    pub fn pong(&mut self, now: Duration, payload: &[u8]) {
        if let Some(asked) = self.asked.take_if(|_| payload == self.count.to_be_bytes()) {
            self.round_trip = Some(now.saturating_sub(asked));
        }
    }

    /// Octets were handed over to be written, to somebody who says later that it is done: a thread, an operation of
    /// `io_uring`. Then call [`wrote`](Self::wrote).
    pub fn queued(&mut self, now: Duration) {
        self.stuck = self.stuck.or(Some(now));
    }

    /// It was tried to write: `written` octets were taken, and `left` octets of the output still wait.
    ///
    /// A peer that takes octets after some were left is alive: that counts as [heard](Self::heard), so that one is not
    /// taken for dead that is not read, as it is slow (see [`Backlog`](crate::Backlog)). What is taken at once says
    /// nothing: it may lie in the buffers below.
    pub fn wrote(&mut self, now: Duration, written: usize, left: usize) {
        if written > 0 && self.is_full {
            self.heard(now);
        }
        self.is_full = left > 0;
        self.stuck = match left {
            0 => None,
            _ if written > 0 => Some(now),
            _ => self.stuck.or(Some(now)),
        };
    }

    /// The time from the last Ping that was answered to its Pong.
    #[must_use]
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// By when [`handle_timeout`](Self::handle_timeout) wants to be called. It changes with all that happens, and costs
    /// little: ask once a turn, before you sleep. `None`: never. `ws` is the whole connection, or its half that sends.
    pub fn next_deadline(&mut self, now: Duration, ws: &impl AsRef<Sender>) -> Option<Duration> {
        self.notice(now, ws.as_ref());
        self.next().map(|(at, _)| at)
    }

    /// Does what is due: appends a Ping or a Close to the output, to be written. Where nothing is due, nothing happens.
    ///
    /// # Errors
    /// What the peer did not do in time. Drop the stream then: there is nothing more to say to it, or it does not read.
    pub fn handle_timeout(
        &mut self,
        now: Duration,
        ws: &mut impl AsMut<Sender>,
        output: &mut Vec<u8>,
    ) -> Result<(), TimedOut> {
        let ws = ws.as_mut();
        self.notice(now, ws);
        // each of these puts off what it does, and after a Close, neither is due; so both can be sent
        while let Some((_, due)) = self.next().filter(|(at, _)| *at <= now) {
            match due {
                Due::Drop(error) => return Err(error),
                Due::Ping => {
                    self.count = self.count.wrapping_add(1);
                    let _ = ws.send_ping(&self.count.to_be_bytes(), output);
                    (self.pinged, self.asked) = (Some(now), Some(now));
                }
                Due::Close(code, reason) => {
                    let _ = ws.close(code, reason, output);
                    self.closing = Some(now);
                }
            }
        }
        Ok(())
    }

    /// Begins to wait for the stream's end once a Close was sent, or can be sent no more.
    fn notice(&mut self, now: Duration, ws: &Sender) {
        if ws.state() != State::Open && self.closing.is_none() {
            self.closing = Some(now);
        }
    }

    /// What is due first, and when.
    fn next(&self) -> Option<(Duration, Due)> {
        let by = |since, timeout, due| Some((after(since, timeout)?, due));
        let Timeouts { ping, pong, close, write, idle, lifetime, .. } = self.timeouts;
        let stuck = self.stuck.and_then(|since| by(since, write, Due::Drop(TimedOut::Write)));
        let rest = match (self.closing, self.pinged) {
            (Some(since), _) => [by(since, close, Due::Drop(TimedOut::Close)), None, None],
            (None, pinged) => [
                match pinged {
                    Some(since) => by(since, pong, Due::Close(CloseCode::INTERNAL_ERROR, "no pong in time")),
                    None => by(self.heard, ping, Due::Ping),
                },
                by(self.active, idle, Due::Close(CloseCode::GOING_AWAY, "idle for too long")),
                by(self.began, lifetime, Due::Close(CloseCode::GOING_AWAY, "open for too long")),
            ],
        };
        [stuck].into_iter().chain(rest).flatten().min_by_key(|(at, _)| *at)
    }
}

/// The end of a timeout; none, if that is never.
fn after(since: Duration, timeout: Duration) -> Option<Duration> {
    since.checked_add(timeout).filter(|at| *at < Duration::MAX)
}

/// What a deadline asks for.
#[derive(Clone, Copy, Debug)]
enum Due {
    Ping,
    Close(CloseCode, &'static str),
    Drop(TimedOut),
}
