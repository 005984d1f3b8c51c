//! The loop of readiness: one connection's turn, after the poll has said that its socket is ready, or a deadline has
//! come.

use std::io::{ErrorKind, Read};

use websocket_proto::{Flow, Message, MessageKind, ReadBuffer};

use super::{Client, Next, Phase, Reading};
use crate::echo::{answer, echo};
use crate::figures::End;
use crate::pool::READ;
use crate::shared::Shared;

/// Octets that one peer may send before it is the others' turn.
const TURN: usize = 256 << 10;

impl Client {
    /// Writes, receives and reads until there is nothing to do, or it is the others' turn, or the peer does not read.
    pub(super) fn work(&mut self, input: &mut ReadBuffer, shared: &mut Shared) -> Result<Next, End> {
        let mut share = TURN;
        self.flush(shared)?;
        loop {
            let is_drained = self.receive(input, shared);
            if let (Reading::Ended, true, Phase::Open(ws)) = (self.reading, is_drained, &mut self.phase) {
                // whether it owed a Close is in its outcome
                let _ = ws.receive_eof();
            }
            self.flush(shared)?;
            match self.backlog.flow(self.outbox.len()) {
                Flow::Overflow => return Err(End::Overflow),
                Flow::Pause => return Ok(Next::Wait),
                Flow::Read if !is_drained => continue,
                Flow::Read => {}
            }
            if self.is_over() && self.outbox.is_empty() {
                self.shut()?;
            }
            if matches!(self.reading, Reading::Waits | Reading::Ended) {
                return Ok(Next::Wait);
            }
            if share == 0 {
                return Ok(Next::Again);
            }
            let room = input.room(READ);
            let len = room.len().min(share);
            match self.stream.read(&mut room[..len]) {
                Ok(0) => self.reading = Reading::Ended,
                Ok(n) => {
                    input.filled(n);
                    self.keepalive.heard(shared.now);
                    share -= n;
                    // a stream that gives less than was asked for has no more (epoll(7)), unless it ends here
                    if n < len && self.reading == Reading::Ready {
                        self.reading = Reading::Waits;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.reading = Reading::Waits,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(End::BrokenOff),
            }
        }
    }

    /// Deals with what has come: all of it, or as much as the peer reads the answers of.
    fn receive(&mut self, input: &mut ReadBuffer, shared: &mut Shared) -> bool {
        if let Phase::Handshake(handshake) = &mut self.phase {
            match handshake.receive(input, &mut self.outbox.frames) {
                Ok(None) => return true,
                Ok(Some(request)) => match answer(request, &mut self.outbox.frames, shared) {
                    Some(ws) => {
                        self.phase = Phase::Open(ws);
                        self.keepalive.opened(shared.now);
                    }
                    None => self.phase = Phase::Refused,
                },
                // what it is answered is in the output
                Err(_) => self.phase = Phase::Refused,
            }
        }
        let Phase::Open(ws) = &mut self.phase else {
            input.clear();
            return true;
        };
        while self.backlog.flow(self.outbox.len()) == Flow::Read {
            match ws.receive_message(input, &mut self.outbox.frames) {
                Ok(Some(Message::Text(text))) => {
                    self.keepalive.active(shared.now);
                    echo(ws, MessageKind::Text, text.into(), &mut self.outbox, shared);
                }
                Ok(Some(Message::Binary(data))) => {
                    self.keepalive.active(shared.now);
                    echo(ws, MessageKind::Binary, data, &mut self.outbox, shared);
                }
                Ok(Some(Message::Pong(payload))) => self.keepalive.pong(shared.now, &payload),
                Ok(Some(_)) => {}
                // why it failed is in the output, and in its outcome
                Ok(None) | Err(_) => return true,
            }
        }
        false
    }

    /// Writes what fits.
    fn flush(&mut self, shared: &Shared) -> Result<(), End> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let mut written = 0;
        while !self.outbox.is_empty() && !self.is_blocked {
            match self.outbox.write_to(&mut self.stream) {
                Ok(n) => written += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.is_blocked = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(End::BrokenOff),
            }
        }
        self.keepalive.wrote(shared.now, written, self.outbox.len());
        if self.is_blocked {
            self.keepalive.blocked(shared.now);
        }
        Ok(())
    }
}
