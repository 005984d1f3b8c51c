//! RFC 6455 §6.2: what came from the peer, to be kept?

use alloc::vec::Vec;

use bytes::Bytes;

use crate::connection::{Connection, Receiver};
use crate::error::ProtocolError;
use crate::receive::{Event, ReadBuffer};
use crate::wire::{CloseFrame, Utf8Bytes, append_masked};

/// What came, owned: an [`Event`] that you may keep, clone and send to other threads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A piece of a text message, with [`Delivery::Chunks`](crate::Delivery::Chunks): whole characters.
    TextChunk {
        /// The next characters; empty only if `last` is set.
        text: Utf8Bytes,
        /// The message begins with it.
        first: bool,
        /// The message ends with it.
        last: bool,
    },
    /// A piece of a binary message, with [`Delivery::Chunks`](crate::Delivery::Chunks).
    BinaryChunk {
        /// The next octets; empty only if `last` is set.
        data: Bytes,
        /// The message begins with it.
        first: bool,
        /// The message ends with it.
        last: bool,
    },
    /// A Ping; it is answered already, unless [`PongPolicy::Manual`](crate::PongPolicy::Manual) was chosen.
    Ping(Bytes),
    /// A Pong: the answer to a Ping, or unasked (§5.5.3).
    Pong(Bytes),
    /// The peer's Close, with its code and reason if it has them. The answer, if one was owed, is in the output
    /// already. It is the last message.
    Close(Option<CloseFrame>),
}

impl Connection {
    /// [`receive`](Connection::receive) for messages that are kept.
    ///
    /// A message has memory of its own, as long as it is, into which it is unmasked. The read buffer stays with you,
    /// warm, and is not held by messages that are kept. To hand its memory over would cost more: the next read would
    /// need other memory, and cleared (measured).
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, Message, ReadBuffer};
    ///
    /// let mut ws = Connection::client(&Config::default());
    /// let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    /// input.extend_from_slice(b"\x81\x05Hello");
    /// let message = ws.receive_message(&mut input, &mut output)?;
    /// assert_eq!(message, Some(Message::Text("Hello".into())));
    /// # Ok::<(), websocket_proto::ProtocolError>(())
    /// ```
    ///
    /// # Errors
    /// As [`receive`](Connection::receive).
    pub fn receive_message(
        &mut self,
        input: &mut ReadBuffer,
        output: &mut Vec<u8>,
    ) -> Result<Option<Message>, ProtocolError> {
        if let Some((payload, key)) = self.whole_binary(input) {
            return Ok(Some(Message::unmasked(payload, key)));
        }
        Ok(self.receive(input, output)?.map(Message::from))
    }
}

impl Receiver {
    /// [`receive`](Receiver::receive) for messages that are kept, as [`Connection::receive_message`].
    ///
    /// # Errors
    /// As [`receive`](Receiver::receive).
    pub fn receive_message(&mut self, input: &mut ReadBuffer) -> Result<Option<Message>, ProtocolError> {
        if let Some((payload, key)) = self.whole_binary(input) {
            return Ok(Some(Message::unmasked(payload, key)));
        }
        Ok(self.receive(input)?.map(Message::from))
    }
}

impl Message {
    /// A binary message with memory of its own.
    #[inline(always)]
    fn unmasked(payload: &[u8], key: [u8; 4]) -> Self {
        let mut data = Vec::with_capacity(payload.len());
        append_masked(payload, key, &mut data);
        Self::Binary(data.into())
    }
}

impl From<Event<'_>> for Message {
    /// A copy.
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into()),
            Event::Binary(data) => Self::Binary(Bytes::copy_from_slice(data)),
            Event::TextChunk { text, first, last } => Self::TextChunk { text: text.into(), first, last },
            Event::BinaryChunk { data, first, last } => {
                Self::BinaryChunk { data: Bytes::copy_from_slice(data), first, last }
            }
            Event::Ping(payload) => Self::Ping(Bytes::copy_from_slice(payload)),
            Event::Pong(payload) => Self::Pong(Bytes::copy_from_slice(payload)),
            Event::Close(frame) => Self::Close(frame.map(CloseFrame::into_owned)),
        }
    }
}
