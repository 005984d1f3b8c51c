//! RFC 8441, RFC 9220: how is a WebSocket opened over a stream of HTTP/2 or HTTP/3?

use super::answer::{Answer, Offer, Response};
use super::body::Body;
use super::client::ClientRequest;
use super::head::{HttpVersion, parse_status};
use super::known::{KnownFields, Name};
use super::negotiate::check_version;
use super::parsed::{Refusal, RequestHead};
use super::pseudo::Fields;
use super::server::{Opening, Parsed, Request};
use super::setting::ExtendedConnect;
use super::target::{Target, is_http, is_same_authority, parse_host};
use crate::config::Config;
use crate::error::{HandshakeError, HeadError};
use crate::send::Random;

impl<'i> Request<'i, Parsed> {
    /// A request by extended CONNECT, from all its fields in order, names and values. The checks are those of RFC 8441
    /// §4 and §5, and of [`ServerHandshake::receive`](super::ServerHandshake::receive) where they apply.
    /// [`Accept::respond`](super::Accept::respond) gives what to answer; to reject the request is to send any other
    /// response. How long its head may be is up to the HTTP stack.
    ///
    /// # Errors
    /// What is wrong with the request, and what to answer.
    ///
    /// ```
    /// use websocket_proto::Config;
    /// use websocket_proto::handshake::Request;
    ///
    /// let fields = [
    ///     (":method", "CONNECT"),
    ///     (":protocol", "websocket"),
    ///     (":scheme", "https"),
    ///     (":path", "/chat"),
    ///     (":authority", "server.example.com"),
    ///     ("sec-websocket-protocol", "chat, superchat"),
    ///     ("sec-websocket-version", "13"),
    /// ];
    /// let request = Request::extended_connect(fields, &Config::default())?;
    /// assert_eq!((request.path(), request.authority()), ("/chat", "server.example.com"));
    ///
    /// let (head, ws) = request.accept().subprotocol("chat").respond()?;
    /// assert!(head.fields().eq([(":status", &b"200"[..]), ("sec-websocket-protocol", b"chat")]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn extended_connect<N, V>(
        fields: impl IntoIterator<Item = (&'i N, &'i V)>,
        config: &Config,
    ) -> Result<Self, Refusal>
    where
        N: AsRef<[u8]> + ?Sized + 'i,
        V: AsRef<[u8]> + ?Sized + 'i,
    {
        let fields = fields.into_iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let parsed = Fields::parse(fields, PSEUDO_FIELDS);
        parsed.and_then(|fields| Self::connect(fields, config)).map_err(Refusal::of_connect)
    }

    pub(super) fn connect(fields: Fields<'i, 5>, config: &Config) -> Result<Self, HandshakeError> {
        let Fields { pseudo: [method, protocol, scheme, path, authority], known } = fields;
        match (method, protocol) {
            (Some(b"CONNECT"), Some(name)) if name.eq_ignore_ascii_case(ExtendedConnect::PROTOCOL.as_bytes()) => {}
            (Some(b"CONNECT"), Some(_)) => return Err(HandshakeError::UnsupportedProtocol),
            (Some(b"CONNECT"), None) => return Err(HandshakeError::NotAnUpgrade),
            (Some(_), None) => return Err(HandshakeError::MethodNotAllowed),
            _ => return Err(HandshakeError::MalformedHead),
        }
        let (Some(scheme), Some(path)) = (scheme, path) else { return Err(HandshakeError::MalformedHead) };
        if !is_http(scheme) || !path.starts_with(b"/") {
            return Err(HandshakeError::InvalidTarget);
        }
        if known.has(Name::ContentLength) {
            return Err(HandshakeError::BodyNotAllowed);
        }
        let host = match (authority, known.single(Name::Host)) {
            (Some(authority), Ok(Some(host))) if !is_same_authority(scheme, authority, host) => None,
            (Some(host), Ok(_)) | (None, Ok(Some(host))) => Some(host),
            _ => None,
        };
        let host = host.and_then(parse_host).filter(|host| !host.is_empty()).ok_or(HandshakeError::InvalidHost)?;
        let target = Target::parse(path, host)?;
        check_version(&known)?;
        Self::negotiate(target, known, Opening::ExtendedConnect, config)
    }
}

