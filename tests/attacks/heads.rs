//! The opening handshake, attacked: heads without end, fields that hide, octets that pass for something else, and lines
//! that somebody has smuggled in.

use std::time::Duration;

use websocket_proto::handshake::{Answer, Asked, ClientRequest, Rejection, ServerHandshake, Uri};
use websocket_proto::{Config, Event, HandshakeError as E, HeadError, Keepalive, ReadBuffer, TimedOut, Timeouts};

use crate::common::handshake::{
    Outcome, REQUEST, RESPONSE, accepted, answer, answer_once, assert_opens, assert_refused, client, needs, octets,
    read_request, read_response, request_with, response_with, serve_once, values, with_request,
};
use crate::counting::measure;

/// A request, or response, of so many octets.
fn padded(head: &str, len: usize) -> Vec<u8> {
    let value = "a".repeat(len - head.len() - "X: \r\n".len());
    head.replace("\r\n\r\n", &format!("\r\nX: {value}\r\n\r\n")).into_bytes()
}

/// What is there when the n-th octet comes, with all before it but the last made into what no head may have: who looks
/// there again, refuses it.
fn poisoned(head: &[u8], come: usize) -> ReadBuffer {
    let mut input = ReadBuffer::default();
    let seen = come.saturating_sub(2); // of a line end that was cut, the CR may be looked at again
    input.extend_from_slice(&vec![0; seen]);
    input.extend_from_slice(&head[seen..come]);
    input
}

#[test]
fn no_octet_of_a_head_is_looked_at_twice_while_it_dribbles() {
    // CVE-2023-43669, RUSTSEC-2023-0065: all of the head parsed anew with each read
    let many = REQUEST.replace("\r\n\r\n", &format!("\r\n{}\r\n", "X: y\r\n".repeat(80)));
    for request in [padded(REQUEST, 3000), many.into_bytes()] {
        let (mut handshake, mut output) = (ServerHandshake::new(&Config::default()), Vec::new());
        for come in 1..request.len() {
            let mut input = poisoned(&request, come);
            let received = handshake.receive(&mut input, &mut output);
            assert!(received.unwrap().is_none(), "octet {come}");
        }
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&request);
        assert!(handshake.receive(&mut input, &mut output).unwrap().is_some());
        // and it does look: where the poison is what comes
        let mut input = poisoned(&request, request.len() / 2);
        let looked = ServerHandshake::new(&Config::default()).receive(&mut input, &mut output).is_err();
        assert!(looked);
    }
    let response = padded(RESPONSE, 3000);
    let (mut handshake, _) = client(&["chat"]);
    for come in 1..response.len() {
        let mut input = poisoned(&response, come);
        assert!(handshake.receive(&mut input).unwrap().is_none(), "octet {come}");
    }
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&response);
    assert!(handshake.receive(&mut input).unwrap().is_some());
}

#[test]
fn a_head_that_dribbles_allocates_no_more_than_its_octets() {
    let cost = |len: usize| {
        let request = padded(REQUEST, len);
        let (mut handshake, mut output) = (ServerHandshake::new(&Config::default()), Vec::new());
        let mut input = ReadBuffer::default();
        let (calls, allocations, peak) = measure(|| {
            let calls = request[..len - 1].chunks(1).filter(|octet| {
                input.extend_from_slice(octet);
                handshake.receive(&mut input, &mut output).unwrap().is_none()
            });
            calls.count()
        });
        assert_eq!((calls, output.len()), (len - 1, 0));
        (allocations, peak)
    };
    let ((few, small), (more, large)) = (cost(8_000), cost(16_000));
    assert!(more <= few + 1, "{few} and {more} allocations");
    assert!(large <= 2 * small + 64 && large <= 3 * 16_000, "{small} and {large} octets");
}

