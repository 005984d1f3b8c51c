//! RFC 9110 §5.4: heads that are long, that have many fields, and that come octet by octet, in both roles.

mod common;

use common::handshake::{
    Outcome, REQUEST, RESPONSE, accepted, answer, answer_once, assert_opens, assert_refused, client, request_with,
    response_with, serve_once,
};
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{Config, HandshakeError as E, ReadBuffer};

/// The limit on a head.
fn limit() -> usize {
    Config::default().limits.head
}

/// A request, or response, of so many octets.
fn padded(head: &str, len: usize) -> Vec<u8> {
    let value = "a".repeat(len - head.len() - "X: \r\n".len());
    head.replace("\r\n\r\n", &format!("\r\nX: {value}\r\n\r\n")).into_bytes()
}

#[test]
fn r9110_5_4_1_requests_that_are_too_large() {
    // 9110-5.4-1, 6455-4.2.1-13, 9110-5.6.1-2
    assert_opens(&padded(REQUEST, limit()));
    assert_refused(&padded(REQUEST, limit() + 1), E::HeadTooLarge);
    assert_refused(&padded(REQUEST, 1 << 20), E::HeadTooLarge);
    // an endless line
    assert_refused(&[REQUEST.trim_end().as_bytes(), &vec![b'a'; 1 << 16]].concat(), E::HeadTooLarge);
    assert_refused(&request_with("Connection", &format!("Connection: {}\r\n", ",".repeat(100_000))), E::HeadTooLarge);
    assert_refused(&request_with("GET", &"\r\n".repeat(1 << 16)), E::MalformedHead);
}

#[test]
fn r9112_3_2_targets_that_are_too_long() {
    // 9112-3-2, 9112-3-3
    let with_target = |len: usize| request_with("GET", &format!("GET /{} HTTP/1.1\r\n", "a".repeat(len - 1)));
    assert_opens(&with_target(7900));
    assert_opens(&with_target(8000));
    let most = limit() - "GET  HTTP/1.1\r\n".len();
    // within the limit alone, but not with the rest of the head
    assert_refused(&with_target(most), E::HeadTooLarge);
    assert_refused(&with_target(most + 1), E::TargetTooLong);
    assert_refused(&with_target(1 << 20), E::TargetTooLong);
    assert_refused(&request_with("GET", &format!("{} / HTTP/1.1\r\n", "A".repeat(1 << 16))), E::TargetTooLong);
}

#[test]
fn r9110_5_4_1_requests_with_many_fields() {
    // 9110-5.4-1, 6455-4.2.1-13
    // the request has 6 other fields
    for name in ["X", "Connection"] {
        let fields = |count: usize| request_with("Origin", &format!("{name}: 1\r\n").repeat(count));
        assert_opens(&fields(94));
        assert_refused(&fields(95), E::TooManyHeaderFields);
        assert_refused(&fields(10_000), E::TooManyHeaderFields);
    }
}

