//! RFC 6455 §6.2: what came from the peer, to be kept?

use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::config::MessageKind;
use crate::connection::{Connection, text_chunk};
use crate::error::ProtocolError;
use crate::receive::{Decoder, Event, Item, ItemKind, ReadBuffer, WholeMessage};
use crate::wire::{CloseFrame, Utf8Bytes, unmask_binary};

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
    /// A Ping; its Pong is in the output already, unless [`PongPolicy::Manual`](crate::PongPolicy::Manual) was chosen.
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
    /// A payload of more than 1 KiB is not copied: it takes the memory that it lies in along. A smaller one is, as that
    /// costs no more than a reference count; and so is one that takes less than a quarter of the buffer, as what is
    /// kept would hold on to all of it.
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
        if self.decoder.waits(input) {
            return Ok(None);
        }
        let message = match self.decoder.whole_message(input.unparsed()) {
            Some(WholeMessage { kind, header_len, len, key }) => {
                input.skip(header_len);
                let range = input.skip(len);
                whole(kind, input.take(range), key)
            }
            None => match self.next_item(input, output)? {
                Some(item) => message(item, input, &mut self.decoder),
                None => return Ok(None),
            },
        };
        message.map(Some).map_err(|error| self.fail(error, output))
    }
}

/// A message that is still masked; a key of zeros leaves it as it is.
fn whole(kind: MessageKind, mut payload: BytesMut, key: [u8; 4]) -> Result<Message, ProtocolError> {
    match kind {
        MessageKind::Text => Ok(Message::Text(Utf8Bytes::unmask(payload, key)?)),
        MessageKind::Binary => {
            unmask_binary(&mut payload, key);
            Ok(Message::Binary(payload.freeze()))
        }
    }
}

/// The item, taken out.
fn message(item: Item, input: &mut ReadBuffer, decoder: &mut Decoder) -> Result<Message, ProtocolError> {
    let kind = item.kind;
    if kind == ItemKind::Message(MessageKind::Text) {
        return Ok(Message::Text(item.take_text(input)?));
    }
    let mut payload = item.take(input);
    Ok(match kind {
        ItemKind::Message(_) => Message::Binary(payload.freeze()),
        ItemKind::Chunk { kind: MessageKind::Text, first, last } => {
            let (text, last) = text_chunk(&payload, last, decoder)?;
            let len = text.len();
            Message::TextChunk { text: payload.split_to(len).freeze().try_into()?, first, last }
        }
        ItemKind::Chunk { kind: MessageKind::Binary, first, last } => {
            Message::BinaryChunk { data: payload.freeze(), first, last }
        }
        ItemKind::Ping => Message::Ping(payload.freeze()),
        ItemKind::Pong => Message::Pong(payload.freeze()),
        ItemKind::Close => Message::Close(CloseFrame::decode(&payload)?.map(CloseFrame::into_owned)),
    })
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