#[test]
fn a_head_without_end_stops_at_its_limit() {
    let limit = Config::default().limits.head;
    let request = |end: &str| octets(&REQUEST.replace("\r\n\r\n", end));
    #[rustfmt::skip]
    let floods: [(Vec<u8>, &[u8], E); 9] = [
        (b"GET /".to_vec(), b"a", E::TargetTooLong),
        (b"".to_vec(), b"G", E::TargetTooLong),
        (b"GET ".to_vec(), b" ", E::TargetTooLong),
        (request("\r\nX: "), b"a", E::HeadTooLarge),
        (request("\r\nX: "), b" ", E::HeadTooLarge),
        (request("\r\n"), b"X", E::HeadTooLarge),
        (request("\r\nConnection: "), b",", E::HeadTooLarge),
        (request("\r\n"), b"X: y\r\n", E::TooManyHeaderFields),
        (b"".to_vec(), b"\r\n", E::MalformedHead),
    ];
    for (begin, flood, error) in floods {
        for step in [1, 7, 1000] {
            let octets: Vec<u8> = begin.iter().chain(flood.iter().cycle()).copied().take(2 * limit).collect();
            let (mut handshake, mut output) = (ServerHandshake::new(&Config::default()), Vec::new());
            let (mut input, mut come, mut failure) = (ReadBuffer::default(), 0, None);
            let ((), _, peak) = measure(|| {
                for piece in octets.chunks(step) {
                    input.extend_from_slice(piece);
                    come += piece.len();
                    if let Err(error) = handshake.receive(&mut input, &mut output) {
                        failure = Some(error);
                        break;
                    }
                }
            });
            assert_eq!(failure, Some(error), "{}", flood.escape_ascii());
            assert!(come <= limit + step && peak <= 4 * limit, "{come} octets, {peak} octets of memory");
            assert!(input.is_empty() && output.len() < 300, "{} octets of refusal", output.len());
            assert_eq!(Some(read_response(&output).0), error.status());
        }
    }
    // what a server may do to a client
    for (begin, flood, error) in [
        ("HTTP/1.1 101 ", "a", E::HeadTooLarge),
        ("HTTP/1.1 101 x\r\nX: ", "a", E::HeadTooLarge),
        ("HTTP/1.1 101 x\r\nX: y\r\n", " \r\n", E::TooManyHeaderFields), // folds
        ("HTTP/1.1 101 x\r\n", "X: y\r\n", E::TooManyHeaderFields),
        ("", "HTTP/1.1 100 x\r\n\r\n", E::HeadTooLarge), // interim responses
        ("", "HTTP/1.1 103 x\r\nLink: x\r\n\r\n", E::HeadTooLarge),
    ] {
        let octets: Vec<u8> = begin.bytes().chain(flood.bytes().cycle()).take(2 * limit).collect();
        for step in [1, 7, 1000] {
            let (mut handshake, _) = client(&[]);
            let (mut input, mut come, mut failure) = (ReadBuffer::default(), 0, None);
            let ((), _, peak) = measure(|| {
                for piece in octets.chunks(step) {
                    input.extend_from_slice(piece);
                    come += piece.len();
                    if let Err(error) = handshake.receive(&mut input) {
                        failure = Some(error);
                        break;
                    }
                }
            });
            assert_eq!(failure, Some(error), "{flood:?}");
            assert!(come <= limit + 1 + step && peak <= 4 * limit, "{come} octets, {peak} octets of memory");
        }
    }
}

#[test]
fn frames_behind_a_head_do_not_count_for_its_limit() {
    // sockudo-ws#77: who sends at once what comes behind the head was refused for it
    let octets = [REQUEST.as_bytes(), &vec![0; 50_000]].concat();
    for step in [1000, octets.len()] {
        let served = serve_once(&Config::default(), octets.chunks(step));
        assert_eq!((served.result, served.behind.len()), (Ok(()), 50_000));
    }
}

