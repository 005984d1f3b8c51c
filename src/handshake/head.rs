//! RFC 9112 §2 to §5: where does a message head end, and which header fields are in it?

use alloc::{vec, vec::Vec};
use core::fmt;

use crate::config::Limits;
use crate::error::HandshakeError;
use crate::wire::extension::is_token;

/// Looks for the end of a head as its octets come, at each octet once.
///
/// Strict on the way: a line ends in CR LF and in nothing else, and control characters are refused, so that there is one
/// reading of a head only (RFC 9112 §11.2).
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    /// Octets looked at, from the front of the head.
    looked_at: usize,
    /// Lines that have ended, without the empty ones in front of the head.
    lines: usize,
    /// Empty lines in front of the head.
    leading: usize,
    /// Where the line under way begins.
    line: usize,
}

impl HeadScanner {
    /// Looks at the octets that are new. At the end of the head: how long it is, with the empty line behind it.
    pub(super) fn scan(&mut self, octets: &[u8], limits: &Limits) -> Result<Option<usize>, HandshakeError> {
        let within = octets.get(..limits.head).unwrap_or(octets);
        let new = within.get(self.looked_at..).unwrap_or_default();
        let mut before = self.looked_at.checked_sub(1).and_then(|last| within.get(last)).copied();
        for &octet in new {
            self.looked_at += 1;
            match (before, octet) {
                (Some(b'\r'), b'\n') => {
                    if self.end_line(limits)? {
                        return Ok(Some(self.looked_at));
                    }
                }
                (Some(b'\r'), _) | (_, b'\n' | 0x7F) => return Err(HandshakeError::MalformedHead),
                (_, b'\r' | b'\t' | b' '..) => {}
                _ => return Err(HandshakeError::MalformedHead),
            }
            before = Some(octet);
        }
        match within.len() < octets.len() {
            true if self.lines == 0 => Err(HandshakeError::TargetTooLong),
            true => Err(HandshakeError::HeadTooLarge),
            false => Ok(None),
        }
    }

    /// Ends a line; true if it was the empty one behind the fields.
    fn end_line(&mut self, limits: &Limits) -> Result<bool, HandshakeError> {
        let is_empty = self.looked_at - self.line == 2;
        self.line = self.looked_at;
        match (is_empty, self.lines) {
            (true, 0) if self.leading < LEADING_LINES => self.leading += 1,
            (true, 0) => return Err(HandshakeError::MalformedHead),
            (true, _) => return Ok(true),
            // the start line and the fields
            (false, lines) if lines > limits.header_fields => return Err(HandshakeError::TooManyHeaderFields),
            (false, _) => self.lines += 1,
        }
        Ok(false)
    }
}

/// The header fields of a request or response, in order.
///
/// Names are compared without regard to case; values are octets, of which 0x80 to 0xFF have no meaning of their own
/// (RFC 9110 §5.5).
#[derive(Clone, PartialEq, Eq)]
pub struct Headers<'i>(Vec<httparse::Header<'i>>);

impl<'i> Headers<'i> {
    /// Parses the lines behind the start line of a head that [`HeadScanner`] found the end of.
    pub(super) fn parse(lines: &'i [u8]) -> Result<Self, HandshakeError> {
        // all lines but the empty one at the end, and what split finds behind the last line end
        let count = lines.split(|&octet| octet == b'\n').count().saturating_sub(2);
        let mut fields = vec![httparse::EMPTY_HEADER; count];
        match httparse::parse_headers(lines, &mut fields) {
            Ok(httparse::Status::Complete((size, parsed))) if size == lines.len() && parsed.len() == count => {}
            _ => return Err(HandshakeError::MalformedHead),
        }
        Ok(Self(fields))
    }

