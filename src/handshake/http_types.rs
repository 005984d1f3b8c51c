//! The types of the `http` crate: what do servers and clients that speak them hand over?

use http::{HeaderMap, Method, Version};

use super::answer::Answer;
use super::connect::ConnectHandshake;
use super::head::Headers;
use super::parsed::{Refusal, RequestHead, ResponseHead};
use super::pseudo::{Fields, check_connection_fields};
use super::server::{Parsed, Request};
use super::target::{Target, is_host};
use crate::config::Config;
use crate::error::HandshakeError;

impl<'i> Request<'i, Parsed> {
    /// A request that another server has read: an upgrade over HTTP/1.1, or an extended CONNECT over HTTP/2 or HTTP/3.
    ///
    /// `protocol` is the value of the pseudo-header field `:protocol`, which the `http` crate has no place for: the HTTP/2
    /// libraries put it among the request's extensions, as `h2::ext::Protocol` or `hyper::ext::Protocol`.
    /// [`Accept::respond`](super::Accept::respond) gives what to answer; the connection's octets are those of the upgraded
    /// stream. Whether there has to be a Host field, whether the head is too long, and a `100-continue` are up to the other
    /// server.
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
    /// let response = http::Response::try_from(&head)?;
    /// assert_eq!(response.status(), http::StatusCode::SWITCHING_PROTOCOLS);
    /// assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ///
    /// let refusal = Request::from_http(&http::Request::new(()), None, &Config::default()).unwrap_err();
    /// let response = http::Response::try_from(refusal.response())?;
    /// assert_eq!(response.status(), http::StatusCode::UPGRADE_REQUIRED);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_http<B>(
        request: &'i http::Request<B>,
        protocol: Option<&'i str>,
        config: &Config,
    ) -> Result<Self, Refusal> {
        let headers = headers(request.headers());
        match request.version() {
            Version::HTTP_11 => Self::get(request, headers, config).map_err(Refusal::of_upgrade),
            Version::HTTP_2 | Version::HTTP_3 => {
                let uri = request.uri();
                // the crate has no place for a scheme without an authority, which the Host field may have
                let scheme = uri.scheme_str().or_else(|| uri.authority().is_none().then_some("https"));
                let pseudo = [
                    Some(request.method().as_str()),
                    protocol,
                    scheme,
                    uri.path_and_query().map(http::uri::PathAndQuery::as_str),
                    uri.authority().map(http::uri::Authority::as_str),
                ];
                let pseudo = pseudo.map(|value| value.map(str::as_bytes));
                check_connection_fields(&headers)
                    .and_then(|()| Self::connect(Fields { pseudo, headers }, config))
                    .map_err(Refusal::of_connect)
            }
            _ => Err(Refusal::of_upgrade(HandshakeError::UnsupportedHttpVersion)),
        }
    }

    fn get<B>(request: &'i http::Request<B>, headers: Headers<'i>, config: &Config) -> Result<Self, HandshakeError> {
        if request.method() != Method::GET {
            return Err(HandshakeError::MethodNotAllowed);
        }
        let host = match headers.single("Host") {
            Ok(None) => b"",
            Ok(Some(host)) if is_host(host) => host,
            _ => return Err(HandshakeError::InvalidHost),
        };
        let uri = request.uri();
        let target = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        let authority = uri.authority().map_or(host, |authority| authority.as_str().as_bytes());
        if !target.starts_with('/') || !is_host(authority) {
            return Err(HandshakeError::InvalidTarget);
        }
        Self::upgrade(Target::parse(target.as_bytes(), authority)?, headers, config)
    }
}

impl ConnectHandshake {
    /// [`receive`](Self::receive), for a response whose head another client has read.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    ///
    /// ```
    /// use websocket_proto::Config;
    /// use websocket_proto::handshake::{Answer, ClientRequest, ExtendedConnect, Uri};
    ///
    /// let uri = Uri::parse("wss://server.example.com/chat")?;
    /// let (head, mut handshake) =
    ///     ClientRequest::new(&uri).extended_connect(ExtendedConnect::Enabled, &Config::default())?;
    /// let request = http::Request::try_from(&head)?; // add ExtendedConnect::PROTOCOL to its extensions, and send it
    /// assert_eq!(request.method(), http::Method::CONNECT);
    /// assert_eq!(request.uri(), "https://server.example.com/chat");
    ///
    /// let response = http::Response::new(());
    /// let Some(Answer::Accepted { connection, .. }) = handshake.receive_http(&response)? else { panic!() };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive_http<'i, B>(
        &mut self,
        response: &'i http::Response<B>,
    ) -> Result<Option<Answer<'i>>, HandshakeError> {
        let headers = headers(response.headers());
        match check_connection_fields(&headers) {
            Ok(()) => self.judge(response.status().as_u16(), headers),
            Err(error) => Err(self.fail(error)),
        }
    }
}

/// The response, with all its fields. Fails only where the `http` crate has limits of its own, such as on a name of 64 KiB.
impl TryFrom<&ResponseHead> for http::Response<()> {
    type Error = http::Error;

    fn try_from(head: &ResponseHead) -> Result<Self, http::Error> {
        let mut response = Self::builder().status(head.status());
        for (name, value) in head.fields() {
            response = response.header(name, value);
        }
        response.body(())
    }
}

/// The request, for HTTP/2, with all its fields but `:protocol`: that goes where the client's library wants it, such as
/// among the extensions as `h2::ext::Protocol` or `hyper::ext::Protocol`. Fails only where the `http` crate has limits of
/// its own, such as on a host with a percent sign.
impl TryFrom<&RequestHead> for http::Request<()> {
    type Error = http::Error;

    fn try_from(head: &RequestHead) -> Result<Self, http::Error> {
        let (mut request, mut uri) = (Self::builder().version(Version::HTTP_2), http::Uri::builder());
        for (name, value) in head.fields() {
            match name {
                ":method" => request = request.method(value),
                ":scheme" => uri = uri.scheme(value),
                ":authority" => uri = uri.authority(value),
                ":path" => uri = uri.path_and_query(value),
                ":protocol" => {}
                _ => request = request.header(name, value),
            }
        }
        request.uri(uri.build()?).body(())
    }
}

fn headers(map: &HeaderMap) -> Headers<'_> {
    Headers::from_fields(map.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
}
