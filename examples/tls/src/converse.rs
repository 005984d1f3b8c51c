//! The client's conversation: lines of the standard input out, messages in, both at any time.
//!
//! One connection of rustls cannot be halved: to read may mean to write, and the other way round. So one thread owns
//! it, with the WebSocket in it, and waits on a channel alone; three more do nothing but wait where that one must not:
//! for the lines, for octets of TCP, and for TCP to take octets. None shares anything with another, there is no lock
//! and no polling, a server that does not read is still read, and the deadline of the one wait is exact.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use rustls::Connection as Tls;
use websocket_proto::{CloseCode, CloseOutcome, Connection, Event, Keepalive, ReadBuffer, State, TimedOut};

use crate::Failure;
use crate::stream::{LINGER, READ, TlsStream, explain, now};

/// Octets that may wait to be written before the next line has to wait.
const BACKLOG: usize = 64 * 1024;

/// What the thread that owns all is told by the others.
enum Turn {
    /// A line of the standard input. The next one comes when it is asked for.
    Line(String),
    /// To close: there are no more lines, or Ctrl-C was pressed.
    Close(CloseCode),
    /// What TCP gave, still encrypted. Nothing: its end.
    Came(Vec<u8>),
    /// All that was to be written is.
    Written,
    /// TCP broke.
    Broke(io::Error),
}

/// Until the connection is over. Fails unless it ends by Close frames from both sides.
pub(crate) fn converse(
    stream: TlsStream,
    ws: Connection,
    input: ReadBuffer,
    keepalive: Keepalive,
) -> Result<CloseOutcome, Failure> {
    let TlsStream { tcp, tls } = stream;
    tcp.set_read_timeout(None)?;
    tcp.set_write_timeout(None)?;
    let (turn, turns) = sync_channel(4);
    let (ask, asked) = sync_channel(1);
    let (write, to_write) = sync_channel(1);

    let interrupted = turn.clone();
    ctrlc::set_handler(move || drop(interrupted.send(Turn::Close(CloseCode::GOING_AWAY))))?;
    let (reading, read) = (tcp.try_clone()?, turn.clone());
    thread::spawn(move || read_octets(reading, &read));
    let (writing, written) = (tcp.try_clone()?, turn.clone());
    thread::spawn(move || write_octets(writing, &to_write, &written));
    thread::spawn(move || read_lines(&asked, &turn));

    let session = Session { tls, ws, input, output: Vec::new(), keepalive, write, in_flight: 0, has_ended: false };
    session.converse(&turns, &ask, &tcp)
}

/// Sends on what comes, until it ends.
fn read_octets(mut tcp: TcpStream, turns: &SyncSender<Turn>) {
    loop {
        let mut octets = vec![0; READ];
        let came = match tcp.read(&mut octets) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Turn::Broke(error),
            Ok(n) => {
                octets.truncate(n);
                Turn::Came(octets)
            }
        };
        let is_last = !matches!(&came, Turn::Came(octets) if !octets.is_empty());
        if turns.send(came).is_err() || is_last {
            return;
        }
    }
}

/// Writes what it gets, and says so each time.
fn write_octets(mut tcp: TcpStream, to_write: &Receiver<Vec<u8>>, turns: &SyncSender<Turn>) {
    while let Ok(octets) = to_write.recv() {
        let written = tcp.write_all(&octets).map_or_else(Turn::Broke, |()| Turn::Written);
        if turns.send(written).is_err() {
            return;
        }
    }
}

/// Reads a line each time that it is asked for one.
fn read_lines(asked: &Receiver<()>, turns: &SyncSender<Turn>) {
    let mut lines = io::stdin().lines();
    while asked.recv().is_ok() {
        let next = match lines.next() {
            Some(Ok(line)) => Turn::Line(line),
            Some(Err(error)) if error.kind() == ErrorKind::InvalidData => {
                eprintln!("a line that is not UTF-8 ends the input");
                Turn::Close(CloseCode::NORMAL)
            }
            _ => Turn::Close(CloseCode::NORMAL),
        };
        if turns.send(next).is_err() {
            return;
        }
    }
}

/// All that belongs to the connection.
struct Session {
    tls: Tls,
    ws: Connection,
    input: ReadBuffer,
    /// What is not encrypted yet.
    output: Vec<u8>,
    keepalive: Keepalive,
    write: SyncSender<Vec<u8>>,
    /// Octets that the thread that writes has; while there are any, it gets no more.
    in_flight: usize,
    /// The server has ended its half of TLS.
    has_ended: bool,
}

impl Session {
    fn converse(
        mut self,
        turns: &Receiver<Turn>,
        ask: &SyncSender<()>,
        tcp: &TcpStream,
    ) -> Result<CloseOutcome, Failure> {
        let outcome = self.run(turns, ask);
        self.finish(turns, tcp);
        outcome
    }