    /// Fields that another HTTP stack has parsed.
    pub(super) fn from_fields(fields: impl IntoIterator<Item = (&'i str, &'i [u8])>) -> Self {
        Self(fields.into_iter().map(|(name, value)| httparse::Header { name, value }).collect())
    }

    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'i str, &'i [u8])> + '_ {
        self.0.iter().map(|field| (field.name, field.value))
    }

    /// The values of all lines with this name, in order.
    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'i [u8]> + 'n {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value of the first line with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'i [u8]> {
        self.all(name).next()
    }

    /// The value of a field that must not be repeated.
    pub(super) fn single(&self, name: &'static str) -> Result<Option<&'i [u8]>, HandshakeError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            (_, Some(_)) => Err(HandshakeError::RepeatedHeader(name)),
        }
    }

    /// The elements of a comma-separated list over all lines with this name; empty ones are passed over
    /// (RFC 9110 §5.6.1). Not for lists with quoted strings.
    pub(super) fn elements<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'i [u8]> + 'n {
        self.all(name)
            .flat_map(|value| value.split(|&octet| octet == b','))
            .map(trim)
            .filter(|element| !element.is_empty())
    }

    /// Whether a comma-separated list has this token, without regard to case.
    pub(super) fn has_token(&self, name: &str, token: &str) -> bool {
        self.elements(name).any(|element| element.eq_ignore_ascii_case(token.as_bytes()))
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
        }
        map.finish()
    }
}

/// The start line of a request (RFC 9112 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'i> {
    pub(super) method: &'i [u8],
    pub(super) target: &'i [u8],
    pub(super) version: HttpVersion,
}

/// The start line of a response (RFC 9112 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusLine<'i> {
    pub(super) version: HttpVersion,
    pub(super) status: u16,
    pub(super) reason: &'i [u8],
}

/// Major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HttpVersion(pub(super) u8, pub(super) u8);

/// Parses the head of a request; empty lines in front of it are passed over (RFC 9112 §2.2).
pub(super) fn parse_request(head: &[u8]) -> Result<(RequestLine<'_>, Headers<'_>), HandshakeError> {
    let (line, lines) = split_start_line(head).ok_or(HandshakeError::MalformedHead)?;
    let mut parts = line.split(|&octet| octet == b' ');
    let (Some(method), Some(target), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HandshakeError::MalformedHead);
    };
    let version = HttpVersion::parse(version).ok_or(HandshakeError::MalformedHead)?;
    if !is_token(method) || target.is_empty() || line.contains(&b'\t') {
        return Err(HandshakeError::MalformedHead);
    }
    Ok((RequestLine { method, target, version }, Headers::parse(lines)?))
}

/// Parses the start line of a response, and finds the lines behind it; the reason phrase may be missing, its space too
/// (RFC 9112 §4).
pub(super) fn parse_status_line(head: &[u8]) -> Result<(StatusLine<'_>, &[u8]), HandshakeError> {
    let (line, lines) = split_start_line(head).ok_or(HandshakeError::MalformedHead)?;
    let mut parts = line.splitn(3, |&octet| octet == b' ');
    let version = parts.next().and_then(HttpVersion::parse).ok_or(HandshakeError::MalformedHead)?;
    let status = parts.next().and_then(parse_status).ok_or(HandshakeError::MalformedHead)?;
    Ok((StatusLine { version, status, reason: parts.next().unwrap_or_default() }, lines))
}

