//! RFC 6455 §4.1: the request that a client sends, and the response that it takes or refuses, in every cut.

mod common;

use common::handshake::{
    Outcome, RESPONSE, accepted, answer, answer_once, client, octets, random_from, read_request, response_with, values,
};
use websocket_proto::handshake::{Answer, ClientRequest, Uri};
use websocket_proto::{Config, Event, HandshakeError as E, HeadError, ReadBuffer, State};

#[test]
fn s4_1_the_request_of_a_client() {
    // 6455-4.1-6, 6455-4.1-7, 6455-4.1-8, 6455-4.1-9, 6455-4.1-10, 6455-4.1-12, 6455-4.1-13, 6455-4.1-14, 6455-11.3.1-1
    // 6455-11.3.5-1, 9110-7.2-1, 9110-7.8-1, 9112-2.2-4, erratum-5498
    let expected = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    assert_eq!(client(&[]).1, format!("{expected}\r\n"), "no origin and no list that is empty");
    let with_protocols = format!("{expected}Sec-WebSocket-Protocol: chat, superchat\r\n\r\n");
    assert_eq!(client(&["chat", "superchat"]).1, with_protocols);
    #[rustfmt::skip]
    let uris = [
        ("ws://server.example.com", "/", "server.example.com"), ("ws://h:80/a?b=c", "/a?b=c", "h"),
        ("ws://h:443", "/", "h:443"),
        ("wss://h:443?x=1", "/?x=1", "h"), ("wss://h:80//a//", "//a//", "h:80"),
        ("ws://[::1]:8080/%23", "/%23", "[::1]:8080"),
        ("wss://[::1]/?", "/", "[::1]"),
    ];
    for (uri, target, host) in uris {
        let uri = Uri::parse(uri).unwrap();
        let mut output = Vec::new();
        let request = ClientRequest::new(&uri).header("Authorization", "Basic eDp5").header("Cookie", "a=b; c=d");
        request.origin("http://example.com").header("Cookie", "e").send(&Config::default(), &mut output).unwrap();
        assert!(output.starts_with(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n").as_bytes()));
        let (method, path, fields) = read_request(&output);
        assert_eq!((&*method, &*path, &*fields[0].0, fields.len()), ("GET", target, "Host", 9));
        for (name, expected) in [
            ("Host", &[host][..]),
            ("Upgrade", &["websocket"]),
            ("Connection", &["Upgrade"]),
            ("Sec-WebSocket-Version", &["13"]),
            ("Origin", &["http://example.com"]),
            ("Authorization", &["Basic eDp5"]),
            ("Cookie", &["a=b; c=d", "e"]),
        ] {
            assert_eq!(values(&fields, name), expected, "{name}");
        }
        assert_eq!(values(&fields, "Sec-WebSocket-Key").len(), 1);
    }
}

#[test]
fn s4_1_11_nonces() {
    // 6455-4.1-11, 4648-3.5-1, 6455-11.3.1-1, erratum-3150
    let uri = Uri::parse("ws://h/").unwrap();
    let key = |output: &[u8]| values(&read_request(output).2, "Sec-WebSocket-Key").concat();
    let mut output = Vec::new();
    let random = random_from(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    ClientRequest::new(&uri).send_with_random(&Config::default(), random, &mut output).unwrap();
    assert_eq!(key(&output), "AQIDBAUGBwgJCgsMDQ4PEA==");
    // one request, sent again and again, has a new one every time
    let request = ClientRequest::new(&uri).header("X", "y");
    let mut keys = std::collections::HashSet::new();
    let mut seen = vec![std::collections::HashSet::new(); 22];
    for _ in 0..100 {
        output.clear();
        request.clone().send(&Config::default(), &mut output).unwrap();
        let key = key(&output);
        assert!(key.len() == 24 && key.ends_with("==") && "AQgw".contains(&key[21..22]), "{key}");
        for (seen, character) in seen.iter_mut().zip(key.chars()) {
            seen.insert(character);
        }
        assert!(keys.insert(key));
    }
    // every octet of the nonce is random: 100 draws of 64 characters (of 4, in the last) do not miss that many
    assert!(seen.iter().all(|seen| seen.len() > 2), "{seen:?}");
    for last in 0..=255u8 {
        output.clear();
        let random = websocket_proto::Random::from_fn(move |octets| octets.fill(last));
        ClientRequest::new(&uri).send_with_random(&Config::default(), random, &mut output).unwrap();
        assert!("AQgw".contains(&key(&output)[21..22]), "{last}");
    }
}

#[test]
fn s4_1_misuse_of_the_request_writes_nothing() {
    // 9110-5.3-2, 9110-5.5-4, 6455-11.3.1-1, 6455-11.3.5-1
    let uri = Uri::parse("ws://h/").unwrap();
    let request = || ClientRequest::new(&uri);
    let mut output = Vec::new();
    #[rustfmt::skip]
    let reserved = [
        "Host", "upgrade", "CONNECTION", "sec-websocket-key", "Sec-WebSocket-Version", "Sec-WebSocket-Accept",
        "sec-WebSocket-protocol", "Sec-WebSocket-Extensions", "Content-Length", "transfer-encoding",
    ];
    for (request, error) in
        reserved.map(|name| (request().header(name, "x"), HeadError::ReservedHeader)).into_iter().chain([
            (request().header("A B", "x"), HeadError::InvalidHeaderName),
            (request().header("A\r\nB", "x"), HeadError::InvalidHeaderName),
            (request().header("A", "x\r\nEvil: 1"), HeadError::InvalidHeaderValue),
            (request().header("A", "\0"), HeadError::InvalidHeaderValue),
            (request().origin("http://a\r\nEvil: 1"), HeadError::InvalidHeaderValue),
            (request().origin("http://a").header("origin", "http://b"), HeadError::RepeatedHeader),
            (request().header("ORIGIN", "http://a").origin("http://a"), HeadError::RepeatedHeader),
            (request().subprotocol("a\r\nb"), HeadError::InvalidSubprotocol),
            (request().subprotocol("").header("Host", "x").header("X", "y"), HeadError::InvalidSubprotocol),
        ])
    {
        assert_eq!(request.send(&Config::default(), &mut output).map(|_| ()), Err(error));
    }
    assert_eq!(output, []);
}

#[test]
fn s4_1_15_nothing_is_open_before_the_last_octet() {
    // 6455-4.1-15, 6455-4.1-16, 6455-4.1-27
    // only an answer has a connection to send with
    let response =
        response_with("Connection", "Connection: Upgrade\r\nSet-Cookie: a=1, x\r\nX: y\r\nset-cookie: b=2\r\n");
    let (mut handshake, _) = client(&["superchat", "chat"]);
    let mut input = ReadBuffer::default();
    let (last, all_but_last) = response.split_last().unwrap();
    for octet in all_but_last {
        input.extend_from_slice(&[*octet]);
        assert!(handshake.receive(&mut input).unwrap().is_none());
    }
    input.extend_from_slice(&[*last]);
    let Some(Answer::Accepted { connection, response, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    assert_eq!((connection.state(), connection.close_outcome()), (State::Open, None));
    assert_eq!((response.status(), response.reason()), (101, &b"Switching Protocols"[..]));
    assert_eq!(response.subprotocol(), Some("chat"));
    assert_eq!(response.headers().all("Set-Cookie").collect::<Vec<_>>(), [&b"a=1, x"[..], b"b=2"]);
    assert!(handshake.receive(&mut input).unwrap().is_none(), "there is one answer");
    assert_eq!(handshake.receive_eof(), Ok(()));
}

#[test]
fn s4_1_28_frames_behind_the_response() {
    // 6455-4.1-28, 9112-6.3-1, 28-19
    for fields in
        ["", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Content-Length: x\r\nContent-Length: 1\r\n"]
    {
        let head = response_with("Connection", &format!("Connection: Upgrade\r\n{fields}"));
        for (frames, messages) in
            [(&b"\x81\x05Hello"[..], "Text(\"Hello\")"), (b"\x81\x02hi\x82\x00", "Text(\"hi\")Binary([])")]
        {
            assert_eq!(answer(&["chat"], &[&head[..], frames].concat()), Ok(accepted(messages)), "{fields}");
        }
    }
}

#[test]
fn s4_1_responses_that_open() {
    // 9112-4-1, 9112-4-2, 9112-5-1, 9112-5.1-2, 9112-5.2-3, 9110-5.1-2, 9110-5.5-3, 9110-5.6.1-2, 9110-7.6.1-1
    // 9112-2.2-1, 6455-4.1-21, 6455-4.1-22, 6455-4.1-23, 28-13, 28-39, 9110-15.2-1, erratum-5453
    assert_eq!(answer(&["chat"], RESPONSE.as_bytes()), Ok(accepted("")));
    #[rustfmt::skip]
    let lines = [
        ("HTTP", "HTTP/1.1 101 \u{e9}chec"), ("HTTP", "HTTP/1.1 101 "), ("HTTP", "HTTP/1.1 101"),
        ("HTTP", "HTTP/1.1 101 a  b\t"),
        ("HTTP", "HTTP/1.2 101 x"), ("HTTP", "HTTP/1.1 101 200 OK"),
        ("HTTP", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 x"),
        ("HTTP", "HTTP/1.1 103 Early Hints\r\nLink: x\r\nLink: y\r\n\r\nHTTP/1.1 101 x"),
        ("HTTP", "HTTP/1.1 100\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 x\r\n\r\nHTTP/1.1 199 x\r\n\r\nHTTP/1.1 101 x"),
        ("Upgrade", "upgrade: WebSocket"), ("Upgrade", "UPGRADE:WEBSOCKET"), ("Upgrade", "Upgrade: \t websocket \t"),
        ("Upgrade", "Upgrade:\r\n websocket"),
        ("Connection", "Connection: keep-alive, UPGRADE"), ("Connection", "CONNECTION: upgrade"),
        ("Connection", "Connection: keep-alive\r\nconnection: ,,\tUpgrade ,"),
        ("Connection", "Connection: close, Upgrade"),
        ("Connection", "Connection: keep-alive,\r\n\t Upgrade"),
        ("Connection", "Connection: Upgrade\r\nServer: x\r\n y\r\n\tz"),
        ("Connection", "Connection: Upgrade\r\nX: \u{e2}\u{80}\u{a8}\r\nY: \u{c3}("),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\t"),
        ("Sec-WebSocket-Accept", "sec-websocket-ACCEPT:s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("Sec-WebSocket-Accept", "Sec-WebSocket-Accept:\r\n s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n "),
        ("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol:\r\n chat"),
        ("Sec-WebSocket-Protocol", "sec-websocket-protocol:chat"),
    ];
    for (name, lines) in lines {
        let response = response_with(name, &format!("{lines}\r\n"));
        assert_eq!(answer(&["chat"], &response), Ok(accepted("")), "{}", response.escape_ascii());
    }
    // a fold is a space
    let (mut handshake, _) = client(&["chat"]);
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&response_with("Upgrade", "Upgrade: websocket\r\nX: a\r\n b\r\n\tc\r\nY: \u{e9}\r\n"));
    let Some(Answer::Accepted { response, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    let folded: Vec<u8> = response.headers().get("x").unwrap().to_vec();
    assert_eq!(String::from_utf8(folded).unwrap().split_whitespace().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(!response.headers().get("x").unwrap().iter().any(|octet| matches!(octet, b'\r' | b'\n')));
    assert_eq!(response.headers().get("Y"), Some(&b"\xe9"[..]));
}

#[test]
fn s4_1_responses_that_fail() {
    // 6455-4.1-21, 6455-4.1-22, 6455-4.1-26, 6455-4.1-29, 9110-7.6.1-1, 9112-2.2-2, 9112-2.2-3, 9112-2.2-6, 9112-2.3-1
    // 9112-4-3, 9112-5.1-1, 9110-5.1-1, 9110-5.5-1, 9110-5.5-2, 28-14, 28-15, 28-17
    #[rustfmt::skip]
    let table: [(&str, E, &[&str]); 10] = [
        ("HTTP", E::UnsupportedHttpVersion, &[
            "HTTP/1.0 100 x\r\n\r\nHTTP/1.1 101 x", "HTTP/2.0 103 x\r\n\r\nHTTP/1.1 101 x",
        ]),
        ("HTTP", E::MalformedHead, &[
            "HTTP/1.1 103 x\r\nnot a field\r\n\r\nHTTP/1.1 101 x", "HTTP/1.1 103 x\r\n: y\r\n\r\nHTTP/1.1 101 x",
            "HTTP/1.1 103 x\r\nA : b\r\n\r\nHTTP/1.1 101 x", "HTTP/1.1 103 x\r\n X: y\r\n\r\nHTTP/1.1 101 x",
        ]),
        ("HTTP", E::UnsupportedHttpVersion, &["HTTP/1.0 101 x", "HTTP/2.0 101 x", "HTTP/0.9 101 x"]),
        ("HTTP", E::MalformedHead, &[
            "HTTP/1.1 0101 x", "HTTP/1.1 10 x", "HTTP/1.1 1O1 x", "HTTP/1.1 -101 x", "HTTP/1.1 +10 x", "HTTP/1.1 001 x",
            "HTTP/1.1  101 x", "HTTP/1.1\t101 x", "HTTP/1.1 101\tx", "HTTP/1.1", "101 null", "http/1.1 101 x",
            "HTTP/1.10 101 x",
            "HTTP/11 101 x", "HTTP/1,1 101 x", " HTTP/1.1 101 x", "ICY 101 x", "HTTP/1.1 101 x\r\n X: y",
            "HTTP/1.1 101 a\0",
            "HTTP/1.1 101 a\u{7f}", "HTTP/1.1 101 a\rb",
        ]),
        ("Connection", E::MalformedHead, &[
            "Connection: Upgrade\r\nX : y", "Connection\t: Upgrade", "X\r\nConnection: Upgrade", ": x", "X Y: z",
            "X: a\rb", "X: a\0",
            "X: \u{1}", "X: \u{7f}", "H\u{f4}st: x", "X: a\r", "(X): y",
        ]),
        ("Upgrade", E::UpgradeMismatch, &[
            "X: y", "Upgrade:", "Upgrade: h2c", "Upgrade: websockets", "Upgrade: websocket, h2c",
            "Upgrade: h2c, websocket",
            "Upgrade: websocket,", "Upgrade: web socket", "Upgrade: websocket\u{a0}", "Upgrade: web\r\n socket",
        ]),
        ("Upgrade", E::RepeatedHeader("Upgrade"), &[
            "Upgrade: websocket\r\nupgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket",
        ]),
        ("Connection", E::ConnectionMismatch, &[
            "X: y", "Connection:", "Connection: keep-alive", "Connection: close", "Connection: xUpgrade",
            "Connection: Upgrade-Insecure",
            "Connection: keep-alive Upgrade", "Connection: Up\r\nConnection: grade", "Connection: \"Upgrade\"",
        ]),
        ("Sec-WebSocket-Accept", E::AcceptMismatch, &["X: y"]),
        ("Connection", E::RepeatedHeader("Sec-WebSocket-Accept"), &[
            "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "Connection: Upgrade\r\nsec-websocket-accept: x",
            "Connection: Upgrade\r\nSec-WebSocket-Accept:",
        ]),
    ];
    for (name, error, all_lines) in table {
        for lines in all_lines {
            let response = response_with(name, &format!("{lines}\r\n"));
            assert_eq!(answer(&["chat"], &response), Err(error), "{}", response.escape_ascii());
        }
    }
    for line in RESPONSE.split_inclusive("\r\n") {
        let response = octets(&RESPONSE.replacen(line, &line.replace('\r', ""), 1));
        assert_eq!(answer(&["chat"], &response), Err(E::MalformedHead), "a bare LF: {}", response.escape_ascii());
    }
}

#[test]
fn s4_1_23_the_accept_value_is_compared_whole() {
    // 6455-4.1-23, 6455-1.3-1, 6455-4.3-2, 6455-4.1-29, 9112-5.1-2, SEC-2
    let with = |value: &str| {
        answer(&["chat"], &response_with("Sec-WebSocket-Accept", &format!("Sec-WebSocket-Accept:{value}\r\n")))
    };
    let right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    for at in 0..right.len() {
        for other in ["A", "-", "=", "\u{a0}"] {
            let mut wrong = right.to_owned();
            wrong.replace_range(at..=at, other);
            if wrong != right {
                assert_eq!(with(&wrong), Err(E::AcceptMismatch), "{wrong}");
            }
        }
        assert_eq!(with(&right[..at]), Err(E::AcceptMismatch), "the first {at}");
        assert_eq!(
            with(&format!(" {} {}", &right[..at], &right[at..])),
            if at == 0 { Ok(accepted("")) } else { Err(E::AcceptMismatch) }
        );
    }
    #[rustfmt::skip]
    let wrong = [
        "", " ", " =", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOp=",
        "s3pplmbitxaq9kygzzhzrbk+xoo=", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "s3pPLMBiTxaQ9kYGzzhZRbK-xOo=",
        "C/0nmHhBztSRGR1CwL6Tf4ZjwpY=", "dGhlIHNhbXBsZSBub25jZQ==", "b37a4f2cc0624f1690f64606cf385945b2bec4ea",
        "\"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\"", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "\u{a0}s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\u{a0}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=x",
    ];
    for wrong in wrong {
        assert_eq!(with(wrong), Err(E::AcceptMismatch), "{wrong}");
    }
    assert_eq!(with("\u{b}s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), Err(E::MalformedHead));
}

#[test]
fn s4_1_20_rejections_with_their_bodies() {
    // 6455-4.1-20, 9112-6.3-2, 9112-7.1-1, 9112-6.1-3, 9110-15.4-1
    let reject = |head: &str, body: &str| answer(&[], format!("HTTP/1.1 {head}\r\n\r\n{body}").as_bytes());
    let rejected =
        |status, fields, body: &str, is_complete| Ok(Outcome::Rejected(status, fields, body.into(), is_complete));
    for status in [200, 201, 299, 301, 307, 400, 401, 403, 404, 426, 500, 503, 599, 600, 999] {
        // all that an acceptance has, but not its status
        let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
        let head = format!("{status} x\r\n{fields}\r\nContent-Length: 4");
        assert_eq!(reject(&head, "\x01\x02hi"), rejected(status, 4, "\x01\x02hi", true));
    }
    assert_eq!(reject("403 Forbidden\r\nContent-Length: 3", "no!and more"), rejected(403, 1, "no!", true));
    assert_eq!(reject("403 x\r\nContent-Length: 5", "no!"), rejected(403, 1, "no!", false));
    assert_eq!(reject("404 x\r\nContent-Length: 0", ""), rejected(404, 1, "", true));
    assert_eq!(reject("401 x\r\nContent-Length: 1, 1", "x"), rejected(401, 1, "x", true));
    assert_eq!(reject("401 x\r\nContent-Length: 1\r\ncontent-length: 1", "x"), rejected(401, 2, "x", true));
    assert_eq!(reject("500 x", "until the end"), rejected(500, 0, "until the end", false));
    assert_eq!(reject("302 Found\r\nLocation: /x\r\nContent-Length: 0", ""), rejected(302, 2, "", true));
    assert_eq!(reject("304 x", "no body"), rejected(304, 0, "", true));
    assert_eq!(reject("204 x\r\nContent-Length: 7", "no body"), rejected(204, 1, "", true));
    assert_eq!(reject("403 x\r\nX: a\r\n b", "x"), rejected(403, 1, "x", false));
    assert_eq!(answer(&[], b"HTTP/1.0 403 x\r\n\r\nx"), rejected(403, 0, "x", false));
    let chunked = "503 x\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 1";
    let whole = "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
    assert_eq!(reject(chunked, whole), rejected(503, 2, "abc0123456789", true));
    assert_eq!(reject("503 x\r\ntransfer-encoding: Chunked", whole), rejected(503, 1, "abc0123456789", true));
    assert_eq!(reject("503 x\r\nTransfer-Encoding: chunked, gzip", "3\r\nabc"), rejected(503, 1, "3\r\nabc", false));
    assert_eq!(reject(chunked, "3\r\nab"), rejected(503, 2, "ab", false));
    #[rustfmt::skip]
    let bodies = [
        "ffffffffffffffffff\r\n", "10000000000000000\r\n", "\r\n", "x\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "3\nabc",
        "3\r\nabcd\r\n",
        "3\r\nabc\n", ";x\r\n", "1 1\r\n", &"0".repeat(300), &format!("1;{}", "x".repeat(300)),
    ];
    for body in bodies {
        assert_eq!(reject(chunked, body), Ok(Outcome::BadBody), "{body:?}");
    }
    assert_eq!(reject(chunked, "ffffffffffffffff\r\nabc"), rejected(503, 2, "abc", false), "as long as may be");
    for len in ["x", "-1", "+1", "1, 2", "0x3", "99999999999999999999", "1\r\nContent-Length: 2", "", ","] {
        assert_eq!(reject(&format!("400 x\r\nContent-Length: {len}"), ""), Ok(Outcome::BadBody), "{len}");
    }
    assert_eq!(reject("400 x\r\nTransfer-Encoding:\r\nContent-Length: 1", "x"), Ok(Outcome::BadBody));
    assert_eq!(answer(&[], b"HTTP/1.0 400 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), Ok(Outcome::BadBody));
}

#[test]
fn r9112_8_a_body_that_was_cut_off_is_told_from_a_whole_one() {
    // 9112-6.3-2
    for (fields, come, is_whole) in [
        ("Content-Length: 3\r\n", "no!", true),
        ("Content-Length: 10\r\n", "no!", false),
        ("", "no!", true),
        ("Transfer-Encoding: chunked\r\n", "3\r\nno!\r\n0\r\n\r\n", true),
        ("Transfer-Encoding: chunked\r\n", "3\r\nno!\r\n", false),
        ("Transfer-Encoding: chunked\r\n", "4\r\nno!", false),
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

#[test]
fn r9110_15_4_a_redirection_is_handed_out() {
    // 9110-15.4-1, 6455-4.1-20, 6455-4.1-11
    // a request that follows it is a new one: with its own host and nonce, and without what the first one carried
    let (mut handshake, request) = client(&[]);
    let mut input = ReadBuffer::default();
    input.extend_from_slice(b"HTTP/1.1 302 Found\r\nLocation: wss://b.example/c\r\nContent-Length: 0\r\n\r\n");
    let Some(Answer::Rejected { response, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    let location = std::str::from_utf8(response.headers().get("location").unwrap()).unwrap();
    let uri = Uri::parse(location).unwrap();
    let mut output = Vec::new();
    ClientRequest::new(&uri).send(&Config::default(), &mut output).unwrap();
    let ((_, _, first), (_, target, second)) = (read_request(request.as_bytes()), read_request(&output));
    assert_eq!((&*target, values(&second, "Host"), second.len()), ("/c", vec!["b.example"], 5));
    assert_ne!(values(&first, "Sec-WebSocket-Key"), values(&second, "Sec-WebSocket-Key"));
}

#[test]
fn r9112_8_the_stream_ends_in_the_handshake() {
    // 9112-8-1, 6455-4.1-4, 6455-4.1-29, 6455-7.2.2-1
    for come in 0..RESPONSE.len() {
        for before in ["", "HTTP/1.1 100 x\r\n\r\n"] {
            let (mut handshake, _) = client(&["chat"]);
            let mut input = ReadBuffer::default();
            input.extend_from_slice(before.as_bytes());
            input.extend_from_slice(&RESPONSE.as_bytes()[..come]);
            assert!(handshake.receive(&mut input).unwrap().is_none());
            assert_eq!(handshake.receive_eof(), Err(E::UnexpectedEof), "{come}");
            assert_eq!(handshake.receive_eof(), Ok(()));
            input.extend_from_slice(&RESPONSE.as_bytes()[come..]);
            assert!(handshake.receive(&mut input).unwrap().is_none(), "it is over");
        }
    }
}

#[test]
fn r9110_15_2_interim_responses_are_bounded() {
    // 9110-15.2-1, 28-39
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let limit = Config::default().limits.head;
    for (count, is_too_many) in
        [((limit - RESPONSE.len()) / interim.len(), false), (limit / interim.len(), true), (limit, true)]
    {
        let responses = [&interim.repeat(count), RESPONSE].concat();
        let expected = if is_too_many { Err(E::HeadTooLarge) } else { Ok(accepted("")) };
        assert_eq!(answer_once(&["chat"], [responses.as_bytes()]), expected, "{count}");
        assert_eq!(answer_once(&["chat"], responses.as_bytes().chunks(7)), expected, "{count}");
    }
}

#[test]
fn r28_19_a_client_sends_at_once() {
    // 28-19, 6455-4.1-27
    let (mut handshake, _) = client(&["chat"]);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(&[RESPONSE.as_bytes(), b"\x89\x01"].concat());
    let Some(Answer::Accepted { mut connection, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    connection.send_binary(b"", &mut output).unwrap();
    assert_eq!((output.len(), output[1] & 0x80), (6, 0x80), "masked");
    assert_eq!(connection.receive(&mut input, &mut output), Ok(None));
    input.extend_from_slice(b"x");
    assert_eq!(connection.receive(&mut input, &mut output), Ok(Some(Event::Ping(b"x"))));
}
