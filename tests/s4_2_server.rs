//! RFC 6455 §4.2.1: the request that a server takes or refuses, whole, in every cut and octet by octet.

mod common;

use common::handshake::{
    REQUEST, RESPONSE, Served, assert_opens, assert_refused, needs, octets, opens, read_response, refuses,
    request_with, serve, values, with_request,
};
use websocket_proto::HandshakeError as E;

#[test]
fn s1_3_the_example() {
    // 6455-4.2.2-6, 6455-4.2.2-7, 6455-4.2.2-8, 6455-4.2.2-9, 6455-4.2.2-32, 6455-11.3.3-1, 6455-11.3.4-1, 9110-7.8-1
    // erratum-5498, 9112-4-1
    let expected = Served { result: Ok(()), output: RESPONSE.to_owned(), behind: Vec::new() };
    assert_eq!(serve(REQUEST.as_bytes()), expected);
}

#[test]
fn s4_2_1_11_the_least_request() {
    // 6455-4.2.1-11, 6455-4.1-43, 6455-4.2.2-10, 6455-4.2.1-10, 6455-4.2.2-31
    let least = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let response = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    assert_eq!(assert_opens(least.as_bytes()), response);
    with_request(least.as_bytes(), |request| {
        assert_eq!((request.origin(), request.subprotocols(), request.extensions()), (None, &[][..], &[][..]));
        assert_eq!((request.path(), request.query(), request.authority()), ("/", None, "h"));
    });
}

