//! RFC 6455 §6.1, §7.1: the half of a connection that sends, and knows how far its closing handshake is.

use alloc::vec::Vec;

use bytes::Bytes;

#[cfg(doc)]
use super::Connection;
use super::closing::{CloseOutcome, Closing, Reaction, State, Step};
use super::owed::{Debt, Owed};
use crate::config::{MessageKind, Role};
#[cfg(feature = "deflate")]
use crate::deflate::DeflateParams;
use crate::error::{ProtocolError, SendError};
use crate::send::{Compression, Encoder, Fragment, Prepared};
use crate::wire::{CloseCode, CloseFrame, Mask, OpCode};

/// The half of a [`Connection`] that sends; see [`Connection::split`].
#[derive(Debug)]
pub struct Sender {
    pub(super) encoder: Encoder,
    pub(super) closing: Closing,
    #[cfg(feature = "deflate")]
    pub(super) deflate: Option<DeflateParams>,
}

impl Sender {
    pub(super) fn new(encoder: Encoder) -> Self {
        Self {
            encoder,
            closing: Closing::new(),
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Does what the other half owes the peer: appends a Pong or a Close, or takes note that nothing will come any
    /// more. Where a Close was sent before, none is sent again; a Pong is too late once the connection is closed.
    ///
    /// It appends whatever it is handed: what bounds the Pongs that wait is to take no more from the other half while
    /// too much output waits (see [`Backlog`](crate::Backlog)).
    pub fn settle(&mut self, owed: Owed, output: &mut Vec<u8>) {
        let Owed(debt) = owed;
        match debt {
            Debt::Pong(payload) if self.state() != State::Closed => {
                self.encoder.frame(true, OpCode::Pong, payload.octets(), output);
            }
            Debt::Pong(_) => {}
            Debt::Close(code) => self.answer_close(code, output),
            Debt::Fail(error) => self.fail(error, output),
            Debt::Eof => self.eof(),
        }
    }

    /// Which end this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.encoder.role()
    }

    /// Where the connection stands in its closing handshake, as far as was [settled](Self::settle).
    #[must_use]
    pub fn state(&self) -> State {
        self.closing.state()
    }

    /// How the connection ended; `None` until it has.
    #[must_use]
    pub fn close_outcome(&self) -> Option<CloseOutcome> {
        self.closing.outcome()
    }

    /// Octets of memory that it holds, its own size among them.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "all of it lies in memory, and none of it twice")]
    pub fn memory_used(&self) -> usize {
        size_of::<Self>() + self.encoder.memory_used()
    }

    /// As [`Connection::send_text`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn send_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.message(MessageKind::Text, text.as_bytes(), Compression::Auto, output)
    }

