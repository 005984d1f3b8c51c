//! The whole adapter between `websocket_proto` and a blocking `TcpStream`: one thread receives, any thread sends.

#![allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part

pub mod args;
#[cfg(feature = "deflate")]
pub mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "no_deflate.rs"]
pub mod deflate;
pub mod say;

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use websocket_proto::handshake::{Answer, ClientHandshake, Request, ServerHandshake};
use websocket_proto::{CloseOutcome, Connection, Event, HeadError, ReadBuffer};

/// What ends a program's work on a connection.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An open WebSocket on a blocking stream.
pub struct Socket {
    stream: TcpStream,
    shared: Mutex<Shared>,
    changed: Condvar,
}

/// What the threads share: nobody reads from or writes to the stream while holding it.
struct Shared {
    ws: Connection,
    output: Vec<u8>,
    /// Bytes of earlier output that a thread is writing.
    in_flight: usize,
    /// A write has failed; what is still to be written is not.
    is_broken: bool,
    /// The program has waited long enough for this peer.
    is_given_up: bool,
}

impl Socket {
    pub fn new(stream: TcpStream, ws: Connection, output: Vec<u8>) -> Self {
        let shared = Mutex::new(Shared { ws, output, in_flight: 0, is_broken: false, is_given_up: false });
        Self { stream, shared, changed: Condvar::new() }
    }

