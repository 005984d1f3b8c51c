//! RFC 6455 §5.5.1, §7.4: why is a connection closed?

use core::fmt;

use super::Utf8Bytes;
use crate::error::{ProtocolError, SendError};

/// A close code: RFC 6455 §7.4.1 and the registry that IANA keeps of them (§11.7).
///
/// ```
/// use websocket_proto::CloseCode;
///
/// assert_eq!(CloseCode::NORMAL, CloseCode(1000));
/// assert!(CloseCode(4321).is_allowed_in_frame());
/// assert!(!CloseCode::NO_STATUS.is_allowed_in_frame());
/// assert_eq!(CloseCode(1001).to_string(), "1001");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

macro_rules! close_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        impl CloseCode {
            $($(#[$doc])* pub const $name: Self = Self($number);)*
        }
    };
}

close_codes! {
    /// The purpose for which the connection was established is fulfilled.
    NORMAL = 1000;
    /// A server goes down, a browser leaves the page.
    GOING_AWAY = 1001;
    /// The peer broke a rule of the protocol.
    PROTOCOL_ERROR = 1002;
    /// A type of data that cannot be accepted.
    UNSUPPORTED_DATA = 1003;
    /// Never sent: what is reported when the Close had no code.
    NO_STATUS = 1005;
    /// Never sent: what is reported when no Close came.
    ABNORMAL = 1006;
    /// Data that does not fit its type, such as text that is not UTF-8.
    INVALID_PAYLOAD = 1007;
    /// A message that violates a policy; the code for when no other fits.
    POLICY_VIOLATION = 1008;
    /// A message too big to process.
    MESSAGE_TOO_BIG = 1009;
    /// Sent by a client that needs an extension that the server did not agree to.
    MANDATORY_EXTENSION = 1010;
    /// An unexpected condition.
    INTERNAL_ERROR = 1011;
    /// The service restarts.
    SERVICE_RESTART = 1012;
    /// The service is overloaded.
    TRY_AGAIN_LATER = 1013;
    /// A gateway got an invalid answer from the server behind it.
    BAD_GATEWAY = 1014;
    /// Never sent: what is reported when TLS failed.
    TLS_HANDSHAKE = 1015;
}

