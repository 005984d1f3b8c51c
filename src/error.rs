//! Who broke which rule: the peer of an open connection ([`ProtocolError`]) or of the opening handshake
//! ([`HandshakeError`]), or you ([`SendError`], [`HeadError`]).

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
    /// RFC 7692 §7.2.2: the data of a compressed message is no DEFLATE data, or ends in the middle of it.
    #[error("a compressed message is not valid DEFLATE data")]
    InvalidDeflate,
    /// §10.4: a compressed message inflates to more than [`Limits::inflate_ratio`](crate::Limits::inflate_ratio)
    /// allows.
    #[error("a compressed message inflates beyond the allowed ratio")]
    InflatesTooMuch,
    /// §10.4: a message has more frames, or more final blocks of DEFLATE data, than
    /// [`Limits::fragments`](crate::Limits::fragments).
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
            Self::InvalidUtf8 | Self::InvalidCloseReason | Self::InvalidDeflate => CloseCode::INVALID_PAYLOAD,
            Self::TooManyFragments => CloseCode::POLICY_VIOLATION,
            Self::FrameTooBig | Self::MessageTooBig | Self::InflatesTooMuch => CloseCode::MESSAGE_TOO_BIG,
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
    /// §5.5: a control frame is not fragmented.
    #[error("a control frame is not fragmented")]
    ControlFragmented,
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

/// What a peer did not do in time; see [`Keepalive`](crate::Keepalive). It is for the stream to end, which the connection
/// is told as ever, by [`receive_eof`](crate::Connection::receive_eof): then it has an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum TimedOut {
    /// §4: the opening handshake was not over in time.
    #[error("the opening handshake was not over in time")]
    Handshake,
    /// §5.5.2: a Ping was not answered, nor did anything else come.
    #[error("no pong came in time")]
    Pong,
    /// There was no message for too long.
    #[error("the connection was idle for too long")]
    Idle,
    /// The connection was there for too long.
    #[error("the connection was open for too long")]
    Lifetime,
    /// §7.1.1: the closing handshake, and what follows it, was not over in time.
    #[error("the connection was not closed in time")]
    Close,
    /// Octets waited to be written, and the peer took none of them.
    #[error("the peer does not read")]
    Write,
}

/// You asked for a request or response of the opening handshake that must not be sent. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum HeadError {
    /// RFC 9110 §5.1: the name of a header field is a token.
    #[error("the name of a header field is not a token")]
    InvalidHeaderName,
    /// RFC 9110 §5.5: the value of a header field has no CR, LF or NUL, nor other control characters.
    #[error("the value of a header field has a control character")]
    InvalidHeaderValue,
    /// §4.1, §4.2.2: this header field is the handshake's own.
    #[error("the header field is written by the handshake itself")]
    ReservedHeader,
    /// RFC 9110 §5.3: there is one Origin.
    #[error("the header field is given twice")]
    RepeatedHeader,
    /// §4.1: a subprotocol is a token, and offered once.
    #[error("the subprotocol is not a token, or offered twice")]
    InvalidSubprotocol,
    /// §4.2.2: a server selects a subprotocol that the client has offered.
    #[error("the client has not offered this subprotocol")]
    SubprotocolNotOffered,
    /// A handshake is rejected with a status of 200 to 599.
    #[error("a rejection has a status of 200 to 599")]
    InvalidStatus,
    /// RFC 9110 §15.5.2, §15.5.6: a response with this status has this header field.
    #[error("a rejection with this status needs the header {0}")]
    MissingHeader(&'static str),
    /// RFC 8441 §3: an extended CONNECT waits until the server's settings allow it.
    #[error("the server has not enabled extended CONNECT")]
    ExtendedConnectDisabled,
}

