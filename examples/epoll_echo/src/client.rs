//! How far is one peer, and what is to be done when its socket is ready?

#[path = "../../loops/readiness.rs"]
mod readiness;

use std::io;
use std::mem;
use std::net::Shutdown;
use std::time::Duration;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{Backlog, CloseCode, Connection, Keepalive, ProtocolError, ReadBuffer};

use crate::figures::End;
use crate::outbox::Outbox;
use crate::pool::{self, READ};
use crate::shared::Shared;

/// Unwritten octets at which the peer is read no further.
const PAUSE: usize = 64 << 10;

/// A peer, with all that is kept of it from one turn to the next.
pub(crate) struct Client {
    stream: TcpStream,
    phase: Phase,
    keepalive: Keepalive,
    backlog: Backlog,
    outbox: Outbox,
    /// What has come and is not dealt with; `None` while that is nothing.
    input: Option<Box<ReadBuffer>>,
    reading: Reading,
    /// Nothing can be written; the poll says when.
    is_blocked: bool,
    /// Our half of the stream is ended.
    is_shut: bool,
    /// What the poll was asked to say.
    interest: Interest,
    /// Octets of memory, as they were counted last.
    held: usize,
    /// What the timer has noted.
    pub(crate) noted: Option<Duration>,
    /// Its turn was cut short, and goes on unasked.
    pub(crate) is_queued: bool,
}

#[allow(clippy::large_enum_variant)] // almost all are open
enum Phase {
    Handshake(Box<ServerHandshake>),
    /// The response that says so has to be written, and read.
    Refused,
    Open(Connection),
}

/// What is known of octets that may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// There are none; the poll says when.
    Waits,
    /// There may be some.
    Ready,
    /// The stream has ended behind them: it is read until there.
    Ending,
    /// There will be none.
    Ended,
}

/// When a peer's next turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// When its socket is ready.
    Wait,
    /// When the others have had theirs.
    Again,
}

impl Client {
    pub(crate) fn new(stream: TcpStream, shared: &Shared) -> Self {
        // an echo is never longer than a message behind what was there when the peer was read last
        let most = PAUSE + usize::try_from(shared.options.config.limits.message).unwrap_or(usize::MAX / 2) + (64 << 10);
        Self {
            stream,
            phase: Phase::Handshake(Box::new(ServerHandshake::new(&shared.options.config))),
            keepalive: Keepalive::new(&shared.options.timeouts, shared.now),
            backlog: Backlog::new(PAUSE, most),
            outbox: Outbox::default(),
            input: None,
            reading: Reading::Waits,
            is_blocked: false,
            is_shut: false,
            interest: Interest::READABLE,
            held: 0,
            noted: None,
            is_queued: false,
        }
    }

    /// Takes note of what the poll says. It is said once: what is not done now has to be done later unasked.
    pub(crate) fn wake(&mut self, event: &Event) {
        self.reading = match self.reading {
            Reading::Ended => Reading::Ended,
            _ if event.is_read_closed() || event.is_error() => Reading::Ending,
            Reading::Waits if event.is_readable() => Reading::Ready,
            reading => reading,
        };
        self.is_blocked &= !(event.is_writable() || event.is_write_closed() || event.is_error());
    }

    /// Reads, echoes and writes what there is, up to a fair share.
    pub(crate) fn turn(&mut self, shared: &mut Shared) -> Result<Next, End> {
        let mut input = self.input.take().map_or_else(|| shared.pool.take(), |input| *input);
        if self.outbox.memory() == 0 {
            self.outbox.frames = mem::take(&mut shared.output);
        }
        let next = self.work(&mut input, shared);
        if self.outbox.is_empty() {
            shared.give_output(mem::take(&mut self.outbox.frames));
        } else {
            self.outbox.trim();
        }
        if input.is_empty() {
            shared.pool.give(input);
        } else {
            pool::trim(&mut input);
            self.input = Some(Box::new(input));
        }
        self.count(shared);
        if shared.is_full() && self.held > READ { Err(End::Overflow) } else { next }
    }

    /// Its next deadline, as things are after a turn.
    pub(crate) fn deadline(&mut self, now: Duration) -> Option<Duration> {
        match &self.phase {
            Phase::Handshake(_) | Phase::Refused => self.keepalive.handshake_deadline(),
            Phase::Open(ws) => self.keepalive.next_deadline(now, ws),
        }
    }

    /// Does what is due, which may be nothing; a turn is to follow, for what is to be written.
    pub(crate) fn expire(&mut self, now: Duration) -> Result<(), End> {
        match &mut self.phase {
            Phase::Handshake(_) | Phase::Refused => Ok(self.keepalive.check_handshake(now)?),
            Phase::Open(ws) => Ok(self.keepalive.handle_timeout(now, ws, &mut self.outbox.frames)?),
        }
    }

    /// Begins to close, as the server ends; a turn is to follow.
    pub(crate) fn go_away(&mut self) -> Result<(), End> {
        match &mut self.phase {
            Phase::Handshake(_) => Err(End::Closed),
            Phase::Refused => Ok(()),
            Phase::Open(ws) => {
                // it may be closing already
                let _ = ws.close(CloseCode::GOING_AWAY, "", &mut self.outbox.frames);
                Ok(())
            }
        }
    }

    /// Wants to be told of room to write only while something waits for it.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = if self.is_blocked { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        if interest == self.interest {
            return Ok(());
        }
        self.interest = interest;
        registry.reregister(&mut self.stream, token, interest)
    }

    /// The end of it. A peer that does not read is reset: the system would otherwise keep what waits for it, for
    /// minutes. The others get what is on its way to them.
    pub(crate) fn leave(mut self: Box<Self>, end: End, shared: &mut Shared) {
        if !self.outbox.is_empty() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
        self.input = None;
        self.outbox = Outbox::default();
        self.count(shared);
        shared.figures.ended(end);
    }

    /// Whether nothing more is to be said or heard.
    fn is_over(&self) -> bool {
        match &self.phase {
            Phase::Handshake(_) => self.reading == Reading::Ended,
            Phase::Refused => true,
            Phase::Open(ws) => !ws.wants_read(),
        }
    }

    /// Ends the sending half once, so that what was written last is not lost to a reset; then the peer's end is waited
    /// for, until its deadline.
    fn shut(&mut self) -> Result<(), End> {
        if self.reading == Reading::Ended {
            return Err(self.outcome());
        }
        if !self.is_shut {
            self.is_shut = true;
            self.stream.shutdown(Shutdown::Write).map_err(|_| End::BrokenOff)?;
        }
        Ok(())
    }

    fn outcome(&self) -> End {
        match &self.phase {
            Phase::Handshake(_) => End::BrokenOff,
            Phase::Refused => End::Closed,
            Phase::Open(ws) => match ws.close_outcome() {
                Some(outcome) if outcome.clean => End::Closed,
                Some(outcome) if outcome.error.is_some_and(|error| error != ProtocolError::UnexpectedEof) => {
                    End::Failed
                }
                _ => End::BrokenOff,
            },
        }
    }

    /// Counts what it holds.
    fn count(&mut self, shared: &mut Shared) {
        let held = self.input.as_ref().map_or(0, |input| input.capacity()) + self.outbox.memory();
        shared.figures.held = shared.figures.held - self.held + held;
        self.held = held;
    }
}
