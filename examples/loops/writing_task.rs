//! The half of a connection that writes: what goes to the peer, in which order, and by when?
//!
//! [`Writing::run`] may be cancelled at its only await and called again: at that, everything that has to go is in the
//! output, from `written` on, or still on the channel.

use std::future;
use std::io::{self, ErrorKind};
use std::mem;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, watch};
use websocket_proto::{Backlog, CloseCode, CloseOutcome, Flow, Keepalive, Message, Sender, State, TimedOut};

use crate::Failure;
use crate::clock::{Clock, Heard};
use crate::reading::{READ, Received};

/// Octets of output that may wait before nothing more is taken from the reading task.
pub(crate) const PAUSE: usize = 64 * 1024;

/// The half of a connection that writes.
#[derive(Debug)]
pub(crate) struct Writing<W> {
    pub(crate) writer: W,
    pub(crate) ws: Sender,
    pub(crate) output: Vec<u8>,
    /// written <= the length of `output`: octets of it that are written.
    pub(crate) written: usize,
    /// Something was written behind the last flush.
    pub(crate) is_unflushed: bool,
    /// The stream takes nothing, and that was noted.
    pub(crate) is_blocked: bool,
    pub(crate) from_reader: mpsc::Receiver<Received>,
    pub(crate) backlog: Backlog,
    pub(crate) keepalive: Keepalive,
    pub(crate) heard: Heard,
    pub(crate) clock: Clock,
    pub(crate) ending: watch::Receiver<bool>,
    /// The server ends, and the peer has been told.
    pub(crate) is_ending: bool,
}

impl<W: AsyncWrite + Unpin> Writing<W> {
    /// Writes until the connection is over and all is written.
    pub(crate) async fn run(&mut self) -> Result<CloseOutcome, Failure> {
        loop {
            let deadline = self.keep_time()?;
            let outcome = self.ws.close_outcome();
            let has_to_write = self.unwritten() > 0 || self.is_unflushed;
            if let Some(outcome) = outcome
                && !has_to_write
            {
                return Ok(outcome);
            }
            let has_room = self.backlog.flow(self.unwritten()) == Flow::Read;
            // Of the branches, one completes, and what it gives is dealt with before the next await; the others are
            // cancelled in every turn.
            tokio::select! {
                biased;
                // Cancelled here: the watch keeps its value.
                () = ended(&mut self.ending), if !self.is_ending => self.go_away()?,
                // Cancelled here: `recv` takes something off the channel only in the poll that completes it.
                received = self.from_reader.recv(), if has_room && outcome.is_none() => self.take(received)?,
                // Cancelled here: `write` takes octets only in the poll that completes it, and says how many; what
                // `write_all` had written when it was cancelled, nobody would know. A flush may be begun again.
                n = write(&mut self.writer, &self.output[self.written..]), if has_to_write => self.wrote(n?),
                // Only reached when the stream takes nothing: the time that the peer has to change that begins.
                () = future::ready(()), if has_to_write && !self.is_blocked => self.blocked(),
                // Cancelled here: the next turn asks for the deadline again.
                () = self.clock.sleep_until(deadline) => {}
            }
        }
    }

    /// Ends our half of the stream. Cancelled: the stream is dropped anyway.
    pub(crate) async fn finish(&mut self) -> io::Result<()> {
        self.writer.shutdown().await
    }

    /// Does what is due, and says when it is to be called again at the latest.
    fn keep_time(&mut self) -> Result<Option<Duration>, TimedOut> {
        let now = self.clock.now();
        if let Some(heard) = self.heard.take() {
            self.keepalive.heard(heard);
        }
        self.keepalive.handle_timeout(now, &mut self.ws, &mut self.output)?;
        Ok(self.keepalive.next_deadline(now, &self.ws))
    }

    /// Answers what the reading task has received.
    fn take(&mut self, received: Option<Received>) -> Result<(), Failure> {
        match received.ok_or("the reading task is gone")? {
            Received::Owed(owed) => self.ws.settle(owed, &mut self.output),
            Received::Pong(payload) => self.keepalive.pong(self.clock.now(), &payload),
            Received::Message(message) => {
                self.keepalive.active(self.clock.now());
                // After our own Close nothing is echoed any more.
                if self.ws.state() == State::Open {
                    match message {
                        Message::Text(text) => self.ws.send_text(&text, &mut self.output)?,
                        Message::Binary(data) => self.ws.send_binary(&data, &mut self.output)?,
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes note of octets that were written, or, if there were none, of a flush.
    fn wrote(&mut self, written: usize) {
        let now = self.clock.now();
        let was_blocked = mem::take(&mut self.is_blocked);
        self.written += written;
        self.is_unflushed = written > 0;
        // a flush that had to wait has had octets taken, too
        self.keepalive.wrote(now, written.max(usize::from(was_blocked)), self.unwritten());
        if self.unwritten() == 0 {
            self.output.clear();
            self.output.shrink_to(READ);
            self.written = 0;
        } else if self.written >= self.unwritten() {
            self.output.drain(..self.written); // moves no more than was written
            self.written = 0;
        }
    }

    /// Takes note that the stream takes no more for now.
    fn blocked(&mut self) {
        self.is_blocked = true;
        self.keepalive.blocked(self.clock.now());
    }

    fn unwritten(&self) -> usize {
        self.output.len() - self.written
    }

    /// The server ends.
    fn go_away(&mut self) -> Result<(), Failure> {
        self.is_ending = true;
        if self.ws.state() == State::Open {
            self.ws.close(CloseCode::GOING_AWAY, "", &mut self.output)?;
        }
        Ok(())
    }
}

/// Writes some of the octets; or flushes, where there are none.
async fn write(writer: &mut (impl AsyncWrite + Unpin), octets: &[u8]) -> io::Result<usize> {
    if octets.is_empty() {
        return writer.flush().await.map(|()| 0);
    }
    match writer.write(octets).await? {
        0 => Err(ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

/// Waits for the end of the server.
pub(crate) async fn ended(ending: &mut watch::Receiver<bool>) {
    // an error says that the program's main function is over, which is the end, too
    let _ = ending.wait_for(|is_ending| *is_ending).await;
}
