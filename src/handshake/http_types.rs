//! The types of the `http` crate: what do servers and clients that speak them hand over?

use http::{HeaderMap, Method, Version};

use super::answer::Answer;
use super::connect::{ConnectHandshake, PSEUDO_FIELDS};
use super::headers::trim;
use super::known::{KnownFields, Name};
use super::parsed::{Refusal, RequestHead, ResponseHead};
use super::pseudo::Fields;
use super::server::{Parsed, Request};
use super::target::{Target, is_host, is_http};
use crate::config::Config;
use crate::error::HandshakeError;

impl<'i> Request<'i, Parsed> {
    /// A request that another server has read: an upgrade over HTTP/1.1, or an extended CONNECT over HTTP/2 or HTTP/3.
    ///
    /// `protocol` is the value of the pseudo-header field `:protocol`, which the `http` crate has no place for: the
    /// HTTP/2 libraries put it among the request's extensions, as `h2::ext::Protocol` or `hyper::ext::Protocol`.
    /// [`Accept::respond`](super::Accept::respond) gives what to answer; the connection's octets are those of the
    /// upgraded stream. To reject the request is to send any other response. Whether there has to be a Host field, how
    /// long the head may be, and a `100-continue` are up to the other server.
    ///
    /// # Errors
    /// What is wrong with the request, and what to answer.
    ///
    /// ```
    /// use websocket_proto::Config;
    /// use websocket_proto::handshake::Request;
    ///
    /// let request = http::Request::get("/chat")
    ///     .header("Host", "server.example.com")
    ///     .header("Upgrade", "websocket")
    ///     .header("Connection", "keep-alive, Upgrade")
    ///     .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .header("Sec-WebSocket-Version", "13")
    ///     .body(())?;
    /// let (head, ws) = Request::from_http(&request, None, &Config::default())?.accept().respond()?;
    /// let response = head.to_http()?;
    /// assert_eq!(response.status(), http::StatusCode::SWITCHING_PROTOCOLS);
    /// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ///
    /// let refusal = Request::from_http(&http::Request::new(()), None, &Config::default()).unwrap_err();
    /// let response = refusal.response().to_http()?;
    /// assert_eq!(response.status(), http::StatusCode::UPGRADE_REQUIRED);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_http<B>(
        request: &'i http::Request<B>,
        protocol: Option<&'i str>,
        config: &Config,
    ) -> Result<Self, Refusal> {
        match request.version() {
            Version::HTTP_11 => Self::from_get(request, config).map_err(Refusal::of_upgrade),
            Version::HTTP_2 | Version::HTTP_3 => {
                Self::from_connect(request, protocol, config).map_err(Refusal::of_connect)
            }
            _ => Err(Refusal::of_upgrade(HandshakeError::UnsupportedHttpVersion)),
        }
    }

    fn from_get<B>(request: &'i http::Request<B>, config: &Config) -> Result<Self, HandshakeError> {
        if request.method() != Method::GET {
            return Err(HandshakeError::MethodNotAllowed);
        }
        let fields = request.headers().iter().map(|(name, value)| (name.as_str(), trim(value.as_bytes())));
        let known = KnownFields::of_fields(fields.collect());
        let host = match known.single(Name::Host) {
            Ok(host) if host.is_none_or(is_host) => host.and_then(|host| str::from_utf8(host).ok()),
            _ => return Err(HandshakeError::InvalidHost),
        };
        let uri = request.uri();
        let authority = uri.authority().map(http::uri::Authority::as_str);
        if !authority.is_none_or(|authority| is_host(authority.as_bytes()))
            || !uri.scheme_str().is_none_or(|scheme| is_http(scheme.as_bytes()))
        {
            return Err(HandshakeError::InvalidTarget);
        }
        let target = Target::new(uri.path(), uri.query(), authority.or(host).unwrap_or_default())?;
        Self::upgrade(target, known, config)
    }

    fn from_connect<B>(
        request: &'i http::Request<B>,
        protocol: Option<&'i str>,
        config: &Config,
    ) -> Result<Self, HandshakeError> {
        let uri = request.uri();
        // the crate has no place for a scheme without an authority, as it is when the Host field has that
        let scheme = uri.scheme_str().or_else(|| uri.authority().is_none().then_some("https"));
        let pseudo = [
            (":method", Some(request.method().as_str())),
            (":protocol", protocol),
            (":scheme", scheme),
            (":path", uri.path_and_query().map(http::uri::PathAndQuery::as_str)),
            (":authority", uri.authority().map(http::uri::Authority::as_str)),
        ];
        let pseudo = pseudo.into_iter().filter_map(|(name, value)| Some((name.as_bytes(), value?.as_bytes())));
        Self::connect(Fields::parse(pseudo.chain(octets(request.headers())), PSEUDO_FIELDS)?, config)
    }
}