#[test]
fn a_slow_head_meets_its_deadline_however_it_dribbles() {
    let at = Duration::from_secs;
    let mut keepalive = Keepalive::new(&Timeouts::default(), at(0));
    let (mut handshake, mut output) = (ServerHandshake::new(&Config::default()), Vec::new());
    let mut input = ReadBuffer::default();
    assert_eq!(keepalive.handshake_deadline(), Some(at(10)));
    for (octet, now) in REQUEST.as_bytes().iter().zip(1..10) {
        input.extend_from_slice(&[*octet]);
        assert!(handshake.receive(&mut input, &mut output).unwrap().is_none());
        keepalive.heard(at(now)); // that puts nothing off
        assert_eq!((keepalive.check_handshake(at(now)), keepalive.handshake_deadline()), (Ok(()), Some(at(10))));
    }
    assert_eq!(keepalive.check_handshake(at(10)), Err(TimedOut::Handshake));
}

/// What a request has to have, and what a server says of one that has not.
const MANDATORY: [(&str, E); 5] = [
    ("Host", E::InvalidHost),
    ("Upgrade", E::NotAnUpgrade),
    ("Connection", E::NotAnUpgrade),
    ("Sec-WebSocket-Key", E::InvalidKey),
    ("Sec-WebSocket-Version", E::MissingVersion),
];

#[test]
fn no_field_hides_behind_as_many_as_may_be() {
    // CVE-2024-37890 (websockets/ws): the parser dropped Upgrade behind its cap, and the server crashed; wtx and others
    // stop at 16 or 25, which proxies exceed
    let limit = Config::default().limits.header_fields;
    for (name, _) in MANDATORY {
        let line = REQUEST.split_inclusive("\r\n").find(|line| line.starts_with(name)).unwrap();
        let others = octets(&REQUEST.replace(line, ""));
        let others = others.strip_suffix(b"\r\n").unwrap();
        for count in (0..=limit + 1).step_by(5).chain([limit - 7, limit - 6, limit + 1]) {
            // the field is the last of all, of which seven are those of the request
            let request = [others, &b"X: y\r\n".repeat(count), line.as_bytes(), b"\r\n"].concat();
            let served = serve_once(&Config::default(), [&request[..]]);
            let expected = if count + 7 <= limit { Ok(()) } else { Err(E::TooManyHeaderFields) };
            assert_eq!(served.result, expected, "{name} behind {count}");
        }
    }
}