    /// As [`Connection::send_binary`].
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn send_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.message(MessageKind::Binary, data, Compression::Auto, output)
    }

    /// As [`Connection::send_prepared`].
    ///
    /// # Errors
    /// As there.
    pub fn send_prepared(&mut self, prepared: &Prepared, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.prepared(prepared, output)
    }

    /// As [`Connection::send_shared`].
    ///
    /// # Errors
    /// As there.
    pub fn send_shared(&mut self, prepared: &Prepared) -> Result<Bytes, SendError> {
        self.check_open()?;
        self.encoder.shared(prepared)
    }

    /// As [`Connection::send_header`].
    ///
    /// # Errors
    /// As there.
    #[inline(always)]
    pub fn send_header(
        &mut self,
        kind: MessageKind,
        payload_len: u64,
        output: &mut Vec<u8>,
    ) -> Result<Mask, SendError> {
        self.check_open()?;
        self.encoder.message_header(kind, payload_len, output)
    }

    /// As [`Connection::begin_text`].
    ///
    /// # Errors
    /// As there.
    pub fn begin_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Text, Fragment::First, text.as_bytes(), output)
    }

    /// As [`Connection::continue_text`].
    ///
    /// # Errors
    /// As there.
    pub fn continue_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Text, Fragment::Middle, text.as_bytes(), output)
    }

    /// As [`Connection::finish_text`].
    ///
    /// # Errors
    /// As there.
    pub fn finish_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Text, Fragment::Last, text.as_bytes(), output)
    }

    /// As [`Connection::begin_binary`].
    ///
    /// # Errors
    /// As there.
    pub fn begin_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Binary, Fragment::First, data, output)
    }

    /// As [`Connection::continue_binary`].
    ///
    /// # Errors
    /// As there.
    pub fn continue_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Binary, Fragment::Middle, data, output)
    }

    /// As [`Connection::finish_binary`].
    ///
    /// # Errors
    /// As there.
    pub fn finish_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Binary, Fragment::Last, data, output)
    }

    /// As [`Connection::send_ping`].
    ///
    /// # Errors
    /// As there.
    pub fn send_ping(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.control(OpCode::Ping, payload, output)
    }

    /// As [`Connection::send_pong`].
    ///
    /// # Errors
    /// As there.
    pub fn send_pong(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        if self.state() == State::Closed {
            return Err(SendError::Closed);
        }
        self.encoder.control(OpCode::Pong, payload, output)
    }

    /// As [`Connection::close`].
    ///
    /// # Errors
    /// As there.
    pub fn close(&mut self, code: CloseCode, reason: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        if code == CloseCode::MANDATORY_EXTENSION && self.role() == Role::Server {
            return Err(SendError::InvalidCloseCode(code));
        }
        let (body, len) = CloseFrame { code, reason }.encode()?;
        self.begin_close(code)?;
        self.encoder.control(OpCode::Close, body.get(..len).unwrap_or(&body), output)
    }

    /// As [`Connection::close_without_code`].
    ///
    /// # Errors
    /// As there.
    pub fn close_without_code(&mut self, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.begin_close(CloseCode::NO_STATUS)?;
        self.encoder.control(OpCode::Close, b"", output)
    }

    /// Answers the peer's Close, if none was sent before (§5.5.1).
    pub(super) fn answer_close(&mut self, code: CloseCode, output: &mut Vec<u8>) {
        if self.closing.step(Step::CloseCame(code)) == Reaction::SendClose {
            self.put_close(code, output);
        }
        self.encoder.end();
    }

    /// Ends the connection for a rule that the peer broke; its Close goes out, if none did before (§7.1.7).
    pub(super) fn fail(&mut self, error: ProtocolError, output: &mut Vec<u8>) {
        if self.closing.step(Step::Fail(error)) == Reaction::SendClose {
            self.put_close(error.close_code(), output);
        }
        self.encoder.end();
    }

    /// The stream has ended.
    pub(super) fn eof(&mut self) {
        self.closing.step(Step::Eof);
        self.encoder.end();
    }

    /// Appends a Close with a code and no reason; 1005 stands for no code (§7.1.5).
    fn put_close(&mut self, code: CloseCode, output: &mut Vec<u8>) {
        let body = code.0.to_be_bytes();
        let body = if code == CloseCode::NO_STATUS { &body[..0] } else { &body[..] };
        self.encoder.frame(true, OpCode::Close, body, output);
    }

    fn begin_close(&mut self, code: CloseCode) -> Result<(), SendError> {
        match self.closing.step(Step::Close(code)) {
            Reaction::SendClose => {
                self.encoder.end();
                Ok(())
            }
            Reaction::Nothing | Reaction::Refuse => Err(SendError::Closed),
        }
    }

    fn send_fragment(
        &mut self,
        kind: MessageKind,
        fragment: Fragment,
        payload: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.fragment(kind, fragment, payload, Compression::Auto, output)
    }

    #[inline]
    pub(super) fn check_open(&self) -> Result<(), SendError> {
        if self.state() == State::Open { Ok(()) } else { Err(SendError::Closed) }
    }
}
