//! RFC 9112 §3 to §5: what do the start line and the header fields of a head say?

use alloc::{vec, vec::Vec};
use core::fmt;

use crate::error::HandshakeError;
use crate::wire::extension::is_token;

/// The header fields of a request or response, in order.
///
/// Names are compared without regard to case; values are octets, of which 0x80 to 0xFF have no meaning of their own
/// (RFC 9110 §5.5).
#[derive(Clone, PartialEq, Eq)]
pub struct Headers<'i>(Vec<httparse::Header<'i>>);

impl<'i> Headers<'i> {
    /// Parses the lines behind the start line of a head that [`HeadScanner`](super::scanner::HeadScanner) found the end
    /// of.
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

/// Replaces each fold in the fields of a response by spaces, in place (RFC 9112 §5.2). What stands behind the start
/// line cannot be the fold of a field, and stays (§2.2).
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

#[cfg(test)]
mod tests {
    use super::*;

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
