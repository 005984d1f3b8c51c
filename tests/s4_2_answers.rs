//! RFC 6455 §4.2.2: what the server answers, and what becomes of the octets behind the request.

mod common;

use common::handshake::{
    REQUEST, RESPONSE, assert_refused, cuts, read_response, request_with, serve, serve_once, values, with_request,
};
use websocket_proto::handshake::{Accept, Answer, OriginPolicy, Rejection, ServerHandshake, accept_value};
use websocket_proto::{Config, Connection, Event, HandshakeError, HeadError, ReadBuffer, State};

/// A masked "Hello".
const FRAME: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

#[test]
fn s4_2_2_10_extra_fields_and_data_at_once() {
    // 6455-4.2.2-10, 6455-4.2.2-11, 6455-11.3.3-1
    with_request(REQUEST.as_bytes(), |request| {
        let mut output = Vec::new();
        let accept = request.accept().header("Set-Cookie", "a=1").header("set-cookie", b"b=2");
        let mut ws = accept.send(&mut output).unwrap();
        assert_eq!(ws.state(), State::Open);
        ws.send_text("hi", &mut output).unwrap();
        let (status, fields, behind) = read_response(&output);
        assert_eq!((status, values(&fields, "Set-Cookie"), behind), (101, vec!["a=1", "b=2"], &b"\x81\x02hi"[..]));
        assert_eq!(values(&fields, "Sec-WebSocket-Accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
        assert_eq!(fields.len(), 5);
    });
}

#[test]
fn s4_2_2_misuse_of_the_builders_writes_nothing() {
    // 9110-5.3-2, 9110-5.5-4, 9112-6.1-1, 9110-8.6-1, 6455-9-1, 6455-11.3.3-1, 6455-11.3.4-1, SEC-3
    let mut output = Vec::new();
    let mut accept = |build: &dyn Fn(Accept<'_>) -> Accept<'_>| {
        with_request(REQUEST.as_bytes(), |request| build(request.accept()).send(&mut output).map(|_| ()))
    };
    for name in [
        "Host",
        "upgrade",
        "Connection",
        "CONTENT-LENGTH",
        "transfer-encoding",
        "Sec-WebSocket-Accept",
        "sec-websocket-key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "sec-websocket-extensions",
    ] {
        assert_eq!(accept(&|accept| accept.header(name, "x")), Err(HeadError::ReservedHeader), "{name}");
    }
    for (name, value, error) in [
        ("X", "a\r\nEvil: 1", HeadError::InvalidHeaderValue),
        ("X", "a\n", HeadError::InvalidHeaderValue),
        ("X", "\ra", HeadError::InvalidHeaderValue),
        ("X", "\0", HeadError::InvalidHeaderValue),
        ("X\r\nEvil", "a", HeadError::InvalidHeaderName),
        ("X: y\r\nEvil", "a", HeadError::InvalidHeaderName),
        ("X ", "a", HeadError::InvalidHeaderName),
        ("", "a", HeadError::InvalidHeaderName),
    ] {
        assert_eq!(accept(&|accept| accept.header(name, value)), Err(error), "{name:?} {value:?}");
        assert_eq!(Rejection::new(403).header(name, value).send(&mut Vec::new()), Err(error), "{name:?} {value:?}");
    }
    // the first fault is told, and nothing mends it
    let first = accept(&|accept| accept.header("X", "\0").header("Host", "x").subprotocol("none").header("A", "b"));
    assert_eq!(first, Err(HeadError::InvalidHeaderValue));
    for status in [0, 99, 100, 101, 199, 600, 1000, u16::MAX] {
        assert_eq!(Rejection::new(status).send(&mut output), Err(HeadError::InvalidStatus), "{status}");
    }
    for name in ["upgrade", "Connection", "content-length", "Transfer-Encoding", "Sec-WebSocket-Accept"] {
        assert_eq!(Rejection::new(403).header(name, "9").send(&mut output), Err(HeadError::ReservedHeader), "{name}");
    }
    assert_eq!(output, []);
}

#[test]
fn s4_2_2_2_rejections_by_the_application() {
    // 6455-4.2.2-2, 6455-4.2.2-3, 6455-4.2.2-5, 6455-4.2.2-12, 9110-7.8-6, 9112-4-1
    let bodies: [&[u8]; 3] = [b"", b"who?", b"\x81\x02hi\0\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n"];
    for (status, name, value) in [
        (200, "Content-Type", "text/html"),
        (299, "X", "a status without a reason phrase"),
        (301, "Location", "wss://b.example/chat"),
        (302, "Location", "/other"),
        (400, "X", "y"),
        (401, "WWW-Authenticate", "Basic realm=\"a\", Digest realm=\"b\""),
        (403, "X", "y"),
        (404, "X", "y"),
        (405, "Allow", "GET"),
        (429, "Retry-After", "5"),
        (500, "X", "y"),
        (503, "Retry-After", "5"),
        (599, "X", "y"),
    ] {
        for body in bodies {
            let mut output = Vec::new();
            with_request(REQUEST.as_bytes(), |request| {
                request.reject(status).header(name, value).body(body).send(&mut output).unwrap();
            });
            let (read, fields, behind) = read_response(&output);
            assert_eq!((read, values(&fields, name), behind), (status, vec![value], body));
            assert_eq!(values(&fields, "Connection"), ["close"]);
            assert_eq!(values(&fields, "Content-Length"), [body.len().to_string()]);
            assert_eq!(fields.len(), 3);
        }
    }
    for status in [204, 205, 304] {
        let mut output = Vec::new();
        Rejection::new(status).body(b"none").send(&mut output).unwrap();
        let (read, fields, behind) = read_response(&output);
        assert_eq!((read, fields.len(), behind), (status, 1, &b""[..]));
        assert_eq!(values(&fields, "Connection"), ["close"]);
    }
}

#[test]
fn r9110_15_5_a_rejection_that_has_to_say_more() {
    // 9110-15.5.2-1, 9110-15.5.6-1
    for (status, name) in [(401, "WWW-Authenticate"), (405, "Allow")] {
        let mut output = Vec::new();
        let sent = Rejection::new(status).header("X", "y").body(b"x").send(&mut output);
        assert_eq!((sent, output.len()), (Err(HeadError::MissingHeader(name)), 0));
        Rejection::new(status).header(&name.to_lowercase(), "GET").send(&mut output).unwrap();
        let (read, fields, _) = read_response(&output);
        assert_eq!((read, values(&fields, name)), (status, vec!["GET"]));
    }
}

#[test]
fn r9110_15_5_22_a_rejection_that_demands_an_upgrade() {
    // 9110-15.5.22-1, 9110-7.8-1
    let mut output = Vec::new();
    Rejection::new(426).header("Sec-WebSocket-Version", "13").body(b"x").send(&mut output).unwrap();
    let (status, fields, body) = read_response(&output);
    assert_eq!((status, values(&fields, "Upgrade"), body), (426, vec!["websocket"], &b"x"[..]));
    assert_eq!(values(&fields, "Connection"), ["Upgrade, close"]);
}

#[test]
fn s4_2_2_4_a_request_from_another_origin() {
    // 6455-4.2.2-4, 6455-10.2-1, 6455-4.2.1-10
    let policy = OriginPolicy::new(["https://example.com"]).unwrap();
    for (line, is_allowed) in [
        ("Origin: https://example.com\r\n", true),
        ("Origin: https://EXAMPLE.com:443\r\n", true),
        ("Origin: http://example.com\r\n", false),
        ("Origin: https://example.com.evil.example\r\n", false),
        ("Origin: null\r\n", false),
        ("Origin:\r\n", false),
        ("Origin: \u{e9}\r\n", false),
        ("", false),
    ] {
        let (mut output, mut opened) = (Vec::new(), None);
        with_request(&request_with("Origin", line), |request| match policy.allows(request.origin()) {
            true => opened = Some(request.accept().send(&mut output).unwrap()),
            false => request.reject(403).send(&mut output).unwrap(),
        });
        let (status, _, behind) = read_response(&output);
        assert_eq!(
            (status, opened.is_some(), behind.len()),
            (if is_allowed { 101 } else { 403 }, is_allowed, 0),
            "{line}"
        );
    }
}

#[test]
fn r28_18_frames_behind_the_request_are_kept() {
    // 28-18, 6455-4.2.2-11
    let all = [REQUEST.as_bytes(), &FRAME].concat();
    let served = serve(&all);
    assert_eq!((served.result, &*served.output, &served.behind[..]), (Ok(()), RESPONSE, &FRAME[..]));
    for [a, b] in cuts(&all) {
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let mut handshake = ServerHandshake::new(&Config::default());
        let mut open: Option<Connection> = None;
        let mut messages = Vec::new();
        for octets in [a, b] {
            input.extend_from_slice(octets);
            if let Some(request) = handshake.receive(&mut input, &mut output).unwrap() {
                open = Some(request.accept().send(&mut output).unwrap());
            }
            while let Some(event) = open.as_mut().and_then(|ws| ws.receive(&mut input, &mut output).unwrap()) {
                messages.push(format!("{event:?}"));
            }
        }
        assert_eq!(messages, ["Text(\"Hello\")"], "cut at {}", a.len());
    }
}

#[test]
fn r9112_9_6_1_nothing_is_answered_after_a_refusal() {
    // 9112-9.6-1, 6455-4.2.2-12
    for refused in [&b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"[..], b"\0", &request_with("Host", "")] {
        let expected = serve(refused);
        assert!(expected.result.is_err());
        for behind in [REQUEST.as_bytes(), &FRAME, b"\0", &request_with("Origin", "Content-Length: 5\r\n")] {
            // the cuts of `serve` have the second request in the same piece as the first, and in pieces of its own
            assert_eq!(serve(&[refused, behind].concat()), expected);
        }
    }
}

#[test]
fn s7_2_2_the_stream_ends_before_it_is_open() {
    // 6455-7.2.2-1, 6455-4.2.1-13
    for come in 0..REQUEST.len() {
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let mut handshake = ServerHandshake::new(&Config::default());
        input.extend_from_slice(&REQUEST.as_bytes()[..come]);
        assert!(handshake.receive(&mut input, &mut output).unwrap().is_none(), "incomplete: {come}");
        assert_eq!(handshake.receive_eof(), Err(HandshakeError::UnexpectedEof));
        // it is over: nothing was sent, and nothing will be
        assert_eq!(handshake.receive_eof(), Ok(()));
        input.extend_from_slice(REQUEST.as_bytes());
        assert!(handshake.receive(&mut input, &mut output).unwrap().is_none());
        assert_eq!((output.len(), input.len()), (0, 0));
    }
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut handshake = ServerHandshake::new(&Config::default());
    input.extend_from_slice(REQUEST.as_bytes());
    drop(handshake.receive(&mut input, &mut output).unwrap().unwrap());
    assert_eq!(handshake.receive_eof(), Ok(()), "the end comes to the connection");
    assert_eq!(output, []);
}

#[test]
fn sio_3_a_connection_without_our_handshake() {
    // SIO-3, 28-16
    // another parser has read the request, which names no host, and has read on into the frames
    let all = [&request_with("Host", "")[..], &FRAME].concat();
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut fields);
    let size = request.parse(&all).unwrap().unwrap();
    let key = request.headers.iter().find(|field| field.name == "Sec-WebSocket-Key").unwrap().value;
    assert_eq!(accept_value(key), *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    for [a, b] in cuts(&FRAME) {
        let mut config = Config::default();
        config.limits.message = 5;
        let mut server = Connection::server(&config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        assert_eq!(&all[size..], FRAME);
        input.extend_from_slice(a);
        assert_eq!(server.receive(&mut input, &mut output), Ok(None));
        input.extend_from_slice(b);
        assert_eq!(server.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
        server.send_text("Hello", &mut output).unwrap();
        assert_eq!(output, b"\x81\x05Hello");

        // and so on the other side, after a response that another parser has read
        let mut client = Connection::client_with_random(&config, common::fixed_random());
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&output);
        output.clear();
        assert_eq!(client.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
        client.send_text("Hello", &mut output).unwrap();
        assert_eq!(output, FRAME);
    }
}

#[test]
fn a_handshake_goes_with_a_connection_made_by_hand() {
    // SIO-3
    // our client's handshake, and a server that is nothing but `accept_value` and a connection
    let (mut handshake, request) = common::handshake::client(&["chat"]);
    let (_, _, fields) = common::handshake::read_request(request.as_bytes());
    let accept = accept_value(values(&fields, "Sec-WebSocket-Key")[0].as_bytes());
    let mut output = b"HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ".to_vec();
    output.extend_from_slice(&accept);
    output.extend_from_slice(b"\r\n\r\n");
    Connection::server(&Config::default()).send_binary(b"x", &mut output).unwrap();
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&output);
    output.clear();
    let Some(Answer::Accepted { mut connection, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    assert_eq!(connection.receive(&mut input, &mut output), Ok(Some(Event::Binary(b"x"))));
}

#[test]
fn r9112_2_2_7_a_refusal_may_come_in_the_middle_of_the_head() {
    // 9112-2.2-7, 9110-5.3-4
    // for its grammar; whatever else is wrong is told when all of it has come
    for lines in ["POST /chat HTTP/1.1\r\n", "GET /chat HTTP/1.0\r\n", "GET * HTTP/1.1\r\n"] {
        let request = request_with("GET", lines);
        let (come, _) = request.split_at(request.len() - 1);
        let served = serve_once(&Config::default(), come.chunks(1));
        assert_eq!((served.result, &*served.output), (Err(HandshakeError::UnexpectedEof), ""));
    }
    for come in 1..REQUEST.len() {
        let served = serve_once(&Config::default(), REQUEST.as_bytes()[..come].chunks(1));
        assert_eq!((served.result, &*served.output), (Err(HandshakeError::UnexpectedEof), ""), "{come}");
    }
    assert_refused(b"GET / HTTP/1.1\r\nHost: a\n", HandshakeError::MalformedHead);
}
