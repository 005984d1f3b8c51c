//! RFC 6455 §3: where does a `ws://` or `wss://` URI point?
//!
//! ```text
//! ws-URI  = "ws:" "//" host [ ":" port ] path [ "?" query ]
//! wss-URI = "wss:" "//" host [ ":" port ] path [ "?" query ]
//! ```
//!
//! `host`, `port`, `path` and `query` are those of RFC 3986. Nothing is repaired: what the grammar does not allow is
//! refused, so that no part of a URI can reach the wire as anything but itself.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::Ipv6Addr;
use core::str::FromStr;

use super::octets::{HOST_OCTETS, PATH_OR_QUERY_OCTETS, check_octets};

/// The address of a WebSocket, taken apart and checked (RFC 6455 §3).
///
/// A `Uri` keeps what goes on the wire: it displays, and compares equal, as the scheme in lower case, then
/// [`host_header`](Self::host_header), then [`resource_name`](Self::resource_name). `WS://h:80` equals `ws://h/`. The
/// host's case is kept, and counts.
///
/// ```
/// use websocket_proto::handshake::{Uri, UriError};
///
/// let uri: Uri = "wss://[::1]:8443?room=1".parse()?;
///
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("::1", 8443)); // connect here
/// assert_eq!(uri.resource_name(), "/?room=1"); // GET this
/// assert_eq!(uri.host_header(), "[::1]:8443"); // Host: this
///
/// assert_eq!(Uri::parse("ws://example.com")?.to_string(), "ws://example.com/");
/// assert_eq!(Uri::parse("ws://example.com/#top"), Err(UriError::Fragment));
/// # Ok::<(), UriError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri {
    scheme: Scheme,
    /// `host [ ":" port ]`, the port only when it is not the scheme's default
    host_header: String,
    port: u16,
    /// begins with `/`
    resource_name: String,
}

impl Uri {
    /// Takes a URI apart; the same as [`str::parse`]. See the example of [`Uri`].
    ///
    /// # Errors
    /// [`UriError`] names a part that RFC 6455 §3 or RFC 3986 does not allow.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let (scheme, rest) = text.split_once(':').ok_or(UriError::UnsupportedScheme)?;
        let scheme = Scheme::parse(scheme)?;
        let rest = rest.strip_prefix("//").ok_or(UriError::MissingAuthority)?;
        if rest.contains('#') {
            return Err(UriError::Fragment);
        }

        let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UriError::Userinfo);
        }
        let (host, port) = split_port(authority);
        check_host(host)?;
        let port = match port {
            None | Some("") => scheme.default_port(),
            Some(digits) => parse_port(digits).ok_or(UriError::InvalidPort)?,
        };
        check_octets(path_and_query, &PATH_OR_QUERY_OCTETS)?;

        Ok(Self {
            scheme,
            host_header: host_header(host, port, scheme),
            port,
            resource_name: resource_name(path_and_query),
        })
    }

    /// Whether TLS must come first: the scheme is `wss` (§3, "the secure flag").
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Wss
    }

    /// The name or address to connect to; an IPv6 address comes without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let (host, _) = split_port(&self.host_header);
        host.trim_matches(['[', ']'])
    }

    /// The port to connect to: the one that is written, or else 80 for `ws` and 443 for `wss` (§3).
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path, or `/` when it is empty, and `?` with the query unless that is empty (§3): the request's target.
    #[must_use]
    pub fn resource_name(&self) -> &str {
        &self.resource_name
    }

    /// The value of the request's `Host` field: with the brackets of an IPv6 address, and with the port when it is not
    /// the scheme's default (§4.1).
    #[must_use]
    pub fn host_header(&self) -> &str {
        &self.host_header
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Uri {
    type Error = UriError;

    fn try_from(text: &str) -> Result<Self, UriError> {
        Self::parse(text)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.scheme.as_str();
        write!(f, "{scheme}://{}{}", self.host_header, self.resource_name)
    }
}

/// Why a text is no WebSocket URI. See [`Uri::parse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UriError {
    /// RFC 6455 §3: the scheme is `ws` or `wss`, in any case of letters.
    #[error("the scheme of the URI is neither ws nor wss")]
    UnsupportedScheme,
    /// RFC 6455 §3: two slashes follow the scheme's colon.
    #[error("the URI has no `//` and host after its scheme")]
    MissingAuthority,
    /// RFC 6455 §3 has no place for userinfo.
    #[error("the URI holds credentials: they belong in an Authorization header")]
    Userinfo,
    /// RFC 6455 §3: the host is not optional.
    #[error("the host of the URI is empty")]
    EmptyHost,
    /// RFC 6455 §11.1: a host that is not ASCII is to be converted by IDNA.
    #[error("the host of the URI is not ASCII: convert it by IDNA (`xn--...`)")]
    NonAsciiHost,
    /// RFC 3986 §3.2.2: a host is a registered name, an IPv4 address, or `[IPv6 address]`.
    #[error("the host of the URI is neither a name, an IPv4 address nor a bracketed IPv6 address")]
    InvalidHost,
    /// RFC 3986 §3.2.3: a port is made of digits; TCP's end at 65535.
    #[error("the port of the URI is not a number from 0 to 65535")]
    InvalidPort,
    /// RFC 6455 §3: fragment identifiers "MUST NOT be used on these URIs".
    #[error("the URI has a fragment: a `#` that belongs to the path or query is written `%23`")]
    Fragment,
    /// RFC 3986 §3.3, §3.4: no character of a path or query. RFC 6455 §11.1: only ASCII is.
    #[error("the path or query of the URI holds a character that must be percent-encoded")]
    InvalidCharacter,
    /// RFC 3986 §2.1: two hexadecimal digits follow a percent sign.
    #[error("the URI holds a percent sign without two hexadecimal digits: it is written `%25`")]
    InvalidEscape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Scheme {
    Ws,
    Wss,
}

impl Scheme {
    fn parse(scheme: &str) -> Result<Self, UriError> {
        [Self::Ws, Self::Wss]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(scheme))
            .ok_or(UriError::UnsupportedScheme)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }
}

