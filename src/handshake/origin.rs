//! RFC 6455 §10.2, RFC 6454: may a page from this origin open a WebSocket here?
//!
//! A browser lets any page open a WebSocket to any server, and sends the user's cookies along. The
//! one thing that tells the pages apart is the `Origin` field, which a page cannot forge. A server
//! that trusts cookies (or the network that it is in) has to look at it, or any site that its users
//! visit can speak in their name: cross-site WebSocket hijacking.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::uri::{parse_ipv6_literal, parse_port, split_port};

/// An allow-list for the `Origin` field of a request (RFC 6455 §10.2).
///
/// Origins are the same when scheme, host and port are (RFC 6454 §5): scheme and host in any case
/// of letters, the port by default 80 for `http` and `ws`, 443 for `https` and `wss`. There are no
/// wildcards, and no part of a name matches.
///
/// Only a browser is honest about its origin; any other program sends what it likes. The list
/// protects the browser's user, it does not authenticate anybody (§10.1).
///
/// ```
/// use websocket_proto::handshake::{InvalidOrigin, OriginPolicy};
///
/// let policy = OriginPolicy::new(["https://example.com", "http://localhost:8080"])?;
///
/// assert!(policy.allows(Some(b"https://example.com")));
/// assert!(!policy.allows(Some(b"https://example.com.evil.example")));
/// assert!(!policy.allows(Some(b"null")));
/// assert!(!policy.allows(None));
/// # Ok::<(), InvalidOrigin>(())
/// ```
#[derive(Debug, Clone)]
pub struct OriginPolicy {
    present: Present,
    absent: Absent,
}

impl OriginPolicy {
    /// Allows these origins, each written `scheme://host[:port]`, and nothing else; a request
    /// without `Origin` is refused, see [`allow_absent`](Self::allow_absent). The scheme is the
    /// page's: `https`, where the WebSocket's own is `wss`.
    ///
    /// # Errors
    /// [`InvalidOrigin`] for an entry that is no origin and so could never match: with a path (`/`
    /// is one), with a wildcard, without a scheme, with a host that is not ASCII (write its IDNA
    /// form), or `null`, which stands for every origin that will not say its name.
    ///
    /// ```
    /// use websocket_proto::handshake::OriginPolicy;
    ///
    /// assert!(OriginPolicy::new(["https://example.com/"]).is_err());
    /// assert!(OriginPolicy::new(["https://*.example.com"]).is_err());
    /// ```
    pub fn new<I>(origins: I) -> Result<Self, InvalidOrigin>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let listed = origins.into_iter().map(|entry| {
            let entry = entry.as_ref();
            normalize(entry).ok_or_else(|| InvalidOrigin { entry: entry.to_owned() })
        });
        Ok(Self { present: Present::Listed(listed.collect::<Result<_, _>>()?), absent: Absent::Refused })
    }

    /// Allows every request, whatever its `Origin` field holds and whether or not it has one.
    ///
    /// Right for a server that anybody may use and that takes no cookie for a proof.
    ///
    /// ```
    /// use websocket_proto::handshake::OriginPolicy;
    ///
    /// assert!(OriginPolicy::any().allows(Some(b"https://anywhere.example")));
    /// assert!(OriginPolicy::any().allows(None));
    /// ```
    #[must_use]
    pub fn any() -> Self {
        Self { present: Present::Any, absent: Absent::Allowed }
    }

    /// Also allows a request that has no `Origin` field. A browser always sends the field (RFC 6455
    /// §4.1), most other programs do not.
    ///
    /// ```
    /// use websocket_proto::handshake::{InvalidOrigin, OriginPolicy};
    ///
    /// let policy = OriginPolicy::new(["https://example.com"])?.allow_absent();
    ///
    /// assert!(policy.allows(None));
    /// assert!(!policy.allows(Some(b"")));
    /// # Ok::<(), InvalidOrigin>(())
    /// ```
    #[must_use]
    pub fn allow_absent(self) -> Self {
        Self { absent: Absent::Allowed, ..self }
    }

    /// Whether a request with this `Origin` field, or with none, may go on; otherwise the answer is
    /// 403 (RFC 6455 §4.2.2).
    ///
    /// `origin` is the raw value of the one `Origin` line, without the whitespace around it. A
    /// request with several is to be refused before it comes here.
    #[must_use]
    pub fn allows(&self, origin: Option<&[u8]>) -> bool {
        match (origin, &self.present) {
            (None, _) => self.absent == Absent::Allowed,
            (Some(_), Present::Any) => true,
            (Some(origin), Present::Listed(listed)) => {
                str::from_utf8(origin).ok().and_then(normalize).is_some_and(|origin| listed.contains(&origin))
            }
        }
    }
}

