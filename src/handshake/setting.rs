//! RFC 8441 §3, §5, RFC 9220 §3: which numbers of HTTP/2 and HTTP/3 concern a WebSocket?

use crate::error::HandshakeError;

/// What a server's SETTINGS say of extended CONNECT (RFC 8441 §3, RFC 9220 §3). A client has to wait for them.
///
/// Where the HTTP/2 or HTTP/3 stack knows the setting itself, its answer is turned into one of these. It must have
/// come: a server's settings are the first that it sends, so they are there when a PING of the connection is answered.
///
/// ```
/// use websocket_proto::handshake::ExtendedConnect;
///
/// let mut setting = ExtendedConnect::default();
/// assert_eq!(setting, ExtendedConnect::Disabled);
/// setting.receive(1)?; // the value of setting ExtendedConnect::SETTING
/// assert_eq!(setting, ExtendedConnect::Enabled);
/// assert!(setting.receive(0).is_err(), "it cannot be taken back");
/// # Ok::<(), websocket_proto::handshake::InvalidSetting>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ExtendedConnect {
    /// Nothing has come, or 0.
    #[default]
    Disabled,
    /// 1 has come.
    Enabled,
}

/// A SETTINGS frame breaks the rules of its protocol: to be answered with [`ErrorCode::Setting`], which ends all
/// streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
#[error("the setting for extended CONNECT is neither 0 nor 1, or was taken back")]
pub struct InvalidSetting;

impl ExtendedConnect {
    /// The identifier of `SETTINGS_ENABLE_CONNECT_PROTOCOL`, the same in HTTP/2 and HTTP/3: a server sends it with the
    /// value 1 to those who are to open a WebSocket.
    pub const SETTING: u16 = 0x8;

    /// The value of `:protocol`, and of the HTTP/2 libraries' own types for it.
    pub const PROTOCOL: &str = "websocket";

    /// Takes note of a value that has come.
    ///
    /// # Errors
    /// [`InvalidSetting`] for a value that is neither 0 nor 1, and for a 0 after a 1.
    pub fn receive(&mut self, value: u64) -> Result<(), InvalidSetting> {
        *self = match (*self, value) {
            (Self::Disabled, 0) => Self::Disabled,
            (_, 1) => Self::Enabled,
            _ => return Err(InvalidSetting),
        };
        Ok(())
    }
}

/// Whether extended CONNECT is enabled, as an HTTP/2 or HTTP/3 stack says that knows the setting itself.
impl From<bool> for ExtendedConnect {
    fn from(is_enabled: bool) -> Self {
        if is_enabled { Self::Enabled } else { Self::Disabled }
    }
}

/// The codes with which HTTP/2 and HTTP/3 say what over HTTP/1.1 is the end of the TCP connection.
///
/// What a [`Connection`](crate::Connection) calls the end of its stream is `END_STREAM` in HTTP/2 and FIN in HTTP/3
/// (RFC 8441 §5, RFC 9220 §3). A stream that is reset by the peer has ended too: say so with
/// [`receive_eof`](crate::Connection::receive_eof).
///
/// ```
/// use websocket_proto::handshake::ErrorCode;
///
/// assert_eq!((ErrorCode::Cancel.http2(), ErrorCode::Cancel.http3()), (0x8, 0x10c));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The stream is given up, as a TCP connection by a reset: `CANCEL`, `H3_REQUEST_CANCELLED`.
    Cancel,
    /// The head of a request or response is malformed; ends its stream: `PROTOCOL_ERROR`, `H3_MESSAGE_ERROR`.
    Malformed,
    /// [`InvalidSetting`]; ends the connection: `PROTOCOL_ERROR`, `H3_SETTINGS_ERROR`.
    Setting,
}

/// How to end the stream of a handshake that failed so.
impl From<HandshakeError> for ErrorCode {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::MalformedHead => Self::Malformed,
            _ => Self::Cancel,
        }
    }
}

impl ErrorCode {
    /// The code of an `RST_STREAM` or GOAWAY frame (RFC 9113 §7).
    #[must_use]
    pub const fn http2(self) -> u32 {
        match self {
            Self::Cancel => 0x8,
            Self::Malformed | Self::Setting => 0x1,
        }
    }

    /// The code of a `RESET_STREAM`, `STOP_SENDING` or `CONNECTION_CLOSE` frame (RFC 9114 §8.1).
    #[must_use]
    pub const fn http3(self) -> u64 {
        match self {
            Self::Cancel => 0x10c,
            Self::Malformed => 0x10e,
            Self::Setting => 0x109,
        }
    }
}
