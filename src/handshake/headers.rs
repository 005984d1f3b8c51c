//! RFC 9110 §5, RFC 9112 §5: which header fields does a head have?

use alloc::vec::Vec;
use core::fmt;

use super::known::{KnownFields, Lines, Name};
use super::search::split_once;
use crate::error::HandshakeError;
use crate::wire::extension::is_token;

/// The header fields of a request or response, in order.
///
/// Names are compared without regard to case; values are octets, of which 0x80 to 0xFF have no meaning of their own
/// (RFC 9110 §5.5).
#[derive(Clone)]
pub struct Headers<'i> {
    /// The lines of an HTTP/1.1 head, found right. They are taken apart each time anew: that allocates nothing.
    lines: FieldLines<'i>,
    /// The fields of any other head.
    parsed: Vec<(&'i str, &'i [u8])>,
    known: KnownFields<'i>,
}

impl<'i> Headers<'i> {
    /// Parses the lines behind the start line of a head that [`HeadScanner`](super::scanner::HeadScanner) found the end
    /// of.
    pub(super) fn parse(lines: &'i [u8]) -> Result<Self, HandshakeError> {
        let mut known = KnownFields::default();
        let mut rest = FieldLines(lines);
        for (name, value) in &mut rest {
            match Name::of(name) {
                Some(name) => known.note(name, value), // a token, as all names that are known
                None if is_token(name) => {}
                None => return Err(HandshakeError::MalformedHead),
            }
        }
        match rest.0 {
            b"\r\n" => Ok(Self { lines: FieldLines(lines), parsed: Vec::new(), known }),
            _ => Err(HandshakeError::MalformedHead),
        }
    }

    /// Fields that another HTTP stack has parsed.
    pub(super) fn from_fields(fields: impl IntoIterator<Item = (&'i str, &'i [u8])>) -> Self {
        let mut known = KnownFields::default();
        let parsed: Vec<_> = fields.into_iter().collect();
        for (name, value) in &parsed {
            if let Some(name) = Name::of(name.as_bytes()) {
                known.note(name, value);
            }
        }
        Self { parsed, lines: FieldLines(b""), known }
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'i str, &'i [u8])> + '_ {
        let lines = self.lines.clone().map(|(name, value)| (core::str::from_utf8(name).unwrap_or_default(), value));
        lines.chain(self.parsed.iter().copied())
    }

    /// The values of all lines with this name, in order.
    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'i [u8]> + 'n {
        let parsed = self.parsed.iter().map(|(name, value)| (name.as_bytes(), *value));
        let fields = self.lines.clone().chain(parsed);
        fields.filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The value of the first line with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'i [u8]> {
        self.all(name).next()
    }

    /// The values of all lines with a name that the handshake looks for.
    pub(super) fn lines(&self, name: Name) -> impl Iterator<Item = &'i [u8]> {
        let (first, more) = match self.known.lines(name) {
            Lines::None => (None, None),
            Lines::One(value) => (Some(value), None),
            Lines::Many(value) => (Some(value), Some(self.all(name.as_str()).skip(1))),
        };
        first.into_iter().chain(more.into_iter().flatten())
    }

    /// Whether there is such a line.
    pub(super) fn has(&self, name: Name) -> bool {
        self.known.lines(name) != Lines::None
    }

    /// The value of a field that must not be repeated.
    pub(super) fn single(&self, name: Name) -> Result<Option<&'i [u8]>, HandshakeError> {
        match self.known.lines(name) {
            Lines::None => Ok(None),
            Lines::One(value) => Ok(Some(value)),
            Lines::Many(_) => Err(HandshakeError::RepeatedHeader(name.as_str())),
        }
    }

    /// The elements of a comma-separated list over all lines with this name; empty ones are passed over
    /// (RFC 9110 §5.6.1). Not for lists with quoted strings.
    pub(super) fn elements(&self, name: Name) -> impl Iterator<Item = &'i [u8]> {
        self.lines(name)
            .flat_map(|value| value.split(|&octet| octet == b','))
            .map(trim)
            .filter(|element| !element.is_empty())
    }

    /// Whether a comma-separated list has this token, without regard to case.
    pub(super) fn has_token(&self, name: Name, token: &str) -> bool {
        self.lines(name).any(|value| {
            value.split(|&octet| octet == b',').any(|element| trim(element).eq_ignore_ascii_case(token.as_bytes()))
        })
    }
}

