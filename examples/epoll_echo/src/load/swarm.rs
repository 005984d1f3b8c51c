//! Ten thousand clients on one thread: the same loop from the other side.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use nix::errno::Errno;
use socket2::{Domain, Socket, Type};
use websocket_proto::handshake::Uri;

use super::peer::{Common, Peer};
use super::{Failure, url};

/// Handshakes that are under way at a time.
const OPENING: usize = 256;

/// How long anything may take that takes a moment.
const PATIENCE: Duration = Duration::from_mins(1);

/// A turn of the loop, while something else is waited for.
const TICK: Duration = Duration::from_millis(20);

/// Messages that a busy client may have on the way.
const WINDOW: u64 = 4;

/// All clients of the load.
pub(super) struct Swarm {
    poll: Poll,
    events: Events,
    address: SocketAddr,
    uri: Uri,
    peers: Vec<Peer>,
    /// Those that are to connect.
    closed: VecDeque<usize>,
    pub(super) common: Common,
    /// What was not as it should be, of as many clients as can be shown.
    faults: Vec<String>,
}

impl Swarm {
    pub(super) fn new(address: SocketAddr, len: usize, busy: usize) -> Result<Self, Failure> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            address,
            uri: Uri::parse(&url(address, "/"))?,
            peers: (0..len).map(|id| Peer::new(id, if id < busy { WINDOW } else { 0 })).collect(),
            closed: VecDeque::new(),
            common: Common::default(),
            faults: Vec::new(),
        })
    }

    /// Connects all of them, some at a time; whether each of them was soon open, and all that was sent has come back.
    pub(super) fn open_all(&mut self) -> Result<bool, Failure> {
        self.common.is_driving = false;
        self.closed.extend(0..self.peers.len());
        let is_open =
            self.until(|swarm| swarm.closed.is_empty() && swarm.common.open + swarm.faults.len() >= swarm.peers.len())?;
        Ok(is_open && self.settle()?)
    }

    /// Has the busy ones send from now on.
    pub(super) fn drive(&mut self) {
        self.common.is_driving = true;
        for peer in &mut self.peers {
            note(&mut self.faults, peer.turn(false, &mut self.common));
        }
    }

    /// Sends no more, and waits until all that was sent has come back; whether it has.
    pub(super) fn settle(&mut self) -> Result<bool, Failure> {
        self.common.is_driving = false;
        self.until(|swarm| swarm.common.waiting == 0)
    }

    /// Goes on until this is so; whether it ever was.
    pub(super) fn until(&mut self, is_so: impl Fn(&Self) -> bool) -> Result<bool, Failure> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            self.turn()?;
        }
        Ok(true)
    }

    /// Goes on for so long.
    pub(super) fn rest(&mut self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        self.until(|_| Instant::now() >= end).map(drop)
    }

    /// What was not as it should be.
    pub(super) fn faults(&self) -> &[String] {
        &self.faults
    }

    fn turn(&mut self) -> Result<(), Failure> {
        self.connect()?;
        match self.poll.poll(&mut self.events, Some(TICK)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &self.events {
            let is_ending = event.is_read_closed() || event.is_error();
            note(&mut self.faults, self.peers[event.token().0].turn(is_ending, &mut self.common));
        }
        Ok(())
    }

    /// Begins as many handshakes as may be under way.
    fn connect(&mut self) -> Result<(), Failure> {
        let settled = self.closed.len() + self.common.open + self.faults.len();
        for _ in self.peers.len().saturating_sub(settled)..OPENING {
            let Some(id) = self.closed.pop_front() else { break };
            let stream = self.peers[id].connect(dial(id, self.address)?, &self.uri)?;
            self.poll.registry().register(stream, Token(id), Interest::READABLE | Interest::WRITABLE)?;
        }
        Ok(())
    }
}

/// Begins to connect. Each address of the loopback has ports of its own, of which Linux finds the first half fast: some
/// 14,000.
fn dial(id: usize, address: SocketAddr) -> io::Result<TcpStream> {
    let own = SocketAddr::from(([127, 0, 0, u8::try_from(1 + id / 10_000).unwrap_or(u8::MAX)], 0));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&own.into())?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

fn note(faults: &mut Vec<String>, done: Result<(), Failure>) {
    if let Err(failure) = done {
        faults.push(failure.to_string());
    }
}
