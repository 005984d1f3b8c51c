//! The loop: who is ready, whose turn is it, whose time is up?

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;
#[cfg(target_os = "linux")]
use socket2::SockRef;
use socket2::{Domain, Socket, Type};

use crate::client::{Client, Next};
use crate::figures::{End, Figures};
use crate::options::Options;
use crate::shared::Shared;
use crate::timer::Timer;

const LISTENER: Token = Token(usize::MAX);
const ENDING: Token = Token(usize::MAX - 1);

/// Connections that may wait to be taken; most take 128, and those beyond it wait for a second and more.
const WAITING: i32 = 4096;

/// Connections to be taken before it is the others' turn.
const ACCEPTS: usize = 256;

/// How long no connection is taken when there are no descriptors for one.
const RECOVERY: Duration = Duration::from_millis(100);

/// Octets that the system may take of us for one peer before they are on their way.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 64 << 10;

/// Connections beyond the most, which are told so; those beyond them are dropped.
const REFUSALS: usize = 64;

/// An echo server on one thread.
pub(crate) struct Server {
    poll: Poll,
    /// `None` when the server ends.
    listener: Option<TcpListener>,
    /// When to take connections again without being told.
    accept_at: Option<Duration>,
    /// Each in memory of its own, which is given back when it goes.
    clients: Slab<Box<Client>>,
    /// Those whose turn was cut short; one may be gone, and another one in its place.
    again: VecDeque<usize>,
    timer: Timer,
    shared: Shared,
    start: Instant,
}

impl Server {
    pub(crate) fn bind(options: Options) -> io::Result<Self> {
        let address: SocketAddr =
            options.listen.parse().map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
        let poll = Poll::new()?;
        let mut listener = listen(address)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let shared = Shared::new(options);
        Ok(Self {
            poll,
            listener: Some(listener),
            accept_at: None,
            clients: Slab::new(),
            again: VecDeque::new(),
            timer: Timer::default(),
            shared,
            start: Instant::now(),
        })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.as_ref().ok_or(ErrorKind::NotConnected)?.local_addr()
    }

    /// What has the loop close all connections with 1001 and end, when it is woken by another thread.
    pub(crate) fn ending(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), ENDING)
    }

    /// Serves, until the end is asked for and all connections are closed.
    pub(crate) fn run(mut self) -> io::Result<Figures> {
        let mut events = Events::with_capacity(1024);
        while self.listener.is_some() || !self.clients.is_empty() {
            match self.poll.poll(&mut events, self.timeout()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => self.shared.now = self.start.elapsed(),
            }
            // those that were cut short in the last turn, behind those that are ready in this one
            let again = self.again.len();
            for event in &events {
                match event.token() {
                    LISTENER => self.accept_at = Some(self.shared.now),
                    ENDING => self.end(),
                    Token(key) => {
                        let Some(client) = self.clients.get_mut(key) else { continue };
                        client.wake(event);
                        if !client.is_queued {
                            self.turn(key);
                        }
                    }
                }
            }
            for key in self.again.drain(..again).collect::<Vec<_>>() {
                if let Some(client) = self.clients.get_mut(key) {
                    client.is_queued = false;
                    self.turn(key);
                }
            }
            for key in self.timer.due(self.shared.now) {
                self.expire(key);
            }
            if self.accept_at.is_some_and(|at| at <= self.shared.now) {
                self.accept();
            }
        }
        Ok(self.shared.figures)
    }

    /// How long there is nothing to do unless a socket is ready.
    fn timeout(&self) -> Option<Duration> {
        if !self.again.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = self.timer.next().into_iter().chain(self.accept_at).min()?;
        Some(next.saturating_sub(self.start.elapsed()))
    }

    /// Takes the connections that wait, some at a time.
    fn accept(&mut self) {
        // others may wait, and the poll will not say so again
        self.accept_at = Some(self.shared.now);
        for _ in 0..ACCEPTS {
            let Some(listener) = &self.listener else { return self.accept_at = None };
            match listener.accept() {
                Ok((stream, _)) => self.enter(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.accept_at = None,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                // no descriptors, or no memory: those that are there go on, and that may change
                Err(_) => return self.accept_at = Some(self.shared.now + RECOVERY),
            }
        }
    }

    fn enter(&mut self, mut stream: TcpStream) {
        if self.clients.len() >= self.shared.options.max_connections + REFUSALS {
            self.shared.figures.refused += 1;
            return;
        }
        let entry = self.clients.vacant_entry();
        let key = entry.key();
        let registered = self.poll.registry().register(&mut stream, Token(key), Interest::READABLE);
        // or a slow reader is heard of only when it has read a third of a buffer that may be megabytes (what is lost
        // where that cannot be set is that the deadline for it comes early)
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        if registered.is_ok() && stream.set_nodelay(true).is_ok() {
            let mut client = Client::new(stream, &self.shared);
            let deadline = client.deadline(self.shared.now);
            self.timer.set(key, &mut client.noted, deadline);
            entry.insert(Box::new(client));
            self.shared.figures.connections += 1;
        }
    }

    /// One connection's turn.
    fn turn(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        match client.turn(&mut self.shared) {
            Ok(next) => {
                if next == Next::Again && !client.is_queued {
                    client.is_queued = true;
                    self.again.push_back(key);
                }
                let deadline = client.deadline(self.shared.now);
                self.timer.set(key, &mut client.noted, deadline);
                if client.register(self.poll.registry(), Token(key)).is_err() {
                    self.remove(key, End::BrokenOff);
                }
            }
            Err(end) => self.remove(key, end),
        }
    }

    /// A deadline that was noted has come: perhaps the real one is later by now.
    fn expire(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        client.noted = None;
        match client.expire(self.shared.now) {
            Ok(()) => self.turn(key),
            Err(end) => self.remove(key, end),
        }
    }

    /// Takes no more connections, and closes those that there are.
    fn end(&mut self) {
        self.listener = None;
        self.accept_at = None;
        let all: Vec<usize> = self.clients.iter().map(|(key, _)| key).collect();
        for key in all {
            match self.clients[key].go_away() {
                Ok(()) => self.turn(key),
                Err(end) => self.remove(key, end),
            }
        }
    }

    fn remove(&mut self, key: usize, end: End) {
        let client = self.clients.remove(key);
        self.timer.remove(key, client.noted);
        client.leave(end, &mut self.shared);
        self.shared.figures.connections -= 1;
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // the address of a server that has just ended
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(WAITING)?;
    Ok(TcpListener::from_std(socket.into()))
}