#[test]
fn a_field_that_is_missing_is_missed_and_one_in_any_case_is_found() {
    for (name, error) in MANDATORY {
        needs(name, error);
        let line = REQUEST.split_inclusive("\r\n").find(|line| line.starts_with(name)).unwrap();
        let (_, value) = line.split_once(':').unwrap();
        let mixed: String = name
            .chars()
            .enumerate()
            .map(|(i, c)| if i % 2 == 0 { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
            .collect();
        for name in [name.to_ascii_lowercase(), name.to_ascii_uppercase(), mixed] {
            assert_opens(&request_with(line.split(':').next().unwrap(), &format!("{name}:{value}")));
        }
        // and named like it is not it
        for lookalike in [format!("X-{name}"), format!("{name}s"), name.replacen(['o', 'e'], "0", 1)] {
            assert_refused(&request_with(name, &format!("{lookalike}:{value}")), error);
        }
    }
    // what counts once does not count twice, nor does the first or the last of two
    for name in ["Host", "Sec-WebSocket-Key", "Sec-WebSocket-Version"] {
        let line = REQUEST.split_inclusive("\r\n").find(|line| line.starts_with(name)).unwrap();
        let served = serve_once(&Config::default(), [&request_with(name, &[line, line].concat())[..]]);
        assert!(served.result.is_err(), "{name}");
    }
}

#[test]
fn a_request_that_others_may_end_elsewhere_is_refused() {
    // what a proxy and we would take for different requests lets the one in front be passed by
    #[rustfmt::skip]
    let table: [(&str, E, &[&str]); 4] = [
        ("Origin", E::BodyNotAllowed, &[
            "Content-Length: 11", "Transfer-Encoding: chunked", "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "transfer-encoding:\tchunked",
            "Content-Length: 0\r\nContent-Length: 11", "Content-Length: 0, 11", "Content-Length: +0",
            "Content-Length: 00",
            "Content-Length: 0x0", "Content-Length:",
        ]),
        ("Origin", E::MalformedHead, &[
            "Transfer-Encoding : chunked", "Content-Length\t: 11", "X: y\n", "X: y\r\r", "X\r\n", ": y",
            "X: y\r\n folded",
            " X: y", "X: a\0b", "X: a\rTransfer-Encoding: chunked", "X: a\nTransfer-Encoding: chunked", "X: \u{7f}",
            "Transfer\u{a0}Encoding: chunked",
        ]),
        ("GET", E::MalformedHead, &[
            "GET /chat HTTP/1.1\n", "GET  /chat HTTP/1.1", "GET /chat  HTTP/1.1", "GET /chat HTTP/1.1 ",
            "GET\t/chat HTTP/1.1",
            "GET /chat HTTP/1.1\r", "GET /chat", "GET /a b HTTP/1.1",
        ]),
        ("GET", E::UnsupportedHttpVersion, &["GET /chat HTTP/1.0", "GET /chat HTTP/2.0", "GET /chat HTTP/0.9"]),
    ];
    for (name, error, all_lines) in table {
        for lines in all_lines {
            assert_refused(&request_with(name, &format!("{lines}\r\n")), error);
        }
    }
    for method in ["POST", "get", "HEAD", "CONNECT", "OPTIONS", "PRI"] {
        assert_refused(&request_with("GET", &format!("{method} /chat HTTP/1.1\r\n")), E::MethodNotAllowed);
    }
}

#[test]
fn what_is_behind_a_request_waits_for_its_answer() {
    let frame = crate::common::frame_to(websocket_proto::Role::Server, 0x81, b"early");
    let next = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    // accepted: it is the connection's first frame, whole
    let (mut handshake, mut input, mut output) =
        (ServerHandshake::new(&Config::default()), ReadBuffer::default(), vec![]);
    input.extend_from_slice(&[REQUEST.as_bytes(), &frame].concat());
    let request = handshake.receive(&mut input, &mut output).unwrap().unwrap();
    let mut ws = request.accept().send(&mut output).unwrap();
    assert_eq!(input.unparsed(), frame);
    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Text("early"))));
    // a request that is behind is a frame, and a bad one
    input.extend_from_slice(next);
    assert!(ws.receive(&mut input, &mut output).is_err());

    // refused: neither a frame nor a request is read behind it
    for behind in [&frame[..], next, REQUEST.as_bytes()] {
        let served = serve_once(&Config::default(), [&request_with("Upgrade", "")[..], behind]);
        assert_eq!(served.result, Err(E::NotAnUpgrade));
        assert!(read_response(served.output.as_bytes()).0 == 426 && served.output.matches("HTTP/1.1").count() == 1);
    }
    // a page: as little
    let (mut handshake, mut input, mut output) =
        (ServerHandshake::new(&Config::default()), ReadBuffer::default(), vec![]);
    input.extend_from_slice(&[&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], REQUEST.as_bytes()].concat());
    let Some(Asked::Page(page)) = handshake.receive_any(&mut input, &mut output).unwrap() else { panic!("a page") };
    page.answer(200).send(&mut output).unwrap();
    assert!(handshake.receive_any(&mut input, &mut output).unwrap().is_none() && input.is_empty());
    assert!(output.starts_with(b"HTTP/1.1 200") && !output.windows(12).any(|octets| octets == b"HTTP/1.1 101"));
}

