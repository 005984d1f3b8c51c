//! RFC 6455 §4.2: is this a request to open a WebSocket, and what does the server answer?

use alloc::vec::Vec;
use core::marker::PhantomData;

use super::accept::is_key;
use super::head::parse_request_line;
use super::headers::{Headers, trim};
use super::known::{KnownFields, Name};
use super::negotiate::{check_version, extensions, offered_subprotocols};
use super::page::{Asked, PageRequest};
use super::respond::{Accept, Rejection, put_refusal};
use super::scanner::HeadScanner;
use super::target::{Target, parse_host};
use crate::config::Config;
use crate::error::HandshakeError;
use crate::receive::ReadBuffer;
use crate::wire::extension::Extension;

/// The server's side of the opening handshake, until the client's request is there.
///
/// ```
/// use websocket_proto::handshake::ServerHandshake;
/// use websocket_proto::{Config, ReadBuffer};
///
/// let mut handshake = ServerHandshake::new(&Config::default());
/// let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
/// input.extend_from_slice(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\n");
/// assert!(handshake.receive(&mut input, &mut output)?.is_none(), "more is to come");
///
/// input.extend_from_slice(b"Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n");
/// input.extend_from_slice(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
/// if let Some(request) = handshake.receive(&mut input, &mut output)? {
///     let ws = request.accept().send(&mut output)?;
/// }
/// assert!(output.starts_with(b"HTTP/1.1 101 "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ServerHandshake {
    config: Config,
    scanner: HeadScanner,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The request has not all come.
    Reading,
    /// It was handed to the application; what is in the input is the connection's.
    Requested,
    /// It was refused, or the stream has ended.
    Over,
}

impl ServerHandshake {
    /// A handshake whose connection will have this configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self { config: config.clone(), scanner: HeadScanner::default(), progress: Progress::Reading }
    }

    /// The request, once all of its head has come; answer it with [`Request::accept`] or [`Request::reject`]. `None`:
    /// read more. What comes behind the head stays in the input, for the connection.
    ///
    /// # Errors
    /// What is wrong with the request. The response that says so is in `output`: write it and close the stream, the
    /// sending half first. Whatever else comes is discarded.
    pub fn receive<'i>(
        &mut self,
        input: &'i mut ReadBuffer,
        output: &mut Vec<u8>,
    ) -> Result<Option<Request<'i>>, HandshakeError> {
        let Some((target, fields)) = self.receive_head(input, output)? else { return Ok(None) };
        match Request::upgrade(target, fields, &self.config) {
            Ok(request) => Ok(Some(request)),
            Err(error) => Err(self.refuse(error, output)),
        }
    }

    /// The same for a server that has pages, too: a GET that is for no WebSocket is handed out as well.
    ///
    /// ```
    /// use websocket_proto::handshake::{Asked, ServerHandshake};
    /// use websocket_proto::{Config, ReadBuffer};
    ///
    /// let mut handshake = ServerHandshake::new(&Config::default());
    /// let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    /// input.extend_from_slice(b"GET /health HTTP/1.1\r\nHost: server.example.com\r\n\r\n");
    /// match handshake.receive_any(&mut input, &mut output)? {
    ///     Some(Asked::Page(page)) if page.path() == "/health" => page.answer(200).body(b"well").send(&mut output)?,
    ///     Some(Asked::Page(page)) => page.answer(404).send(&mut output)?,
    ///     Some(Asked::WebSocket(request)) => drop(request.accept().send(&mut output)?),
    ///     None => {} // read more
    /// }
    /// assert!(output.starts_with(b"HTTP/1.1 200 ") && output.ends_with(b"well"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`receive`](Self::receive), but that of a request that is no upgrade. Other methods than GET are refused.
    pub fn receive_any<'i>(
        &mut self,
        input: &'i mut ReadBuffer,
        output: &mut Vec<u8>,
    ) -> Result<Option<Asked<'i>>, HandshakeError> {
        let Some((target, fields)) = self.receive_head(input, output)? else { return Ok(None) };
        if !is_upgrade(&fields) && check_no_body(&fields).is_ok() {
            self.progress = Progress::Over;
            return Ok(Some(Asked::Page(PageRequest::new(target, fields))));
        }
        match Request::upgrade(target, fields, &self.config) {
            Ok(request) => Ok(Some(Asked::WebSocket(request))),
            Err(error) => Err(self.refuse(error, output)),
        }
    }

    /// The head of a GET, once all of it has come.
    fn receive_head<'i>(
        &mut self,
        input: &'i mut ReadBuffer,
        output: &mut Vec<u8>,
    ) -> Result<Option<(Target<'i>, KnownFields<'i>)>, HandshakeError> {
        match self.progress {
            Progress::Reading => {}
            Progress::Requested => return Ok(None),
            Progress::Over => {
                input.clear();
                return Ok(None);
            }
        }
        let size = match self.scanner.scan(input.unparsed(), &self.config.limits) {
            Ok(Some(size)) => size,
            Ok(None) => return Ok(None),
            Err(error) => {
                input.clear();
                return Err(self.refuse(error, output));
            }
        };
        self.progress = Progress::Requested;
        let head = input.skip(size);
        match parse_get(input.at(head)) {
            Ok(head) => Ok(Some(head)),
            Err(error) => Err(self.refuse(error, output)),
        }
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// [`HandshakeError::UnexpectedEof`] if the request had not come.
    pub fn receive_eof(&mut self) -> Result<(), HandshakeError> {
        match core::mem::replace(&mut self.progress, Progress::Over) {
            Progress::Reading => Err(HandshakeError::UnexpectedEof),
            Progress::Requested | Progress::Over => Ok(()),
        }
    }

    fn refuse(&mut self, error: HandshakeError, output: &mut Vec<u8>) -> HandshakeError {
        self.progress = Progress::Over;
        put_refusal(error, output);
        error
    }
}

