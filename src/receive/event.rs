//! RFC 6455 §6.2: what can come from the peer?

use crate::wire::CloseFrame;

/// What came, borrowed from the [`ReadBuffer`](crate::ReadBuffer) where it lies.
///
/// To keep it, copy it, or take a [`Message`](crate::Message) instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'i> {
    /// A text message.
    Text(&'i str),
    /// A binary message.
    Binary(&'i [u8]),
    /// A piece of a text message, with [`Delivery::Chunks`](crate::Delivery::Chunks): whole characters.
    TextChunk {
        /// The next characters; empty only if `last` is set.
        text: &'i str,
        /// The message begins with it.
        first: bool,
        /// The message ends with it.
        last: bool,
    },
    /// A piece of a binary message, with [`Delivery::Chunks`](crate::Delivery::Chunks).
    BinaryChunk {
        /// The next octets; empty only if `last` is set.
        data: &'i [u8],
        /// The message begins with it.
        first: bool,
        /// The message ends with it.
        last: bool,
    },
    /// A Ping; it is answered already, unless [`PongPolicy::Manual`](crate::PongPolicy::Manual) was chosen.
    Ping(&'i [u8]),
    /// A Pong: the answer to a Ping, or unasked (§5.5.3).
    Pong(&'i [u8]),
    /// The peer's Close, with its code and reason if it has them. The answer, if one was owed, is in the output
    /// already. It is the last event.
    Close(Option<CloseFrame<&'i str>>),
}
