//! RFC 9112 §3, §4: what does the start line of a head say?
//!
//! Not read by `httparse`, as the fields are: it knows no versions but 1.0 and 1.1 (RFC 9110 §2.5 has us take a later
//! 1.x), and drops a reason phrase that is not ASCII.

use super::search::split_once;
use crate::error::HandshakeError;
use crate::wire::extension::is_token;

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

/// Parses the start line of a request, and finds the lines behind it; empty lines in front of it are passed over (RFC
/// 9112 §2.2).
pub(super) fn parse_request_line(head: &[u8]) -> Result<(RequestLine<'_>, &[u8]), HandshakeError> {
    let (line, lines) = split_start_line(head).ok_or(HandshakeError::MalformedHead)?;
    let (method, rest) = split_once(line, b' ').ok_or(HandshakeError::MalformedHead)?;
    let (target, version) = split_once(rest, b' ').ok_or(HandshakeError::MalformedHead)?;
    let version = HttpVersion::parse(version).ok_or(HandshakeError::MalformedHead)?;
    if !is_token(method) || target.is_empty() || target.contains(&b'\t') {
        return Err(HandshakeError::MalformedHead);
    }
    Ok((RequestLine { method, target, version }, lines))
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
#[expect(clippy::arithmetic_side_effects, reason = "of digits")]
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
    let (_, mut rest) = head.split_at_mut(head.len().saturating_sub(lines));
    while let Some((cr, behind)) = rest.split_first_mut() {
        if let (b'\r', [lf @ b'\n', b' ' | b'\t', ..]) = (&cr, &mut *behind) {
            *cr = b' ';
            *lf = b' ';
        }
        rest = behind;
    }
}

/// The first line that is not empty, and all lines behind it.
fn split_start_line(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = head;
    while let Some(behind) = rest.strip_prefix(b"\r\n") {
        rest = behind;
    }
    let (line, rest) = split_once(rest, b'\r')?;
    Some((line, rest.strip_prefix(b"\n")?))
}

impl HttpVersion {
    #[expect(clippy::arithmetic_side_effects, reason = "of digits")]
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
        let line = |text: &str| parse_request_line(format!("{text}\r\n\r\n").as_bytes()).map(|(line, _)| line.version);
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
}
