//! RFC 6455 §1.3, §4: the opening handshake of both roles, whole and cut anywhere.

mod common;

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::handshake::{
    Accept, Answer, Body, ClientHandshake, ClientRequest, Rejection, Request, ServerHandshake, Uri,
};
use websocket_proto::{Config, Connection, Event, HandshakeError, HeadError, ReadBuffer, State};

/// The request of §1.3.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// The response of §1.3.
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

/// Feeds a request to a server in every cut; what comes of it, and the output, must be the same.
fn serve(request: &[u8]) -> (Result<(), HandshakeError>, String) {
    let cuts = (0..request.len()).step_by(1 + request.len() / 2048);
    let mut all = cuts.map(|cut| {
        let (a, b) = request.split_at(cut);
        serve_once(&Config::default(), [a, b])
    });
    let expected = serve_once(&Config::default(), [request]);
    assert!(all.all(|result| result == expected));
    assert_eq!(serve_once(&Config::default(), request.chunks(1)), expected);
    expected
}

fn serve_once<'o>(config: &Config, cuts: impl IntoIterator<Item = &'o [u8]>) -> (Result<(), HandshakeError>, String) {
    let mut handshake = ServerHandshake::new(config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut result = Err(HandshakeError::UnexpectedEof);
    for octets in cuts {
        input.extend_from_slice(octets);
        match handshake.receive(&mut input, &mut output) {
            Ok(None) => {}
            Ok(Some(request)) => {
                assert!(output.is_empty(), "nothing is answered before the application says so");
                let accept = match request.select_subprotocol(&["chat", "other"]) {
                    Some(name) => request.accept().subprotocol(name),
                    None => request.accept(),
                };
                accept.send(&mut output).unwrap();
                result = Ok(());
            }
            Err(error) => result = Err(error),
        }
    }
    (result, String::from_utf8(output).unwrap())
}

/// The request of §1.3 with one line replaced, by any number of lines.
fn request_with(name: &str, lines: &str) -> Vec<u8> {
    let line = REQUEST.split_inclusive("\r\n").find(|line| line.starts_with(name)).expect("there is such a line");
    REQUEST.replace(line, lines).into_bytes()
}

fn assert_refused(request: &[u8], error: HandshakeError) -> String {
    let (result, output) = serve(request);
    assert_eq!(result, Err(error), "{}", request.escape_ascii());
    let status = format!("HTTP/1.1 {} ", error.status().unwrap());
    assert!(output.starts_with(&status), "{output}");
    let body = if error == HandshakeError::MethodNotAllowed { String::new() } else { format!("{error}\n") };
    assert!(output.ends_with(&format!("\r\n\r\n{body}")), "{output}");
    assert!(output.contains("close\r\n"), "{output}");
    output
}

#[test]
fn s1_3_the_example() {
    assert_eq!(serve(REQUEST.as_bytes()), (Ok(()), RESPONSE.to_owned()));
}

#[test]
fn s4_2_1_what_a_request_may_look_like() {
    for request in [
        request_with("GET", "GET /chat HTTP/1.2\r\n"),
        request_with("GET", "\r\nGET /chat HTTP/1.1\r\n"),
        request_with("GET", "GET http://a.example/chat?x=1 HTTP/1.1\r\n"),
        request_with("GET", &format!("GET /{} HTTP/1.1\r\n", "a".repeat(7900))),
        request_with("Upgrade", "uPGRADE: WebSocket\r\n"),
        request_with("Upgrade", "Upgrade: IRC/6.9, websocket\r\n"),
        request_with("Connection", "connection: keep-alive, Upgrade\r\n"),
        request_with("Connection", "Connection: ,, UPGRADE ,\r\n"),
        request_with("Connection", "Connection: keep-alive\r\nConnection: upgrade\r\n"),
        request_with("Sec-WebSocket-Key", "sEc-wEbSoCkEt-kEy:\t dGhlIHNhbXBsZSBub25jZQ== \t\r\n"),
        request_with("Origin", "X-Foo: bar\r\nX-Name: \u{e9}\r\nContent-Length: 0\r\n"),
        request_with("Origin", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"),
        request_with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: x\r\nSec-WebSocket-Protocol: y, chat\r\n"),
        request_with("Host", "Host: [::1]:8080\r\n"),
    ] {
        let (result, output) = serve(&request);
        assert_eq!(result, Ok(()), "{}", request.escape_ascii());
        assert!(output.starts_with("HTTP/1.1 101 "), "{output}");
        assert!(!output.contains("Extensions"));
    }
    // pad bits as the RFC once printed them; the accept value is that of the text as it came
    let (_, output) = serve(&request_with("Sec-WebSocket-Key", "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n"));
    assert!(output.contains("OfS0wDaT5NoxF2gqm7Zj2YtetzM="));
    let (_, output) = serve(&request_with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: Chat\r\n"));
    assert!(!output.contains("Sec-WebSocket-Protocol"), "case matters, and no agreement is no header: {output}");
    let (_, output) = serve(&request_with("Origin", "Expect: 100-continue\r\n"));
    assert!(output.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 "));
}

#[test]
fn s4_2_1_1_single_mutations_are_refused() {
    use HandshakeError as E;
    for (name, lines, error) in [
        ("GET", "POST /chat HTTP/1.1\r\n", E::MethodNotAllowed),
        ("GET", "get /chat HTTP/1.1\r\n", E::MethodNotAllowed),
        ("GET", "GET /chat HTTP/1.0\r\n", E::UnsupportedHttpVersion),
        ("GET", "GET /chat HTTP/2.0\r\n", E::UnsupportedHttpVersion),
        ("GET", "GET /chat http/1.1\r\n", E::MalformedHead),
        ("GET", "GET  /chat HTTP/1.1\r\n", E::MalformedHead),
        ("GET", "GET /a b HTTP/1.1\r\n", E::MalformedHead),
        ("GET", "GET * HTTP/1.1\r\n", E::InvalidTarget),
        ("GET", "GET h:80 HTTP/1.1\r\n", E::InvalidTarget),
        ("GET", "GET /\u{e9} HTTP/1.1\r\n", E::InvalidTarget),
        ("GET", "\r\n\r\n\r\nGET /chat HTTP/1.1\r\n", E::MalformedHead),
        ("Host", "", E::InvalidHost),
        ("Host", "Host: a\r\nHost: a\r\n", E::InvalidHost),
        ("Host", "Host: a b\r\n", E::InvalidHost),
        ("Host", "Host: a/b\r\n", E::InvalidHost),
        ("Host", " Host: a\r\n", E::MalformedHead),
        ("Host", "Host : a\r\n", E::MalformedHead),
        ("Host", "Host: a\n", E::MalformedHead),
        ("Host", "Host: a\rb\r\n", E::MalformedHead),
        ("Host", "Host: a\0b\r\n", E::MalformedHead),
        ("Upgrade", "", E::NotAnUpgrade),
        ("Upgrade", "Upgrade: websocket2\r\n", E::NotAnUpgrade),
        ("Upgrade", "Upgrade: h2c\r\n", E::NotAnUpgrade),
        ("Connection", "", E::NotAnUpgrade),
        ("Connection", "Connection: close\r\n", E::NotAnUpgrade),
        ("Connection", "Connection: keep-alive Upgrade\r\n", E::NotAnUpgrade),
        ("Connection", "Connection: xUpgrade, Upgrade-Insecure\r\n", E::NotAnUpgrade),
        ("Connection", "Connection:\r\n Upgrade\r\n", E::MalformedHead),
        ("Sec-WebSocket-Key", "", E::InvalidKey),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Key:\r\n", E::InvalidKey),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ==\r\n", E::InvalidKey),
        ("Sec-WebSocket-Key", "Sec-WebSocket-Key: -_-_-_-_-_-_-_-_-_-_-Q==\r\n", E::InvalidKey),
        ("Sec-WebSocket-Version", "", E::MissingVersion),
        ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n", E::UnsupportedVersion),
        ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013\r\n", E::UnsupportedVersion),
        ("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13, 8\r\n", E::UnsupportedVersion),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat, b ad\r\n", E::InvalidSubprotocols),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat;x\r\n", E::InvalidSubprotocols),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat,chat\r\n", E::InvalidSubprotocols),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: ,\r\n", E::InvalidSubprotocols),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat\u{b},x\r\n", E::MalformedHead),
        ("Origin", "Sec-WebSocket-Extensions: foo; a=\"x\r\n", E::InvalidExtensions),
        ("Origin", "Sec-WebSocket-Extensions: foo;;bar\r\n", E::InvalidExtensions),
        ("Origin", "Origin: http://a\r\nOrigin: http://a\r\n", E::RepeatedHeader("Origin")),
        ("Origin", "Sec-WebSocket-Version: 13\r\n", E::RepeatedHeader("Sec-WebSocket-Version")),
        ("Origin", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", E::RepeatedHeader("Sec-WebSocket-Key")),
        ("Origin", "Content-Length: 6\r\n", E::BodyNotAllowed),
        ("Origin", "Content-Length: +0\r\n", E::BodyNotAllowed),
        ("Origin", "Content-Length: 0, 4\r\n", E::BodyNotAllowed),
        ("Origin", "Transfer-Encoding: chunked\r\n", E::BodyNotAllowed),
        ("Origin", "Expect: 200-ok\r\n", E::ExpectationFailed),
        ("Origin", "H\u{f4}st: x\r\n", E::MalformedHead),
        ("Origin", ": x\r\n", E::MalformedHead),
    ] {
        assert_refused(&request_with(name, lines), error);
    }
}

#[test]
fn s4_4_versions_methods_and_upgrades_are_told() {
    let output = assert_refused(
        &request_with("Sec-WebSocket-Version", "Sec-WebSocket-Version: 25\r\n"),
        HandshakeError::UnsupportedVersion,
    );
    for line in ["\r\nSec-WebSocket-Version: 13\r\n", "\r\nUpgrade: websocket\r\n", "\r\nConnection: Upgrade"] {
        assert!(output.starts_with("HTTP/1.1 426 Upgrade Required\r\n") && output.contains(line), "{output}");
    }
    let output = assert_refused(&request_with("Sec-WebSocket-Version", ""), HandshakeError::MissingVersion);
    assert!(output.contains("\r\nSec-WebSocket-Version: 13\r\n"));
    let output = assert_refused(&request_with("GET", "PUT / HTTP/1.1\r\n"), HandshakeError::MethodNotAllowed);
    assert!(output.contains("\r\nAllow: GET\r\n"));
    let output = assert_refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", HandshakeError::NotAnUpgrade);
    assert!(output.contains("\r\nUpgrade: websocket\r\n"));
}

#[test]
fn r9112_2_2_7_what_is_not_http_fails_at_once() {
    assert_refused(b"\x16\x03\x01\x02\x00", HandshakeError::MalformedHead);
    assert_refused(b"\x00", HandshakeError::MalformedHead);
    assert_refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HandshakeError::UnsupportedHttpVersion);
}

#[test]
fn r9110_5_4_1_heads_that_are_too_large() {
    let target = format!("GET /{} HTTP/1.1\r\n", "a".repeat(1 << 20));
    assert_refused(&request_with("GET", &target), HandshakeError::TargetTooLong);
    let value = format!("X: {}\r\n", "a".repeat(1 << 20));
    assert_refused(&request_with("Origin", &value), HandshakeError::HeadTooLarge);
    assert_refused(&request_with("Origin", &"X: 1\r\n".repeat(10_000)), HandshakeError::TooManyHeaderFields);
    // the request has 6 other fields
    assert_eq!(serve(&request_with("Origin", &"X: 1\r\n".repeat(94))).0, Ok(()));
    assert_refused(&request_with("Origin", &"X: 1\r\n".repeat(95)), HandshakeError::TooManyHeaderFields);
    assert_refused(
        &request_with("Origin", &format!("Upgrade: {}\r\n", ",".repeat(16 << 10))),
        HandshakeError::HeadTooLarge,
    );
}

#[test]
fn r28_18_frames_behind_the_request_are_kept() {
    let mut input = ReadBuffer::default();
    let mut output = Vec::new();
    input.extend_from_slice(REQUEST.as_bytes());
    input.extend_from_slice(&common::hex("81 85 37 fa 21 3d 7f 9f"));
    let mut handshake = ServerHandshake::new(&Config::default());
    let mut ws = handshake.receive(&mut input, &mut output).unwrap().unwrap().accept().send(&mut output).unwrap();
    assert_eq!(input.len(), 8);
    input.extend_from_slice(&common::hex("4d 51 58"));
    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
}

#[test]
fn r9112_9_6_1_nothing_is_answered_after_a_refusal() {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut handshake = ServerHandshake::new(&Config::default());
    input.extend_from_slice(&[b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", REQUEST.as_bytes()].concat());
    assert!(handshake.receive(&mut input, &mut output).is_err());
    let sent = output.len();
    input.extend_from_slice(REQUEST.as_bytes());
    assert!(handshake.receive(&mut input, &mut output).unwrap().is_none());
    assert_eq!((output.len(), input.len()), (sent, 0), "what else comes is discarded");
    assert_eq!(ServerHandshake::new(&Config::default()).receive_eof(), Err(HandshakeError::UnexpectedEof));
    assert_eq!(handshake.receive_eof(), Ok(()));
}

fn with_request<T>(request: &[u8], look: impl FnOnce(Request<'_>) -> T) -> T {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(request);
    look(ServerHandshake::new(&Config::default()).receive(&mut input, &mut output).unwrap().unwrap())
}

#[test]
fn what_a_request_says() {
    with_request(&request_with("GET", "GET http://a.example:81/chat?x=1 HTTP/1.1\r\n"), |request| {
        assert_eq!((request.path(), request.query(), request.authority()), ("/chat", Some("x=1"), "a.example:81"));
        assert_eq!(request.origin(), Some(&b"http://example.com"[..]));
        assert_eq!(request.subprotocols(), ["chat", "superchat"]);
        assert_eq!(request.select_subprotocol(&["superchat", "chat"]), Some("superchat"));
        assert_eq!(request.headers().get("upgrade"), Some(&b"websocket"[..]));
        assert_eq!(request.headers().iter().count(), 7);
    });
    let extensions = "Sec-WebSocket-Extensions: foo; bar=\"1\"\r\nSec-WebSocket-Extensions: baz\r\n";
    with_request(&request_with("Origin", extensions), |request| {
        let names: Vec<&str> = request.extensions().iter().map(|extension| extension.name).collect();
        assert_eq!((names, request.origin(), request.query()), (vec!["foo", "baz"], None, None));
    });
}

#[test]
fn s4_2_2_acceptance_with_extra_headers_and_what_is_refused() {
    with_request(REQUEST.as_bytes(), |request| {
        let mut output = Vec::new();
        let accept = request.accept().header("Set-Cookie", "a=1").header("set-cookie", b"b=2");
        let mut ws = accept.send(&mut output).unwrap();
        ws.send_text("hi", &mut output).unwrap();
        assert!(output.ends_with(b"=\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n\x81\x02hi"));
    });
}

#[test]
fn s4_2_2_misuse_of_the_builders_writes_nothing() {
    let mut output = Vec::new();
    let mut accept = |build: &dyn Fn(Accept<'_>) -> Accept<'_>| {
        with_request(REQUEST.as_bytes(), |request| build(request.accept()).send(&mut output).map(|_| ()))
    };
    assert_eq!(accept(&|accept| accept.subprotocol("none")), Err(HeadError::SubprotocolNotOffered));
    assert_eq!(accept(&|accept| accept.subprotocol("Chat")), Err(HeadError::SubprotocolNotOffered));
    assert_eq!(accept(&|accept| accept.header("X", "a\r\nEvil: 1")), Err(HeadError::InvalidHeaderValue));
    assert_eq!(accept(&|accept| accept.header("X\r\nEvil", "a")), Err(HeadError::InvalidHeaderName));
    for name in ["upgrade", "Connection", "Content-Length", "Transfer-Encoding", "sec-websocket-extensions"] {
        assert_eq!(accept(&|accept| accept.header(name, "x")), Err(HeadError::ReservedHeader), "{name}");
    }
    for (reject, error) in [
        (Rejection::new(101), HeadError::InvalidStatus),
        (Rejection::new(100), HeadError::InvalidStatus),
        (Rejection::new(600), HeadError::InvalidStatus),
        (Rejection::new(403).header("X", "\0"), HeadError::InvalidHeaderValue),
        (Rejection::new(403).header("content-length", "9"), HeadError::ReservedHeader),
    ] {
        assert_eq!(reject.send(&mut output), Err(error));
    }
    assert_eq!(output, []);
}

#[test]
fn s4_2_2_2_rejections() {
    let mut output = Vec::new();
    with_request(REQUEST.as_bytes(), |request| {
        request.reject(401).header("WWW-Authenticate", "Basic").body(b"who?").send(&mut output).unwrap();
    });
    let expected = "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 4\r\n\
        WWW-Authenticate: Basic\r\n\r\nwho?";
    assert_eq!(output, expected.as_bytes());
    for status in [204, 205, 304] {
        output.clear();
        Rejection::new(status).body(b"none").send(&mut output).unwrap();
        assert!(output.ends_with(b"\r\nConnection: close\r\n\r\n"));
    }
}

/// A client that has asked for `ws://server.example.com/chat` with the nonce of §1.3.
fn client(subprotocols: &[&str]) -> (ClientHandshake, String) {
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let mut request = ClientRequest::new(&uri);
    for name in subprotocols {
        request = request.subprotocol(name);
    }
    let random = websocket_proto::Random::from_fn(|octets| {
        for (octet, nonce) in octets.iter_mut().zip(b"the sample nonce") {
            *octet = *nonce;
        }
    });
    let mut output = Vec::new();
    let handshake = request.send_with_random(&Config::default(), random, &mut output).unwrap();
    (handshake, String::from_utf8(output).unwrap())
}

#[test]
fn s4_1_the_request_of_a_client() {
    let (_, request) = client(&["chat", "superchat"]);
    let expected = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Protocol: chat, superchat\r\n\r\n";
    assert_eq!(request, expected);
    assert!(!client(&[]).1.contains("Protocol"));
    let uri = Uri::parse("wss://[::1]:444?x=1").unwrap();
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let request = ClientRequest::new(&uri).origin("http://o").header("Cookie", "a=b");
    request.clone().send(&Config::default(), &mut a).unwrap();
    request.send(&Config::default(), &mut b).unwrap();
    assert_ne!(a, b, "each has a nonce of its own");
    let text = String::from_utf8(a).unwrap();
    assert!(text.starts_with("GET /?x=1 HTTP/1.1\r\nHost: [::1]:444\r\n"), "{text}");
    assert!(text.ends_with("Origin: http://o\r\nCookie: a=b\r\n\r\n"), "{text}");
}

#[test]
fn s4_1_misuse_of_the_request_writes_nothing() {
    let uri = Uri::parse("ws://h/").unwrap();
    let request = || ClientRequest::new(&uri);
    let mut output = Vec::new();
    for (request, error) in [
        (request().subprotocol(""), HeadError::InvalidSubprotocol),
        (request().subprotocol("a b"), HeadError::InvalidSubprotocol),
        (request().subprotocol("a,b"), HeadError::InvalidSubprotocol),
        (request().subprotocol("é"), HeadError::InvalidSubprotocol),
        (request().subprotocol("a").subprotocol("a"), HeadError::InvalidSubprotocol),
        (request().header("Host", "x"), HeadError::ReservedHeader),
        (request().header("sec-websocket-key", "x"), HeadError::ReservedHeader),
        (request().header("A B", "x"), HeadError::InvalidHeaderName),
        (request().origin("http://a\r\nEvil: 1"), HeadError::InvalidHeaderValue),
        (request().origin("http://a").header("origin", "http://b"), HeadError::RepeatedHeader),
    ] {
        assert_eq!(request.send(&Config::default(), &mut output).map(|_| ()), Err(error));
    }
    assert_eq!(output, []);
    assert!(request().subprotocol("chat").subprotocol("Chat").send(&Config::default(), &mut output).is_ok());
}

#[test]
fn r9112_8_a_body_that_was_cut_off_is_told_from_a_whole_one() {
    for (fields, come, is_whole) in [
        ("Content-Length: 3\r\n", "no!", true),
        ("Content-Length: 10\r\n", "no!", false),
        ("", "no!", true),
        ("Transfer-Encoding: chunked\r\n", "3\r\nno!\r\n0\r\n\r\n", true),
        ("Transfer-Encoding: chunked\r\n", "3\r\nno!\r\n", false),
    ] {
        let (mut handshake, _) = client(&[]);
        let mut input = ReadBuffer::default();
        input.extend_from_slice(format!("HTTP/1.1 403 x\r\n{fields}\r\n{come}").as_bytes());
        let Some(Answer::Rejected { mut body, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
        let mut page = Vec::new();
        while let Some(piece) = body.receive(&mut input).unwrap() {
            page.extend_from_slice(piece);
        }
        assert_eq!((&page[..], body.receive_eof().is_ok()), (&b"no!"[..], is_whole), "{fields}{come}");
        assert!(body.is_complete());
    }
}

/// What a client makes of a response, in every cut; with the octets behind it.
fn answer(subprotocols: &[&str], response: &[u8]) -> Result<Outcome, HandshakeError> {
    let expected = answer_once(subprotocols, [response]);
    for cut in 0..response.len() {
        let (a, b) = response.split_at(cut);
        assert_eq!(answer_once(subprotocols, [a, b]), expected, "cut at {cut}");
    }
    assert_eq!(answer_once(subprotocols, response.chunks(1)), expected);
    expected
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    More,
    /// The subprotocol, and what came behind the response.
    Accepted(Option<String>, String),
    /// Status, header fields, body and whether it is complete.
    Rejected(u16, usize, String, bool),
    BadBody,
}

fn answer_once<'o>(subprotocols: &[&str], cuts: impl IntoIterator<Item = &'o [u8]>) -> Result<Outcome, HandshakeError> {
    let (mut handshake, _) = client(subprotocols);
    let mut input = ReadBuffer::default();
    let mut outcome = Outcome::More;
    let mut open: Option<Connection> = None;
    let mut rest: Option<Body> = None;
    for octets in cuts {
        input.extend_from_slice(octets);
        match handshake.receive(&mut input)? {
            None => {}
            Some(Answer::Accepted { connection, response, .. }) => {
                assert_eq!(response.status(), 101);
                outcome = Outcome::Accepted(response.subprotocol().map(str::to_owned), String::new());
                open = Some(connection);
            }
            Some(Answer::Rejected { response, body, .. }) => {
                outcome = Outcome::Rejected(response.status(), response.headers().iter().count(), String::new(), false);
                rest = Some(body);
            }
        }
        let mut output = Vec::new();
        if let (Some(ws), Outcome::Accepted(_, messages)) = (&mut open, &mut outcome) {
            while let Some(event) = ws.receive(&mut input, &mut output).unwrap() {
                write!(messages, "{event:?}").unwrap();
            }
        }
        if let (Some(body), Outcome::Rejected(.., page, is_complete)) = (&mut rest, &mut outcome) {
            loop {
                match body.receive(&mut input) {
                    Ok(Some(piece)) => page.push_str(std::str::from_utf8(piece).unwrap()),
                    Ok(None) => break,
                    Err(HandshakeError::MalformedBody) => return Ok(Outcome::BadBody),
                    Err(error) => return Err(error),
                }
            }
            *is_complete = body.is_complete();
        }
    }
    Ok(outcome)
}

fn response_with(name: &str, lines: &str) -> Vec<u8> {
    let line = RESPONSE.split_inclusive("\r\n").find(|line| line.starts_with(name)).expect("there is such a line");
    // octets, not characters: a test may want those that are not UTF-8
    RESPONSE.replace(line, lines).chars().map(|c| c as u8).collect()
}

#[test]
fn s4_1_responses_that_open_and_frames_behind_them() {
    let accepted = |messages: &str| Ok(Outcome::Accepted(Some("chat".into()), messages.into()));
    assert_eq!(answer(&["chat"], RESPONSE.as_bytes()), accepted(""));
    let with_frame = [RESPONSE.as_bytes(), b"\x81\x05Hello"].concat();
    assert_eq!(answer(&["chat"], &with_frame), accepted("Text(\"Hello\")"));
    for response in [
        response_with("HTTP", "HTTP/1.1 101 \u{e9}chec\r\n"),
        response_with("HTTP", "HTTP/1.1 101 \r\n"),
        response_with("HTTP", "HTTP/1.1 101\r\n"),
        response_with(
            "HTTP",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 x\r\n",
        ),
        response_with("Upgrade", "upgrade: WebSocket\r\n"),
        response_with("Connection", "Connection: keep-alive, UPGRADE\r\n"),
        response_with("Connection", "Connection: Upgrade\r\nContent-Length: 5\r\n"),
        response_with("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t\r\n"),
        response_with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol:\r\n chat\r\n"),
        response_with("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"),
    ] {
        assert_eq!(answer(&["chat"], &response), accepted(""), "{}", response.escape_ascii());
    }
    let without = response_with("Sec-WebSocket-Protocol", "");
    assert_eq!(answer(&["chat"], &without), Ok(Outcome::Accepted(None, String::new())));
    assert_eq!(answer(&[], &without), Ok(Outcome::Accepted(None, String::new())));
}

#[test]
fn s4_1_responses_that_fail() {
    use HandshakeError as E;
    for (name, lines, error) in [
        ("HTTP", "HTTP/1.0 101 x\r\n", E::UnsupportedHttpVersion),
        ("HTTP", "HTTP/1.1 0101 x\r\n", E::MalformedHead),
        ("HTTP", "HTTP/1.1 1O1 x\r\n", E::MalformedHead),
        ("HTTP", "101 null\r\n", E::MalformedHead),
        ("HTTP", "HTTP/1.1 101 x\n", E::MalformedHead),
        ("Upgrade", "", E::UpgradeMismatch),
        ("Upgrade", "Upgrade: h2c\r\n", E::UpgradeMismatch),
        ("Upgrade", "Upgrade: websockets\r\n", E::UpgradeMismatch),
        ("Connection", "", E::ConnectionMismatch),
        ("Connection", "Connection: keep-alive\r\n", E::ConnectionMismatch),
        ("Sec-WebSocket-Accept", "", E::AcceptMismatch),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n", E::AcceptMismatch),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n", E::AcceptMismatch),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo\r\n", E::AcceptMismatch),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: s3pP\r\n", E::AcceptMismatch),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: C/0nmHhBztSRGR1CwL6Tf4ZjwpY=\r\n", E::AcceptMismatch),
        (
            "Connection",
            "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            E::RepeatedHeader("Sec-WebSocket-Accept"),
        ),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: superchat\r\n", E::SubprotocolNotOffered),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: Chat\r\n", E::SubprotocolNotOffered),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat, chat\r\n", E::InvalidSubprotocols),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol:\r\n", E::InvalidSubprotocols),
        (
            "Connection",
            "Connection: Upgrade\r\nSec-WebSocket-Protocol: chat\r\n",
            E::RepeatedHeader("Sec-WebSocket-Protocol"),
        ),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions: permessage-deflate\r\n", E::ExtensionNotOffered),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions: ;\r\n", E::InvalidExtensions),
        ("Connection", "Connection: Upgrade\r\nX : y\r\n", E::MalformedHead),
        ("HTTP", "HTTP/1.1 101 x\r\n X: y\r\n", E::MalformedHead),
    ] {
        let response = response_with(name, lines);
        assert_eq!(answer(&["chat"], &response), Err(error), "{}", response.escape_ascii());
    }
    assert_eq!(answer(&[], RESPONSE.as_bytes()), Err(E::SubprotocolNotOffered));
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
    assert_eq!(answer_once(&[], [endless.as_bytes()]), Err(E::HeadTooLarge));
}

#[test]
fn s4_1_20_rejections_with_their_bodies() {
    let reject = |head: &str, body: &str| answer(&[], format!("HTTP/1.1 {head}\r\n\r\n{body}").as_bytes());
    let rejected =
        |status, fields, body: &str, is_complete| Ok(Outcome::Rejected(status, fields, body.into(), is_complete));
    assert_eq!(reject("403 Forbidden\r\nContent-Length: 3", "no!and more"), rejected(403, 1, "no!", true));
    assert_eq!(reject("403 x\r\nContent-Length: 5", "no!"), rejected(403, 1, "no!", false));
    assert_eq!(reject("404 x\r\nContent-Length: 0", ""), rejected(404, 1, "", true));
    assert_eq!(reject("401 x\r\nContent-Length: 1, 1", "x"), rejected(401, 1, "x", true));
    assert_eq!(reject("500 x", "until the end"), rejected(500, 0, "until the end", false));
    assert_eq!(reject("302 Found\r\nLocation: /x\r\nContent-Length: 0", ""), rejected(302, 2, "", true));
    assert_eq!(reject("304 x", "no body"), rejected(304, 0, "", true));
    assert_eq!(reject("200 OK\r\nContent-Length: 1", "x"), rejected(200, 1, "x", true));
    let chunked = "503 x\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 1";
    assert_eq!(
        reject(chunked, "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"),
        rejected(503, 2, "abc0123456789", true)
    );
    assert_eq!(reject(chunked, "3\r\nab"), rejected(503, 2, "ab", false));
    for body in ["ffffffffffffffffff\r\n", "\r\n", "x\r\n", "-1\r\n", "3\nabc", "3\r\nabcd\r\n", &"0".repeat(300)] {
        assert_eq!(reject(chunked, body), Ok(Outcome::BadBody), "{body:?}");
    }
    for len in ["x", "-1", "1, 2", "99999999999999999999", "1\r\nContent-Length: 2", ""] {
        assert_eq!(reject(&format!("400 x\r\nContent-Length: {len}"), ""), Ok(Outcome::BadBody), "{len}");
    }
    assert_eq!(reject("400 x\r\nTransfer-Encoding:\r\nContent-Length: 1", "x"), Ok(Outcome::BadBody));
    assert_eq!(answer(&[], b"HTTP/1.0 400 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), Ok(Outcome::BadBody));
}

#[test]
fn s4_4_2_the_versions_of_a_server_that_does_not_speak_ours() {
    let (mut handshake, _) = client(&[]);
    let mut input = ReadBuffer::default();
    input.extend_from_slice(
        b"HTTP/1.1 400 x\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8, 7, 300, +6, 07\r\n\r\n",
    );
    let Some(Answer::Rejected { response, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    assert_eq!(response.versions().collect::<Vec<u8>>(), [13, 8, 7]);
}

#[test]
fn r9112_8_the_stream_ends_in_the_handshake() {
    let (mut handshake, _) = client(&[]);
    let mut input = ReadBuffer::default();
    input.extend_from_slice(b"HTTP/1.1 101 Sw");
    assert!(handshake.receive(&mut input).unwrap().is_none());
    assert_eq!(handshake.receive_eof(), Err(HandshakeError::UnexpectedEof));
    assert_eq!(handshake.receive_eof(), Ok(()));
    assert!(handshake.receive(&mut input).unwrap().is_none());
}

/// The lines of a head, as another parser sees them.
fn lines(head: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let at = head.windows(2).position(|pair| pair == b"\r\n").expect("a start line") + 2;
    let (_, fields) = httparse::parse_headers(&head[at..], &mut fields).unwrap().unwrap();
    fields.iter().map(|field| (field.name.to_owned(), field.value.to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r9110_5_5_4_whatever_the_application_adds_stays_in_its_line(
        name in prop_oneof!["[A-Za-z-]{1,8}", "[ -~\r\n\t]{0,8}"],
        value in prop_oneof![vec(any::<u8>(), 0..20), vec(prop::sample::select(b"a \t\r\n:\0\xe9".to_vec()), 0..12)],
    ) {
        let mut expected_value: &[u8] = &value;
        while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = expected_value {
            expected_value = rest;
        }
        let check = |output: &[u8], own: usize, sent: Result<(), HeadError>| {
            match sent {
                Ok(()) => {
                    let lines = lines(output);
                    prop_assert_eq!(lines.len(), own + 1);
                    prop_assert_eq!(&lines[own].0, &name);
                    prop_assert_eq!(&lines[own].1, expected_value);
                }
                Err(_) => prop_assert!(output.is_empty()),
            }
            Ok(())
        };
        let mut output = Vec::new();
        let sent = Rejection::new(403).header(&name, &value).send(&mut output);
        check(&output, 2, sent)?;
        output.clear();
        let uri = Uri::parse("ws://h/").unwrap();
        let sent = ClientRequest::new(&uri).header(&name, &value).send(&Config::default(), &mut output).map(|_| ());
        check(&output, 5, sent)?;
        output.clear();
        let sent = with_request(REQUEST.as_bytes(), |request| {
            request.accept().header(&name, &value).send(&mut output).map(|ws| assert_eq!(ws.state(), State::Open))
        });
        check(&output, 3, sent)?;
    }
}