impl ClientRequest<'_> {
    /// The request for a WebSocket over a stream of HTTP/2 or HTTP/3, whose stack is to send it; masking keys come from
    /// the thread's CSPRNG. Nothing else is to be sent on the stream until the response has come.
    ///
    /// # Errors
    /// As [`extended_connect_with_random`](Self::extended_connect_with_random).
    ///
    /// ```
    /// use websocket_proto::handshake::{Answer, ClientRequest, ExtendedConnect, Uri};
    /// use websocket_proto::Config;
    ///
    /// let uri = Uri::parse("wss://server.example.com/chat")?;
    /// let request = ClientRequest::new(&uri).subprotocol("chat");
    /// let (head, mut handshake) = request.extended_connect(ExtendedConnect::Enabled, &Config::default())?;
    /// let pseudo: Vec<_> = head.fields().take(5).collect();
    /// assert_eq!(pseudo[..2], [(":method", &b"CONNECT"[..]), (":protocol", b"websocket")]);
    /// assert_eq!(pseudo[2..], [(":scheme", &b"https"[..]), (":path", b"/chat"), (":authority", b"server.example.com")]);
    ///
    /// let response = [(":status", "200"), ("sec-websocket-protocol", "chat")];
    /// let Some(Answer::Accepted { connection, response, .. }) = handshake.receive(response)? else { panic!() };
    /// assert_eq!(response.subprotocol(), Some("chat"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn extended_connect(
        self,
        setting: ExtendedConnect,
        config: &Config,
    ) -> Result<(RequestHead, ConnectHandshake), HeadError> {
        self.extended_connect_with_random(setting, config, Random::default())
    }

    /// The request for a WebSocket over a stream of HTTP/2 or HTTP/3, with a source of masking keys.
    ///
    /// # Errors
    /// [`HeadError::ExtendedConnectDisabled`] if the server's settings have not come or do not allow it; else as
    /// [`send_with_random`](Self::send_with_random).
    pub fn extended_connect_with_random(
        self,
        setting: ExtendedConnect,
        config: &Config,
        random: Random,
    ) -> Result<(RequestHead, ConnectHandshake), HeadError> {
        if setting == ExtendedConnect::Disabled {
            return Err(HeadError::ExtendedConnectDisabled);
        }
        let mut head = RequestHead::default();
        head.put(":method", b"CONNECT");
        head.put(":protocol", ExtendedConnect::PROTOCOL.as_bytes());
        head.put(":scheme", if self.uri.is_secure() { b"https" } else { b"http" });
        head.put(":path", self.uri.resource_name().as_bytes());
        head.put(":authority", self.uri.host_header().as_bytes());
        let offer = self.offer(config, |name, value| head.put(name, value))?;
        Ok((head, ConnectHandshake { offer, random: Some(random) }))
    }
}

/// The pseudo-header fields of a request (RFC 9113 §8.3.1, RFC 8441 §4).
pub(super) const PSEUDO_FIELDS: [&str; 5] = [":method", ":protocol", ":scheme", ":path", ":authority"];

/// The client's side of an extended CONNECT, from its request until the server's response is there.
#[derive(Debug)]
pub struct ConnectHandshake {
    offer: Offer,
    /// For the connection; taken when the handshake is over.
    random: Option<Random>,
}

impl ConnectHandshake {
    /// The answer, from all fields of a response in order, names and values. `None` for an interim response (1xx): the
    /// answer is still to come. Every 2xx accepts (RFC 9110 §9.3.6). The octets of the stream's DATA frames, which go
    /// into a [`ReadBuffer`](crate::ReadBuffer), are the connection's, or the body's of a rejection. Trailers are
    /// nothing to it.
    ///
    /// # Errors
    /// What is wrong with the response: reset the stream, with the [`ErrorCode`](super::ErrorCode) made from it.
    pub fn receive<'i, N, V>(
        &mut self,
        fields: impl IntoIterator<Item = (&'i N, &'i V)>,
    ) -> Result<Option<Answer<'i>>, HandshakeError>
    where
        N: AsRef<[u8]> + ?Sized + 'i,
        V: AsRef<[u8]> + ?Sized + 'i,
    {
        let fields = fields.into_iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let parsed = Fields::parse(fields, [":status"]).and_then(|Fields { pseudo: [status], known }| {
            Ok((status.and_then(parse_status).ok_or(HandshakeError::MalformedHead)?, known))
        });
        self.judge(parsed)
    }

    /// Says that the stream has ended, or was reset.
    ///
    /// # Errors
    /// [`HandshakeError::UnexpectedEof`] if the response had not come.
    pub fn receive_eof(&mut self) -> Result<(), HandshakeError> {
        match self.random.take() {
            Some(_) => Err(HandshakeError::UnexpectedEof),
            None => Ok(()),
        }
    }

    /// A response that was parsed, or could not be; that ends the handshake, unless it is an interim one.
    pub(super) fn judge<'i>(
        &mut self,
        parsed: Result<(u16, KnownFields<'i>), HandshakeError>,
    ) -> Result<Option<Answer<'i>>, HandshakeError> {
        let is_interim = matches!(parsed, Ok((100 | 102..200, _)));
        let Some(random) = self.random.take_if(|_| !is_interim) else { return Ok(None) };
        let (status, fields) = parsed?;
        match status {
            // RFC 9113 §8.6: there is none
            101 => Err(HandshakeError::MalformedHead),
            200..300 => self.offer.settle(status, b"", fields, random).map(Some),
            _ => {
                let body = Body::new(HttpVersion(2, 0), status, &fields);
                Ok(Some(Answer::Rejected { response: Response::new(status, b"", fields.headers), body }))
            }
        }
    }
}