/// Three digits, the first of which is not 0.
pub(super) fn parse_status(text: &[u8]) -> Option<u16> {
    match text {
        &[a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => {
            Some(u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0'))
        }
        _ => None,
    }
}

/// Replaces each fold in the fields of a response by spaces, in place (RFC 9112 §5.2). What stands behind the start line
/// cannot be the fold of a field, and stays (§2.2).
pub(super) fn unfold(head: &mut [u8]) {
    let lines = split_start_line(head).map_or(0, |(_, lines)| lines.len());
    let begin = head.len() - lines;
    for i in begin..head.len() {
        if let Some([cr @ b'\r', lf @ b'\n', b' ' | b'\t']) = head.get_mut(i..i + 3) {
            *cr = b' ';
            *lf = b' ';
        }
    }
}

/// Takes SP and HTAB, and nothing else, off both ends (RFC 9110 §5.6.3).
pub(super) fn trim(value: &[u8]) -> &[u8] {
    let is_space = |octet: &u8| matches!(octet, b' ' | b'\t');
    let begin = value.iter().position(|octet| !is_space(octet)).unwrap_or(value.len());
    let end = value.iter().rposition(|octet| !is_space(octet)).map_or(begin, |last| last + 1);
    value.get(begin..end).unwrap_or_default()
}

/// The first line that is not empty, and all lines behind it.
fn split_start_line(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = head;
    while let Some(behind) = rest.strip_prefix(b"\r\n") {
        rest = behind;
    }
    let end = rest.iter().position(|&octet| octet == b'\n')?;
    let (line, lines) = rest.split_at(end + 1);
    Some((line.strip_suffix(b"\r\n")?, lines))
}

impl HttpVersion {
    fn parse(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"HTTP/")? {
            &[major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => Some(Self(major - b'0', minor - b'0')),
            _ => None,
        }
    }

    /// 1.1, or a later one that means the same to those who know only 1.1.
    pub(super) const fn is_supported(self) -> bool {
        self.0 == 1 && self.1 >= 1
    }
}

/// Empty lines that may stand in front of a head; one comes from clients of old.
const LEADING_LINES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(head: &[u8]) -> Result<Option<usize>, HandshakeError> {
        HeadScanner::default().scan(head, &Limits::default())
    }

    #[test]
    fn the_end_is_found_however_it_is_cut_and_no_octet_is_looked_at_twice() {
        // 6455-4.2.1-13
        let head = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let octets = [&head[..], b"\x82\x00"].concat();
        assert_eq!(scan(&octets), Ok(Some(head.len())));
        let mut scanner = HeadScanner::default();
        for come in 0..head.len() {
            assert_eq!(scanner.scan(&octets[..come], &Limits::default()), Ok(None));
            assert_eq!(scanner.looked_at, come);
        }
        assert_eq!(scanner.scan(&octets, &Limits::default()), Ok(Some(head.len())));
        assert_eq!(scanner.looked_at, head.len());
    }

    #[test]
    fn a_head_that_dribbles_costs_as_much_as_a_whole_one() {
        // 6455-4.2.1-13, 9110-5.4-1
        let limit = Limits::default().head;
        let lines = b"GET / HTTP/1.1\r\nHost: a\r\nX: ";
        let long = |len: usize| [&lines[..], &vec![b'a'; len - lines.len() - 4], b"\r\n\r\n"].concat();
        let (whole, mut bad) = (long(limit), long(limit));
        bad[limit - 1] = b'\r';
        for (octets, expected, work) in [
            (&whole[..], Ok(Some(limit)), limit),
            (&[&whole, &[0; 1000][..]].concat(), Ok(Some(limit)), limit),
            (&whole[..limit - 1], Ok(None), limit - 1),
            (&bad, Err(HandshakeError::MalformedHead), limit),
            (&long(limit + 1), Err(HandshakeError::HeadTooLarge), limit),
            (&long(1 << 20), Err(HandshakeError::HeadTooLarge), limit),
            (&vec![b'a'; 1 << 20], Err(HandshakeError::TargetTooLong), limit),
        ] {
            for size in [1, 2, 3, 1000, octets.len()] {
                let mut scanner = HeadScanner::default();
                let (mut come, mut looked_at, mut found) = (0, 0, Ok(None));
                for piece in octets.chunks(size) {
                    come += piece.len();
                    let before = scanner.looked_at;
                    found = scanner.scan(&octets[..come], &Limits::default());
                    looked_at += scanner.looked_at.checked_sub(before).expect("it does not begin anew");
                    if found != Ok(None) {
                        break;
                    }
                }
                assert_eq!((found, looked_at), (expected, work), "in pieces of {size}");
            }
        }
    }

    #[test]
    fn r9112_2_2_lines_end_in_one_way() {
        // 9112-2.2-2, 9112-2.2-3, 9110-5.5-1, 9110-5.5-2
        for head in [
            &b"GET / HTTP/1.1\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\n",
            b"GET / HTTP/1.1\r\nHost: a\rb",
            b"GET / HTTP/1.1\r\nHost: a\0",
            b"GET / HTTP/1.1\r\nX: \x7f",
            b"\x16\x03\x01\x02\x00",
            b"\r\n\r\n\r\n",
        ] {
            assert_eq!(scan(head), Err(HandshakeError::MalformedHead), "{}", head.escape_ascii());
        }
    }

    #[test]
    fn r9110_5_4_limits_are_exact() {
        // 9110-5.4-1, 9112-3-2
        let mut limits = Limits { header_fields: 2, ..Limits::default() };
        let scan = |head: &[u8]| HeadScanner::default().scan(head, &limits);
        assert_eq!(scan(b"GET / HTTP/1.1\r\na:\r\nb:\r\n\r\n"), Ok(Some(26)));
        assert_eq!(scan(b"GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\n"), Err(HandshakeError::TooManyHeaderFields));
        limits.head = 26;
        let scan = |head: &[u8]| HeadScanner::default().scan(head, &limits);
        assert_eq!(scan(b"GET / HTTP/1.1\r\na:\r\nb:\r\n\r\nmore"), Ok(Some(26)));
        assert_eq!(scan(b"GET / HTTP/1.1\r\na: \r\nb:\r\n\r"), Ok(None));
        assert_eq!(scan(b"GET / HTTP/1.1\r\na: \r\nb:\r\n\r\n"), Err(HandshakeError::HeadTooLarge));
        assert_eq!(scan(b"GET /0123456789 HTTP/1.1\r\n\r\n"), Err(HandshakeError::HeadTooLarge));
        assert_eq!(scan(b"GET /0123456789012345678901 HTTP/1.1\r\n\r\n"), Err(HandshakeError::TargetTooLong));
    }

    #[test]
    fn r9112_3_and_4_start_lines() {
        // 9112-2.3-1, 9112-3-1, 9112-4-1, 9112-4-3
        let line = |text: &str| parse_request(format!("{text}\r\n\r\n").as_bytes()).map(|(line, _)| line.version);
        assert_eq!(line("GET / HTTP/1.1"), Ok(HttpVersion(1, 1)));
        assert_eq!(line("GET / HTTP/2.0"), Ok(HttpVersion(2, 0)));
        for text in [
            "GET / http/1.1",
            "GET / HTTP/1.10",
            "GET / HTTP/11",
            "GET / HTTP/1,1",
            "GET  / HTTP/1.1",
            "GET\t/ HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET /",
            "GET /a b HTTP/1.1",
            "G(T / HTTP/1.1",
            " / HTTP/1.1",
        ] {
            assert_eq!(line(text), Err(HandshakeError::MalformedHead), "{text}");
        }
        let status = |text: &str| {
            parse_status_line(format!("{text}\r\n\r\n").as_bytes()).map(|(line, _)| (line.status, line.reason.len()))
        };
        assert_eq!(status("HTTP/1.1 101 Switching Protocols"), Ok((101, 19)));
        assert_eq!(status("HTTP/1.1 101 "), Ok((101, 0)));
        assert_eq!(status("HTTP/1.1 101"), Ok((101, 0)));
        for text in ["HTTP/1.1 0101 x", "HTTP/1.1 10 x", "HTTP/1.1 1O1 x", "HTTP/1.1 -101 x", "HTTP 101 x", "HTTP/1.1"]
        {
            assert_eq!(status(text), Err(HandshakeError::MalformedHead), "{text}");
        }
    }

    #[test]
    fn r9112_5_field_lines() {
        // 9112-5-1, 9112-5.1-1, 9112-5.2-2, 9112-5.2-3, 9110-5.1-1, 9110-7.6.1-1
        let parse = |lines: &'static str| Headers::parse(lines.as_bytes());
        let headers = parse("Host: a\r\nConnection: keep-alive,, \tUpgrade\r\nconnection: X\r\n\r\n").unwrap();
        assert_eq!(headers.get("HOST"), Some(&b"a"[..]));
        assert!(headers.has_token("Connection", "upgrade") && headers.has_token("connection", "x"));
        assert!(!headers.has_token("connection", "keep"));
        assert_eq!(headers.single("Connection"), Err(HandshakeError::RepeatedHeader("Connection")));
        assert_eq!(headers.single("Upgrade"), Ok(None));
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
}