impl PartialEq for Headers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers<'_> {}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
        }
        map.finish()
    }
}

/// Names, which may be no tokens, and values, up to the first line that is none of a field.
#[derive(Clone)]
struct FieldLines<'i>(&'i [u8]);

impl<'i> Iterator for FieldLines<'i> {
    type Item = (&'i [u8], &'i [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = split_once(self.0, b':')?;
        let (value, rest) = split_once(rest, b'\r')?;
        self.0 = rest.strip_prefix(b"\n")?;
        Some((name, trim(value)))
    }
}

/// Takes SP and HTAB, and nothing else, off both ends (RFC 9110 §5.6.3).
pub(super) const fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::head::{parse_status_line, unfold};
    use super::*;

    #[test]
    fn r9112_5_field_lines() {
        // 9112-5-1, 9112-5.1-1, 9112-5.2-2, 9112-5.2-3, 9110-5.1-1, 9110-7.6.1-1
        let parse = |lines: &'static str| Headers::parse(lines.as_bytes());
        let headers = parse("Host: a\r\nConnection: keep-alive,, \tUpgrade\r\nconnection: X\r\n\r\n").unwrap();
        assert_eq!(headers.get("HOST"), Some(&b"a"[..]));
        assert!(headers.has_token(Name::Connection, "upgrade") && headers.has_token(Name::Connection, "x"));
        assert!(!headers.has_token(Name::Connection, "keep"));
        assert_eq!(headers.single(Name::Connection), Err(HandshakeError::RepeatedHeader("Connection")));
        assert_eq!(headers.single(Name::Upgrade), Ok(None));
        assert_eq!(
            format!("{headers:?}"),
            r#"{"Host": "a", "Connection": "keep-alive,, \tUpgrade", "connection": "X"}"#
        );
        for lines in [
            " Host: x\r\n\r\n",
            "Host : x\r\n\r\n",
            "Host\r\n\r\n",
            ": x\r\n\r\n",
            "A: b\r\n c\r\n\r\n",
            "Sec WebSocket: x\r\n\r\n",
            "H\u{f4}st: x\r\n\r\n",
        ] {
            assert_eq!(parse(lines), Err(HandshakeError::MalformedHead), "{lines:?}");
        }
        let mut folded = *b"HTTP/1.1 101\r\nSec-WebSocket-Protocol:\r\n chat\r\n\r\n";
        unfold(&mut folded);
        let (_, lines) = parse_status_line(&folded).unwrap();
        assert_eq!(Headers::parse(lines).unwrap().get("sec-websocket-protocol"), Some(&b"chat"[..]));
    }

    #[test]
    fn fields_are_the_same_however_they_were_written() {
        let headers = Headers::parse(b"Host:a\r\nX:\t b \r\nEmpty:\r\nx: c\r\n\r\n").unwrap();
        let other = Headers::from_fields([("Host", &b"a"[..]), ("X", b"b"), ("Empty", b""), ("x", b"c")]);
        assert_eq!(headers, other);
        for headers in [&headers, &other] {
            assert_eq!(headers.all("X").collect::<Vec<_>>(), [b"b", b"c"]);
            assert_eq!((headers.get("empty"), headers.get("y")), (Some(&b""[..]), None));
        }
        assert_ne!(headers, Headers::from_fields([("Host", &b"a"[..])]));
    }
}
