//! The adapter between `rustls` and a blocking `TcpStream`. Each wait has a deadline: a time since the program's start.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rustls::Connection;
use websocket_proto::ReadBuffer;

/// Octets to ask the stream for at a time.
pub(crate) const READ: usize = 16 * 1024;

/// How long the peer may take to end its half of the stream.
pub(crate) const LINGER: Duration = Duration::from_secs(1);

/// The time since the program's start.
pub(crate) fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// A stream of TLS. Its handshake is no step of its own: the first read makes it, as it does all else that TLS has to
/// say to its peer in between.
pub(crate) struct TlsStream {
    pub(crate) tcp: TcpStream,
    pub(crate) tls: Connection,
}

impl TlsStream {
    pub(crate) fn new(tcp: TcpStream, tls: impl Into<Connection>) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, tls: tls.into() })
    }

    /// What is spoken, such as `TLSv1_3`; to be asked when the handshake is over.
    pub(crate) fn version(&self) -> &'static str {
        self.tls.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS")
    }

    /// Waits for octets of the peer, and has them decrypted straight into the input; gives their number. 0: the peer
    /// has ended its half, by `close_notify`. `None`: the deadline has come.
    ///
    /// A stream that ends without `close_notify` was cut, by whomever: an error of the kind `UnexpectedEof`.
    pub(crate) fn read(&mut self, input: &mut ReadBuffer, deadline: Duration) -> io::Result<Option<usize>> {
        loop {
            match self.tls.reader().read(input.room(READ)) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {} // all that has come is taken
                read => {
                    let n = read.map_err(explain)?;
                    input.filled(n);
                    return Ok(Some(n));
                }
            }
            let Some(left) = left(deadline) else { return Ok(None) };
            self.tcp.set_read_timeout(Some(left))?;
            match self.tls.read_tls(&mut self.tcp) {
                Err(error) if is_early(&error) => continue,
                read => drop(read?), // 0: the end of TCP, and the reader knows whether it is that of TLS
            }
            let judged = self.tls.process_new_packets();
            while self.tls.wants_write() {
                // a part of the handshake, or the alert that says what is wrong
                if self.write_some(deadline)? == 0 && now() >= deadline {
                    return Ok(None);
                }
            }
            judged.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }

    /// Encrypts as many octets as there is room for; gives their number. It is 0 only while
    /// [`write_some`](Self::write_some) has something to do.
    pub(crate) fn encrypt(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.tls.writer().write(octets)
    }

    /// Writes some of what is encrypted; gives the number of octets, 0 if the peer takes none before the deadline.
    pub(crate) fn write_some(&mut self, deadline: Duration) -> io::Result<usize> {
        let Some(left) = left(deadline) else { return Ok(0) };
        self.tcp.set_write_timeout(Some(left))?;
        match self.tls.write_tls(&mut self.tcp) {
            Err(error) if is_early(&error) => Ok(0),
            written => written,
        }
    }

    /// Ends the stream: our half by `close_notify`, without which the peer could not tell our end from a cut; then what
    /// still comes is read for a moment, as a reset could overtake our last octets.
    pub(crate) fn finish(mut self) {
        let deadline = now() + LINGER;
        self.tls.send_close_notify();
        while self.tls.wants_write() && matches!(self.write_some(deadline), Ok(1..)) {}
        let mut discarded = ReadBuffer::default();
        if self.tcp.shutdown(Shutdown::Write).is_ok() {
            while matches!(self.read(&mut discarded, deadline), Ok(Some(1..))) {
                discarded.clear();
            }
        }
    }
}

/// What rustls says of an end without `close_notify`, in short.
pub(crate) fn explain(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            io::Error::new(error.kind(), "the stream was cut: it has no close_notify at its end")
        }
        _ => error,
    }
}

/// The time until the deadline; `None` when it has come.
fn left(deadline: Duration) -> Option<Duration> {
    deadline.checked_sub(now()).filter(|left| !left.is_zero())
}

/// Nothing is wrong yet: a timeout of the socket, or a signal. To be tried again while the deadline has not come.
fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