/// Splits `host [ ":" port ]` at the last colon, but not within the brackets of an IPv6 address.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// `port = *DIGIT`, and at least one here. The standard parser alone would let a plus sign through.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// `"[" IPv6address "]"`
pub(super) fn parse_ipv6_literal(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

pub(super) fn check_host(host: &str) -> Result<(), UriError> {
    match host {
        "" => Err(UriError::EmptyHost),
        _ if !host.is_ascii() => Err(UriError::NonAsciiHost),
        _ if parse_ipv6_literal(host).is_some() => Ok(()),
        _ => check_octets(host, &HOST_OCTETS).map_err(|_| UriError::InvalidHost),
    }
}

fn host_header(host: &str, port: u16, scheme: Scheme) -> String {
    if port == scheme.default_port() { host.to_owned() } else { format!("{host}:{port}") }
}

fn resource_name(path_and_query: &str) -> String {
    let text = match path_and_query.split_once('?') {
        Some((path, "")) => path,
        _ => path_and_query,
    };
    if text.starts_with('/') { text.to_owned() } else { format!("/{text}") }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).expect(text)
    }

    #[test]
    fn schemes_and_ports() {
        // 6455-3-1, 6455-3-2
        #[rustfmt::skip]
        let valid = [
            ("ws://h", false, 80), ("wS://h:?a", false, 80), ("ws://h:00080", false, 80),
            ("ws://h:0", false, 0), ("ws://h:65535/", false, 65_535), ("wss://h", true, 443),
            ("WSS://h/", true, 443), ("wss://h:", true, 443), ("wss://h:80/", true, 80),
        ];
        for (text, secure, port) in valid {
            assert_eq!((uri(text).is_secure(), uri(text).port()), (secure, port));
        }
    }

    #[test]
    fn resource_names() {
        // 6455-3-3, 6455-3-4, 8307-2-1
        #[rustfmt::skip]
        let valid = [
            ("ws://h", "/"), ("ws://h/", "/"), ("ws://h?", "/"), ("ws://h/?", "/"),
            ("ws://h?x=1", "/?x=1"), ("ws://h?/a", "/?/a"), ("ws://h??", "/??"),
            ("ws://h/a?", "/a"), ("ws://h/a?b?", "/a?b?"), ("ws://h/a?b=/c&d", "/a?b=/c&d"),
            ("ws://h/a//b/", "/a//b/"), ("ws://h//a", "//a"), ("ws://h/a/../b/.", "/a/../b/."),
            ("ws://h/a%23b", "/a%23b"), ("ws://h/%C3%a9", "/%C3%a9"), ("ws://h/?%0A", "/?%0A"),
            ("ws://h/?a@b:1", "/?a@b:1"), ("ws://h/.well-known/coap", "/.well-known/coap"),
            ("ws://h/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@"),
        ];
        for (text, expected) in valid {
            assert_eq!(uri(text).resource_name(), expected);
        }
    }

    #[test]
    fn hosts() {
        // 6455-3-6, 6455-4.1-8
        #[rustfmt::skip]
        let valid = [
            ("ws://h/", "h", "h"), ("ws://h:80/", "h", "h"), ("ws://h:443/", "h", "h:443"),
            ("wss://h:443/", "h", "h"), ("wss://h:80/", "h", "h:80"), ("ws://h:081", "h", "h:81"),
            ("ws://A.COM./", "A.COM.", "A.COM."), ("ws://xn--h-1ga/", "xn--h-1ga", "xn--h-1ga"),
            ("ws://127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080"),
            ("ws://a_b-~!$&'()*+,;=%20/", "a_b-~!$&'()*+,;=%20", "a_b-~!$&'()*+,;=%20"),
            ("ws://[::1]:8080/", "::1", "[::1]:8080"), ("ws://[::1]/", "::1", "[::1]"),
            ("ws://[::1]:/", "::1", "[::1]"), ("wss://[::1]:443?a", "::1", "[::1]"),
            ("ws://[2001:DB8::192.0.2.1]", "2001:DB8::192.0.2.1", "[2001:DB8::192.0.2.1]"),
        ];
        for (text, host, host_header) in valid {
            assert_eq!(uri(text).host(), host);
            assert_eq!(uri(text).host_header(), host_header);
        }
    }

    #[test]
    fn refusals() {
        // 6455-3-1, 6455-3-2, 6455-3-4, 6455-3-5, 6455-11.1-1, 6455-11.1-2, 28-42
        #[rustfmt::skip]
        let refusals = [
            (UriError::InvalidHost, &[
                "ws://a b/", "ws://h /", "ws://h\t", "ws://h\\a", "ws://%", "ws://%4", "ws://%zz/",
                "ws://a|b/", "ws://h\0/", "ws://[::1/", "ws://::1]/", "ws://[]/", "ws://[",
                "ws://[h]/", "ws://[1.2.3.4]/", "ws://[::1]80/", "ws://a[::1]/", "ws://[[::1]]/",
                "ws://[::1]]", "ws://::1/", "ws://fe80::1:80/", "ws://[fe80::1%25eth0]/",
                "ws://[fe80::1%eth0]/", "ws://[v1.a]/", "ws://[:::]/", "ws://h:1:2/",
            ][..]),
            (UriError::InvalidPort, &[
                "ws://h:65536", "ws://h:-1", "ws://h:+1", "ws://h:8a", "ws://h: 80", "ws://h:80 ",
                "ws://h:99999999999999999999", "ws://h:\u{661}",
            ]),
            (UriError::InvalidCharacter, &[
                "ws://h/é", "ws://h/?é", "ws://h/a b", "ws://h/ ", "ws://h/\0", "ws://h/\x7f",
                "ws://h/[", "ws://h/\\", "ws://h/?\"", "ws://h/<>",
            ]),
            (UriError::UnsupportedScheme, &["", "/a", "http://h/", "wsx://h", " ws://h", "h:80"]),
            (UriError::MissingAuthority, &["ws:", "ws:h", "ws:/h", "ws:/a//b", "wss:\\\\h"]),
            (UriError::Userinfo, &["ws://u:p@h/", "ws://@h", "ws://h:80@a/", "ws://h\\@a/"]),
            (UriError::EmptyHost, &["ws://", "ws:///a", "ws://?a", "ws://:80/", "ws://:"]),
            (UriError::NonAsciiHost, &["ws://bücher/", "ws://h\u{3002}a/", "ws://\u{ff48}:80"]),
            (UriError::Fragment, &["ws://h/a#b", "ws://h#", "ws://h/?a#", "ws://#", "ws://h#@a"]),
            (UriError::InvalidEscape, &["ws://h/%", "ws://h/%2", "ws://h/%2g", "ws://h/?%%"]),
        ];
        for (error, texts) in refusals {
            for text in texts {
                assert_eq!(Uri::parse(text), Err(error), "{text:?}");
            }
        }
    }

    #[test]
    fn nothing_is_injected_into_a_head() {
        // 9110-5.5-4: not in the scheme, the host, the port, the path or the query.
        for end in ["\r\nA: 1", "\n", "\r", "\0", " B\r\nA: 1", "\t"] {
            for at in 0..="wss://[::1]:80/%41?%41".len() {
                let mut text = String::from("wss://[::1]:80/%41?%41");
                text.insert_str(at, end);
                assert!(Uri::parse(&text).is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn displays_what_it_keeps() {
        for (text, expected) in [("WS://H:80", "ws://H/"), ("wss://[::1]:8443?a=b", "wss://[::1]:8443/?a=b")] {
            assert_eq!(uri(text).to_string(), expected);
            assert_eq!(text.parse(), Uri::try_from(expected));
        }
    }

    #[test]
    fn long_input() {
        // SEC-1: linear time, no panic.
        for unit in [":", "[", "]", "/", "?", "%", "%41", "a", "[::1]", "@"] {
            for start in ["", "ws://", "ws://h:", "ws://h/", "ws://["] {
                let _ = Uri::parse(&format!("{start}{}", unit.repeat(65_536)));
            }
        }
    }
}