    /// Turn after turn, until both have closed and the server, which is to be the first, has ended the stream.
    fn run(&mut self, turns: &Receiver<Turn>, ask: &SyncSender<()>) -> Result<CloseOutcome, Failure> {
        let mut has_asked = false;
        self.receive()?; // what came right behind the server's response
        loop {
            self.write();
            match self.ws.close_outcome() {
                Some(outcome) if self.has_ended => return Ok(outcome),
                _ if self.has_ended => self.ws.receive_eof()?,
                _ => {}
            }
            if !has_asked && self.ws.state() == State::Open && self.output.len() < BACKLOG {
                has_asked = ask.send(()).is_ok();
            }
            let deadline = self.keepalive.next_deadline(now(), &self.ws).unwrap_or(Duration::MAX);
            match turns.recv_timeout(deadline.saturating_sub(now())) {
                Ok(Turn::Line(line)) if self.ws.state() == State::Open => {
                    self.ws.send_text(&line, &mut self.output)?;
                    self.keepalive.active(now());
                    has_asked = false;
                }
                Ok(Turn::Close(code)) if self.ws.state() == State::Open => self.ws.close(code, "", &mut self.output)?,
                Ok(Turn::Line(_) | Turn::Close(_)) | Err(RecvTimeoutError::Timeout) => {}
                Ok(Turn::Came(octets)) => self.take(&octets)?,
                Ok(Turn::Written) => {
                    self.keepalive.wrote(now(), self.in_flight, self.output.len());
                    self.in_flight = 0;
                }
                Ok(Turn::Broke(error)) => return Err(error.into()),
                Err(RecvTimeoutError::Disconnected) => return Err("all threads have ended".into()),
            }
            let done = self.keepalive.handle_timeout(now(), &mut self.ws, &mut self.output);
            match (done, self.ws.close_outcome()) {
                // all was said; that the server does not end the stream need not be waited for any longer
                (Err(error), Some(outcome)) if error != TimedOut::Write => return Ok(outcome),
                (done, _) => done?,
            }
        }
    }

    /// Takes in what TCP gave: decrypted, it goes straight into the input. A cut is an error, unless both have closed
    /// before: then nothing can have been cut off.
    fn take(&mut self, mut octets: &[u8]) -> Result<(), Failure> {
        loop {
            self.tls.read_tls(&mut octets)?;
            self.tls.process_new_packets()?;
            loop {
                match self.tls.reader().read(self.input.room(READ)) {
                    Ok(n @ 1..) => {
                        self.input.filled(n);
                        self.keepalive.heard(now());
                        self.receive()?;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if self.ws.wants_read() => return Err(explain(error).into()),
                    Ok(0) | Err(_) => {
                        self.has_ended = true;
                        return Ok(());
                    }
                }
            }
            if octets.is_empty() {
                return Ok(());
            }
        }
    }

    fn receive(&mut self) -> Result<(), Failure> {
        while let Some(event) = self.ws.receive(&mut self.input, &mut self.output)? {
            if matches!(event, Event::Text(_) | Event::Binary(_)) {
                self.keepalive.active(now());
            }
            match event {
                Event::Text(text) => writeln!(io::stdout(), "{text}")?,
                Event::Binary(data) => writeln!(io::stdout(), "binary, {} octets", data.len())?,
                Event::Pong(payload) => self.keepalive.pong(now(), payload),
                _ => {}
            }
        }
        if self.input.is_empty() {
            self.input.shrink(READ);
        }
        Ok(())
    }

    /// Encrypts some of the output, unless what was encrypted before is still being written.
    fn write(&mut self) {
        if self.in_flight > 0 {
            return;
        }
        let mut octets = Vec::new();
        // to and from memory, nothing fails
        let taken = self.tls.writer().write(&self.output).unwrap_or_default();
        while self.tls.wants_write() && self.tls.write_tls(&mut octets).is_ok() {}
        self.output.drain(..taken);
        if !octets.is_empty() {
            self.in_flight = octets.len();
            self.keepalive.wrote(now(), 0, self.in_flight);
            let _ = self.write.send(octets); // if that thread has ended, it has said why
        }
    }

    /// Has all that is left written, in a moment, and `close_notify` behind it; ends our half, and waits for the server
    /// to end its own.
    fn finish(&mut self, turns: &Receiver<Turn>, tcp: &TcpStream) {
        let deadline = now() + LINGER;
        let mut is_notified = false;
        loop {
            if self.output.is_empty() && !is_notified {
                self.tls.send_close_notify();
                is_notified = true;
            }
            self.write();
            if is_notified && self.in_flight == 0 && tcp.shutdown(Shutdown::Write).is_err() {
                return;
            }
            match turns.recv_timeout(deadline.saturating_sub(now())) {
                Ok(Turn::Written) => self.in_flight = 0,
                Ok(Turn::Came(octets)) if octets.is_empty() => return,
                Ok(Turn::Broke(_)) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}