#[test]
fn r9112_3_request_lines() {
    // 9112-2.2-5, 9112-2.3-1, 9112-3-1, 9112-3-3, 9112-3.1-1, 9112-3.2-1, 6455-4.2.1-2, 6455-4.2.1-3, 28-17, 9110-7.8-4
    opens("GET", &["GET / HTTP/1.1", "GET /chat HTTP/1.2", "GET /chat HTTP/1.9", "\r\nGET /chat HTTP/1.1"]);
    opens("GET", &["\r\n\r\nGET /chat HTTP/1.1", "GET http://h/chat HTTP/1.1", "GET HTTPS://h:1 HTTP/1.1"]);
    #[rustfmt::skip]
    let malformed = [
        "GET /chat http/1.1", "GET /chat HTTP/1.10", "GET /chat HTTP/11", "GET /chat HTTP/1,1", "GET /chat HTTP/1.",
        "GET /chat HTTPS/1.1", "GET /chat HTTP/1.1 ", "GET /chat\tHTTP/1.1", "GET  /chat HTTP/1.1",
        "GET /chat  HTTP/1.1",
        "GET\t/chat HTTP/1.1", " GET /chat HTTP/1.1", "GET /a b HTTP/1.1", "GET /a\tb HTTP/1.1", "GET /\u{1} HTTP/1.1",
        "GET /\u{7f} HTTP/1.1", "GET  HTTP/1.1", "GET HTTP/1.1", "GET /chat", "GET", "G\0T /chat HTTP/1.1",
        "G(T /chat HTTP/1.1", "\u{e9} /chat HTTP/1.1", " /chat HTTP/1.1", "\r\n\r\n\r\nGET /chat HTTP/1.1",
        "\nGET /chat HTTP/1.1", "\rGET /chat HTTP/1.1", &"\r\n".repeat(1000),
    ];
    refuses("GET", E::MalformedHead, &malformed);
    #[rustfmt::skip]
    let targets = [
        "*", "h:80", "chat", "/\u{e9}", "/a#b", "/a?b#c", "/?#", "/a?\u{e9}", "http://h/?#", "#",
        "ftp://h/", "ws://h/chat", "http://", "http:///a", "http:/h/a",
        "http://u:p@h/", "http://h:x/", "http://[::1/",
    ];
    refuses("GET", E::InvalidTarget, &targets.map(|target| format!("GET {target} HTTP/1.1")));
    let versions = ["GET /chat HTTP/1.0", "GET /chat HTTP/0.9", "GET /chat HTTP/2.0", "POST / HTTP/1.0"];
    refuses("GET", E::UnsupportedHttpVersion, &versions);
    let methods = ["POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "get", "Get", "GETS", &"A".repeat(300)];
    refuses("GET", E::MethodNotAllowed, &methods.map(|method| format!("{method} /chat HTTP/1.1")));
    refuses("GET", E::MethodNotAllowed, &["OPTIONS * HTTP/1.1", "CONNECT h:80 HTTP/1.1"]);
}

#[test]
fn r9112_2_2_7_what_is_not_http_fails_at_once() {
    // 9112-2.2-7
    assert_refused(b"\x16\x03\x01\x02\x00", E::MalformedHead);
    assert_refused(b"\x00", E::MalformedHead);
    assert_refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", E::UnsupportedHttpVersion);
    assert_refused(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", E::MalformedHead);
}

#[test]
fn r9112_2_lines_of_octets() {
    // 9112-2.2-1, 9112-2.2-2, 9112-2.2-3, 9112-2.2-6, 9112-5.1-1, 9112-5.2-2, 9110-5.1-1, 9110-5.1-2, 9110-5.5-1
    // 9110-5.5-2, 9110-5.5-3
    #[rustfmt::skip]
    let values: [(&str, &[u8]); 9] = [
        (" bar", b"bar"), (" \u{c3}(", b"\xc3("), (" \u{e2}\u{80}\u{a8}", b"\xe2\x80\xa8"), (" \u{e9}", b"\xe9"),
        ("", b""), (" \t", b""), (" a\tb ", b"a\tb"), ("\u{a0}", b"\xa0"), ("::", b"::"),
    ];
    for (text, value) in values {
        let request = request_with("Origin", &format!("X-Foo:{text}\r\n"));
        assert_opens(&request);
        with_request(&request, |request| assert_eq!(request.headers().get("x-foo"), Some(value)));
    }
    #[rustfmt::skip]
    let malformed = [
        "X : y", "X\t: y", "Sec-WebSocket-Key\t: dGhlIHNhbXBsZSBub25jZQ==", ": x", ":", "Sec WebSocket: x", "H\0st: x",
        "H\u{f4}st: x", "X", "X: a\r\n b", "X: a\r\n\tb", "X:\r\n b", "X: a\r\n ", "X: a\r", "X: y\r\r\nZ: y",
        "X\u{a0}: y",
        "X: a\r\n : b", "(X): y", "X;: y",
    ];
    refuses("Origin", E::MalformedHead, &malformed);
    refuses("Host", E::MalformedHead, &[" Host: x", "\tHost: x", " \r\nHost: x", " X: y\r\nHost: x", "Host : x"]);
    refuses("Connection", E::MalformedHead, &["Connection:\r\n Upgrade", "Connection: keep-alive,\r\n\tUpgrade"]);
    for octet in (0..=0x1F).chain([0x7F]).filter(|&octet| octet != b'\t') {
        for line in [format!("Host: a{}b", char::from(octet)), format!("Host: a\r\nX: {}", char::from(octet))] {
            refuses("Host", E::MalformedHead, &[&line]);
        }
    }
    for line in REQUEST.split_inclusive("\r\n").take(8) {
        // a bare LF, in the place of any one line end
        assert_refused(&octets(&REQUEST.replace(line, &line.replace('\r', ""))), E::MalformedHead);
    }
    assert_refused(&octets(&REQUEST.replace('\r', "")), E::MalformedHead);
    assert_refused(&octets(&REQUEST.replace('\n', "")), E::MalformedHead);
    assert_refused(&octets(&REQUEST.replace("\r\n", "\n\r")), E::MalformedHead);
}

#[test]
fn r9112_5_names_in_any_case() {
    // 9112-5-1
    for line in REQUEST.split_inclusive("\r\n").skip(1).take(7) {
        let (name, value) = line.split_once(':').unwrap();
        let swapped: String = name
            .chars()
            .enumerate()
            .map(|(i, c)| if i % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
            .collect();
        for name in [name.to_ascii_lowercase(), name.to_ascii_uppercase(), swapped] {
            assert_eq!(assert_opens(&octets(&REQUEST.replace(line, &format!("{name}:{value}")))), RESPONSE, "{name}");
            // and a repeated one is repeated in any case
            let twice = octets(&REQUEST.replace(line, &format!("{line}{name}:{value}")));
            match &*name.to_ascii_lowercase() {
                "host" => drop(assert_refused(&twice, E::InvalidHost)),
                "sec-websocket-key" => drop(assert_refused(&twice, E::RepeatedHeader("Sec-WebSocket-Key"))),
                "sec-websocket-version" => drop(assert_refused(&twice, E::RepeatedHeader("Sec-WebSocket-Version"))),
                "origin" => drop(assert_refused(&twice, E::RepeatedHeader("Origin"))),
                "sec-websocket-protocol" => drop(assert_refused(&twice, E::InvalidSubprotocols)),
                _ => drop(assert_opens(&twice)),
            }
        }
    }
}

#[test]
fn r9112_3_2_hosts() {
    // 9112-3.2-2, 6455-4.2.1-4, 28-15, 28-16
    needs("Host", E::InvalidHost);
    refuses("Host", E::InvalidHost, &["Host: a\r\nHost: a", "Host: a\r\nHost: b", "Host: a\r\nX: y\r\nhOST:"]);
    refuses(
        "Host",
        E::InvalidHost,
        &["Host: a b", "Host: a/b", "Host: a@b", "Host: http://a", "Host: a:b", "Host: a?b"],
    );
    refuses(
        "Host",
        E::InvalidHost,
        &["Host: [::1", "Host: \u{e9}", "Host: a\tb", "Host: :80", "Host: a#b", "Host: a\\b"],
    );
    opens("Host", &["Host:", "Host: a,b", "Host: [::1]:8080", "Host: a.example:81", "Host: 127.0.0.1", "HOST:\tx "]);
    // an absolute target does not excuse the field
    assert_refused(
        &octets(&REQUEST.replace("/chat", "http://a/chat").replace("Host: server.example.com\r\n", "")),
        E::InvalidHost,
    );
}

#[test]
fn r9112_3_2_2_what_a_request_says() {
    // 9112-3.2.2-1, 6455-4.2.1-3, 8307-2-1, 9110-5.3-1
    #[rustfmt::skip]
    let targets = [
        ("/", ("/", None, "server.example.com")),
        ("/a//b/?x=1?y", ("/a//b/", Some("x=1?y"), "server.example.com")),
        ("/chat?", ("/chat", Some(""), "server.example.com")),
        ("//h/chat", ("//h/chat", None, "server.example.com")),
        ("/.well-known/coap", ("/.well-known/coap", None, "server.example.com")),
        ("http://a.example:81/chat?x=1", ("/chat", Some("x=1"), "a.example:81")),
        ("HTTPS://[::1]?x", ("/", Some("x"), "[::1]")),
        ("http://a.example", ("/", None, "a.example")),
    ];
    for (target, expected) in targets {
        let request = request_with("GET", &format!("GET {target} HTTP/1.1\r\n"));
        assert_opens(&request);
        with_request(&request, |request| {
            assert_eq!((request.path(), request.query(), request.authority()), expected);
            assert_eq!(request.origin(), Some(&b"http://example.com"[..]));
            assert_eq!(request.headers().get("upgrade"), Some(&b"websocket"[..]));
            assert_eq!(request.headers().iter().count(), 7);
        });
    }
}

#[test]
fn r9110_7_6_1_connection_and_upgrade() {
    // 9110-7.6.1-1, 9110-7.6.1-2, 9110-7.8-2, 9110-7.8-3, 9110-5.6.1-2, 6455-4.2.1-5, 6455-4.2.1-6, 28-13, 28-14
    // erratum-5453, 9110-15.5.22-1, 9110-7.8-1
    #[rustfmt::skip]
    opens("Connection", &[
        "Connection: keep-alive, Upgrade", "connection: UPGRADE", "Connection: upgrade", "Connection: ,, Upgrade ,",
        "Connection: keep-alive\r\nConnection: upgrade", "Connection: upgrade\r\nX: y\r\nConnection: keep-alive",
        "Connection:\tkeep-alive\t,\tUpgrade\t", "Connection:Upgrade", "Connection:\r\nConnection: Upgrade",
        "Connection: Upgrade, Upgrade", "Connection: close, Upgrade",
    ]);
    needs("Connection", E::NotAnUpgrade);
    #[rustfmt::skip]
    refuses("Connection", E::NotAnUpgrade, &[
        "Connection:", "Connection: ,", "Connection: close", "Connection: keep-alive", "Connection: keep-alive Upgrade",
        "Connection: xUpgrade", "Connection: Upgrade-Insecure", "Connection: \"Upgrade\"", "Connection: Upgrade;x",
        "Connection: Up\r\nConnection: grade", "Connection: Upgrade\u{a0}", "Proxy-Connection: Upgrade",
    ]);
    #[rustfmt::skip]
    opens("Upgrade", &[
        "Upgrade: WebSocket", "UPGRADE: WEBSOCKET", "Upgrade: IRC/6.9, websocket", "Upgrade: websocket, h2c",
        "Upgrade: h2c\r\nUpgrade: websocket", "Upgrade: ,,websocket,", "Upgrade:\twebsocket \t",
    ]);
    needs("Upgrade", E::NotAnUpgrade);
    #[rustfmt::skip]
    refuses("Upgrade", E::NotAnUpgrade, &[
        "Upgrade:", "Upgrade: h2c", "Upgrade: websocket2", "Upgrade: websockets", "Upgrade: web socket",
        "Upgrade: h2c websocket",
        "Upgrade: websocket/13", "Upgrade: \"websocket\"", "Upgrade: web\r\nUpgrade: socket", "X-Upgrade: websocket",
    ]);
    // a plain GET for a resource that is a WebSocket only
    assert_refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", E::NotAnUpgrade);
}

#[test]
fn s4_2_1_7_keys() {
    // 6455-4.2.1-7, 6455-4.2.1-9, 6455-4.2.1-12, 6455-4.3-2, 6455-4.2.2-9, 9112-5.1-2, 28-15, 28-23, SEC-2
    // erratum-3150
    let key = |text: &str| format!("Sec-WebSocket-Key:{text}");
    for (text, accept) in [
        (" dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("\t dGhlIHNhbXBsZSBub25jZQ== \t", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
        // pad bits as the RFC once printed them; the accept value is that of the text as it came
        ("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="),
        ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
        ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
    ] {
        let response = assert_opens(&request_with("Sec-WebSocket-Key", &format!("{}\r\n", key(text))));
        let (_, fields, _) = read_response(response.as_bytes());
        assert_eq!(values(&fields, "Sec-WebSocket-Accept"), [accept]);
    }
    needs("Sec-WebSocket-Key", E::InvalidKey);
    #[rustfmt::skip]
    let invalid = [
        "", " ==", " dGhlIHNhbXBsZSBub25jZQ=", " dGhlIHNhbXBsZSBub25jZQ===", " dGhlIHNhbXBsZSBub25jZQ",
        " dGhlIHNhbXBsZSBub25jZ==",
        " dGhlIHNhbXBsZSBub25jZQAA==", " AAAAAAAAAAAAAAAAAAAA", " AAAAAAAAAAAAAAAAAAAAAAA=",
        " AAAAAAAAAAAAAAAAAAAAAAAA",
        " -_-_-_-_-_-_-_-_-_-_-Q==", " dGhlIHNhbXBs ZSBub25jZQ==", " dGhlIHNhbXBsZSBub25jZQ= =",
        " dGhlIHNhbXBsZSBub25jZQ=A",
        " \u{a0}dGhlIHNhbXBsZSBub25jZQ==", " dGhlIHNhbXBsZSBub25jZQ==\u{a0}",
        " dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==",
        " \"dGhlIHNhbXBsZSBub25jZQ==\"", " ======dGhlIHNhbXBsZSBub25",
    ];
    refuses("Sec-WebSocket-Key", E::InvalidKey, &invalid.map(key));
    // a control character is not even a header value
    for text in [" \u{b}dGhlIHNhbXBsZSBub25jZQ==", "\u{c}dGhlIHNhbXBsZSBub25jZQ==", " dGhlIHNhbXBsZSBub25jZQ==\u{b}"] {
        refuses("Sec-WebSocket-Key", E::MalformedHead, &[&key(text)]);
    }
    for at in 0.."dGhlIHNhbXBsZSBub25jZQ==".len() {
        let mut text = String::from(" dGhlIHNhbXBsZSBub25jZQ==");
        text.replace_range(at + 1..at + 2, "-");
        refuses("Sec-WebSocket-Key", E::InvalidKey, &[&key(&text)]);
    }
    let other = "Origin: http://a\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==";
    refuses("Origin", E::RepeatedHeader("Sec-WebSocket-Key"), &[other, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="]);
    refuses("Origin", E::RepeatedHeader("Sec-WebSocket-Key"), &["Sec-WebSocket-Key:"]);
}

#[test]
fn s4_2_1_origins() {
    // 28-15, 6455-4.2.1-10
    opens("Origin", &["Origin: null", "Origin:", "Origin: http://a, http://b", "X: y"]);
    let repeated =
        ["Origin: http://a\r\nOrigin: http://a", "Origin: http://a\r\norigin: http://b", "Origin:\r\nOrigin:"];
    refuses("Origin", E::RepeatedHeader("Origin"), &repeated);
    for (line, origin) in [("X: y\r\n", None), ("Origin:\r\n", Some(&b""[..])), ("oRIGIN: null\r\n", Some(b"null"))] {
        with_request(&request_with("Origin", line), |request| assert_eq!(request.origin(), origin));
    }
}

#[test]
fn r9112_6_requests_with_bodies() {
    // 9112-6.3-3, 9112-6.1-2, 9112-6.1-3, 9112-6.3-4, 28-20
    opens("Origin", &["Content-Length: 0", "content-length:0 ", "Content-Length: 0\r\nContent-Length: 0"]);
    #[rustfmt::skip]
    refuses("Origin", E::BodyNotAllowed, &[
        "Content-Length: 6", "Content-Length: 3, 4", "Content-Length: +3", "Content-Length: +0", "Content-Length: -0",
        "Content-Length: 0x3", "Content-Length:", "Content-Length: 0, 4", "Content-Length: 0\r\nContent-Length: 4",
        "Content-Length: 123456789012345678901234567890", "Content-Length: 6\r\nTransfer-Encoding: chunked",
        "Content-Length: 0\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked", "Transfer-Encoding: identity",
        "transfer-ENCODING:", "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    ]);
    refuses("GET", E::UnsupportedHttpVersion, &["GET /chat HTTP/1.0\r\nTransfer-Encoding: chunked"]);
    // a body that looks like a frame: refused, and discarded
    let frame = common::hex("81 85 37 fa 21 3d 7f 9f 4d 51 58");
    let with_body = [&request_with("Origin", "Content-Length: 11\r\n")[..], &frame].concat();
    assert_refused(&with_body, E::BodyNotAllowed);
}

#[test]
fn r9110_7_8_expectations() {
    // 9110-7.8-5, 9110-15.2-2
    for value in ["100-continue", "100-CONTINUE"] {
        let response = assert_opens(&request_with("Origin", &format!("Expect: {value}\r\n")));
        assert_eq!(response, format!("HTTP/1.1 100 Continue\r\n\r\n{RESPONSE}"));
    }
    refuses("Origin", E::ExpectationFailed, &["Expect: 200-ok", "Expect:", "Expect: 100-continue, x"]);
    refuses("Origin", E::RepeatedHeader("Expect"), &["Expect: 100-continue\r\nExpect: 100-continue"]);
    // none to a client that does not know interim responses, nor before a refusal
    refuses("GET", E::UnsupportedHttpVersion, &["GET /chat HTTP/1.0\r\nExpect: 100-continue"]);
    refuses("GET", E::MethodNotAllowed, &["PUT /chat HTTP/1.1\r\nExpect: 100-continue"]);
}

#[test]
fn s4_2_1_1_every_refusal_has_its_status() {
    // 6455-4.2.1-1, 6455-4.2.2-12, 6455-4.2.2-20, 9110-15.5.22-1
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(16 << 10));
    let large = format!("X: {}\r\n", "a".repeat(16 << 10));
    let many = "X:\r\n".repeat(101);
    for (error, status, name, lines) in [
        (E::MalformedHead, 400, "GET", "GET /chat\r\n"),
        (E::InvalidTarget, 400, "GET", "GET * HTTP/1.1\r\n"),
        (E::InvalidHost, 400, "Host", ""),
        (E::BodyNotAllowed, 400, "Origin", "Content-Length: 1\r\n"),
        (E::MissingVersion, 400, "Sec-WebSocket-Version", ""),
        (E::InvalidKey, 400, "Sec-WebSocket-Key", ""),
        (E::RepeatedHeader("Sec-WebSocket-Version"), 400, "Origin", "Sec-WebSocket-Version: 13\r\n"),
        (E::InvalidSubprotocols, 400, "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol:\r\n"),
        (E::InvalidExtensions, 400, "Origin", "Sec-WebSocket-Extensions:\r\n"),
        (E::MethodNotAllowed, 405, "GET", "POST /chat HTTP/1.1\r\n"),
        (E::TargetTooLong, 414, "GET", &long),
        (E::ExpectationFailed, 417, "Origin", "Expect: x\r\n"),
        (E::NotAnUpgrade, 426, "Upgrade", ""),
        (E::UnsupportedVersion, 426, "Sec-WebSocket-Version", "Sec-WebSocket-Version: 8\r\n"),
        (E::HeadTooLarge, 431, "Origin", &large),
        (E::TooManyHeaderFields, 431, "Origin", &many),
        (E::UnsupportedHttpVersion, 505, "GET", "GET /chat HTTP/1.0\r\n"),
    ] {
        let output = assert_refused(&request_with(name, lines), error);
        assert_eq!((error.status(), read_response(output.as_bytes()).0), (Some(status), status), "{output}");
    }
    for error in [
        E::UpgradeMismatch,
        E::ConnectionMismatch,
        E::AcceptMismatch,
        E::SubprotocolNotOffered,
        E::ExtensionNotOffered,
        E::MalformedBody,
        E::UnexpectedEof,
    ] {
        assert_eq!(error.status(), None, "{error}: nobody is there to be answered");
    }
}
