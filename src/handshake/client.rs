//! RFC 6455 §4.1: how does a client ask for a WebSocket, and what did the server answer?

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::accept::{accept_value, key};
use super::body::Body;
use super::fields::{ExtraFields, RESERVED, put_field};
use super::head::{HeadScanner, Headers, StatusLine, parse_status_line, trim, unfold};
use super::negotiate::{PROTOCOL, check_offer, extensions, selected_subprotocol, version};
use super::uri::Uri;
use crate::config::Config;
use crate::connection::Connection;
use crate::error::{HandshakeError, HeadError};
use crate::receive::ReadBuffer;
use crate::send::Random;

/// A request to open a WebSocket under way; [`send`](Self::send) completes it.
///
/// ```
/// use websocket_proto::Config;
/// use websocket_proto::handshake::{ClientRequest, Uri};
///
/// let uri = Uri::parse("ws://server.example.com/chat")?;
/// let mut output = Vec::new();
/// let handshake = ClientRequest::new(&uri)
///     .subprotocol("chat")
///     .origin("http://example.com")
///     .header("Authorization", "Bearer 0123")
///     .send(&Config::default(), &mut output)?;
/// assert!(output.starts_with(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request that is not sent opens nothing"]
pub struct ClientRequest<'u> {
    uri: &'u Uri,
    subprotocols: Vec<String>,
    has_origin: bool,
    fields: ExtraFields,
}

impl<'u> ClientRequest<'u> {
    /// A request for this resource. To connect to its host, and to speak TLS if it is secure, is up to you.
    pub const fn new(uri: &'u Uri) -> Self {
        Self { uri, subprotocols: Vec::new(), has_origin: false, fields: ExtraFields::new() }
    }

    /// Offers a subprotocol; the best one first.
    pub fn subprotocol(mut self, name: &str) -> Self {
        match check_offer(name, &self.subprotocols) {
            Ok(()) => self.subprotocols.push(name.to_owned()),
            Err(error) => self.fields.fail(error),
        }
        self
    }

    /// Names the origin, as a browser does: such as `https://example.com`. There is at most one.
    pub fn origin(self, origin: &str) -> Self {
        self.header("Origin", origin)
    }

    /// Adds a header field, such as `Authorization` or `Cookie`.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let is_origin = name.eq_ignore_ascii_case("Origin");
        if is_origin && self.has_origin {
            self.fields.fail(HeadError::RepeatedHeader);
        }
        self.has_origin |= is_origin;
        self.fields.push(name, value.as_ref(), RESERVED);
        self
    }

    /// Appends the request; nonce and masking keys come from the thread's CSPRNG.
    ///
    /// # Errors
    /// The first fault of what was given to this builder: [`HeadError::InvalidSubprotocol`],
    /// [`HeadError::InvalidHeaderName`], [`HeadError::InvalidHeaderValue`], [`HeadError::ReservedHeader`],
    /// [`HeadError::RepeatedHeader`]. Nothing is appended then.
    #[cfg(feature = "std")]
    pub fn send(self, config: &Config, output: &mut Vec<u8>) -> Result<ClientHandshake, HeadError> {
        self.send_with_random(config, Random::default(), output)
    }

    /// [`send`](Self::send) with a source of nonce and masking keys.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_with_random(
        self,
        config: &Config,
        mut random: Random,
        output: &mut Vec<u8>,
    ) -> Result<ClientHandshake, HeadError> {
        let lines = self.fields.into_lines()?;
        let key = key(random.nonce());
        for part in ["GET ", self.uri.resource_name(), " HTTP/1.1\r\n"] {
            output.extend_from_slice(part.as_bytes());
        }
        put_field(output, "Host", self.uri.host_header().as_bytes());
        output.extend_from_slice(b"Upgrade: websocket\r\nConnection: Upgrade\r\n");
        put_field(output, "Sec-WebSocket-Key", &key);
        output.extend_from_slice(b"Sec-WebSocket-Version: 13\r\n");
        if !self.subprotocols.is_empty() {
            put_field(output, PROTOCOL, self.subprotocols.join(", ").as_bytes());
        }
        output.extend_from_slice(&lines);
        output.extend_from_slice(b"\r\n");
        Ok(ClientHandshake {
            config: config.clone(),
            scanner: HeadScanner::default(),
            interim: 0,
            accept: accept_value(&key),
            subprotocols: self.subprotocols,
            random: Some(random),
        })
    }
}

/// The client's side of the opening handshake, from its request until the server's response is there.
///
/// There is no way from here to a [`Connection`] but through an [`Answer`] that was found right: nothing can be sent
/// before (§4.1).
#[derive(Debug)]
pub struct ClientHandshake {
    config: Config,
    scanner: HeadScanner,
    /// Octets of interim responses that were passed over.
    interim: usize,
    /// The only value of `Sec-WebSocket-Accept` that will do.
    accept: [u8; 28],
    subprotocols: Vec<String>,
    /// For the connection; taken when the handshake is over.
    random: Option<Random>,
}