/// An entry of an allow-list is no origin. See [`OriginPolicy::new`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("not an origin of the form scheme://host[:port]: {entry:?}")]
pub struct InvalidOrigin {
    entry: String,
}

/// What becomes of a request with an `Origin` field.
#[derive(Debug, Clone)]
enum Present {
    Any,
    /// each as [`normalize`] writes it
    Listed(Vec<String>),
}

/// What becomes of a request without an `Origin` field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Absent {
    Allowed,
    Refused,
}

/// Writes `scheme://host[:port]` in the one way in which all origins that are the same are written:
/// in lower case, with the port if there is one or the scheme has a default.
///
/// `None` if the text is not of that form. RFC 6454 §7.1 allows a list of origins, with spaces in
/// between; here it is refused, as a space is no part of a host or port.
fn normalize(origin: &str) -> Option<String> {
    let (scheme, authority) = origin.split_once("://")?;
    let (host, port) = split_port(authority);
    if !is_scheme(scheme) {
        return None;
    }

    let scheme = scheme.to_ascii_lowercase();
    let host = match parse_ipv6_literal(host) {
        Some(address) => format!("[{address}]"),
        None if is_host_name(host) => host.to_ascii_lowercase(),
        None => return None,
    };
    let port = match port {
        Some(digits) => Some(parse_port(digits)?),
        None => default_port(&scheme),
    };
    Some(match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// RFC 3986 §3.1: `scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )`
fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
}

/// Narrower than RFC 3986: unreserved characters alone. No host of an origin has others, and an
/// entry with a `*` or a `%` would promise what is not kept.
fn is_host_name(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn policy(entry: &str) -> OriginPolicy {
        OriginPolicy::new([entry]).expect(entry)
    }

    #[test]
    fn same_origin() {
        // 6455-10.2-1, 6455-4.2.2-4: exact scheme, host and port.
        #[rustfmt::skip]
        let same = [
            ("https://a.example", &["https://a.example", "https://A.example:443"][..]),
            ("HTTPS://A.EXAMPLE:443", &["https://a.example"]),
            ("http://a.example:80", &["http://a.example", "http://a.example:80"]),
            ("ws://a.example", &["ws://a.example:80"]),
            ("wss://a.example:443", &["wss://a.example"]),
            ("http://localhost:8080", &["http://localhost:8080", "http://LOCALHOST:8080"]),
            ("http://127.0.0.1:3000", &["http://127.0.0.1:3000"]),
            ("http://[::1]", &["http://[::1]", "http://[::1]:80", "http://[0:0:0:0:0:0:0:1]"]),
            ("https://[2001:DB8:0::1]:8443", &["https://[2001:db8::1]:8443"]),
            ("https://a_b-c~1.xn--h-1ga.", &["https://a_b-c~1.xn--h-1ga."]),
            ("chrome-extension://abcdefgh", &["chrome-extension://abcdefgh"]),
            ("tauri://localhost:80", &["tauri://localhost:80"]),
        ];
        for (entry, origins) in same {
            for origin in origins {
                let allowed = policy(entry).allows(Some(origin.as_bytes()));
                assert!(allowed, "{entry:?} {origin:?}");
            }
        }
    }

    #[test]
    fn other_origin() {
        // 6455-10.2-1: nothing that merely looks alike.
        #[rustfmt::skip]
        let others = [
            ("https://example.com", &[
                "http://example.com", "wss://example.com", "https://example.com:80",
                "https://example.com:8443", "xhttps://example.com", "https://example.com.evil",
                "https://evilexample.com", "https://www.example.com", "https://example.co",
                "https://example.com.", "https://com", "https://example.com@evil",
                "https://evil@example.com", "https://example.com:443@evil", "https://@example.com",
                "https://example.com:443:1", "https://example.com:1:443", "https://example.com:",
                "https://example.com:+443", "https://example.com:65979", "https://example.com:44 3",
                "https://example.com/", "https://example.com/chat", "https://example.com?",
                "https://example.com#", "https://example.com\\", "https://evil#example.com",
                "https://evil/https://example.com", "https://example.com https://example.com",
                "https://evil https://example.com", "https://example.com https://evil",
                "https://example.com, https://example.com", "https://example.com,https://evil", "",
                " ", "null", "NULL", "*", "example.com", "//example.com", "://example.com",
                "https:example.com", "https:/example.com", "https:///example.com", "https://",
                " https://example.com", "https://example.com ", "https://example.com\t",
                "https://example.com\0", "https://example.com\r\n", "https:// example.com",
                "https://examp\u{131}e.com", "https://ex\u{430}mple.com",
                "https://example\u{3002}com", "https://%65xample.com", "https://[example.com]",
            ][..]),
            ("https://kiosk.example", &["https://\u{212a}iosk.example"]),
            ("http://localhost:8080", &[
                "http://localhost", "http://localhost:80", "http://localhost:8081",
                "http://localhost:18080", "http://localhost:808",
            ]),
            ("http://[::1]", &[
                "http://::1", "http://[::1", "http://::1]", "http://[::2]", "http://[::1]:81",
                "http://[::1]evil", "http://[::1]80", "http://[::1%25lo]", "http://[[::1]]",
            ]),
            ("tauri://localhost", &["tauri://localhost:80", "tauri://localhost:0"]),
        ];
        for (entry, origins) in others {
            for origin in origins {
                let allowed = policy(entry).allows(Some(origin.as_bytes()));
                assert!(!allowed, "{entry:?} {origin:?}");
            }
        }
        assert!(!policy("https://example.com").allows(Some(b"https://example.com\xff")));
    }

    #[test]
    fn entries_that_are_no_origins() {
        #[rustfmt::skip]
        let entries = [
            "", " ", "null", "*", "example.com", "example.com:443", "://example.com", "https:",
            "https://", "https://:443", "https:///", "https://example.com/",
            "https://example.com/chat", "https://example.com?a", "https://example.com#a",
            "https://u@example.com", "https://example.com:", "https://example.com:65536",
            "https://example.com:-1", "https://example.com:*", "https://*", "https://*.example.com",
            "https://example.com https://example.org", "https://bücher.example", "https://[::1",
            "https://[::1]a", "https://::1", "1http://h", "ht_tp://h", "file://",
            " https://example.com", "https://example.com\n",
        ];
        for entry in entries {
            let error = OriginPolicy::new(["https://example.com", entry]).unwrap_err();
            assert_eq!(error.entry, entry);
        }
        let text = OriginPolicy::new(["a\n"]).unwrap_err().to_string();
        assert!(text.ends_with(r#": "a\n""#), "{text}");
    }

    #[test]
    fn several_entries_and_none() {
        let two = ["https://a.example", "https://b.example"].map(ToString::to_string);
        let two = OriginPolicy::new(two).unwrap();
        assert!(two.allows(Some(b"https://a.example")));
        assert!(two.allows(Some(b"https://b.example")));
        assert!(!two.allows(Some(b"https://c.example")));

        let none = OriginPolicy::new([""; 0]).unwrap();
        assert!(!none.allows(Some(b"https://a.example")));
        assert!(!none.allows(None));
        assert!(none.allow_absent().allows(None));
    }

    #[test]
    fn absent_origin() {
        // 6455-10.2-1, 6455-4.2.1-10: a request without Origin is no browser's.
        let strict = policy("https://example.com");
        assert!(!strict.allows(None));

        let lenient = strict.allow_absent();
        assert!(lenient.allows(None));
        assert!(lenient.allows(Some(b"https://example.com")));
        for origin in ["", "null", "https://evil.example"] {
            assert!(!lenient.allows(Some(origin.as_bytes())), "{origin:?}");
        }
    }

    #[test]
    fn any_origin() {
        let any = OriginPolicy::any();
        for origin in ["", "null", "https://evil.example", "a b", "é"] {
            assert!(any.allows(Some(origin.as_bytes())), "{origin:?}");
        }
        assert!(any.allows(Some(b"\xff\0")));
        assert!(any.allows(None));
    }
}
