//! RFC 6455 §6.1, §7.1.2: what may the application send, and when?

use alloc::vec::Vec;

use bytes::Bytes;

use super::Connection;
use crate::config::MessageKind;
use crate::error::SendError;
use crate::send::Prepared;
use crate::wire::{CloseCode, Mask};

/// Sending. Each method appends whole frames to `output`, or fails and leaves everything as it was.
impl Connection {
    /// Appends a text message in one frame.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    #[inline]
    pub fn send_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.send_text(text, output)
    }

    /// Appends a binary message in one frame.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    #[inline]
    pub fn send_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.send_binary(data, output)
    }

    /// Appends a message that was framed before, for many receivers.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn send_prepared(&mut self, prepared: &Prepared, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.send_prepared(prepared, output)
    }

    /// [`send_prepared`](Self::send_prepared) without the copy: hands out the frame, to be written behind what is in
    /// the output. A server's is shared by all who are sent the same, so that a message to ten thousand connections is
    /// in memory once; for whom no ready frame fits, one is made. Take it where a `writev` costs less than to copy: for
    /// messages of some KiB and more.
    ///
    /// The message counts as sent: have its octets written, whole, before those that are appended to the output later.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Prepared};
    ///
    /// let news = Prepared::binary(&[0; 100_000]);
    /// let mut ws = Connection::server(&Config::default());
    /// let mut output = Vec::new();
    /// ws.send_ping(b"", &mut output)?;
    /// let frame = ws.send_shared(&news)?;
    /// // stream.write_vectored(&[IoSlice::new(&output), IoSlice::new(&frame)])
    /// assert_eq!(frame.len(), 100_010);
    /// assert!(frame.ends_with(news.payload()) && frame.as_ptr() == ws.send_shared(&news)?.as_ptr());
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn send_shared(&mut self, prepared: &Prepared) -> Result<Bytes, SendError> {
        self.sender.send_shared(prepared)
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
        self.sender.send_header(kind, payload_len, output)
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
        self.sender.begin_text(text, output)
    }

    /// Appends a fragment of the text message that [`begin_text`](Self::begin_text) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no text message was begun.
    pub fn continue_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.continue_text(text, output)
    }

    /// Appends the last fragment of the text message that [`begin_text`](Self::begin_text) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no text message was begun.
    pub fn finish_text(&mut self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.finish_text(text, output)
    }

    /// [`begin_text`](Self::begin_text) for a binary message.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn begin_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.begin_binary(data, output)
    }

    /// Appends a fragment of the binary message that [`begin_binary`](Self::begin_binary) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no binary message was begun.
    pub fn continue_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.continue_binary(data, output)
    }

    /// Appends the last fragment of the binary message that [`begin_binary`](Self::begin_binary) began.
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::NothingToContinue`] if no binary message was begun.
    pub fn finish_binary(&mut self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.finish_binary(data, output)
    }

    /// Appends a Ping of up to 125 octets (§5.5.2).
    ///
    /// # Errors
    /// [`SendError::Closed`] after a Close, [`SendError::ControlTooLong`] above 125 octets.
    pub fn send_ping(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.send_ping(payload, output)
    }

    /// Appends a Pong of up to 125 octets: the answer to a Ping where [`PongPolicy::Manual`](crate::PongPolicy::Manual)
    /// was chosen, or a heartbeat that wants no answer (§5.5.3). It may be sent until the peer's Close has come.
    ///
    /// # Errors
    /// [`SendError::Closed`] once the connection is closed, [`SendError::ControlTooLong`] above 125 octets.
    pub fn send_pong(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.send_pong(payload, output)
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
        self.sender.close(code, reason, output)
    }

    /// [`close`](Self::close) without a code, which the peer will report as 1005 (§7.1.5).
    ///
    /// # Errors
    /// [`SendError::Closed`] if a Close was sent before.
    pub fn close_without_code(&mut self, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.close_without_code(output)
    }
}