#[test]
fn r9110_5_4_1_memory_is_bounded() {
    // 9110-5.4-1, 6455-4.2.1-13
    let piece = 1000;
    for (endless, error) in [
        (padded(REQUEST, 1 << 20), E::HeadTooLarge),
        (
            request_with("Origin", &"X: 0123456789012345678901234567890123456789\r\n".repeat(10_000)),
            E::TooManyHeaderFields,
        ),
        (vec![b'a'; 1 << 20], E::TargetTooLong),
    ] {
        let mut handshake = ServerHandshake::new(&Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let (mut failed, mut most) = (None, 0);
        for (i, octets) in endless.chunks(piece).enumerate() {
            input.extend_from_slice(octets);
            most = most.max(input.len());
            if let Err(error) = handshake.receive(&mut input, &mut output) {
                assert_eq!(failed, None);
                failed = Some((error, i));
            }
        }
        let (failure, at) = failed.unwrap();
        assert!(failure == error && at * piece <= limit(), "{failure} {at}");
        assert!(most < limit() + piece && output.len() < 300 && input.is_empty(), "{most}");
    }
}

#[test]
fn r9110_5_4_1_limits_are_settings() {
    // 9110-5.4-1
    let mut config = Config::default();
    (config.limits.head, config.limits.header_fields) = (REQUEST.len(), 7);
    assert_eq!(serve_once(&config, [REQUEST.as_bytes()]).result, Ok(()));
    // frames behind it do not count
    assert_eq!(serve_once(&config, [REQUEST.as_bytes(), &[0; 1000]].concat().chunks(1200)).result, Ok(()));
    config.limits.head -= 1;
    for size in [1, 7, 1000] {
        assert_eq!(serve_once(&config, REQUEST.as_bytes().chunks(size)).result, Err(E::HeadTooLarge));
    }
    config.limits.head += 1;
    config.limits.header_fields -= 1;
    assert_eq!(serve_once(&config, [REQUEST.as_bytes()]).result, Err(E::TooManyHeaderFields));
}

#[test]
fn r9110_5_4_1_responses_that_are_too_large() {
    // 9110-5.4-1, 9110-15.2-1
    assert_eq!(answer(&["chat"], &padded(RESPONSE, limit())), Ok(accepted("")));
    for len in [limit() + 1, 1 << 20] {
        assert_eq!(answer(&["chat"], &padded(RESPONSE, len)), Err(E::HeadTooLarge));
    }
    // the response has 4 other fields
    let fields = |count: usize| response_with("HTTP", &format!("HTTP/1.1 101 x\r\n{}", "X: 1\r\n".repeat(count)));
    assert_eq!(answer(&["chat"], &fields(96)), Ok(accepted("")));
    for count in [97, 10_000] {
        assert_eq!(answer(&["chat"], &fields(count)), Err(E::TooManyHeaderFields));
    }
    let line = format!("HTTP/1.1 101 {}\r\n", "a".repeat(1 << 16));
    assert_eq!(answer(&["chat"], &response_with("HTTP", &line)), Err(E::HeadTooLarge));
    assert_eq!(answer(&["chat"], &vec![b'H'; 1 << 16]), Err(E::HeadTooLarge));
    // a fold is a line more
    let folded = |count: usize| response_with("HTTP", &format!("HTTP/1.1 101 x\r\nX: 1\r\n{}", " 1\r\n".repeat(count)));
    assert_eq!(answer(&["chat"], &folded(95)), Ok(accepted("")));
    assert_eq!(answer(&["chat"], &folded(96)), Err(E::TooManyHeaderFields));
    // of a rejection too
    let rejected = |len: usize| format!("HTTP/1.1 403 x\r\nX: {}\r\n\r\nbody", "a".repeat(len - 23)).into_bytes();
    assert_eq!(answer(&[], &rejected(limit())), Ok(Outcome::Rejected(403, 1, "body".into(), false)));
    assert_eq!(answer(&[], &rejected(limit() + 1)), Err(E::HeadTooLarge));
}

#[test]
fn r9110_5_3_4_a_dribbled_head_is_the_same_as_a_whole_one() {
    // 9110-5.3-4, 6455-4.2.1-13
    // the helpers see that nothing is said before its last octet; `src/handshake/scanner.rs` counts what is looked at
    let request = padded(REQUEST, limit());
    for (request, result) in [
        (&request[..], Ok(())),
        (&padded(REQUEST, limit() + 1), Err(E::HeadTooLarge)),
        (&[&request[..limit() - 4], b"\n\r\n\r\n"].concat(), Err(E::MalformedHead)),
        (&request[..limit() - 1], Err(E::UnexpectedEof)),
    ] {
        let whole = serve_once(&Config::default(), [request]);
        assert_eq!(whole.result, result);
        assert_eq!(serve_once(&Config::default(), request.chunks(1)), whole);
    }
    let response = padded(RESPONSE, limit());
    for (response, expected) in [
        (&response[..], Ok(accepted(""))),
        (&[&response[..], b"\x81\x02hi"].concat(), Ok(accepted("Text(\"hi\")"))),
        (&padded(RESPONSE, limit() + 1), Err(E::HeadTooLarge)),
        (&response[..limit() - 1], Ok(Outcome::More)),
    ] {
        assert_eq!(answer_once(&["chat"], [response]), expected);
        assert_eq!(answer_once(&["chat"], response.chunks(1)), expected);
    }
}

#[test]
fn feeding_nothing_changes_nothing() {
    let (mut handshake, _) = client(&[]);
    assert!(handshake.receive(&mut ReadBuffer::default()).unwrap().is_none());
    let empty: [&[u8]; 4] = [b"", b"", REQUEST.as_bytes(), b""];
    assert_eq!(serve_once(&Config::default(), empty), serve_once(&Config::default(), [REQUEST.as_bytes()]));
    assert_eq!(answer_once(&["chat"], [b"", b"", RESPONSE.as_bytes(), b""]), Ok(accepted("")));
}