    /// Receives until the connection is over, and gives each event to `on_event`, which may answer it.
    pub fn receive(
        &self,
        mut input: ReadBuffer,
        mut on_event: impl FnMut(Event<'_>, &mut Connection, &mut Vec<u8>) -> Result<(), Failure>,
        after_read: impl Fn(&Self) -> io::Result<()>,
    ) -> Result<CloseOutcome, Failure> {
        loop {
            let received = self.update(|ws, output| {
                while let Some(event) = ws.receive(&mut input, output)? {
                    on_event(event, ws, output)?;
                }
                Ok::<_, Failure>(ws.close_outcome())
            });
            let written = after_read(self); // also on failure: the output holds the Close frame that says why
            if let Some(outcome) = received? {
                return Ok(outcome);
            }
            written?;
            if input.is_empty() {
                input.shrink(READ);
            }
            match read(&self.stream, &mut input) {
                _ if self.lock().is_given_up => return Err("the peer did not answer our close in time".into()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => self.update(|ws, _| ws.receive_eof())?,
                Ok(0) => self.update(|ws, _| ws.receive_eof())?,
                read => drop(read?),
            }
        }
    }

    /// Does something with the connection; what it appends to the output is written by the next [`flush`](Self::flush).
    pub fn update<T>(&self, step: impl FnOnce(&mut Connection, &mut Vec<u8>) -> T) -> T {
        let shared = &mut *self.lock();
        let result = step(&mut shared.ws, &mut shared.output);
        self.changed.notify_all();
        result
    }

    /// Writes the output. If another thread is at it already, that one writes ours as well.
    pub fn flush(&self) -> io::Result<()> {
        let mut shared = self.lock();
        while shared.in_flight == 0 && !shared.is_broken && !shared.output.is_empty() {
            let mut output = mem::take(&mut shared.output);
            shared.in_flight = output.len();
            drop(shared);
            let written = (&self.stream).write_all(&output);
            shared = self.lock();
            shared.in_flight = 0;
            shared.is_broken = written.is_err();
            if shared.output.is_empty() && output.capacity() <= READ {
                output.clear();
                shared.output = output;
            }
            self.changed.notify_all();
            written?;
        }
        Ok(())
    }

    /// Waits until so much is still to be written that `is_right`; false if it never will be, as writing has failed.
    pub fn wait_for_output(&self, is_right: impl Fn(usize) -> bool) -> bool {
        let wrong = |shared: &mut Shared| !shared.is_broken && !is_right(shared.output.len() + shared.in_flight);
        let shared = self.changed.wait_while(self.lock(), wrong).unwrap_or_else(PoisonError::into_inner);
        !shared.is_broken
    }

    /// Ends the stream such that what was written last arrives: what other threads have to write is awaited, for a
    /// moment; then the sending half ends, and what still comes is read, as a reset could overtake our last bytes.
    pub fn finish(&self) {
        let pending = |shared: &mut Shared| !shared.is_broken && shared.output.len() + shared.in_flight > 0;
        drop(self.changed.wait_timeout_while(self.lock(), LINGER, pending));
        finish(&self.stream);
        let _ = self.stream.shutdown(Shutdown::Both); // a write that still waits fails
    }

    /// Ends the stream, whatever state it is in, as the peer takes too long to answer our Close.
    pub fn give_up(&self) {
        self.lock().is_given_up = true;
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Bounds how long a write may wait for a peer that does not read.
    pub fn set_write_timeout(&self, timeout: Duration) -> io::Result<()> {
        self.stream.set_write_timeout(Some(timeout))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a client's request and has it answered; `None` if `answer` rejected it.
pub fn accept(
    stream: &TcpStream,
    mut handshake: ServerHandshake,
    answer: impl FnOnce(Request<'_>, &mut Vec<u8>) -> Result<Option<Connection>, HeadError>,
) -> Result<Option<(Connection, ReadBuffer, Vec<u8>)>, Failure> {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let deadline = Instant::now() + HANDSHAKE;
    let answered = loop {
        match handshake.receive(&mut input, &mut output) {
            Ok(Some(request)) => break answer(request, &mut output)?,
            Ok(None) => {}
            Err(error) => {
                (&*stream).write_all(&output)?;
                finish(stream);
                return Err(error.into());
            }
        }
        if read_until(deadline, stream, &mut input)? == 0 {
            handshake.receive_eof()?;
        }
    };
    stream.set_read_timeout(None)?;
    if answered.is_none() {
        (&*stream).write_all(&output)?;
        finish(stream);
    }
    Ok(answered.map(|ws| (ws, input, output)))
}

/// Reads the server's response; gives back what `on_answer` makes of it.
pub fn connect<T>(
    stream: &TcpStream,
    mut handshake: ClientHandshake,
    on_answer: impl FnOnce(Answer<'_>) -> T,
) -> Result<(T, ReadBuffer), Failure> {
    let mut input = ReadBuffer::default();
    let deadline = Instant::now() + HANDSHAKE;
    loop {
        if let Some(answer) = handshake.receive(&mut input)? {
            let answered = on_answer(answer);
            stream.set_read_timeout(None)?;
            return Ok((answered, input));
        }
        if read_until(deadline, stream, &mut input)? == 0 {
            handshake.receive_eof()?;
        }
    }
}

/// One read, which has to be over at some time.
pub fn read_until(deadline: Instant, stream: &TcpStream, input: &mut ReadBuffer) -> io::Result<usize> {
    let late = || io::Error::new(ErrorKind::TimedOut, "the peer takes too long");
    let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).ok_or_else(late)?;
    stream.set_read_timeout(Some(left))?;
    match read(stream, input) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(late()),
        read => read,
    }
}

fn read(mut stream: &TcpStream, input: &mut ReadBuffer) -> io::Result<usize> {
    loop {
        match stream.read(input.room(READ)) {
            Ok(n) => {
                input.filled(n);
                return Ok(n);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn finish(stream: &TcpStream) {
    let deadline = Instant::now() + LINGER;
    let mut discarded = ReadBuffer::default();
    if stream.shutdown(Shutdown::Write).is_ok() {
        while matches!(read_until(deadline, stream, &mut discarded), Ok(n) if n > 0) {
            discarded.clear();
        }
    }
}

/// Bytes to ask the stream for at a time.
const READ: usize = 16 * 1024;

/// How long the peer may take for its request or response.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long to wait for a peer to end its half of the stream.
const LINGER: Duration = Duration::from_secs(1);