#[test]
fn only_a_response_that_is_right_lets_frames_through() {
    // Envoy, picows#64: a proxy that was told 101, by an answer that was none
    let frame = b"\x81\x02hi";
    #[rustfmt::skip]
    let refused = [
        ("HTTP", "HTTP/1.0 101 x", E::UnsupportedHttpVersion), ("HTTP", "HTTP/2.0 101 x", E::UnsupportedHttpVersion),
        ("HTTP", "101 null", E::MalformedHead), ("HTTP", "HTTP/1.1 0101 x", E::MalformedHead),
        ("HTTP", "\u{81}\u{2}hiHTTP/1.1 101 x", E::MalformedHead), // frames before it
        ("HTTP", " HTTP/1.1 101 x", E::MalformedHead), ("HTTP", "HTTP/1.1 101 x\n", E::MalformedHead),
        ("Upgrade", "Upgrade: h2c", E::UpgradeMismatch), ("Upgrade", "Upgrade: websocket, h2c", E::UpgradeMismatch),
        ("Connection", "Connection: close", E::ConnectionMismatch), ("Upgrade", "Upgrade : websocket",
        E::MalformedHead),
    ];
    for (name, line, error) in refused {
        let response = [&response_with(name, &format!("{line}\r\n"))[..], frame].concat();
        assert_eq!(answer(&["chat"], &response), Err(error), "{line}");
    }
    // any other status: what is behind it is a page
    for status in ["200 OK", "100 x\r\n\r\nHTTP/1.1 200 OK", "204 x", "301 x", "403 x", "500 x", "426 x", "201 x"] {
        let response = response_with("HTTP", &format!("HTTP/1.1 {status}\r\nContent-Length: 4\r\n"));
        match answer(&["chat"], &[&response[..], b"\x01\x02hi"].concat()) {
            Ok(Outcome::Rejected(..)) => {}
            other => panic!("{status}: {other:?}"),
        }
    }
    // a 101 has no body, whatever it says (RFC 9112 section 6.3): frames begin behind its empty line, and nowhere else
    for field in ["Content-Length: 4", "Transfer-Encoding: chunked", "Content-Length: 4\r\nTransfer-Encoding: chunked"]
    {
        let response = response_with("Connection", &format!("Connection: Upgrade\r\n{field}\r\n"));
        assert_eq!(answer(&["chat"], &[&response[..], frame].concat()), Ok(accepted("Text(\"hi\")")));
    }
}

/// Names and values with which a line would end, or another begin.
const SPLITTING: [&str; 9] =
    ["a\r\nX: y", "a\nX: y", "a\rX: y", "a\r\n\r\n<html>", "\r\n", "a\0", "a\u{7f}", "a\x0b", "a\x1b[2J"];

#[test]
fn nothing_that_an_application_hands_on_splits_a_head() {
    // CVE-2026-1527 (undici), CVE-2026-43969 (cowlib), sockudo-ws#78: CR and LF in what goes into a head
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let config = Config::default();
    let splits = |error: HeadError| {
        matches!(error, HeadError::InvalidHeaderName | HeadError::InvalidHeaderValue | HeadError::InvalidSubprotocol)
    };
    for hostile in SPLITTING {
        for request in [
            ClientRequest::new(&uri).header("X", hostile),
            ClientRequest::new(&uri).header(hostile, "x"),
            ClientRequest::new(&uri).header("Cookie", hostile),
            ClientRequest::new(&uri).origin(hostile),
            ClientRequest::new(&uri).subprotocol(hostile),
            ClientRequest::new(&uri).subprotocol("chat").header("A", "b").header("X", hostile).header("C", "d"),
        ] {
            let mut output = Vec::new();
            assert!(request.send(&config, &mut output).is_err_and(splits) && output.is_empty(), "{hostile:?}");
        }
        for builder in 0..2 {
            let mut output = Vec::new();
            let sent = with_request(REQUEST.as_bytes(), |request| match builder {
                0 => request.accept().header("Set-Cookie", hostile).send(&mut output),
                _ => request.accept().header(hostile, "x").send(&mut output),
            });
            assert!(sent.is_err_and(splits) && output.is_empty(), "{hostile:?}");
        }
        let mut output = Vec::new();
        let sent = with_request(REQUEST.as_bytes(), |request| request.accept().subprotocol(hostile).send(&mut output));
        assert!(sent.is_err() && output.is_empty(), "the client has not offered it");
        for rejection in [Rejection::new(302).header("Location", hostile), Rejection::new(403).header(hostile, "x")] {
            assert!(rejection.send(&mut output).is_err_and(splits) && output.is_empty(), "{hostile:?}");
        }
    }
    // what the client sent does not come back in the refusal
    for line in ["GET /<script> HTTP/1.1", "GET /\u{e9} HTTP/1.1", "<script> / HTTP/1.1"] {
        let served = serve_once(&config, [&request_with("GET", &format!("{line}\r\nX : y\r\n"))[..]]);
        assert!(served.result.is_err() && !served.output.contains("script"));
    }
}

