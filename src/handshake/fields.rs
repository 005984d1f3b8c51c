//! RFC 9110 §5: may the application put this header field into a head?

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::headers::trim;
use super::known::Name;
use crate::error::HeadError;
use crate::wire::extension::is_token;

/// Header fields that the application adds, names and values; or the first fault that was found in them.
#[derive(Clone, Debug)]
pub(super) struct ExtraFields {
    fields: Result<Vec<(String, Vec<u8>)>, HeadError>,
}

impl ExtraFields {
    pub(super) const fn new() -> Self {
        Self { fields: Ok(Vec::new()) }
    }

    /// Adds a field, unless the name is one of those that the handshake writes itself.
    pub(super) fn push(&mut self, name: &str, value: &[u8], reserved: &[&str]) {
        let Ok(fields) = &mut self.fields else { return };
        match check(name, value, reserved) {
            Ok(()) => fields.push((name.to_owned(), trim(value).to_vec())),
            Err(error) => self.fail(error),
        }
    }

    /// Keeps a fault, to be returned in the place of the fields.
    pub(super) fn fail(&mut self, error: HeadError) {
        if self.fields.is_ok() {
            self.fields = Err(error);
        }
    }

    /// Whether there is a field of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().flatten().any(|(other, _)| other.eq_ignore_ascii_case(name))
    }

    /// All of them, in order.
    pub(super) fn get(&self) -> Result<&[(String, Vec<u8>)], HeadError> {
        self.fields.as_deref().map_err(|error| *error)
    }
}

/// Appends a header line.
pub(super) fn put_field(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        head.extend_from_slice(part);
    }
}

/// What the handshake writes itself into a request or an acceptance, and what these must not have: they have no body,
/// and the stream is for one WebSocket only (RFC 9110 §7.6.1, RFC 9113 §8.2.2).
pub(super) const RESERVED: &[&str] = &[
    "Host",
    "Upgrade",
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Content-Length",
    "Transfer-Encoding",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Key",
    Name::Version.as_str(),
    Name::Protocol.as_str(),
    Name::Extensions.as_str(),
];

fn check(name: &str, value: &[u8], reserved: &[&str]) -> Result<(), HeadError> {
    if !is_token(name.as_bytes()) {
        return Err(HeadError::InvalidHeaderName);
    }
    if reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(HeadError::ReservedHeader);
    }
    if is_value(value) { Ok(()) } else { Err(HeadError::InvalidHeaderValue) }
}

/// Whether no octet is a control character other than a tab (RFC 9110 §5.5).
pub(super) fn is_value(value: &[u8]) -> bool {
    !value.iter().any(|&octet| matches!(octet, 0..=0x08 | 0x0A..=0x1F | 0x7F))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9110_5_5_4_nothing_splits_the_head() {
        // 9110-5.5-4, 9110-5.3-2, 9110-5.1-1, SEC-3
        let lines = |name: &str, value: &[u8]| {
            let mut fields = ExtraFields::new();
            fields.push("A", b"1", &[]);
            fields.push(name, value, RESERVED);
            fields.push("B", b"2", &[]);
            let mut lines = Vec::new();
            fields.get().map(|fields| {
                for (name, value) in fields {
                    put_field(&mut lines, name, value);
                }
                lines
            })
        };
        assert_eq!(lines("X", b" \xe9\tz ").as_deref(), Ok(&b"A: 1\r\nX: \xe9\tz\r\nB: 2\r\n"[..]));
        for name in RESERVED {
            for name in [name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
                assert_eq!(lines(&name, b""), Err(HeadError::ReservedHeader), "{name}");
            }
        }
        for name in ["", " ", "a b", "a ", "a:", "a\r\nb", "a\n", "\0", "é", "a,b", "(a)"] {
            assert_eq!(lines(name, b""), Err(HeadError::InvalidHeaderName), "{name:?}");
        }
        for octet in (0..0x20).filter(|&octet| octet != b'\t').chain([0x7F]) {
            assert_eq!(lines("X", &[b'a', octet, b'b']), Err(HeadError::InvalidHeaderValue), "{octet}");
        }
    }
}
