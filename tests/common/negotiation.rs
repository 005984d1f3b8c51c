//! What the tests of permessage-deflate's negotiation share: both roles, through every door; and a naive reader of what
//! they say.

use websocket_proto::deflate::{DeflateConfig, DeflateParams};
use websocket_proto::handshake::{Answer, ClientRequest, ExtendedConnect, Request, ServerHandshake, Uri};
use websocket_proto::wire::extension;
use websocket_proto::{Config, HandshakeError, ReadBuffer};

use super::handshake::{random_from, read_response, request_with, response_with, values};

/// A configuration, by its differences from the default.
pub fn config(change: impl FnOnce(&mut DeflateConfig)) -> DeflateConfig {
    let mut config = DeflateConfig::default();
    change(&mut config);
    config
}

/// The same configuration, which does without its limits.
pub fn or_without(strict: &DeflateConfig) -> DeflateConfig {
    let mut config = strict.clone();
    config.fallback = true;
    config
}

/// A text with the extension's name in the place of `pmd`.
pub fn spelled(text: &str) -> String {
    text.replace("pmd", "permessage-deflate")
}

/// All of a configuration.
pub fn whole(deflate: Option<&DeflateConfig>) -> Config {
    let mut config = Config::default();
    config.deflate = deflate.cloned();
    config
}

/// Header lines, one for each line of the text.
fn header_lines(text: Option<&str>) -> String {
    let lines = text.into_iter().flat_map(|text| text.split('\n'));
    lines.flat_map(|line| ["Sec-WebSocket-Extensions:", line, "\r\n"]).collect()
}

/// The values of the header lines, one for each line of the text, as HTTP/2 has them.
fn fields(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    lines.split('\n').map(|line| ("sec-websocket-extensions", line.trim_matches([' ', '\t'])))
}

/// What a server agrees on, and its answer, to offers, each line of the text in a header line of its own: over
/// HTTP/1.1, by extended CONNECT, and by the function alone; all of them have to be the same.
pub fn serve(deflate: &DeflateConfig, offers: &str) -> Result<Option<(DeflateParams, String)>, HandshakeError> {
    let config = whole(Some(deflate));
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(&request_with("Origin", &header_lines(Some(offers))));
    let served = ServerHandshake::new(&config).receive(&mut input, &mut output);
    let served = served.map(|request| {
        let agreed = request.unwrap().accept().send(&mut output).unwrap().deflate();
        let (status, fields, _) = read_response(&output);
        assert_eq!(status, 101);
        (agreed, values(&fields, "Sec-WebSocket-Extensions").join("|"))
    });

    let head = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "server.example.com"),
        ("sec-websocket-version", "13"),
    ];
    let request = Request::extended_connect(head.into_iter().chain(fields(offers)), &config);
    let connected = request.map_err(|refusal| refusal.error()).map(|request| {
        let (head, ws) = request.accept().respond().unwrap();
        let fields: Vec<_> = head.fields().collect();
        assert_eq!(fields[0], (":status", &b"200"[..]));
        let answers = fields[1..].iter().inspect(|(name, _)| assert_eq!(*name, "sec-websocket-extensions"));
        let answers: Vec<_> = answers.map(|(_, value)| std::str::from_utf8(value).unwrap()).collect();
        (ws.deflate(), answers.join("|"))
    });
    assert_eq!(served, connected, "{offers:?}");

    let parsed = extension::parse(offers.split('\n').map(str::as_bytes));
    let accepted = parsed.map_err(|_| HandshakeError::InvalidExtensions).map(|offers| deflate.accept(&offers));
    match served {
        Ok((Some(params), answer)) => assert_eq!(accepted, Ok(Some((params, answer))), "{offers:?}"),
        Ok((None, answer)) => assert_eq!((&accepted, &*answer), (&Ok(None), ""), "{offers:?}"),
        Err(error) => assert_eq!(accepted, Err(error), "{offers:?}"),
    }
    accepted
}

/// What a client finds agreed in a response, each line of the text in a header line of its own: over HTTP/1.1, by
/// extended CONNECT, and by the function alone; all of them have to be the same.
pub fn answer(
    deflate: Option<&DeflateConfig>,
    response: Option<&str>,
) -> Result<Option<DeflateParams>, HandshakeError> {
    let config = whole(deflate);
    let agreed = |answer: Option<Answer<'_>>| match answer {
        Some(Answer::Accepted { connection, .. }) => connection.deflate(),
        answer => panic!("{answer:?}"),
    };
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let random = random_from(b"the sample nonce");
    let request = ClientRequest::new(&uri);
    let mut handshake = request.clone().send_with_random(&config, random, &mut output).unwrap();
    input.extend_from_slice(&response_with("Sec-WebSocket-Protocol", &header_lines(response)));
    let answered = handshake.receive(&mut input).map(agreed);

    let (_, mut handshake) = request.extended_connect(ExtendedConnect::Enabled, &config).unwrap();
    let fields: Vec<_> = [(":status", "200")].into_iter().chain(response.into_iter().flat_map(fields)).collect();
    assert_eq!(handshake.receive(fields.iter().copied()).map(agreed), answered, "{response:?}");

    if let Some(deflate) = deflate {
        let parsed =
            extension::parse(response.into_iter().flat_map(|response| response.split('\n')).map(str::as_bytes));
        let parsed = parsed.map_err(|_| HandshakeError::InvalidExtensions);
        assert_eq!(parsed.and_then(|response| deflate.settle(&response)), answered, "{response:?}");
    }
    answered
}

/// What is agreed, as it is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naive {
    pub server_takeover: bool,
    pub client_takeover: bool,
    pub server_bits: u8,
    pub client_bits: u8,
}

impl From<DeflateParams> for Naive {
    fn from(params: DeflateParams) -> Self {
        Self {
            server_takeover: !params.server_no_context_takeover(),
            client_takeover: !params.client_no_context_takeover(),
            server_bits: params.server_max_window_bits(),
            client_bits: params.client_max_window_bits(),
        }
    }
}

/// What a response says, which is known to be valid and in its plainest form: what it does not say is 15, and kept.
pub fn naive_params(response: &str) -> Naive {
    let bits = |name: &str| {
        let value = response.split("; ").find_map(|param| param.strip_prefix(name)?.strip_prefix('='));
        value.map_or(15, |value| value.parse().unwrap())
    };
    Naive {
        server_takeover: !response.contains("server_no_context_takeover"),
        client_takeover: !response.contains("client_no_context_takeover"),
        server_bits: bits("server_max_window_bits"),
        client_bits: bits("client_max_window_bits"),
    }
}