#[test]
fn what_may_be_added_is_read_back_as_it_was_and_nothing_else() {
    let uri = Uri::parse("ws://server.example.com/chat").unwrap();
    let added = [("X", &b"a: b, c; \"d\""[..]), ("Cookie", b"a=1"), ("Cookie", b"b=\xe9\xff"), ("Y", b"")];
    let mut request = ClientRequest::new(&uri);
    for (name, value) in added {
        request = request.header(name, value);
    }
    let mut output = Vec::new();
    request.send(&Config::default(), &mut output).unwrap();
    let (_, _, fields) = read_request(&output);
    let read: Vec<_> = fields[fields.len() - 4..].iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!((read, fields.len()), (added.to_vec(), 5 + 4));
    // none of those that frame the message, or that are the handshake's own
    for name in ["Host", "content-length", "Transfer-Encoding", "Upgrade", "Connection", "Sec-WebSocket-Key", "TE"] {
        let (mut output, request) = (Vec::new(), ClientRequest::new(&uri).header(name, "x"));
        assert_eq!(request.send(&Config::default(), &mut output).err(), Some(HeadError::ReservedHeader), "{name}");
        assert!(output.is_empty());
    }
}

#[test]
fn no_part_of_a_uri_splits_a_request() {
    #[rustfmt::skip]
    let hostile = [
        "ws://a\r\nX: y/", "ws://a/\r\nX: y", "ws://a/ HTTP/1.1\r\nX: y", "ws://a/ b", "ws://a/?q=\r\n", "ws://a/\n",
        "ws://a/\t",
        "ws://a/\0", "ws://a b/", "ws://a/\u{e9}", "ws://\u{e9}/", "ws://a:80\r\n/", "ws://u:p@a/", "ws://a/#\r\n",
        "ws://a:8 0/",
        "http://a/", "ws:a", "ws://", "ws://a:99999/", "ws://[::1/", "ws://[::1]x/", "ws://a,b/<>",
    ];
    for text in hostile {
        assert!(Uri::parse(text).is_err(), "{text:?}");
    }
    for text in ["ws://a/%0d%0aX:%20y", "ws://a/?q=%0d%0a&r=a,b;c"] {
        let (uri, mut output) = (Uri::parse(text).unwrap(), Vec::new());
        ClientRequest::new(&uri).send(&Config::default(), &mut output).unwrap();
        let (_, target, fields) = read_request(&output);
        assert_eq!((&*target, fields.len()), (&text["ws://a".len()..], 5), "as it was written");
    }
}

#[test]
fn a_key_that_is_not_16_octets_is_refused() {
    // Zephyr; several ask for 24 characters of any kind, or for none
    #[rustfmt::skip]
    let keys = [
        "", "=", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA===", "AAAAAAAAAAAAAAAAAAAAAA== x", "AAAAAAAAAAAAAAAAAAAAAA==,AAAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAA AA==", "-_AAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAA=AAAAAAAAAAA==",
        "\u{e9}AAAAAAAAAAAAAAAAAAAAA==",
    ];
    for key in keys {
        assert_refused(&request_with("Sec-WebSocket-Key", &format!("Sec-WebSocket-Key: {key}\r\n")), E::InvalidKey);
    }
    // one as long as may be costs no more than that
    let request = request_with("Sec-WebSocket-Key", &format!("Sec-WebSocket-Key: {}\r\n", "A".repeat(15_000)));
    let (mut handshake, mut input) = (ServerHandshake::new(&Config::default()), ReadBuffer::default());
    let mut output = Vec::with_capacity(1000);
    input.extend_from_slice(&request);
    let (refused, _, peak) = measure(|| handshake.receive(&mut input, &mut output).is_err());
    assert!(refused && peak < 2000, "{peak} octets");
}

