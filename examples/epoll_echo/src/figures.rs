//! What has the server done, and what does it hold?

use std::alloc::System;
use std::{fmt, fs};

use cap::Cap;
use websocket_proto::TimedOut;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By a closing handshake, or a refusal that was read.
    Closed,
    /// The stream ended or was reset before.
    BrokenOff,
    /// The peer broke a rule of the protocol.
    Failed,
    /// The request did not come in time, or the refusal was not read in time.
    SlowHandshake,
    /// No answer to a Ping or to a Close came in time.
    Silent,
    /// What waited to be written was not read in time.
    SlowReader,
    /// More waited to be written than is allowed for one, or all connections together held more than is allowed.
    Overflow,
}

impl From<TimedOut> for End {
    fn from(timed_out: TimedOut) -> Self {
        match timed_out {
            TimedOut::Handshake => Self::SlowHandshake,
            TimedOut::Write => Self::SlowReader,
            // to a Ping, or to a Close
            _ => Self::Silent,
        }
    }
}

/// Counters, for who runs the server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Connections that there are now, whatever their state.
    pub(crate) connections: usize,
    /// Octets that all of them hold together, in read buffers and unwritten output.
    pub(crate) held: usize,
    /// Connections that were opened.
    pub(crate) opened: u64,
    /// Those that were refused for want of room.
    pub(crate) refused: u64,
    /// Messages that were echoed.
    pub(crate) messages: u64,
    ends: [u64; 7],
}

impl Figures {
    pub(crate) fn ended(&mut self, end: End) {
        self.ends[end as usize] += 1;
    }
}

/// One line of `name=value`.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, held, opened, refused, messages, ends } = self;
        let [closed, broken_off, failed, slow_handshake, silent, slow_reader, overflow] = ends;
        write!(f, "connections={connections} held={held} heap={} rss={}", heap(), resident().unwrap_or_default())?;
        write!(f, " opened={opened} refused={refused} messages={messages} closed={closed} broken_off={broken_off}")?;
        write!(f, " failed={failed} slow_handshake={slow_handshake} silent={silent} slow_reader={slow_reader}")?;
        write!(f, " overflow={overflow}")
    }
}

/// Octets that the program has allocated and not given back.
fn heap() -> usize {
    HEAP.allocated()
}

/// Octets of the program that are in memory, as Linux says.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
