//! RFC 6455 §4.4, §9, §11.3: what both ends agree on: version, subprotocol and extensions, on both sides.

mod common;

use common::handshake::{
    Outcome, REQUEST, RESPONSE, accepted, answer, assert_opens, assert_refused, client, needs, opens, read_request,
    read_response, refuses, request_with, response_with, serve_once, values, with_request,
};
use common::{assert_other_config, other_config};
use websocket_proto::handshake::{Answer, ClientRequest, ServerHandshake, Uri};
use websocket_proto::{Config, HandshakeError as E, HeadError, ProtocolError, ReadBuffer};

#[test]
fn s4_4_versions() {
    // 6455-4.2.1-8, 6455-4.2.1-9, 6455-4.2.2-20, 6455-4.3-1, 6455-4.4-1, 6455-4.4-3, 6455-4.1-30, 28-15, 28-21, 28-22
    // 9110-15.5.22-1
    needs("Sec-WebSocket-Version", E::MissingVersion);
    let version = |text: &str| format!("Sec-WebSocket-Version: {text}");
    #[rustfmt::skip]
    let unsupported = [
        "", "0", "6", "7", "8", "9", "12", "14", "25", "255", "256", "013", "13.0", "+13", "-13", "13 14", "1 3",
        "0x0d", "13, 8",
        "8, 13", "13,", ",13", "13;x", "\"13\"", "\u{b9}3", "99999999999999999999",
    ];
    refuses("Sec-WebSocket-Version", E::UnsupportedVersion, &unsupported.map(version));
    opens("Sec-WebSocket-Version", &["Sec-WebSocket-Version:13", "sec-websocket-VERSION: \t13\t "]);
    for number in (0..=999).filter(|&number| number != 13) {
        let request = request_with("Sec-WebSocket-Version", &format!("{}\r\n", version(&number.to_string())));
        assert_eq!(serve_once(&Config::default(), [&*request]).result, Err(E::UnsupportedVersion), "{number}");
    }
    let repeated = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "sec-websocket-version:"];
    refuses("Origin", E::RepeatedHeader("Sec-WebSocket-Version"), &repeated);
}

#[test]
fn s4_2_1_subprotocols() {
    // 6455-4.1-41, 6455-4.1-42, 6455-4.1-43, 6455-4.2.2-31, 6455-4.2.2-32, 6455-4.3-3, 7936-2-1, 28-38
    // 9110-5.3-1, 9110-5.6.1-2, 9110-5.6.1-3, 9110-5.6.3-1, 6455-11.3.4-1
    let field = |text: &str| format!("Sec-WebSocket-Protocol:{text}\r\n");
    #[rustfmt::skip]
    let lists: [(&str, &[&str], &[&str]); 11] = [
        (" chat, superchat", &["chat", "superchat"], &["chat"]),
        (" superchat, chat", &["superchat", "chat"], &["chat"]),
        (" other,x,chat", &["other", "x", "chat"], &["chat"]), // the server's order decides here
        (" other", &["other"], &["other"]),
        ("chat", &["chat"], &["chat"]),
        (" a", &["a"], &[]),
        (" Chat, CHAT", &["Chat", "CHAT"], &[]),
        (" chat, Chat", &["chat", "Chat"], &["chat"]),
        (" ,, \t a\t,chat ,,", &["a", "chat"], &["chat"]),
        (" a\r\nSec-WebSocket-Protocol: b, chat", &["a", "b", "chat"], &["chat"]),
        (" !#$%&'*+-.^_`|~09AZaz\r\nX: y\r\nsec-websocket-protocol:", &["!#$%&'*+-.^_`|~09AZaz"], &[]),
    ];
    for (text, offered, selected) in lists {
        let request = request_with("Sec-WebSocket-Protocol", &field(text));
        let response = assert_opens(&request);
        let (_, fields, _) = read_response(response.as_bytes());
        assert_eq!(values(&fields, "Sec-WebSocket-Protocol"), selected, "{text}");
        with_request(&request, |request| {
            assert_eq!(request.subprotocols(), offered);
            assert_eq!(
                request.select_subprotocol(&["superchat", "chat"]),
                offered
                    .iter()
                    .copied()
                    .find(|name| *name == "superchat")
                    .or(offered.iter().copied().find(|name| *name == "chat"))
            );
            assert_eq!(request.select_subprotocol(&[""; 0]), None);
        });
    }
    let response = assert_opens(&request_with("Sec-WebSocket-Protocol", ""));
    assert!(!response.contains("Protocol:"), "{response}");
    #[rustfmt::skip]
    let invalid = [
        "", " ", " ,", ",\t,", " chat, b ad", " chat;x", " chat,chat", " chat, x, chat",
        " chat\r\nSec-WebSocket-Protocol: chat",
        " \"chat\"", " a/b", " a=b", " \u{e9}", " chat\u{a0}", " (chat)", "\r\nSec-WebSocket-Protocol:", " a@b", " {",
        " a:b",
    ];
    for text in invalid {
        assert_refused(&request_with("Sec-WebSocket-Protocol", &field(text)), E::InvalidSubprotocols);
    }
    assert_refused(&request_with("Sec-WebSocket-Protocol", &field(" chat\u{b},superchat")), E::MalformedHead);
}

