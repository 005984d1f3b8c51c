//! The whole adapter between `websocket_proto` and a blocking `TcpStream`: one thread receives, any thread sends.

#![allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part

pub mod args;

use std::io::{self, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use websocket_proto::handshake::{Answer, ClientHandshake, Request, ServerHandshake};
use websocket_proto::{CloseOutcome, Connection, Event, ProtocolError, ReadBuffer, SendError};

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
    is_being_written: bool,
}

impl Socket {
    pub fn new(stream: TcpStream, ws: Connection, output: Vec<u8>) -> Self {
        Self { stream, shared: Mutex::new(Shared { ws, output, is_being_written: false }), changed: Condvar::new() }
    }

    /// Receives until the connection is over, and gives each event to `on_event`, which may answer it.
    pub fn receive(
        &self,
        mut input: ReadBuffer,
        mut on_event: impl FnMut(Event<'_>, &mut Connection, &mut Vec<u8>) -> Result<(), SendError>,
        mut after_read: impl FnMut(&Self) -> io::Result<()>,
    ) -> Result<CloseOutcome, Failure> {
        loop {
            let received = self.update(|ws, output| {
                while let Some(event) = ws.receive(&mut input, output)? {
                    on_event(event, ws, output)?;
                }
                Ok::<_, Failure>(ws.close_outcome())
            });
            after_read(self)?; // also on failure: the output holds the Close frame that says why
            if let Some(outcome) = received? {
                return Ok(outcome);
            }
            if input.is_empty() {
                input.shrink(READ);
            }
            if read(&self.stream, &mut input)? == 0 {
                self.update(|ws, _| ws.receive_eof())?;
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
        while !shared.is_being_written && !shared.output.is_empty() {
            let mut output = mem::take(&mut shared.output);
            shared.is_being_written = true;
            drop(shared);
            let written = (&self.stream).write_all(&output);
            shared = self.lock();
            shared.is_being_written = false;
            written?;
            if shared.output.is_empty() && output.capacity() <= READ {
                output.clear();
                shared.output = output;
            }
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Waits until the output is of a length that `is_right` accepts.
    pub fn wait_for_output(&self, is_right: impl Fn(usize) -> bool) {
        let waited = self.changed.wait_while(self.lock(), |shared| !is_right(shared.output.len()));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the stream such that what was written last arrives: the sending half first, then what still comes is read,
    /// for a moment; a reset could overtake it.
    pub fn finish(&self) {
        finish(&self.stream);
    }

    /// Ends both halves of the stream, whatever state it is in.
    pub fn abort(&self) {
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
    patience: Duration,
    answer: impl FnOnce(&Request<'_>, &mut Vec<u8>) -> Result<Option<Connection>, SendError>,
) -> Result<Option<(Connection, ReadBuffer, Vec<u8>)>, Failure> {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let deadline = Instant::now() + patience;
    let answered = loop {
        match handshake.receive(&mut input, &mut output) {
            Ok(Some(request)) => break answer(&request, &mut output)?,
            Ok(None) => {}
            Err(error) => {
                (&*stream).write_all(&output)?;
                finish(stream);
                return Err(error.into());
            }
        }
        let left = deadline.checked_duration_since(Instant::now()).ok_or("the request did not come in time")?;
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        if read(stream, &mut input)? == 0 {
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

/// Reads the server's response, and gives it to `on_answer`; then what it returned.
pub fn connect<T>(
    stream: &TcpStream,
    mut handshake: ClientHandshake,
    on_answer: impl FnOnce(Answer<'_>) -> T,
) -> Result<(T, ReadBuffer), Failure> {
    let mut input = ReadBuffer::default();
    loop {
        if let Some(answer) = handshake.receive(&mut input)? {
            let answered = on_answer(answer);
            return Ok((answered, input));
        }
        if read(stream, &mut input)? == 0 {
            handshake.receive_eof()?;
        }
    }
}

/// One read.
pub fn read(mut stream: &TcpStream, input: &mut ReadBuffer) -> io::Result<usize> {
    loop {
        match stream.read(input.spare(READ)) {
            Ok(n) => {
                input.filled(n);
                return Ok(n);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The rule that the peer broke, if that is what failed.
pub fn protocol_error(failure: &Failure) -> Option<ProtocolError> {
    failure.downcast_ref().copied()
}

fn finish(mut stream: &TcpStream) {
    let deadline = Instant::now() + LINGER;
    let mut ended = stream.shutdown(Shutdown::Write);
    while let (Ok(()), Some(left)) = (&ended, deadline.checked_duration_since(Instant::now())) {
        ended = stream.set_read_timeout(Some(left.max(Duration::from_millis(1))));
        if !matches!(stream.read(&mut [0; READ]), Ok(n) if n > 0) {
            break;
        }
    }
}

/// Octets to ask the stream for at a time.
const READ: usize = 16 * 1024;

/// How long to wait for a peer to end its half of the stream.
const LINGER: Duration = Duration::from_secs(1);