impl CloseCode {
    /// Whether a Close frame may carry this code: 1000 to 1003, 1007 to 1014, and 3000 to 4999.
    #[must_use]
    pub const fn is_allowed_in_frame(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl From<u16> for CloseCode {
    fn from(code: u16) -> Self {
        Self(code)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a Close frame that has one; the reason is a borrowed `&str` in an event, and owned in a message.
///
/// The reason is for logs and programs, not for end users (§5.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CloseFrame<R = Utf8Bytes> {
    /// Why.
    pub code: CloseCode,
    /// Why, in words; at most 123 octets.
    pub reason: R,
}

impl<'a> CloseFrame<&'a str> {
    /// Reads the body of a Close frame; an empty one is `None`.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, CloseFrame};
    ///
    /// let frame = CloseFrame::decode(b"\x03\xe8bye")?.expect("it has a code");
    /// assert_eq!((frame.code, frame.reason), (CloseCode::NORMAL, "bye"));
    /// # Ok::<(), websocket_proto::ProtocolError>(())
    /// ```
    ///
    /// # Errors
    /// [`ProtocolError::CloseBodyTooShort`] for one octet, [`ProtocolError::InvalidCloseCode`] for a code that must not
    /// be in a frame, [`ProtocolError::InvalidCloseReason`] for a reason that is not UTF-8.
    pub fn decode(body: &'a [u8]) -> Result<Option<Self>, ProtocolError> {
        let Some((&code, reason)) = body.split_first_chunk() else {
            return if body.is_empty() { Ok(None) } else { Err(ProtocolError::CloseBodyTooShort) };
        };
        let code = CloseCode(u16::from_be_bytes(code));
        if !code.is_allowed_in_frame() {
            return Err(ProtocolError::InvalidCloseCode(code));
        }
        let reason = core::str::from_utf8(reason).map_err(|_| ProtocolError::InvalidCloseReason)?;
        Ok(Some(Self { code, reason }))
    }

    /// The same, to be kept.
    #[must_use]
    pub fn into_owned(self) -> CloseFrame {
        CloseFrame { code: self.code, reason: self.reason.into() }
    }
}

impl<R: AsRef<str>> CloseFrame<R> {
    /// The body of the Close frame: the octets, and how many of them.
    ///
    /// ```
    /// use websocket_proto::{CloseCode, CloseFrame};
    ///
    /// let (body, len) = CloseFrame { code: CloseCode::NORMAL, reason: "bye" }.encode()?;
    /// assert_eq!(&body[..len], b"\x03\xe8bye");
    /// # Ok::<(), websocket_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    /// [`SendError::InvalidCloseCode`] and [`SendError::ReasonTooLong`].
    pub fn encode(&self) -> Result<([u8; 125], usize), SendError> {
        if !self.code.is_allowed_in_frame() {
            return Err(SendError::InvalidCloseCode(self.code));
        }
        let mut body = [0; 125];
        let (code, rest) = body.split_at_mut(2);
        code.copy_from_slice(&self.code.0.to_be_bytes());
        let words = self.reason.as_ref().as_bytes();
        rest.get_mut(..words.len()).ok_or(SendError::ReasonTooLong)?.copy_from_slice(words);
        Ok((body, words.len().saturating_add(2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iana_1_all_65536_codes_in_and_out() {
        // IANA-1, 28-8
        for number in 0..=u16::MAX {
            let code = CloseCode(number);
            let allowed = match number {
                1000..=1003 | 1007..=1014 | 3000..=4999 => true,
                0..=999 | 1004..=1006 | 1015..=2999 | 5000.. => false,
            };
            let [a, b] = number.to_be_bytes();
            let expected = if allowed {
                Ok(Some(CloseFrame { code, reason: "" }))
            } else {
                Err(ProtocolError::InvalidCloseCode(code))
            };
            assert_eq!(CloseFrame::decode(&[a, b]), expected);
            assert_eq!(CloseFrame { code, reason: "" }.encode().is_ok(), allowed);
        }
    }

    #[test]
    fn iana_2_the_names_have_the_numbers_of_the_registry() {
        // IANA-2, 6455-7.4.1-1
        for (code, number) in [
            (CloseCode::NORMAL, 1000),
            (CloseCode::GOING_AWAY, 1001),
            (CloseCode::PROTOCOL_ERROR, 1002),
            (CloseCode::UNSUPPORTED_DATA, 1003),
            (CloseCode::NO_STATUS, 1005),
            (CloseCode::ABNORMAL, 1006),
            (CloseCode::INVALID_PAYLOAD, 1007),
            (CloseCode::POLICY_VIOLATION, 1008),
            (CloseCode::MESSAGE_TOO_BIG, 1009),
            (CloseCode::MANDATORY_EXTENSION, 1010),
            (CloseCode::INTERNAL_ERROR, 1011),
            (CloseCode::SERVICE_RESTART, 1012),
            (CloseCode::TRY_AGAIN_LATER, 1013),
            (CloseCode::BAD_GATEWAY, 1014),
            (CloseCode::TLS_HANDSHAKE, 1015),
        ] {
            assert_eq!((u16::from(code), CloseCode::from(number)), (number, code));
            assert_eq!(code.is_allowed_in_frame(), !matches!(number, 1005 | 1006 | 1015));
        }
    }

    #[test]
    fn bodies_of_every_length_round_trip() {
        // 6455-5.5.1-2, 6455-5.5-4
        for len in 0..=123 {
            let reason = "r".repeat(len);
            let frame = CloseFrame { code: CloseCode::GOING_AWAY, reason: reason.as_str() };
            let (body, size) = frame.encode().unwrap();
            assert_eq!(size, len + 2);
            assert_eq!(CloseFrame::decode(&body[..size]), Ok(Some(frame)));
        }
        let reason = "r".repeat(124);
        let frame = CloseFrame { code: CloseCode::GOING_AWAY, reason: reason.as_str() };
        assert_eq!(frame.encode(), Err(SendError::ReasonTooLong));
    }

    #[test]
    fn bodies_that_are_none() {
        // 6455-5.5.1-1, 6455-5.5.1-2
        assert_eq!(CloseFrame::decode(b""), Ok(None));
        assert_eq!(CloseFrame::decode(b"\x03"), Err(ProtocolError::CloseBodyTooShort));
        assert_eq!(CloseFrame::decode(b"\x03\xe8\x80"), Err(ProtocolError::InvalidCloseReason));
        assert_eq!(CloseFrame::decode(b"\x03\xe8\xe2\x82"), Err(ProtocolError::InvalidCloseReason));
    }
}
