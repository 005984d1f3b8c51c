//! Who broke which rule: the peer ([`ProtocolError`]), you ([`SendError`]), or the opening handshake
//! ([`HandshakeError`]).

use thiserror::Error;

use crate::wire::{CloseCode, InvalidUtf8};

/// The peer broke a rule of the open connection, which is thereby failed (RFC 6455 §7.1.7).
///
/// When [`Connection::receive`](crate::Connection::receive) returns one, the Close frame with [`close_code`] is in the
/// output already, unless a Close had been sent before.
///
/// [`close_code`]: Self::close_code
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// §5.2: "RSV1, RSV2, RSV3: MUST be 0 unless an extension is negotiated that defines meanings".
    #[error("a reserved bit is set, and no extension that defines it was agreed")]
    ReservedBits,
    /// §5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
    #[error("the opcode is reserved")]
    ReservedOpCode,
    /// §5.2: "the minimal number of bytes MUST be used to encode the length".
    #[error("the payload length is not in its shortest form")]
    LengthNotMinimal,
    /// §5.2: "the most significant bit MUST be 0" of a 64-bit length.
    #[error("the payload length has its most significant bit set")]
    LengthTooLarge,
    /// §5.5: "All control frames [...] MUST NOT be fragmented."
    #[error("a control frame is fragmented")]
    ControlFragmented,
    /// §5.5: "All control frames MUST have a payload length of 125 bytes or less".
    #[error("a control frame announces more than 125 bytes")]
    ControlTooLong,
    /// §5.1: "The server MUST close the connection upon receiving a frame that is not masked."
    #[error("a frame from the client is not masked")]
    FrameNotMasked,
    /// §5.1: "A client MUST close a connection if it detects a masked frame."
    #[error("a frame from the server is masked")]
    FrameMasked,
    /// §5.4: a continuation frame with no message to continue.
    #[error("a continuation frame has no message to continue")]
    NothingToContinue,
    /// §5.4: "The fragments of one message MUST NOT be interleaved between the fragments of another message".
    #[error("a new message begins before the last one has ended")]
    MessageInterleaved,
    /// §8.1, §5.6: a text message is not UTF-8.
    #[error("a text message is not valid UTF-8")]
    InvalidUtf8,
    /// §5.5.1: the body of a Close is empty or begins with a 2-octet code.
    #[error("the body of a close frame is one byte long")]
    CloseBodyTooShort,
    /// §7.4: the code of a Close is one that must not be sent.
    #[error("the close code {0} is not allowed in a close frame")]
    InvalidCloseCode(CloseCode),
    /// §5.5.1: the reason of a Close is not UTF-8.
    #[error("the reason of a close frame is not valid UTF-8")]
    InvalidCloseReason,
    /// §10.4: a frame announces more than [`Limits::frame`](crate::Limits::frame).
    #[error("a frame exceeds the limit")]
    FrameTooBig,
    /// §10.4: a message exceeds [`Limits::message`](crate::Limits::message).
    #[error("a message exceeds the limit")]
    MessageTooBig,
    /// §10.4: a message has more frames than [`Limits::fragments`](crate::Limits::fragments).
    #[error("a message has more fragments than the limit")]
    TooManyFragments,
    /// §7.1.5: the stream ended before the closing handshake was over.
    #[error("the stream ended before the closing handshake")]
    UnexpectedEof,
}

impl ProtocolError {
    /// The code that tells the peer why (§7.4.1); 1006, which is never sent, when there is nobody left to tell.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, ProtocolError};
    ///
    /// assert_eq!(ProtocolError::InvalidUtf8.close_code(), CloseCode::INVALID_PAYLOAD);
    /// ```
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits
            | Self::ReservedOpCode
            | Self::LengthNotMinimal
            | Self::LengthTooLarge
            | Self::ControlFragmented
            | Self::ControlTooLong
            | Self::FrameNotMasked
            | Self::FrameMasked
            | Self::NothingToContinue
            | Self::MessageInterleaved
            | Self::CloseBodyTooShort
            | Self::InvalidCloseCode(_) => CloseCode::PROTOCOL_ERROR,
            Self::InvalidUtf8 | Self::InvalidCloseReason => CloseCode::INVALID_PAYLOAD,
            Self::TooManyFragments => CloseCode::POLICY_VIOLATION,
            Self::FrameTooBig | Self::MessageTooBig => CloseCode::MESSAGE_TOO_BIG,
            Self::UnexpectedEof => CloseCode::ABNORMAL,
        }
    }
}

impl From<InvalidUtf8> for ProtocolError {
    fn from(_: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

/// You asked for something that the protocol forbids. Nothing was written, the connection is as it was.
///
/// Never caused by what the network sent, except that [`Closed`](Self::Closed) may come after the peer's Close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum SendError {
    /// §5.5.1: nothing may follow a Close.
    #[error("the connection is closing or closed")]
    Closed,
    /// §5.4: a fragmented message is under way; finish it first.
    #[error("a fragmented message has not been finished")]
    MessageUnfinished,
    /// §5.4: there is no fragmented message of this kind to continue.
    #[error("no fragmented message of this kind has been begun")]
    NothingToContinue,
    /// §5.5: the payload of a Ping or Pong is at most 125 octets.
    #[error("a control frame carries at most 125 bytes")]
    ControlTooLong,
    /// §5.5.1: the reason of a Close is at most 123 octets.
    #[error("the reason of a close frame is at most 123 bytes")]
    ReasonTooLong,
    /// §7.4: this code must not be sent (1004, 1005, 1006, 1015, unassigned ones; 1010 by a server).
    #[error("the close code {0} must not be sent")]
    InvalidCloseCode(CloseCode),
    /// §5.2: a frame carries at most 2^63 - 1 octets.
    #[error("a frame carries at most 2^63 - 1 bytes")]
    FrameTooBig,
}
