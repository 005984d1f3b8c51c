//! RFC 9112 §3.2, RFC 6455 §4.2.1: which resource does a request ask for?

use super::uri::{check_host, parse_port, split_port};
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
    pub(super) fn parse(target: &'i [u8], host: &'i str) -> Result<Self, HandshakeError> {
        let text = core::str::from_utf8(target).map_err(|_| HandshakeError::InvalidTarget)?;
        let (authority, rest) = if text.starts_with('/') { (host, text) } else { split_absolute(text)? };
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (rest, None),
        };
        Self::new(if path.is_empty() { "/" } else { path }, query, authority)
    }

    /// A path and a query that were taken apart, of a host that is one.
    pub(super) fn new(path: &'i str, query: Option<&'i str>, authority: &'i str) -> Result<Self, HandshakeError> {
        let is_part = |text: &str| text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#');
        match path.starts_with('/') && is_part(path) && query.is_none_or(is_part) {
            true => Ok(Self { path, query, authority }),
            false => Err(HandshakeError::InvalidTarget),
        }
    }
}

/// Whether two authorities are the same (RFC 9110 §4.2.3): in any case of letters, and a port that is the scheme's own
/// may be missing.
pub(super) fn is_same_authority(scheme: &[u8], one: &[u8], other: &[u8]) -> bool {
    let default = if scheme.eq_ignore_ascii_case(b"https") { 443 } else { 80 };
    let parts = |authority| {
        let (host, port) = split_port(visible(authority)?);
        let port = port.filter(|port| !port.is_empty()).map_or(Some(default), parse_port)?;
        Some((host.to_ascii_lowercase(), port))
    };
    one == other || parts(one).is_some_and(|one| Some(one) == parts(other))
}

/// Whether this is the scheme of an HTTP URI, in any case of letters (RFC 9110 §4.2.3).
pub(super) fn is_http(scheme: &[u8]) -> bool {
    scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https")
}

/// Whether a Host field may be what it says.
pub(super) fn is_host(value: &[u8]) -> bool {
    parse_host(value).is_some()
}

/// The value of a Host field, if it may be that (RFC 9110 §7.2): `uri-host [":" port]`, or nothing.
pub(super) fn parse_host(value: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(value).ok()?;
    let (host, port) = split_port(text);
    let is_port = port.unwrap_or_default().bytes().all(|octet| octet.is_ascii_digit());
    if is_port && (check_host(host).is_ok() || text.is_empty()) { Some(text) } else { None }
}

/// The authority of an absolute URI, and what comes behind it.
fn split_absolute(text: &str) -> Result<(&str, &str), HandshakeError> {
    let (scheme, rest) = text.split_once("://").ok_or(HandshakeError::InvalidTarget)?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    match is_http(scheme.as_bytes()) && !authority.is_empty() && is_host(authority.as_bytes()) {
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
            Target::parse(target.as_bytes(), "b.example")
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
    fn r9110_4_2_3_authorities_that_are_the_same() {
        let is_same = |scheme: &str, one: &str, other: &str| {
            is_same_authority(scheme.as_bytes(), one.as_bytes(), other.as_bytes())
        };
        for (scheme, one, other) in
            [("https", "h", "h"), ("https", "h", "H:443"), ("HTTPS", "h:", "h:0443"), ("http", "[::1]", "[::1]:80")]
        {
            assert!(is_same(scheme, one, other) && is_same(scheme, other, one), "{scheme} {one} {other}");
        }
        for (scheme, one, other) in [
            ("https", "h", "h:80"),
            ("http", "h", "h:443"),
            ("https", "h", "i"),
            ("http", "h:99999", "h"),
            ("http", "h:x", "h"),
        ] {
            assert!(!is_same(scheme, one, other), "{scheme} {one} {other}");
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