impl ConnectHandshake {
    /// [`receive`](Self::receive), for a response whose head another client has read.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), and [`HandshakeError::UnsupportedHttpVersion`] for a response that is not of
    /// HTTP/2 or HTTP/3.
    ///
    /// ```
    /// use websocket_proto::Config;
    /// use websocket_proto::handshake::{Answer, ClientRequest, ExtendedConnect, Uri};
    ///
    /// let uri = Uri::parse("wss://server.example.com/chat")?;
    /// let (head, mut handshake) =
    ///     ClientRequest::new(&uri).extended_connect(ExtendedConnect::Enabled, &Config::default())?;
    /// # #[derive(Clone)]
    /// # struct Protocol(&'static str);
    /// let request = head.to_http(Protocol(ExtendedConnect::PROTOCOL))?; // Protocol is that of h2 or hyper
    /// assert_eq!(request.method(), http::Method::CONNECT);
    /// assert_eq!(request.uri(), "https://server.example.com/chat");
    ///
    /// let response = http::Response::builder().version(http::Version::HTTP_2).body(())?;
    /// let Some(Answer::Accepted { connection, .. }) = handshake.receive_http(&response)? else { panic!() };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive_http<'i, B>(
        &mut self,
        response: &'i http::Response<B>,
    ) -> Result<Option<Answer<'i>>, HandshakeError> {
        self.judge(match response.version() {
            Version::HTTP_2 | Version::HTTP_3 => Fields::parse(octets(response.headers()), [])
                .map(|Fields { known, .. }| (response.status().as_u16(), known)),
            _ => Err(HandshakeError::UnsupportedHttpVersion),
        })
    }
}

impl RequestHead {
    /// The request, with all its fields; for HTTP/2, which a stack of HTTP/3 sends as well.
    ///
    /// `protocol` is what the client's library takes for `:protocol` among the request's extensions, such as
    /// `h2::ext::Protocol` or `hyper::ext::Protocol`, made from [`ExtendedConnect::PROTOCOL`]. Without it, the request
    /// would be for a tunnel.
    ///
    /// # Errors
    /// Where the `http` crate has limits of its own, such as on a host with a percent sign.
    ///
    /// [`ExtendedConnect::PROTOCOL`]: super::ExtendedConnect::PROTOCOL
    pub fn to_http<P>(&self, protocol: P) -> http::Result<http::Request<()>>
    where
        P: Clone + Send + Sync + 'static,
    {
        let (mut request, mut uri) = (http::Request::builder().version(Version::HTTP_2), http::Uri::builder());
        for (name, value) in self.fields() {
            match name {
                ":method" => request = request.method(value),
                ":scheme" => uri = uri.scheme(value),
                ":authority" => uri = uri.authority(value),
                ":path" => uri = uri.path_and_query(value),
                ":protocol" => {}
                _ => request = request.header(name, value),
            }
        }
        request.uri(uri.build()?).extension(protocol).body(())
    }
}

impl ResponseHead {
    /// The response, with all its fields; for HTTP/2 where the request was an extended CONNECT, which a stack of HTTP/3
    /// sends as well.
    ///
    /// # Errors
    /// Where the `http` crate has limits of its own, such as on a name of 64 KiB.
    pub fn to_http(&self) -> http::Result<http::Response<()>> {
        let mut response = http::Response::builder().status(self.status());
        for (name, value) in self.fields() {
            response = match name {
                ":status" => response.version(Version::HTTP_2),
                _ => response.header(name, value),
            };
        }
        response.body(())
    }
}

/// The fields as octets.
fn octets(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
}
