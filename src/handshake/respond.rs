//! RFC 6455 §4.2.2: what does the server answer to a request?

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::accept::accept_value;
use super::extensions;
use super::fields::{ExtraFields, RESERVED, put_field};
use super::known::Name;
use super::parsed::ResponseHead;
use super::server::{Opening, Parsed, Raw, Request};
use crate::connection::Connection;
use crate::error::{HandshakeError, HeadError};

/// An acceptance under way; `send` or `respond` completes it. `A` is how the [`Request`] is answered.
#[derive(Debug)]
#[must_use = "an acceptance that is not sent opens nothing"]
pub struct Accept<'i, A = Raw> {
    request: Request<'i, A>,
    subprotocol: Option<&'i str>,
    fields: ExtraFields,
}

impl<'i, A> Accept<'i, A> {
    pub(super) const fn new(request: Request<'i, A>) -> Self {
        Self { request, subprotocol: None, fields: ExtraFields::new() }
    }

    /// Selects a subprotocol, one of those that the client offers.
    pub fn subprotocol(mut self, name: &str) -> Self {
        self.subprotocol = self.request.subprotocols().iter().find(|offered| **offered == name).copied();
        if self.subprotocol.is_none() {
            self.fields.fail(HeadError::SubprotocolNotOffered);
        }
        self
    }

    /// Adds a header field to the response, such as `Set-Cookie`.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push(name, value.as_ref(), RESERVED);
        self
    }

    /// Declines permessage-deflate, whatever [`Config::deflate`](crate::Config::deflate) says: all messages of this
    /// connection are plain, in both directions.
    #[cfg(feature = "deflate")]
    pub fn without_deflate(mut self) -> Self {
        self.request.config.deflate = None;
        self
    }

    /// Puts all fields of the response but those that are always the same, and opens the connection.
    fn open(&self, fields: &[(String, Vec<u8>)], mut put: impl FnMut(&str, &[u8])) -> Connection {
        if let Opening::Upgrade { key } = self.request.opening {
            put(Name::Accept.as_str(), &accept_value(key));
        }
        if let Some(name) = self.subprotocol {
            put(Name::Protocol.as_str(), name.as_bytes());
        }
        let Request { config, extensions: offers, .. } = &self.request;
        let (connection, extensions) = extensions::accept(config, offers);
        if let Some(extensions) = extensions {
            put(Name::Extensions.as_str(), extensions.as_bytes());
        }
        for (name, value) in fields {
            put(name, value);
        }
        connection
    }
}

impl Accept<'_> {
    /// Appends the response, status 101, and opens the connection: frames may follow at once.
    ///
    /// # Errors
    /// The first fault of what was given to this builder: [`HeadError::SubprotocolNotOffered`],
    /// [`HeadError::InvalidHeaderName`], [`HeadError::InvalidHeaderValue`], [`HeadError::ReservedHeader`]. Nothing is
    /// appended then; a [`Rejection`] with status 500 may still be.
    pub fn send(self, output: &mut Vec<u8>) -> Result<Connection, HeadError> {
        let fields = self.fields.get()?;
        if self.request.expects_continue {
            output.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        output.extend_from_slice(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
        let connection = self.open(fields, |name, value| put_field(output, name, value));
        output.extend_from_slice(b"\r\n");
        Ok(connection)
    }
}

impl Accept<'_, Parsed> {
    /// The response, for the HTTP stack to send, and the connection: once the response is on its way, frames may
    /// follow. The status is 101 for an HTTP/1.1 upgrade, and 200 for an extended CONNECT, behind which the octets of
    /// the stream's DATA frames are the connection's.
    ///
    /// # Errors
    /// As [`send`](Accept::send).
    pub fn respond(self) -> Result<(ResponseHead, Connection), HeadError> {
        let fields = self.fields.get()?;
        let mut head = match self.request.opening {
            Opening::Upgrade { .. } => {
                let mut head = ResponseHead::of_upgrade(101);
                head.put("Upgrade", b"websocket");
                head.put("Connection", b"Upgrade");
                head
            }
            Opening::ExtendedConnect => ResponseHead::of_connect(200),
        };
        let connection = self.open(fields, |name, value| head.put(name, value));
        Ok((head, connection))
    }
}