#[test]
fn s9_1_extensions() {
    // 6455-9.1-1, 6455-9.1-2, 6455-9.1-3, 6455-9.1-4, 6455-9-1, 6455-9-2, 6455-11.3.2-1, 28-29, 28-30, erratum-8491
    // erratum-6997, 9110-5.6.1-2, 9110-5.6.1-3, 6455-4.2.2-10, 6455-9.1-8, 28-28
    let field = |text: &str| format!("Sec-WebSocket-Extensions: {text}\r\n");
    #[rustfmt::skip]
    let lists: [(&str, &[&str]); 9] = [
        ("foo", &["foo"]),
        ("foo; bar", &["foo; bar"]),
        ("foo;bar=1;baz=\"2\"", &["foo; bar=1; baz=2"]),
        ("foo, bar; baz=2", &["foo", "bar; baz=2"]),
        ("foo\r\nX: y\r\nsec-websocket-extensions: bar; baz=2", &["foo", "bar; baz=2"]),
        ("mux; max-channels=4; flow-control, deflate-stream", &["mux; max-channels=4; flow-control", "deflate-stream"]),
        ("permessage-deflate ; client_max_window_bits = 10", &["permessage-deflate; client_max_window_bits=10"]),
        (", permessage-deflate,,", &["permessage-deflate"]),
        ("foo; a=\"1\\0\"", &["foo; a=10"]),
    ];
    for (text, expected) in lists {
        let request = request_with("Origin", &field(text));
        let response = assert_opens(&request);
        assert_eq!(response, RESPONSE, "all are declined");
        with_request(&request, |request| {
            let plain = request.extensions().iter().map(|extension| {
                let params = extension.params.iter().map(|param| match &param.value {
                    Some(value) => format!("; {}={value}", param.name),
                    None => format!("; {}", param.name),
                });
                [extension.name.to_owned()].into_iter().chain(params).collect::<String>()
            });
            assert_eq!(plain.collect::<Vec<_>>(), expected);
        });
    }
    for text in MALFORMED_EXTENSIONS {
        assert_refused(&request_with("Origin", &field(text)), E::InvalidExtensions);
    }
    assert_refused(&request_with("Origin", &field("f\0o")), E::MalformedHead);
}

#[test]
fn s5_8_no_extension_without_the_handshake() {
    // 6455-5.8-1, WHATWG-2.2-1
    // what browsers send, with the offer that all of them make
    let request = "GET /chat HTTP/1.1\r\nHost: localhost:9001\r\nConnection: keep-alive, Upgrade\r\n\
        Pragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0\r\nUpgrade: websocket\r\n\
        Origin: http://localhost:8000\r\n\
        Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-Fetch-Mode: websocket\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
        Sec-WebSocket-Protocol: superchat, chat\r\n\r\n";
    assert_eq!(assert_opens(request.as_bytes()), RESPONSE);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(request.as_bytes());
    let mut handshake = ServerHandshake::new(&Config::default());
    let mut ws = handshake.receive(&mut input, &mut output).unwrap().unwrap().accept().send(&mut output).unwrap();
    input.extend_from_slice(&common::hex("c1 80 37 fa 21 3d"));
    assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::ReservedBits));
}

/// What §9.1 does not allow.
#[rustfmt::skip]
const MALFORMED_EXTENSIONS: [&str; 24] = [
    "", ",", ";", "foo;", "foo;;bar", "foo; =1", "foo; a=", "foo; a=\"", "foo; a=\"b", "foo bar", "foo; a=b c", "foo=1",
    "\"foo\"",
    "foo; \"a\"=1", "foo/bar", "foo; a=\"\"", "foo; a=\"x y\"", "foo; a=\"b,c\"", "foo; a=\"\u{e9}\"", "foo; a=\"b\\",
    "foo\r\nSec-WebSocket-Extensions: ;", "foo; a=\"b\r\nSec-WebSocket-Extensions: c\"", "\u{e9}", "foo\u{a0}",
];

