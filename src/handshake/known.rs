//! RFC 9110 §5, RFC 9112 §5: what do the header fields hold that the handshake itself looks for?

use alloc::{vec, vec::Vec};

use super::headers::{Headers, elements, is_same, trim};
use crate::error::HandshakeError;

/// A header field that the handshake looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Host,
    Expect,
    Origin,
    Upgrade,
    Connection,
    ContentLength,
    TransferEncoding,
    Key,
    Accept,
    Version,
    Protocol,
    Extensions,
}

impl Name {
    /// As it is written, and as errors name it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Expect => "Expect",
            Self::Origin => "Origin",
            Self::Upgrade => "Upgrade",
            Self::Connection => "Connection",
            Self::ContentLength => "Content-Length",
            Self::TransferEncoding => "Transfer-Encoding",
            Self::Key => "Sec-WebSocket-Key",
            Self::Accept => "Sec-WebSocket-Accept",
            Self::Version => "Sec-WebSocket-Version",
            Self::Protocol => "Sec-WebSocket-Protocol",
            Self::Extensions => "Sec-WebSocket-Extensions",
        }
    }

    /// By the length and the first letter, which no two of them share: one is compared, or none.
    #[inline]
    fn of(name: &[u8]) -> Option<Self> {
        let known = match (name.len(), name.first()?.to_ascii_lowercase()) {
            (4, b'h') => Self::Host,
            (6, b'e') => Self::Expect,
            (6, b'o') => Self::Origin,
            (7, b'u') => Self::Upgrade,
            (10, b'c') => Self::Connection,
            (14, b'c') => Self::ContentLength,
            (17, b't') => Self::TransferEncoding,
            (17, b's') => Self::Key,
            (20, b's') => Self::Accept,
            (21, b's') => Self::Version,
            (22, b's') => Self::Protocol,
            (24, b's') => Self::Extensions,
            _ => return None,
        };
        is_same(known.as_str().as_bytes(), name).then_some(known)
    }
}

/// The header fields of a head, of which those are noted that the handshake looks for.
#[derive(Debug)]
pub(super) struct KnownFields<'i> {
    pub(super) headers: Headers<'i>,
    /// The value of the first line, for each [`Name`].
    first: [Option<&'i [u8]>; NAMES],
    /// A bit for each name that has more lines.
    repeated: u16,
}

impl<'i> KnownFields<'i> {
    /// Parses the lines behind the start line of a head that [`HeadScanner`](super::scanner::HeadScanner) found the end
    /// of.
    pub(super) fn parse(lines: &'i [u8]) -> Result<Self, HandshakeError> {
        let mut few = [httparse::EMPTY_HEADER; FEW];
        match httparse::parse_headers(lines, &mut few) {
            Err(httparse::Error::TooManyHeaders) => {
                let line_ends = lines.iter().filter(|&&octet| octet == b'\n');
                let mut many = vec![httparse::EMPTY_HEADER; line_ends.count()];
                Self::of_parsed(lines, httparse::parse_headers(lines, &mut many))
            }
            parsed => Self::of_parsed(lines, parsed),
        }
    }

    fn of_parsed(
        lines: &'i [u8],
        parsed: httparse::Result<(usize, &[httparse::Header<'i>])>,
    ) -> Result<Self, HandshakeError> {
        match parsed {
            Ok(httparse::Status::Complete((size, fields))) if size == lines.len() => {
                let fields = fields.iter().map(|field| (field.name, field.value));
                Ok(Self::note(fields, Headers::of_lines(lines)))
            }
            _ => Err(HandshakeError::MalformedHead),
        }
    }

    /// Fields that another HTTP stack has parsed.
    pub(super) fn of_fields(fields: Vec<(&'i str, &'i [u8])>) -> Self {
        let noted = Self::note(fields.iter().copied(), Headers::of_fields(Vec::new()));
        Self { headers: Headers::of_fields(fields), ..noted }
    }

    #[expect(clippy::indexing_slicing, reason = "there is a place for each name")]
    fn note(fields: impl Iterator<Item = (&'i str, &'i [u8])>, headers: Headers<'i>) -> Self {
        let (mut first, mut repeated) = ([None; NAMES], 0);
        for (name, value) in fields {
            let Some(name) = Name::of(name.as_bytes()) else { continue };
            match &mut first[name as usize] {
                Some(_) => repeated |= 1 << name as u16,
                first => *first = Some(value),
            }
        }
        Self { headers, first, repeated }
    }

    /// The value of the first line.
    #[expect(clippy::indexing_slicing, reason = "there is a place for each name")]
    fn first(&self, name: Name) -> Option<&'i [u8]> {
        self.first[name as usize]
    }

    fn is_repeated(&self, name: Name) -> bool {
        self.repeated & (1 << name as u16) != 0
    }

    /// Whether there is such a line.
    pub(super) fn has(&self, name: Name) -> bool {
        self.first(name).is_some()
    }

    /// The value of a field that must not be repeated.
    pub(super) fn single(&self, name: Name) -> Result<Option<&'i [u8]>, HandshakeError> {
        match self.is_repeated(name) {
            true => Err(HandshakeError::RepeatedHeader(name.as_str())),
            false => Ok(self.first(name)),
        }
    }

