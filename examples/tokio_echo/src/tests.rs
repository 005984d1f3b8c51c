//! What holds in memory and in time that stands still.

mod cancelling;
mod deadlines;
mod peer;
mod stutter;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use websocket_proto::{Config, Connection, ReadBuffer, Timeouts};

use crate::serve::Opened;
use crate::server::Server;

/// A server with these deadlines, and what ends it.
fn server(timeouts: Timeouts) -> (Arc<Server>, watch::Sender<bool>) {
    let (end, ending) = watch::channel(false);
    (Arc::new(Server::new(Config::default(), timeouts, 1, ending)), end)
}

/// No deadlines.
fn patience() -> Timeouts {
    let mut timeouts = Timeouts::default();
    for timeout in [&mut timeouts.handshake, &mut timeouts.ping, &mut timeouts.close, &mut timeouts.write] {
        *timeout = Duration::MAX;
    }
    timeouts
}

/// The server's end of a connection; these octets came behind the handshake.
fn opened(early: &[u8]) -> Opened {
    let mut input = ReadBuffer::default();
    input.extend_from_slice(early);
    Opened { ws: Connection::server(&Config::default()), input, output: Vec::new() }
}

/// Numbers that are the same in every run.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % end
    }

    /// Dice of their own for something else.
    fn split(&mut self) -> Self {
        Self::new(self.0.wrapping_add(1))
    }
}
