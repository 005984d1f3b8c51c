//! The server: a thread for each connection, which owns all of it.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{CloseOutcome, Config, Keepalive, ReadBuffer, Timeouts};

use crate::say::{self, say};
use crate::session::Session;
use crate::stream::{TlsStream, now};
use crate::{Failure, config};

/// Connections at a time; more are closed at once.
const MOST: usize = 256;

/// The longest message.
const LONGEST: usize = 2 << 20;

/// How long to wait before the next connection is taken, where one could not be.
const PAUSE: Duration = Duration::from_millis(250);

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
            thread::sleep(PAUSE);
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
        say::flush();
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