/// A client's request to open a WebSocket, found to be one; to be answered once.
///
/// `A` is how it is answered: [`Raw`], for one that a [`ServerHandshake`] has read, into the output; [`Parsed`], for
/// one that another HTTP stack has read, by a value for that stack. To reject one of those is to have that stack send
/// any other response.
#[derive(Debug)]
#[must_use = "a request that is not answered leaves the client waiting"]
pub struct Request<'i, A = Raw> {
    target: Target<'i>,
    headers: Headers<'i>,
    origin: Option<&'i [u8]>,
    subprotocols: Vec<&'i str>,
    pub(super) extensions: Vec<Extension<'i>>,
    pub(super) opening: Opening<'i>,
    pub(super) expects_continue: bool,
    pub(super) config: Config,
    answered: PhantomData<A>,
}

/// A [`Request`] that is answered in the output.
#[derive(Debug)]
pub enum Raw {}

/// A [`Request`] that is answered by a value.
#[derive(Debug)]
pub enum Parsed {}

/// How the client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening<'i> {
    /// By a GET with this key (RFC 6455 §4.2.1).
    Upgrade { key: &'i [u8] },
    /// By an extended CONNECT (RFC 8441 §5).
    ExtendedConnect,
}

impl Request<'_> {
    /// Rejects with a status of 200 to 599: 401 (with a `WWW-Authenticate` header), 403, 404, 503, a redirection (with
    /// `Location`), or any other.
    pub fn reject(self, status: u16) -> Rejection<'static> {
        Rejection::new(status)
    }
}

