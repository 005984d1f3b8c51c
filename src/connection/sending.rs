//! RFC 6455 §6.1, §7.1.2: what may the application send, and when?

use alloc::vec::Vec;

use super::Connection;
use super::closing::{Reaction, State, Step};
use crate::config::{MessageKind, Role};
use crate::error::SendError;
use crate::send::{Compression, Fragment, Prepared};
use crate::wire::{CloseCode, CloseFrame, Mask, OpCode};

/// Sending. Each method appends whole frames to `output`, or fails and leaves everything as it was.
impl Connection {
    /// Appends a text message in one frame.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    #[inline]
    pub fn send_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.message(MessageKind::Text, text.as_bytes(), Compression::Auto, output)
    }

    /// Appends a binary message in one frame.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    #[inline]
    pub fn send_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.message(MessageKind::Binary, data, Compression::Auto, output)
    }

    /// Appends a message that was framed before, for many receivers.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn send_prepared(&mut self, prepared: &Prepared, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.prepared(prepared, output)
    }

    /// Appends the header of a message in one frame, 2 to 14 octets, whose payload stays yours: send it right behind,
    /// by `writev`, `io_uring` or `sendfile`. A client has to mask the payload in place with the mask that it gets; a
    /// server's mask changes nothing, and may be dropped. That a text is UTF-8 is up to you; and that nobody who knows
    /// the mask still chooses the payload: have all of it before you ask for its header (§10.3).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, MessageKind};
    ///
    /// let mut ws = Connection::client(&Config::default());
    /// let mut payload = *b"no copy is made of this";
    /// let mut header = Vec::new();
    /// ws.send_header(MessageKind::Text, payload.len() as u64, &mut header)?.apply(&mut payload);
    /// // stream.write_vectored(&[IoSlice::new(&header), IoSlice::new(&payload)])
    /// assert_eq!(header.len(), 6);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message,
    /// [`SendError::FrameTooBig`] above 2^63 - 1 octets.
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

    /// Begins a fragmented text message, whose length need not be known yet (§5.4). Until it is finished, only control
    /// frames may be sent besides its fragments.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection};
    ///
    /// let mut ws = Connection::server(&Config::default());
    /// let mut output = Vec::new();
    /// ws.begin_text("Hel", &mut output)?;
    /// ws.send_ping(b"still there?", &mut output)?;
    /// ws.finish_text("lo", &mut output)?;
    /// assert_eq!(output, b"\x01\x03Hel\x89\x0cstill there?\x80\x02lo");
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn begin_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Text, Fragment::First, text.as_bytes(), output)
    }

    /// Appends a fragment of the text message that [`begin_text`](Self::begin_text) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no text message was begun.
    pub fn continue_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Text, Fragment::Middle, text.as_bytes(), output)
    }

    /// Appends the last fragment of the text message that [`begin_text`](Self::begin_text) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no text message was begun.
    pub fn finish_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Text, Fragment::Last, text.as_bytes(), output)
    }

    /// [`begin_text`](Self::begin_text) for a binary message.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn begin_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Binary, Fragment::First, data, output)
    }

    /// Appends a fragment of the binary message that [`begin_binary`](Self::begin_binary) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no binary message was begun.
    pub fn continue_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Binary, Fragment::Middle, data, output)
    }

    /// Appends the last fragment of the binary message that [`begin_binary`](Self::begin_binary) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no binary message was begun.
    pub fn finish_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send_fragment(MessageKind::Binary, Fragment::Last, data, output)
    }

    /// Appends a Ping of up to 125 octets (§5.5.2).
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::ControlTooLong`] above 125 octets.
    pub fn send_ping(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.check_open()?;
        self.encoder.control(OpCode::Ping, payload, output)
    }

    /// Appends a Pong of up to 125 octets: the answer to a Ping where [`PongPolicy::Manual`](crate::PongPolicy::Manual)
    /// was chosen, or a heartbeat that wants no answer (§5.5.3). It may be sent until the peer's Close has come.
    ///
    /// # Errors
    /// [`SendError::Closed`] once the connection is closed, [`SendError::ControlTooLong`] above 125 octets.
    pub fn send_pong(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        if self.state() == State::Closed {
            return Err(SendError::Closed);
        }
        self.encoder.control(OpCode::Pong, payload, output)
    }

    /// Begins the closing handshake: appends a Close. Nothing may be sent after it; go on receiving until
    /// [`wants_read`](Self::wants_read) turns false. A fragmented message that was not finished stays so.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, Config, Connection, State};
    ///
    /// let mut ws = Connection::server(&Config::default());
    /// let mut output = Vec::new();
    /// ws.close(CloseCode::GOING_AWAY, "bye", &mut output)?;
    /// assert_eq!(output, b"\x88\x05\x03\xe9bye");
    /// assert_eq!(ws.state(), State::Closing);
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError::Closed`] if a Close was sent before, by you or in answer to the peer's;
    /// [`SendError::InvalidCloseCode`] for a code that must not be sent (a server's own 1010 among them, though its
    /// answer to a client's 1010 repeats that); [`SendError::ReasonTooLong`] above 123 octets.
    pub fn close(&mut self, code: CloseCode, reason: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        if code == CloseCode::MANDATORY_EXTENSION && self.role() == Role::Server {
            return Err(SendError::InvalidCloseCode(code));
        }
        let (body, len) = CloseFrame { code, reason }.encode()?;
        self.begin_close(code)?;
        self.encoder.control(OpCode::Close, &body[..len], output)
    }

    /// [`close`](Self::close) without a code, which the peer will report as 1005 (§7.1.5).
    ///
    /// # Errors
    /// [`SendError::Closed`] if a Close was sent before.
    pub fn close_without_code(&mut self, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.begin_close(CloseCode::NO_STATUS)?;
        self.encoder.control(OpCode::Close, b"", output)
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