#[test]
fn s4_1_24_extensions_in_a_response() {
    // 6455-4.1-24, 6455-4.1-26, 6455-9.1-1, 6455-9.1-4, 6455-11.3.2-1, 28-29, erratum-3433, erratum-6997
    let with = |text: &str| {
        response_with("Connection", &format!("Connection: Upgrade\r\nSec-WebSocket-Extensions:{text}\r\n"))
    };
    // none was offered; several lines are one list, not a repetition
    for text in [
        "permessage-deflate",
        " x-foo",
        " foo; a=\"1\\0\", bar",
        " foo\r\nSec-WebSocket-Extensions: bar",
        " foo ; a = 1",
    ] {
        assert_eq!(answer(&["chat"], &with(text)), Err(E::ExtensionNotOffered), "{text}");
    }
    for text in MALFORMED_EXTENSIONS {
        assert_eq!(answer(&["chat"], &with(text)), Err(E::InvalidExtensions), "{text}");
    }
    assert_eq!(answer(&["chat"], &with(" f\0o")), Err(E::MalformedHead));
}

#[test]
fn s10_4_the_connection_is_as_its_handshake_was_told() {
    // 6455-10.4-1, SIO-3, 28-2
    let config = other_config();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let mut client = ClientRequest::new(&uri).send(&config, &mut to_server).unwrap();
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&to_server);
    let request = ServerHandshake::new(&config).receive(&mut input, &mut to_client).unwrap().unwrap();
    assert_other_config(request.accept().send(&mut to_client).unwrap());
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&to_client);
    let Some(Answer::Accepted { connection, .. }) = client.receive(&mut input).unwrap() else { panic!() };
    assert_other_config(connection);
}