#[test]
fn an_accept_value_that_is_not_ours_to_the_octet_opens_nothing() {
    let right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let with = |value: &str| {
        answer_once(
            &["chat"],
            [&response_with("Sec-WebSocket-Accept", &format!("Sec-WebSocket-Accept: {value}\r\n"))[..]],
        )
    };
    assert_eq!(with(right), Ok(accepted("")));
    for at in 0..right.len() {
        for bit in 0..7 {
            let mut wrong = right.as_bytes().to_vec();
            wrong[at] ^= 1 << bit;
            let Ok(wrong) = String::from_utf8(wrong) else { continue };
            let is_value = !wrong.contains(|c: char| c.is_ascii_control());
            let expected = if is_value { E::AcceptMismatch } else { E::MalformedHead };
            assert_eq!(with(&wrong), Err(expected), "{wrong:?}");
        }
    }
    for wrong in [
        "",
        "=",
        &right[1..],
        &right[..27],
        &format!("{right}="),
        &format!("{right},{right}"),
        &right.to_ascii_lowercase(),
        "dGhlIHNhbXBsZSBub25jZQ==",
    ] {
        assert_eq!(with(wrong), Err(E::AcceptMismatch), "{wrong:?}");
    }
    // one without, and one twice
    assert_eq!(answer_once(&["chat"], [&response_with("Sec-WebSocket-Accept", "")[..]]), Err(E::AcceptMismatch));
    let twice = format!("Sec-WebSocket-Accept: {right}\r\n").repeat(2);
    let twice = answer_once(&["chat"], [&response_with("Sec-WebSocket-Accept", &twice)[..]]);
    assert_eq!(twice, Err(E::RepeatedHeader("Sec-WebSocket-Accept")));
}

#[test]
fn a_redirection_is_handed_out_and_followed_by_nobody() {
    // CVE-2026-42498: credentials that were sent along to another host
    for status in [301, 302, 303, 307, 308] {
        for location in ["ws://evil.test/", "wss://server.example.com/", "//evil.test", "/elsewhere", ""] {
            let uri = Uri::parse("ws://server.example.com/chat").unwrap();
            let (mut sent, mut input) = (Vec::new(), ReadBuffer::default());
            let request =
                ClientRequest::new(&uri).header("Authorization", "Bearer secret").header("Cookie", "a=secret");
            let mut handshake = request.send(&Config::default(), &mut sent).unwrap();
            let len = sent.len();
            let head = format!("HTTP/1.1 {status} x\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            input.extend_from_slice(head.as_bytes());
            // there is no output to write a second request to, and no connection comes of it
            let Some(Answer::Rejected { response, .. }) = handshake.receive(&mut input).unwrap() else { panic!() };
            assert_eq!(response.headers().get("Location"), Some(location.as_bytes()));
            assert!(handshake.receive(&mut input).unwrap().is_none());
            assert_eq!(sent.len(), len);
        }
    }
    // who follows it, makes a request of its own, which has nothing of the first
    let (uri, mut second) = (Uri::parse("ws://evil.test/").unwrap(), Vec::new());
    ClientRequest::new(&uri).send(&Config::default(), &mut second).unwrap();
    assert!(!second.windows(6).any(|octets| octets == b"secret"));
}

#[test]
fn credentials_are_handed_out_and_compared_with_nothing() {
    // CVE-2021-33880: a password that could be guessed by the time its comparison took. Here is none to compare with:
    // that is out of the core. What is compared, Sec-WebSocket-Accept, is no secret: who sees it has seen the key
    for credentials in ["", "Basic YTpi", "Basic YTpj", "Bearer x", &"x".repeat(8000)] {
        let request = request_with("Origin", &format!("Authorization: {credentials}\r\n"));
        with_request(&request, |request| {
            assert_eq!(request.headers().get("authorization"), Some(credentials.as_bytes()));
            let mut output = Vec::new();
            drop(request.accept().send(&mut output).unwrap());
            let (status, fields, _) = read_response(&output);
            assert_eq!((status, values(&fields, "Authorization").len(), fields.len()), (101, 0, 3));
        });
    }
}
