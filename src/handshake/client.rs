//! RFC 6455 §4.1: how does a client ask for a WebSocket, and what did the server answer?

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::accept::{accept_value, key};
use super::answer::{Answer, Offer, Response};
use super::body::Body;
use super::extensions;
use super::fields::{ExtraFields, RESERVED, put_field};
use super::head::{parse_status_line, unfold};
use super::headers::trim;
use super::known::{KnownFields, Name};
use super::negotiate::check_offer;
use super::scanner::HeadScanner;
use super::uri::Uri;
use crate::config::Config;
use crate::error::{HandshakeError, HeadError};
use crate::receive::ReadBuffer;
use crate::send::Random;

/// A request to open a WebSocket under way; `send` or [`send_with_random`](Self::send_with_random) completes it.
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
    pub(super) uri: &'u Uri,
    subprotocols: Vec<String>,
    fields: ExtraFields,
}

impl<'u> ClientRequest<'u> {
    /// A request for this resource. To connect to its host, and to speak TLS if it is secure, is up to you.
    pub const fn new(uri: &'u Uri) -> Self {
        Self { uri, subprotocols: Vec::new(), fields: ExtraFields::new() }
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
        if name.eq_ignore_ascii_case("Origin") && self.fields.has("Origin") {
            self.fields.fail(HeadError::RepeatedHeader);
        }
        self.fields.push(name, value.as_ref(), RESERVED);
        self
    }

    /// Appends the request; nonce and masking keys come from the thread's CSPRNG.
    ///
    /// # Errors
    /// As [`send_with_random`](Self::send_with_random).
    #[cfg(feature = "std")]
    pub fn send(self, config: &Config, output: &mut Vec<u8>) -> Result<ClientHandshake, HeadError> {
        self.send_with_random(config, Random::default(), output)
    }

    /// Appends the request, with a source of nonce and masking keys.
    ///
    /// # Errors
    /// The first fault of what was given to this builder: [`HeadError::InvalidSubprotocol`],
    /// [`HeadError::InvalidHeaderName`], [`HeadError::InvalidHeaderValue`], [`HeadError::ReservedHeader`],
    /// [`HeadError::RepeatedHeader`]. Nothing is appended then.
    pub fn send_with_random(
        self,
        config: &Config,
        mut random: Random,
        output: &mut Vec<u8>,
    ) -> Result<ClientHandshake, HeadError> {
        self.fields.get()?;
        let key = key(random.nonce());
        for part in ["GET ", self.uri.resource_name(), " HTTP/1.1\r\n"] {
            output.extend_from_slice(part.as_bytes());
        }
        let mut put = |name: &str, value: &[u8]| put_field(output, name, value);
        put("Host", self.uri.host_header().as_bytes());
        put("Upgrade", b"websocket");
        put("Connection", b"Upgrade");
        put("Sec-WebSocket-Key", &key);
        let offer = self.offer(config, put)?;
        output.extend_from_slice(b"\r\n");
        let (scanner, accept) = (HeadScanner::default(), accept_value(&key));
        Ok(ClientHandshake { offer, scanner, interim: 0, accept, random: Some(random) })
    }

    /// Puts what means the same over every version of HTTP: ours, the subprotocols, the extensions, and what the
    /// application adds.
    pub(super) fn offer(self, config: &Config, mut put: impl FnMut(&str, &[u8])) -> Result<Offer, HeadError> {
        let fields = self.fields.get()?;
        put(Name::Version.as_str(), b"13");
        if !self.subprotocols.is_empty() {
            put(Name::Protocol.as_str(), self.subprotocols.join(", ").as_bytes());
        }
        if let Some(extensions) = extensions::offer(config) {
            put(Name::Extensions.as_str(), extensions.as_bytes());
        }
        for (name, value) in fields {
            put(name, value);
        }
        Ok(Offer { config: config.clone(), subprotocols: self.subprotocols })
    }
}

/// The client's side of the opening handshake, from its request until the server's response is there.
///
/// There is no way from here to a [`Connection`](crate::Connection) but through an [`Answer`] that was found right:
/// nothing can be sent before (§4.1).
#[derive(Debug)]
pub struct ClientHandshake {
    offer: Offer,
    scanner: HeadScanner,
    /// Octets of interim responses that were passed over.
    interim: usize,
    /// The only value of `Sec-WebSocket-Accept` that will do.
    accept: [u8; 28],
    /// For the connection; taken when the handshake is over.
    random: Option<Random>,
}

impl ClientHandshake {
    /// The answer, once all of its head has come; interim responses (1xx) are passed over. `None`: read more.
    ///
    /// # Errors
    /// What is wrong with the response. Close the stream; nothing is to be sent.
    pub fn receive<'i>(&mut self, input: &'i mut ReadBuffer) -> Result<Option<Answer<'i>>, HandshakeError> {
        let mut limits = self.offer.config.limits;
        let size = loop {
            if self.random.is_none() {
                return Ok(None);
            }
            limits.head = self.offer.config.limits.head.saturating_sub(self.interim);
            let size = match self.scanner.scan(input.unparsed(), &limits) {
                Ok(Some(size)) => size,
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.fail(error)),
            };
            let (head, _) = input.unparsed_mut().split_at_mut(size);
            unfold(head);
            match is_interim(head) {
                Ok(false) => break size,
                Ok(true) => {
                    self.interim = self.interim.saturating_add(size);
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
        let fields = KnownFields::parse(lines)?;
        let Some(random) = random.filter(|_| line.status == 101) else {
            let body = Body::new(line.version, line.status, &fields);
            return Ok(Answer::Rejected { response: Response::new(line.status, line.reason, fields.headers), body });
        };
        if !line.version.is_supported() {
            return Err(HandshakeError::UnsupportedHttpVersion);
        }
        match fields.single(Name::Upgrade)? {
            Some(value) if trim(value).eq_ignore_ascii_case(b"websocket") => {}
            _ => return Err(HandshakeError::UpgradeMismatch),
        }
        if !fields.has_token(Name::Connection, "Upgrade") {
            return Err(HandshakeError::ConnectionMismatch);
        }
        if fields.single(Name::Accept)?.map(trim) != Some(&self.accept) {
            return Err(HandshakeError::AcceptMismatch);
        }
        self.offer.settle(line.status, line.reason, fields, random)
    }
}

/// Whether this is the head of an interim response, which is to be passed over once it was found right (RFC 9110
/// §15.2).
fn is_interim(head: &[u8]) -> Result<bool, HandshakeError> {
    let (line, lines) = parse_status_line(head)?;
    if matches!(line.status, 101 | 200..) {
        return Ok(false);
    }
    KnownFields::parse(lines)?;
    if line.version.is_supported() { Ok(true) } else { Err(HandshakeError::UnsupportedHttpVersion) }
}