/// A rejection under way; [`send`](Self::send) completes it.
///
/// ```
/// use websocket_proto::handshake::Rejection;
///
/// let mut output = Vec::new();
/// Rejection::new(404).header("Content-Type", "text/plain").body(b"no such room").send(&mut output)?;
/// assert!(output.starts_with(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 12\r\n"));
/// # Ok::<(), websocket_proto::HeadError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a rejection that is not sent tells the client nothing"]
pub struct Rejection<'b> {
    status: u16,
    fields: ExtraFields,
    body: &'b [u8],
}

impl<'b> Rejection<'b> {
    /// A response with this status, 200 to 599. A 401 has to be given a `WWW-Authenticate` field, a 405 an `Allow`
    /// field; a redirection wants a `Location` field; a 426 names the protocol to upgrade to by itself.
    pub const fn new(status: u16) -> Self {
        Self { status, fields: ExtraFields::new(), body: b"" }
    }

    /// Adds a header field to the response.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push(name, value.as_ref(), RESERVED_IN_REJECTION);
        self
    }

    /// Gives the response a body, whose length is announced. A 204, 205 or 304 has none.
    pub fn body<'c>(self, body: &'c [u8]) -> Rejection<'c>
    where
        'b: 'c,
    {
        Rejection { body, ..self }
    }

    /// Appends the response. Write it, then close the stream, the sending half first.
    ///
    /// # Errors
    /// [`HeadError::InvalidStatus`], [`HeadError::MissingHeader`] for a 401 without `WWW-Authenticate` or a 405 without
    /// `Allow`, or the first fault of what was given to this builder: [`HeadError::InvalidHeaderName`],
    /// [`HeadError::InvalidHeaderValue`], [`HeadError::ReservedHeader`]. Nothing is appended then.
    pub fn send(self, output: &mut Vec<u8>) -> Result<(), HeadError> {
        if !(200..=599).contains(&self.status) {
            return Err(HeadError::InvalidStatus);
        }
        let needed = match self.status {
            401 => Some("WWW-Authenticate"),
            405 => Some("Allow"),
            _ => None,
        };
        let missing = needed.filter(|name| !self.fields.has(name));
        let fields = self.fields.get()?;
        if let Some(name) = missing {
            return Err(HeadError::MissingHeader(name));
        }
        for part in ["HTTP/1.1 ", &self.status.to_string(), " ", reason(self.status), "\r\n"] {
            output.extend_from_slice(part.as_bytes());
        }
        output.extend_from_slice(match self.status {
            426 => b"Upgrade: websocket\r\nConnection: Upgrade, close\r\n",
            _ => b"Connection: close\r\n",
        });
        let has_body = !matches!(self.status, 204 | 205 | 304);
        if has_body {
            put_field(output, "Content-Length", self.body.len().to_string().as_bytes());
        }
        for (name, value) in fields {
            put_field(output, name, value);
        }
        output.extend_from_slice(b"\r\n");
        if has_body {
            output.extend_from_slice(self.body);
        }
        Ok(())
    }
}

/// Appends the response to a request that is none: the status, what goes with it, and the reason in words.
pub(super) fn put_refusal(error: HandshakeError, output: &mut Vec<u8>) {
    // a HEAD, one of the methods that are not allowed, is answered without a body (RFC 9110 §9.3.2)
    let body = match error {
        HandshakeError::MethodNotAllowed => String::new(),
        error => format!("{error}\n"),
    };
    let mut rejection = Rejection::new(error.status().unwrap_or(400)).header("Content-Type", "text/plain");
    if let Some((name, value)) = remedy(error) {
        rejection = rejection.header(name, value);
    }
    let sent = rejection.body(body.as_bytes()).send(output);
    debug_assert_eq!(sent, Ok(()));
}

/// The field of a refusal that says what would have been right.
pub(super) const fn remedy(error: HandshakeError) -> Option<(&'static str, &'static str)> {
    match error {
        HandshakeError::MethodNotAllowed => Some(("Allow", "GET")),
        HandshakeError::MissingVersion | HandshakeError::UnsupportedVersion | HandshakeError::NotAnUpgrade => {
            Some((Name::Version.as_str(), "13"))
        }
        _ => None,
    }
}

/// The reason phrase of a status (RFC 9110 §15); nobody depends on it.
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// What a rejection has by itself, and what would make it look like an acceptance.
const RESERVED_IN_REJECTION: &[&str] =
    &["Upgrade", "Connection", "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Accept"];
