//! RFC 9112 §3.2, RFC 6455 §4.2.1: which resource does a request ask for?

use super::uri::{check_host, split_port};
use crate::error::HandshakeError;

/// A request target, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'i> {
    pub(super) path: &'i str,
    pub(super) query: Option<&'i str>,
    pub(super) authority: &'i str,
}

impl<'i> Target<'i> {
    /// A path, or an absolute http or https URI, whose authority then goes before the Host field's.
    pub(super) fn parse(target: &'i [u8], host: &'i [u8]) -> Result<Self, HandshakeError> {
        let text = visible(target).filter(|text| !text.contains('#')).ok_or(HandshakeError::InvalidTarget)?;
        let host = visible(host).unwrap_or_default();
        let (authority, rest) = if text.starts_with('/') { (host, text) } else { split_absolute(text)? };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Ok(Self { path: if path.is_empty() { "/" } else { path }, query, authority })
    }
}

/// Whether a Host field may be what it says (RFC 9110 §7.2): `uri-host [":" port]`, or nothing.
pub(super) fn is_host(value: &[u8]) -> bool {
    let Some((host, port)) = visible(value).map(split_port) else { return false };
    let is_port = port.unwrap_or_default().bytes().all(|octet| octet.is_ascii_digit());
    is_port && (check_host(host).is_ok() || value.is_empty())
}

/// The authority of an absolute URI, and what comes behind it.
fn split_absolute(text: &str) -> Result<(&str, &str), HandshakeError> {
    let (scheme, rest) = text.split_once("://").ok_or(HandshakeError::InvalidTarget)?;
    let is_http = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    match is_http && !authority.is_empty() && is_host(authority.as_bytes()) {
        true => Ok((authority, rest)),
        false => Err(HandshakeError::InvalidTarget),
    }
}

/// The octets as text, if all of them are visible ASCII.
fn visible(octets: &[u8]) -> Option<&str> {
    match octets.iter().all(u8::is_ascii_graphic) {
        true => core::str::from_utf8(octets).ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9112_3_2_targets() {
        // 9112-3.2-1, 9112-3.2.2-1, 6455-4.2.1-3
        let parse = |target: &'static str| {
            Target::parse(target.as_bytes(), b"b.example")
                .ok()
                .map(|target| (target.authority, target.path, target.query))
        };
        assert_eq!(parse("/chat"), Some(("b.example", "/chat", None)));
        assert_eq!(parse("/a//b/?x=1?y"), Some(("b.example", "/a//b/", Some("x=1?y"))));
        assert_eq!(parse("http://a.example/chat?x=1"), Some(("a.example", "/chat", Some("x=1"))));
        assert_eq!(parse("HTTPS://[::1]:80?x"), Some(("[::1]:80", "/", Some("x"))));
        for target in
            ["*", "h:80", "a", "http:///chat", "ftp://a/", "/a#b", "/\u{1}", "/é", "http://a@b/", "http://:80/"]
        {
            assert_eq!(parse(target), None, "{target:?}");
        }
    }

    #[test]
    fn r9112_3_2_2_hosts() {
        // 9112-3.2-2
        for host in ["", "a", "a.example:80", "a,b", "[::1]", "[::1]:8080", "127.0.0.1:", "%41"] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in ["a b", "a/b", "a:b", "a:1:2", "[::1", "::1]", "a@b", "é", "a?b", "[::1]x", ":80"] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }
}
