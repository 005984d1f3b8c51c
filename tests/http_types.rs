//! The opening handshake of servers and clients that speak the types of the `http` crate.

#![cfg(feature = "http")]

mod common;

use common::handshake::{hostile, hostile_text, trimmed};
use http::{Request as HttpRequest, Response as HttpResponse, StatusCode, Version};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::handshake::{Answer, ClientRequest, ConnectHandshake, ExtendedConnect, Request, Uri};
use websocket_proto::{Config, Event, HandshakeError, HeadError, ReadBuffer};

/// The request of RFC 6455 §1.3, as another server has parsed it.
fn upgrade() -> http::request::Builder {
    HttpRequest::get("/chat?x=1")
        .header("Host", "server.example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "keep-alive, Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", "chat, superchat")
        .header("Sec-WebSocket-Version", "13")
}

fn connect() -> http::request::Builder {
    HttpRequest::connect("https://server.example.com/chat?x=1")
        .version(Version::HTTP_2)
        .header("Sec-WebSocket-Protocol", "chat, superchat")
        .header("Sec-WebSocket-Version", "13")
}

/// The error, and the response that says so.
fn refused(request: http::request::Builder, protocol: Option<&str>) -> (HandshakeError, HttpResponse<()>) {
    let request = request.body(()).unwrap();
    let refusal = Request::from_http(&request, protocol, &Config::default()).unwrap_err();
    let error = refusal.error();
    assert_eq!(refusal.to_string(), error.to_string());
    (error, refusal.response().to_http().unwrap())
}

#[test]
fn an_upgrade_that_another_server_has_parsed() {
    let request = upgrade().body("whatever").unwrap();
    let request = Request::from_http(&request, None, &Config::default()).unwrap();
    assert_eq!((request.path(), request.query(), request.authority()), ("/chat", Some("x=1"), "server.example.com"));
    assert_eq!(request.subprotocols(), ["chat", "superchat"]);
    let (head, mut ws) = request.accept().subprotocol("chat").header("Set-Cookie", "a=b").respond().unwrap();
    let response = head.to_http().unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let fields: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let expected = [
        ("upgrade", &b"websocket"[..]),
        ("connection", b"Upgrade"),
        ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("sec-websocket-protocol", b"chat"),
        ("set-cookie", b"a=b"),
    ];
    assert_eq!(fields, expected);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(&common::hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
}

#[test]
fn the_connection_is_as_its_handshake_was_told() {
    // 6455-10.4-1
    let config = common::other_config();
    for (request, protocol) in [(upgrade(), None), (connect(), Some("websocket"))] {
        let request = request.body(()).unwrap();
        let request = Request::from_http(&request, protocol, &config).unwrap();
        common::assert_other_config(request.accept().respond().unwrap().1);
    }
}

#[test]
fn a_host_may_be_missing_behind_another_server() {
    // 28-16
    let mut request = upgrade();
    request.headers_mut().unwrap().remove("host");
    let request = request.body(()).unwrap();
    assert_eq!(Request::from_http(&request, None, &Config::default()).unwrap().authority(), "");
    let request = upgrade().uri("http://a.example:81/chat").body(()).unwrap();
    assert_eq!(Request::from_http(&request, None, &Config::default()).unwrap().authority(), "a.example:81");
}

#[test]
fn what_is_an_upgrade_is_the_same_at_both_doors() {
    for (request, path, query) in [
        (upgrade().uri("http://h?x"), "/", Some("x")),
        (upgrade().uri("HTTPS://h"), "/", None),
        (upgrade().uri("/a//b?x=1?y"), "/a//b", Some("x=1?y")),
        (upgrade().header("x", " outer blanks are no part of a value\t"), "/chat", Some("x=1")),
    ] {
        let mut request = request.header("content-length", "0").body(()).unwrap();
        request.headers_mut().insert("sec-websocket-version", " 13\t".parse().unwrap());
        for i in 0..300 {
            request.headers_mut().append("x-many", i.into());
        }
        let request = Request::from_http(&request, None, &Config::default()).unwrap();
        assert_eq!((request.path(), request.query()), (path, query));
    }
}

#[test]
fn upgrades_that_are_refused() {
    // 9110-15.5.22-1, 9110-7.8-1, 6455-4.4-3, 6455-4.2.2-20
    use HandshakeError as E;
    let with = |name: &'static str, value: &'static str| {
        let mut request = upgrade();
        request.headers_mut().unwrap().insert(name, value.parse().unwrap());
        request
    };
    let without = |name: &str| {
        let mut request = upgrade();
        request.headers_mut().unwrap().remove(name);
        request
    };
    for (request, error, status) in [
        (upgrade().version(Version::HTTP_10), E::UnsupportedHttpVersion, 505),
        (upgrade().method("POST"), E::MethodNotAllowed, 405),
        (upgrade().uri("*"), E::InvalidTarget, 400),
        (upgrade().uri("h:80"), E::InvalidTarget, 400),
        (upgrade().uri("ws://h/chat"), E::InvalidTarget, 400),
        (upgrade().uri("ftp://h/chat"), E::InvalidTarget, 400),
        (upgrade().uri("http://u:p@h/chat"), E::InvalidTarget, 400),
        (upgrade().uri("http://h/{é}"), E::InvalidTarget, 400),
        (with("upgrade", "h2c"), E::NotAnUpgrade, 426),
        (with("connection", "close"), E::NotAnUpgrade, 426),
        (with("host", "a/b"), E::InvalidHost, 400),
        (upgrade().header("host", "a"), E::InvalidHost, 400),
        (with("content-length", "1"), E::BodyNotAllowed, 400),
        (with("transfer-encoding", "chunked"), E::BodyNotAllowed, 400),
        (with("expect", "magic"), E::ExpectationFailed, 417),
        (with("sec-websocket-version", "8"), E::UnsupportedVersion, 426),
        (without("sec-websocket-version"), E::MissingVersion, 400),
        (without("sec-websocket-key"), E::InvalidKey, 400),
        (without("upgrade"), E::NotAnUpgrade, 426),
        (with("sec-websocket-key", "short"), E::InvalidKey, 400),
        (with("sec-websocket-protocol", "a b"), E::InvalidSubprotocols, 400),
        (with("sec-websocket-extensions", ";"), E::InvalidExtensions, 400),
        (upgrade().header("origin", "a").header("origin", "b"), E::RepeatedHeader("Origin"), 400),
    ] {
        let (refused, response) = refused(request, None);
        assert_eq!((refused, response.status().as_u16()), (error, status));
        let fields: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let version = ("sec-websocket-version", &b"13"[..]);
        let expected = match (status, error) {
            (426, _) => vec![("upgrade", &b"websocket"[..]), ("connection", b"Upgrade"), version],
            (_, E::MissingVersion) => vec![version],
            (405, _) => vec![("allow", &b"GET"[..])],
            _ => vec![],
        };
        assert_eq!(fields, expected, "{error:?}");
    }
}

#[test]
fn an_extended_connect_that_another_server_has_parsed() {
    // a Host field in the place of `:authority`: what an HTTP/2 library then has no room for is the scheme
    let request = connect().uri("/chat").header("Host", "here.example").body(()).unwrap();
    let request = Request::from_http(&request, Some("websocket"), &Config::default()).unwrap();
    assert_eq!((request.path(), request.authority()), ("/chat", "here.example"));
    for version in [Version::HTTP_2, Version::HTTP_3] {
        let request = connect().version(version).body(()).unwrap();
        let request = Request::from_http(&request, Some("websocket"), &Config::default()).unwrap();
        assert_eq!(
            (request.path(), request.query(), request.authority()),
            ("/chat", Some("x=1"), "server.example.com")
        );
        let (head, _) = request.accept().subprotocol("superchat").respond().unwrap();
        let response = head.to_http().unwrap();
        assert_eq!((response.status(), response.headers().len()), (StatusCode::OK, 1));
        assert_eq!(response.headers()["sec-websocket-protocol"], "superchat");
    }
}

#[test]
fn extended_connects_that_are_refused() {
    use HandshakeError as E;
    for (request, protocol, error, status) in [
        (connect(), None, E::NotAnUpgrade, 400),
        (connect(), Some("foo"), E::UnsupportedProtocol, 501),
        (connect().method("GET"), Some("websocket"), E::MalformedHead, 400),
        (connect().method("GET"), None, E::MethodNotAllowed, 405),
        (connect().header("upgrade", "websocket"), Some("websocket"), E::MalformedHead, 400),
        (connect().uri("server.example.com:443"), Some("websocket"), E::MalformedHead, 400),
        (connect().header("content-length", "1"), Some("websocket"), E::BodyNotAllowed, 400),
        (connect().header("x", " outer blanks"), Some("websocket"), E::MalformedHead, 400),
        (connect().header("te", "gzip"), Some("websocket"), E::MalformedHead, 400),
        (connect().header("expect", "magic"), Some("websocket"), E::ExpectationFailed, 417),
        (connect().header("host", "other.example.com"), Some("websocket"), E::InvalidHost, 400),
    ] {
        let (refused, response) = refused(request, protocol);
        assert_eq!((refused, response.status().as_u16()), (error, status));
        assert!(!response.headers().contains_key("upgrade"));
    }
}

/// What an HTTP/2 library has for `:protocol`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Protocol;

fn client(uri: &str) -> (HttpRequest<()>, ConnectHandshake) {
    let uri = Uri::parse(uri).unwrap();
    let request = ClientRequest::new(&uri).subprotocol("chat").header("Cookie", "a=b");
    let (head, handshake) = request.extended_connect(ExtendedConnect::Enabled, &Config::default()).unwrap();
    (head.to_http(Protocol).unwrap(), handshake)
}

#[test]
fn a_client_over_another_stack() {
    let (request, mut handshake) = client("wss://server.example.com/chat?x=1");
    assert_eq!((request.method(), request.version()), (&http::Method::CONNECT, Version::HTTP_2));
    assert_eq!(request.uri(), "https://server.example.com/chat?x=1");
    assert_eq!(client("ws://[::1]:81").0.uri(), "http://[::1]:81/");
    assert_eq!(request.extensions().get(), Some(&Protocol));
    let fields: Vec<_> = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let expected = [("sec-websocket-version", &b"13"[..]), ("sec-websocket-protocol", b"chat"), ("cookie", b"a=b")];
    assert_eq!(fields, expected);

    // the server at the other end reads what the client wrote, and the client what the server wrote
    let request = Request::from_http(&request, Some("websocket"), &Config::default()).unwrap();
    let (head, _) = request.accept().subprotocol("chat").respond().unwrap();
    let interim = HttpResponse::builder().version(Version::HTTP_3).status(103).body(()).unwrap();
    assert!(handshake.receive_http(&interim).unwrap().is_none());
    let response = head.to_http().unwrap();
    let Some(Answer::Accepted { response, .. }) = handshake.receive_http(&response).unwrap() else { panic!() };
    assert_eq!((response.status(), response.subprotocol()), (200, Some("chat")));
}

#[test]
fn responses_that_do_not_open() {
    use HandshakeError as E;
    let answer = |version, status: u16, name: &str, value: &str| {
        let response = |status| HttpResponse::builder().version(version).status(status);
        let (_, mut handshake) = client("ws://h/");
        let answered = response(status).header(name, value).body(()).unwrap();
        let answered = match handshake.receive_http(&answered) {
            Ok(Some(Answer::Rejected { response, .. })) => Ok(response.status()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        };
        assert!(handshake.receive_http(&response(200).body(()).unwrap()).unwrap().is_none(), "it is over");
        answered
    };
    for version in [Version::HTTP_2, Version::HTTP_3] {
        assert_eq!(answer(version, 403, "content-length", "0"), Ok(403));
        assert_eq!(answer(version, 101, "x", ""), Err(E::MalformedHead));
        assert_eq!(answer(version, 200, "connection", "close"), Err(E::MalformedHead));
        assert_eq!(answer(version, 200, "x", " outer blanks"), Err(E::MalformedHead));
        assert_eq!(answer(version, 200, "sec-websocket-protocol", "other"), Err(E::SubprotocolNotOffered));
    }
    // what comes where HTTP/2 was not agreed on
    assert_eq!(answer(Version::HTTP_11, 200, "content-type", "text/html"), Err(E::UnsupportedHttpVersion));
    assert_eq!(answer(Version::HTTP_11, 404, "connection", "close"), Err(E::UnsupportedHttpVersion));
}

#[test]
fn what_the_other_crate_cannot_hold_is_an_error() {
    let long = "a".repeat(1 << 16);
    let request = upgrade().body(()).unwrap();
    let accept = Request::from_http(&request, None, &Config::default()).unwrap().accept();
    let (head, _) = accept.header(&long, "x").respond().unwrap();
    assert!(head.to_http().is_err());
    let accept = Request::from_http(&request, None, &Config::default()).unwrap().accept();
    assert_eq!(accept.header("a\r\n", "x").respond().map(|_| ()), Err(HeadError::InvalidHeaderName));
    let uri = Uri::parse("ws://a%20b/").unwrap();
    let (head, _) = ClientRequest::new(&uri).extended_connect(ExtendedConnect::Enabled, &Config::default()).unwrap();
    assert!(head.to_http(Protocol).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_other_crate_holds_what_was_added_and_nothing_else(added in vec((hostile_text(), hostile()), 0..4)) {
        // 9110-5.5-4
        let mut expected: Vec<(String, Vec<u8>)> =
            added.iter().map(|(name, value)| (name.to_ascii_lowercase(), trimmed(value).to_vec())).collect();
        expected.sort();
        let rest = |fields: &http::HeaderMap, own: &[&str]| {
            let fields = fields.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
            let mut rest: Vec<_> = fields.filter(|(name, _)| !own.contains(&&**name)).collect();
            rest.sort();
            rest
        };
        let uri = Uri::parse("ws://h/").unwrap();
        let request = added.iter().fold(ClientRequest::new(&uri), |request, (name, value)| request.header(name, value));
        if let Ok((head, _)) = request.extended_connect(ExtendedConnect::Enabled, &Config::default()) {
            let request = head.to_http(Protocol).unwrap();
            prop_assert_eq!(rest(request.headers(), &["sec-websocket-version"]), &expected[..]);
            prop_assert_eq!(request.uri(), "http://h/");
        }
        for (request, protocol) in [(upgrade(), None), (connect(), Some("websocket"))] {
            let request = request.body(()).unwrap();
            let accept = Request::from_http(&request, protocol, &Config::default()).unwrap().accept();
            let accept = added.iter().fold(accept, |accept, (name, value)| accept.header(name, value));
            if let Ok((head, _)) = accept.respond() {
                let response = head.to_http().unwrap();
                let own = ["upgrade", "connection", "sec-websocket-accept"];
                prop_assert_eq!(rest(response.headers(), &own), &expected[..]);
            }
        }
    }
}