#[test]
fn s5_8_nor_does_a_client_use_one() {
    // 6455-5.8-1, 6455-9.1-6
    let (mut handshake, _) = client(&["chat"]);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(&[RESPONSE.as_bytes(), b"\xc1\x00"].concat());
    let Some(Answer::Accepted { mut connection, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
    connection.send_text("aaaaaaaaaaaaaaaa", &mut output).unwrap();
    assert_eq!(output[0], 0x81, "no reserved bit");
    assert_eq!(connection.receive(&mut input, &mut output), Err(ProtocolError::ReservedBits));
}

#[test]
fn s4_1_25_subprotocols_in_a_response() {
    // 6455-4.1-25, 6455-4.1-26, 6455-1.3-2, 6455-4.3-3, 6455-4.1-43, 6455-11.3.4-1, 7936-2-1, 28-15, 28-37, 28-38
    let with = |lines: &str| response_with("Sec-WebSocket-Protocol", lines);
    let field = |text: &str| with(&format!("Sec-WebSocket-Protocol:{text}\r\n"));
    for text in [" chat", "chat", "\t chat \t"] {
        assert_eq!(answer(&["superchat", "chat"], &field(text)), Ok(accepted("")), "{text}");
    }
    for offered in [&[][..], &["chat"], &["chat", "superchat"]] {
        assert_eq!(answer(offered, &with("")), Ok(Outcome::Accepted(None, String::new())), "no agreement");
    }
    for (offered, text, error) in [
        (&["chat"][..], " superchat", E::SubprotocolNotOffered),
        (&["chat"], " Chat", E::SubprotocolNotOffered),
        (&["chat"], " chat2", E::SubprotocolNotOffered),
        (&["chat"], " cha", E::SubprotocolNotOffered),
        (&[], " chat", E::SubprotocolNotOffered),
        (&["chat", "a"], " chat, a", E::InvalidSubprotocols),
        (&["chat"], " chat, chat", E::InvalidSubprotocols),
        (&["chat"], " chat,", E::InvalidSubprotocols),
        (&["chat"], "", E::InvalidSubprotocols),
        (&["chat"], " ,", E::InvalidSubprotocols),
        (&["chat"], " \"chat\"", E::InvalidSubprotocols),
        (&["chat"], " chat;x", E::InvalidSubprotocols),
        (&["chat"], " chat\u{a0}", E::InvalidSubprotocols),
        (&[], "", E::InvalidSubprotocols),
        (&["chat"], " chat\r\nSec-WebSocket-Protocol: chat", E::RepeatedHeader("Sec-WebSocket-Protocol")),
        (&["chat"], " chat\r\nsec-websocket-PROTOCOL: a", E::RepeatedHeader("Sec-WebSocket-Protocol")),
        (&["chat"], "\r\nSec-WebSocket-Protocol: chat", E::RepeatedHeader("Sec-WebSocket-Protocol")),
    ] {
        assert_eq!(answer(offered, &field(text)), Err(error), "{offered:?} {text}");
    }
}

#[test]
fn s4_4_2_the_versions_of_a_server_that_does_not_speak_ours() {
    // 6455-4.4-2, 6455-11.3.5-2, 6455-4.3-1
    for (lines, expected) in [
        ("Sec-WebSocket-Version: 13\r\nX: y\r\nsec-websocket-version: 8, 7\r\n", &[13, 8, 7][..]),
        ("Sec-WebSocket-Version: 0,,255\t, 1\r\n", &[0, 255, 1]),
        (
            "Sec-WebSocket-Version: 256, 300, +6, 07, 00, 013, 13.0, 0x0d, 1 3, -1, \"13\", 99999999999999999999\r\n",
            &[],
        ),
        ("Sec-WebSocket-Version:\r\n", &[]),
        ("", &[]),
    ] {
        let (mut handshake, _) = client(&[]);
        let mut input = ReadBuffer::default();
        input.extend_from_slice(format!("HTTP/1.1 426 x\r\n{lines}\r\n").as_bytes());
        // once, though 13 may be in it, which was asked for: whether to try again is not the handshake's to say
        let Some(Answer::Rejected { response, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
        assert_eq!(response.versions().collect::<Vec<u8>>(), expected, "{lines}");
        assert!(handshake.receive(&mut input).unwrap().is_none());
    }
}

#[test]
fn s4_1_40_offers_of_subprotocols() {
    // 6455-4.1-40, WHATWG-3-2, 9110-5.5-4, 9110-5.6.1-1, 9112-5.2-1, 6455-4.1-14
    let uri = Uri::parse("ws://h/").unwrap();
    let request =
        |names: &[&str]| names.iter().fold(ClientRequest::new(&uri), |request, name| request.subprotocol(name));
    let mut output = Vec::new();
    #[rustfmt::skip]
    let invalid: [&[&str]; 16] = [
        &[""], &["a b"], &["a,b"], &["a/b"], &["é"], &["chat", "chat"], &["chat", "x", "chat"], &["chat", ""],
        &[" chat"], &["chat "],
        &["a\r\nb"], &["a\0"], &["\"a\""], &["a;b"], &["a\u{7f}"], &["", "chat"],
    ];
    for names in invalid {
        let sent = request(names).send(&Config::default(), &mut output).map(|_| ());
        assert_eq!((sent, &output[..]), (Err(HeadError::InvalidSubprotocol), &b""[..]), "{names:?}");
    }
    let many: Vec<String> = (0..2000).map(|i| format!("protocol-{i}")).collect();
    let many: Vec<&str> = many.iter().map(|name| &**name).collect();
    for names in [&["chat", "Chat"][..], &["b", "a"], &["!#$%&'*+-.^_`|~09AZaz"], &many] {
        output.clear();
        request(names).send(&Config::default(), &mut output).unwrap();
        let (_, _, fields) = read_request(&output);
        assert_eq!(values(&fields, "Sec-WebSocket-Protocol"), [names.join(", ")], "in one line, in this order");
    }
}

#[test]
fn s4_2_2_30_a_server_selects_what_was_offered() {
    // 6455-4.2.2-30, 6455-4.2.2-32, 6455-4.1-42, 7936-2-1
    let mut output = Vec::new();
    for name in ["none", "Chat", "chat, superchat", "", "chat\r\nX: y"] {
        let sent = with_request(REQUEST.as_bytes(), |request| {
            request.accept().subprotocol(name).send(&mut output).map(|_| ())
        });
        assert_eq!((sent, &output[..]), (Err(HeadError::SubprotocolNotOffered), &b""[..]), "{name}");
    }
    for name in ["chat", "superchat"] {
        output.clear();
        with_request(REQUEST.as_bytes(), |request| request.accept().subprotocol(name).send(&mut output).unwrap());
        let (_, fields, _) = read_response(&output);
        assert_eq!(values(&fields, "Sec-WebSocket-Protocol"), [name]);
    }
}
