//! The blocking loop: one thread owns a connection and its stream, and waits for the peer or for the next deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use websocket_proto::{CloseCode, CloseOutcome, Connection, Event, Keepalive, ReadBuffer, State};

use crate::Failure;
use crate::stream::{READ, TlsStream, now};

/// How often a thread that waits for its peer looks up whether the server ends.
const TICK: Duration = Duration::from_millis(250);

/// An open WebSocket.
pub(crate) struct Session<'s> {
    pub(crate) stream: &'s mut TlsStream,
    pub(crate) ws: Connection,
    pub(crate) input: ReadBuffer,
    pub(crate) output: Vec<u8>,
    pub(crate) keepalive: Keepalive,
}

impl Session<'_> {
    /// Sends back each message until the connection is over. What is read is answered, and what is answered is written,
    /// before more is read: a peer that does not read what it gets is not read either.
    pub(crate) fn echo(&mut self, is_ending: &AtomicBool) -> Result<CloseOutcome, Failure> {
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
            if self.stream.tls.wants_write() {
                self.keepalive.blocked(now()); // it waited, and took less than it was offered
            }
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