    /// The values of all lines, in order.
    pub(super) fn lines(&self, name: Name) -> impl Iterator<Item = &'i [u8]> {
        let more = self.is_repeated(name).then(|| self.headers.all(name.as_str()).skip(1));
        self.first(name).into_iter().chain(more.into_iter().flatten())
    }

    /// The elements of a comma-separated list.
    pub(super) fn elements(&self, name: Name) -> impl Iterator<Item = &'i [u8]> {
        elements(self.lines(name))
    }

    /// Whether a comma-separated list has this token, without regard to case.
    pub(super) fn has_token(&self, name: Name, token: &str) -> bool {
        let has =
            |value: &[u8]| value.split(|&octet| octet == b',').any(|element| is_same(trim(element), token.as_bytes()));
        self.first(name).is_some_and(has) || (self.is_repeated(name) && self.lines(name).any(has))
    }
}

const NAMES: usize = Name::Extensions as usize + 1;

/// Fields that are parsed without an allocation; a browser sends 12 to 20.
const FEW: usize = 24;

#[cfg(test)]
mod tests {
    use super::super::head::{parse_status_line, unfold};
    use super::*;

    #[test]
    fn every_name_is_known_in_any_case() {
        let names = [
            Name::Host,
            Name::Expect,
            Name::Origin,
            Name::Upgrade,
            Name::Connection,
            Name::ContentLength,
            Name::TransferEncoding,
            Name::Key,
            Name::Accept,
            Name::Version,
            Name::Protocol,
            Name::Extensions,
        ];
        assert_eq!(names.len(), NAMES);
        for (i, name) in names.into_iter().enumerate() {
            let text = name.as_str();
            for text in [text.to_owned(), text.to_ascii_lowercase(), text.to_ascii_uppercase()] {
                assert_eq!((Name::of(text.as_bytes()), name as usize), (Some(name), i), "{text}");
                assert_eq!(Name::of(&text.as_bytes()[1..]), None, "{text}");
                let other = [&text.as_bytes()[1..], b"x"].concat();
                assert_eq!(Name::of(&other), None, "{text}");
            }
        }
        assert_eq!(Name::of(b""), None);
    }

    #[test]
    fn r9112_5_field_lines() {
        // 9112-5-1, 9112-5.1-1, 9112-5.2-2, 9112-5.2-3, 9110-5.1-1, 9110-7.6.1-1
        let known = |lines: &'static str| KnownFields::parse(lines.as_bytes());
        let parse = |lines| known(lines).map(|known| known.headers);
        let head = known("Host: a\r\nConnection: keep-alive,, \tUpgrade\r\nconnection: X\r\n\r\n").unwrap();
        assert_eq!(head.headers.get("HOST"), Some(&b"a"[..]));
        assert!(head.has_token(Name::Connection, "upgrade") && head.has_token(Name::Connection, "x"));
        assert!(!head.has_token(Name::Connection, "keep"));
        assert_eq!(head.single(Name::Connection), Err(HandshakeError::RepeatedHeader("Connection")));
        assert_eq!((head.single(Name::Host), head.single(Name::Upgrade)), (Ok(Some(&b"a"[..])), Ok(None)));
        assert_eq!(
            format!("{:?}", head.headers),
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
            "A: b\r\n",
            "A: b\r\n\r\nC: d\r\n\r\n",
        ] {
            assert_eq!(parse(lines), Err(HandshakeError::MalformedHead), "{lines:?}");
        }
        let mut folded = *b"HTTP/1.1 101\r\nSec-WebSocket-Protocol:\r\n chat\r\n\r\n";
        unfold(&mut folded);
        let (_, lines) = parse_status_line(&folded).unwrap();
        assert_eq!(KnownFields::parse(lines).unwrap().single(Name::Protocol), Ok(Some(&b"chat"[..])));
    }

    #[test]
    fn few_fields_and_many_are_read_alike() {
        for count in [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let lines = ["Host: a\r\nConnection: b\r\n".repeat(count / 2), "X: c\r\n".repeat(count % 2), "\r\n".into()];
            let lines = lines.concat();
            let (one, other) = (KnownFields::parse(lines.as_bytes()).unwrap(), {
                let headers = Headers::of_lines(lines.as_bytes());
                KnownFields::of_fields(headers.iter().collect())
            });
            assert_eq!((&one.headers, one.headers.iter().count()), (&other.headers, count));
            for name in [Name::Host, Name::Connection, Name::Upgrade] {
                assert_eq!((one.single(name), one.has(name)), (other.single(name), other.has(name)));
                assert_eq!(one.lines(name).collect::<Vec<_>>(), one.headers.all(name.as_str()).collect::<Vec<_>>());
                assert!(one.lines(name).eq(other.lines(name)));
            }
        }
    }
}
