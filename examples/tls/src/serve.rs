//! The server: a thread for each connection, which owns all of it.

use std::fmt;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{CloseCode, CloseOutcome, Config, Connection, Event, Keepalive, ReadBuffer, State, Timeouts};

use crate::stream::{READ, TlsStream, now};
use crate::{Failure, config};

/// Connections at a time; more are closed at once.
const MOST: usize = 256;

/// The longest message.
const LONGEST: usize = 2 << 20;

/// How often a thread that waits for its peer looks up whether the server ends.
const TICK: Duration = Duration::from_millis(250);

/// How long the peers may take to answer our Close at the end.
const GOODBYE: Duration = Duration::from_secs(3);

struct Server {
    tls: Arc<ServerConfig>,
    config: Config,
    timeouts: Timeouts,
    is_ending: AtomicBool,
    open: Mutex<usize>,
    one_less: Condvar,
}

/// Serves until the program is told to end.
pub(crate) fn serve(
    listen: &str,
    mut names: Vec<String>,
    certificate: Option<&str>,
    timeouts: Timeouts,
) -> Result<(), Failure> {
    if names.is_empty() {
        names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    }
    let mut config = Config::default();
    (config.limits.message, config.limits.frame) = (LONGEST as u64, LONGEST as u64);
    let server = Arc::new(Server {
        tls: config::server(names, certificate)?,
        config,
        timeouts,
        is_ending: AtomicBool::new(false),
        open: Mutex::new(0),
        one_less: Condvar::new(),
    });
    let listener = TcpListener::bind(listen).map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let ending = Arc::clone(&server);
    ctrlc::set_handler(move || ending.end())?;
    say(format_args!("listening on wss://{}", listener.local_addr()?));
    loop {
        let taken = listener.accept().and_then(|(tcp, peer)| server.take(tcp, peer));
        if let Err(error) = taken {
            // too many files or threads: those that are there go on, and this one may try again
            say(format_args!("a connection could not be taken: {error}"));
            thread::sleep(TICK);
        }
    }
}

impl Server {
    fn take(self: &Arc<Self>, tcp: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let Some(place) = Place::new(self) else { return Ok(()) }; // the stream is dropped
        let connection = move || match place.0.connection(tcp, peer) {
            Ok(CloseOutcome { sent, received, .. }) => {
                say(format_args!("closed {peer} clean, sent {sent}, received {received}"));
            }
            Err(failure) => say(format_args!("closed {peer} not clean: {failure}")),
        };
        thread::Builder::new().spawn(connection).map(drop)
    }

    /// One connection, from the first octet of TLS to the last. Fails unless it ends by Close frames from both sides.
    fn connection(&self, tcp: TcpStream, peer: SocketAddr) -> Result<CloseOutcome, Failure> {
        let mut stream = TlsStream::new(tcp, ServerConnection::new(Arc::clone(&self.tls))?)?;
        let outcome = self.accept(&mut stream, peer).and_then(|mut session| session.echo(&self.is_ending));
        stream.finish();
        outcome
    }

    /// The handshakes: that of TLS, and in its octets that of the WebSocket.
    fn accept<'s>(&self, stream: &'s mut TlsStream, peer: SocketAddr) -> Result<Session<'s>, Failure> {
        let mut keepalive = Keepalive::new(&self.timeouts, now());
        let deadline = keepalive.handshake_deadline().unwrap_or(Duration::MAX);
        let mut handshake = ServerHandshake::new(&self.config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let ws = loop {
            match handshake.receive(&mut input, &mut output) {
                Ok(Some(request)) => {
                    say(format_args!("opened {peer} {} over {}", request.path(), stream.version()));
                    break request.accept().send(&mut output)?;
                }
                Ok(None) => {}
                Err(error) => {
                    stream.encrypt(&output)?; // why it is refused; `finish` writes it
                    return Err(error.into());
                }
            }
            match stream.read(&mut input, deadline)? {
                Some(0) => handshake.receive_eof()?,
                Some(_) => {}
                None => return Err("the handshake takes too long".into()),
            }
        };
        keepalive.opened(now());
        Ok(Session { stream, ws, input, output, keepalive })
    }

    /// Has all connections close with 1001, waits for the peers' answers for a while, and ends the program.
    fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        let waited = self.one_less.wait_timeout_while(self.lock(), GOODBYE, |open| *open > 0);
        drop(waited);
        process::exit(0);
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the connections that there may be, as long as it is held.
struct Place(Arc<Server>);

impl Place {
    fn new(server: &Arc<Server>) -> Option<Self> {
        let mut open = server.lock();
        (*open < MOST).then(|| {
            *open += 1;
            Self(Arc::clone(server))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.lock() -= 1;
        self.0.one_less.notify_all();
    }
}

/// An open WebSocket.
struct Session<'s> {
    stream: &'s mut TlsStream,
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
    keepalive: Keepalive,
}

impl Session<'_> {
    /// Sends back each message until the connection is over. What is read is answered, and what is answered is written,
    /// before more is read: a peer that does not read what it gets is not read either.
    fn echo(&mut self, is_ending: &AtomicBool) -> Result<CloseOutcome, Failure> {
        loop {
            if is_ending.load(Ordering::Relaxed) && self.ws.state() == State::Open {
                self.ws.close(CloseCode::GOING_AWAY, "", &mut self.output)?;
            }
            let received = self.receive();
            self.write()?; // also on failure: the output holds the Close frame that says why
            received?;
            if let Some(outcome) = self.ws.close_outcome() {
                return Ok(outcome);
            }
            if self.input.is_empty() {
                self.input.shrink(READ);
            }
            let deadline = self.deadline();
            match self.stream.read(&mut self.input, deadline)? {
                Some(0) => self.ws.receive_eof()?,
                Some(_) => self.keepalive.heard(now()),
                None => {}
            }
            self.keepalive.handle_timeout(now(), &mut self.ws, &mut self.output)?;
        }
    }

    fn receive(&mut self) -> Result<(), Failure> {
        let Self { ws, input, output, keepalive, .. } = self;
        while let Some(event) = ws.receive(input, output)? {
            if matches!(event, Event::Text(_) | Event::Binary(_)) {
                keepalive.active(now());
            }
            match event {
                // after our own Close, at the end of the server, nothing is echoed any more
                Event::Text(text) if ws.state() == State::Open => ws.send_text(text, output)?,
                Event::Binary(data) if ws.state() == State::Open => ws.send_binary(data, output)?,
                Event::Pong(payload) => keepalive.pong(now(), payload),
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes the output, as fast as the peer takes it.
    fn write(&mut self) -> Result<(), Failure> {
        let mut encrypted = 0;
        loop {
            encrypted += self.stream.encrypt(&self.output[encrypted..])?;
            if encrypted == self.output.len() && !self.stream.tls.wants_write() {
                break;
            }
            let deadline = self.deadline();
            let written = self.stream.write_some(deadline)?;
            let left = self.output.len() - encrypted + usize::from(self.stream.tls.wants_write());
            self.keepalive.wrote(now(), written, left);
            self.keepalive.handle_timeout(now(), &mut self.ws, &mut self.output)?;
        }
        self.output.clear();
        self.output.shrink_to(READ);
        Ok(())
    }

    /// When to stop waiting for the peer, and look what is due.
    fn deadline(&mut self) -> Duration {
        let tick = now() + TICK;
        self.keepalive.next_deadline(now(), &self.ws).map_or(tick, |deadline| deadline.min(tick))
    }
}

/// Prints a line; that nobody reads it is no reason to stop.
fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