/// What the server answered.
#[derive(Debug)]
pub enum Answer<'i> {
    /// It opened the WebSocket. Frames that came right behind the response are in the input.
    #[non_exhaustive]
    Accepted {
        /// The open connection.
        connection: Connection,
        /// The response, with its header fields.
        response: Response<'i>,
    },
    /// It did not: a plain HTTP response, with a status that is not 101. Redirections are for you to follow, or not.
    #[non_exhaustive]
    Rejected {
        /// The response, with its header fields.
        response: Response<'i>,
        /// Takes the response's body off the input.
        body: Body,
    },
}

impl ClientHandshake {
    /// The answer, once all of its head has come; interim responses (1xx) are passed over. `None`: read more.
    ///
    /// # Errors
    /// What is wrong with the response. Close the stream; nothing is to be sent.
    pub fn receive<'i>(&mut self, input: &'i mut ReadBuffer) -> Result<Option<Answer<'i>>, HandshakeError> {
        let mut limits = self.config.limits;
        let size = loop {
            if self.random.is_none() {
                return Ok(None);
            }
            limits.head = self.config.limits.head.saturating_sub(self.interim);
            let size = match self.scanner.scan(input.unparsed(), &limits) {
                Ok(Some(size)) => size,
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.fail(error)),
            };
            let (head, _) = input.unparsed_mut().split_at_mut(size);
            unfold(head);
            match parse_status_line(head) {
                Ok((StatusLine { status: 101 | 200.., .. }, _)) => break size,
                Ok(_) => {
                    self.interim += size;
                    self.scanner = HeadScanner::default();
                    input.skip(size);
                }
                Err(error) => return Err(self.fail(error)),
            }
        };
        let head = input.skip(size);
        let random = self.random.take();
        self.judge(input.at(head), random).map(Some)
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// [`HandshakeError::UnexpectedEof`] if the response had not come.
    pub fn receive_eof(&mut self) -> Result<(), HandshakeError> {
        match self.random.take() {
            Some(_) => Err(HandshakeError::UnexpectedEof),
            None => Ok(()),
        }
    }

    fn fail(&mut self, error: HandshakeError) -> HandshakeError {
        self.random = None;
        match error {
            HandshakeError::TargetTooLong => HandshakeError::HeadTooLarge,
            error => error,
        }
    }

    /// All checks of §4.1 on the response.
    fn judge<'i>(&self, head: &'i [u8], random: Option<Random>) -> Result<Answer<'i>, HandshakeError> {
        let (line, lines) = parse_status_line(head)?;
        let headers = Headers::parse(lines)?;
        let Some(random) = random.filter(|_| line.status == 101) else {
            let body = Body::new(line.version, line.status, &headers);
            return Ok(Answer::Rejected { response: Response { line, headers, subprotocol: None }, body });
        };
        if !line.version.is_supported() {
            return Err(HandshakeError::UnsupportedHttpVersion);
        }
        match headers.single("Upgrade")? {
            Some(value) if trim(value).eq_ignore_ascii_case(b"websocket") => {}
            _ => return Err(HandshakeError::UpgradeMismatch),
        }
        if !headers.has_token("Connection", "upgrade") {
            return Err(HandshakeError::ConnectionMismatch);
        }
        if headers.single("Sec-WebSocket-Accept")?.map(trim) != Some(&self.accept) {
            return Err(HandshakeError::AcceptMismatch);
        }
        let subprotocol = selected_subprotocol(&headers, &self.subprotocols)?;
        if !extensions(&headers)?.is_empty() {
            return Err(HandshakeError::ExtensionNotOffered);
        }
        let connection = Connection::client_with_random(&self.config, random);
        Ok(Answer::Accepted { connection, response: Response { line, headers, subprotocol } })
    }
}

/// The head of the server's response.
#[derive(Clone, Debug)]
pub struct Response<'i> {
    line: StatusLine<'i>,
    headers: Headers<'i>,
    subprotocol: Option<&'i str>,
}

impl<'i> Response<'i> {
    /// The status: 101 if the server accepted.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.line.status
    }

    /// The reason phrase, as it was sent; it means nothing (RFC 9112 §4).
    #[must_use]
    pub fn reason(&self) -> &'i [u8] {
        self.line.reason
    }

    /// All header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers<'i> {
        &self.headers
    }

    /// The subprotocol that the server selected, one of those that were offered.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&'i str> {
        self.subprotocol
    }

    /// The versions of the protocol that the server says it speaks, where it does not speak ours (§4.4).
    pub fn versions(&self) -> impl Iterator<Item = u8> + '_ {
        self.headers.elements("Sec-WebSocket-Version").filter_map(version)
    }
}