/// The opening handshake failed; no WebSocket frame was or will be sent (RFC 6455 §4).
///
/// When [`ServerHandshake::receive`](crate::handshake::ServerHandshake::receive) returns one, the response with
/// [`status`](Self::status) is in the output already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// RFC 9112, RFC 9113 §8: this is not the head of an HTTP message of its version.
    #[error("the head is not well-formed HTTP")]
    MalformedHead,
    /// RFC 9110 §5.4: the head exceeds [`Limits::head`](crate::Limits::head).
    #[error("the head exceeds the limit")]
    HeadTooLarge,
    /// RFC 9110 §5.4: the head has more fields than [`Limits::header_fields`](crate::Limits::header_fields).
    #[error("the head has more fields than the limit")]
    TooManyHeaderFields,
    /// RFC 9112 §3: the request line alone exceeds [`Limits::head`](crate::Limits::head).
    #[error("the request target exceeds the limit")]
    TargetTooLong,
    /// RFC 9112 §3.2: the request target is neither a path nor an absolute http or https URI.
    #[error("the request target is not a resource name")]
    InvalidTarget,
    /// §4.1: "The method of the request MUST be GET"; RFC 8441 §4: over HTTP/2 and HTTP/3 it is CONNECT.
    #[error("the method is not the one that opens a WebSocket")]
    MethodNotAllowed,
    /// §4.1: "the HTTP version MUST be at least 1.1".
    #[error("the HTTP version is not 1.1")]
    UnsupportedHttpVersion,
    /// RFC 9112 §3.2: the Host field is missing, repeated, or not a host.
    #[error("the Host header is missing, repeated or invalid")]
    InvalidHost,
    /// RFC 9112 §6: a request to upgrade announces a body, or announces it wrongly.
    #[error("the request has a body")]
    BodyNotAllowed,
    /// RFC 9110 §10.1.1: the request expects something that is not 100-continue.
    #[error("the expectation cannot be met")]
    ExpectationFailed,
    /// §4.2.1: Upgrade does not name websocket, or Connection does not name Upgrade; RFC 8441 §4: a CONNECT names no
    /// protocol.
    #[error("this is not a request to open a WebSocket")]
    NotAnUpgrade,
    /// RFC 9220 §3: an extended CONNECT is for a protocol other than websocket.
    #[error("the protocol of the extended CONNECT is not websocket")]
    UnsupportedProtocol,
    /// §4.2.1: there is no Sec-WebSocket-Version.
    #[error("the Sec-WebSocket-Version header is missing")]
    MissingVersion,
    /// §4.4: the version is not 13.
    #[error("the WebSocket version is not 13")]
    UnsupportedVersion,
    /// §4.2.1: Sec-WebSocket-Key is missing, or not base64 of 16 octets.
    #[error("the Sec-WebSocket-Key is not 16 bytes in base64")]
    InvalidKey,
    /// §11.3: a field that must not be repeated is.
    #[error("the header {0} is repeated")]
    RepeatedHeader(&'static str),
    /// §4.1: Sec-WebSocket-Protocol is not a list of different tokens, in a response not one token.
    #[error("the Sec-WebSocket-Protocol header is malformed")]
    InvalidSubprotocols,
    /// §9.1: Sec-WebSocket-Extensions does not fit its grammar.
    #[error("the Sec-WebSocket-Extensions header is malformed")]
    InvalidExtensions,
    /// §4.1: the Upgrade field of the response is not websocket.
    #[error("the response does not upgrade to websocket")]
    UpgradeMismatch,
    /// §4.1: the Connection field of the response does not name Upgrade.
    #[error("the Connection header of the response does not name upgrade")]
    ConnectionMismatch,
    /// §4.1: Sec-WebSocket-Accept is missing, or not the one for our key.
    #[error("the Sec-WebSocket-Accept header does not match the key")]
    AcceptMismatch,
    /// §4.1: the server selected a subprotocol that was not offered.
    #[error("the server selected a subprotocol that was not offered")]
    SubprotocolNotOffered,
    /// §4.1: the server agreed to an extension that was not offered.
    #[error("the server agreed to an extension that was not offered")]
    ExtensionNotOffered,
    /// RFC 7692 §5.1, §7: what the server says of permessage-deflate fits no offer, or is not valid.
    #[error("the server agreed to permessage-deflate in a way that was not offered")]
    DeflateMismatch,
    /// RFC 9112 §6, §7: the body of a response is framed wrongly.
    #[error("the body of the response is malformed")]
    MalformedBody,
    /// RFC 9112 §8: the stream ended before the head did.
    #[error("the stream ended before the handshake was over")]
    UnexpectedEof,
}

impl HandshakeError {
    /// The status that a server answers it with; `None` for what only happens to a client.
    ///
    /// ```
    /// use websocket_proto::HandshakeError;
    ///
    /// assert_eq!(HandshakeError::UnsupportedVersion.status(), Some(426));
    /// ```
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::MalformedHead
            | Self::InvalidTarget
            | Self::InvalidHost
            | Self::BodyNotAllowed
            | Self::MissingVersion
            | Self::InvalidKey
            | Self::RepeatedHeader(_)
            | Self::InvalidSubprotocols
            | Self::InvalidExtensions => Some(400),
            Self::MethodNotAllowed => Some(405),
            Self::TargetTooLong => Some(414),
            Self::ExpectationFailed => Some(417),
            Self::NotAnUpgrade | Self::UnsupportedVersion => Some(426),
            Self::HeadTooLarge | Self::TooManyHeaderFields => Some(431),
            Self::UnsupportedProtocol => Some(501),
            Self::UnsupportedHttpVersion => Some(505),
            Self::UpgradeMismatch
            | Self::ConnectionMismatch
            | Self::AcceptMismatch
            | Self::SubprotocolNotOffered
            | Self::ExtensionNotOffered
            | Self::DeflateMismatch
            | Self::MalformedBody
            | Self::UnexpectedEof => None,
        }
    }
}