impl<'i, A> Request<'i, A> {
    /// Accepts: the builder's last call gives the response and the connection.
    pub fn accept(self) -> Accept<'i, A> {
        Accept::new(self)
    }

    /// The path of the resource, such as `/chat`, as it was sent.
    #[must_use]
    pub fn path(&self) -> &'i str {
        self.target.path
    }

    /// The query behind the path, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&'i str> {
        self.target.query
    }

    /// Host and port that the client asked for, as they were sent: those of an absolute request target, else those of
    /// the Host field.
    #[must_use]
    pub fn authority(&self) -> &'i str {
        self.target.authority
    }

    /// All header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers<'i> {
        &self.headers
    }

    /// The origin of the page that a browser connects from; `None` for a client that is no browser (§10.2). To be
    /// judged by an [`OriginPolicy`](super::OriginPolicy).
    #[must_use]
    pub fn origin(&self) -> Option<&'i [u8]> {
        self.origin
    }

    /// The subprotocols that the client offers, best first.
    #[must_use]
    pub fn subprotocols(&self) -> &[&'i str] {
        &self.subprotocols
    }

    /// The first of these subprotocols that the client offers: the server's order decides.
    ///
    /// ```
    /// # use websocket_proto::{handshake::Request, Connection, HeadError};
    /// fn accept(request: Request<'_>, output: &mut Vec<u8>) -> Result<Connection, HeadError> {
    ///     match request.select_subprotocol(&["chat.v2", "chat"]) {
    ///         Some(name) => request.accept().subprotocol(name).send(output),
    ///         None => request.accept().send(output),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn select_subprotocol(&self, supported: &[impl AsRef<str>]) -> Option<&'i str> {
        supported.iter().find_map(|name| self.subprotocols.iter().find(|offered| **offered == name.as_ref()).copied())
    }

    /// The extensions that the client offers, best first.
    #[must_use]
    pub fn extensions(&self) -> &[Extension<'i>] {
        &self.extensions
    }

    /// The checks that are the same for every way of asking.
    pub(super) fn negotiate(
        target: Target<'i>,
        fields: KnownFields<'i>,
        opening: Opening<'i>,
        config: &Config,
    ) -> Result<Self, HandshakeError> {
        Ok(Self {
            target,
            origin: fields.single(Name::Origin)?,
            subprotocols: offered_subprotocols(&fields)?,
            extensions: extensions(&fields)?,
            expects_continue: expects_continue(&fields)?,
            headers: fields.headers,
            opening,
            config: config.clone(),
            answered: PhantomData,
        })
    }

    /// The checks of §4.2.1 on the fields of a GET.
    pub(super) fn upgrade(
        target: Target<'i>,
        fields: KnownFields<'i>,
        config: &Config,
    ) -> Result<Self, HandshakeError> {
        check_no_body(&fields)?;
        if !is_upgrade(&fields) {
            return Err(HandshakeError::NotAnUpgrade);
        }
        check_version(&fields)?;
        let key = fields.single(Name::Key)?.filter(|key| is_key(key)).ok_or(HandshakeError::InvalidKey)?;
        Self::negotiate(target, fields, Opening::Upgrade { key }, config)
    }
}

/// The checks of §4.2.1 on all but the fields of a GET.
fn parse_get(head: &[u8]) -> Result<(Target<'_>, KnownFields<'_>), HandshakeError> {
    let (line, lines) = parse_request_line(head)?;
    let fields = KnownFields::parse(lines)?;
    if !line.version.is_supported() {
        return Err(HandshakeError::UnsupportedHttpVersion);
    }
    if line.method != b"GET" {
        return Err(HandshakeError::MethodNotAllowed);
    }
    let host = fields.single(Name::Host).ok().flatten().and_then(parse_host).ok_or(HandshakeError::InvalidHost)?;
    Ok((Target::parse(line.target, host)?, fields))
}

/// Whether a GET asks for a WebSocket.
fn is_upgrade(fields: &KnownFields<'_>) -> bool {
    fields.has_token(Name::Connection, "Upgrade") && fields.has_token(Name::Upgrade, "websocket")
}

/// A request to upgrade has no body: its octets could pass for frames (RFC 9112 §6).
fn check_no_body(fields: &KnownFields<'_>) -> Result<(), HandshakeError> {
    let is_empty = fields.lines(Name::ContentLength).all(|len| trim(len) == b"0");
    match is_empty && !fields.has(Name::TransferEncoding) {
        true => Ok(()),
        false => Err(HandshakeError::BodyNotAllowed),
    }
}

/// Whether the client waits for a 100 before anything else (RFC 9110 §7.8, §10.1.1).
fn expects_continue(fields: &KnownFields<'_>) -> Result<bool, HandshakeError> {
    match fields.single(Name::Expect)? {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case(b"100-continue") => Ok(true),
        Some(_) => Err(HandshakeError::ExpectationFailed),
    }
}
