//! RFC 6455 §7.1.7, §7.4.1: a connection fails, and says why.

mod common;

use std::collections::BTreeSet;

use common::{
    ROLES, assert_failed, assert_failed_after, frame_from, frame_to, frames_to, hex, run, run_after, run_with, text,
};
use websocket_proto::ProtocolError as E;
use websocket_proto::handshake::{ClientRequest, ServerHandshake, Uri};
use websocket_proto::{
    CloseCode, Config, Connection, Delivery, HandshakeError, PongPolicy, ReadBuffer, Role, Side, State,
};

/// Every error that octets can cause: the frames that do, first octet and payload, and the code that tells.
fn faults(role: Role) -> Vec<(E, u16, Vec<u8>)> {
    let too_long = [0x88, if role == Role::Server { 0xFE } else { 0x7E }].to_vec();
    let length = |octets: &str| {
        let mut octets = hex(octets);
        octets[1] |= if role == Role::Server { 0x80 } else { 0 };
        [octets, vec![0; 4]].concat()
    };
    let other = if role == Role::Server { Role::Client } else { Role::Server };
    let masking = if role == Role::Server { E::FrameNotMasked } else { E::FrameMasked };
    let mut faults = vec![
        (E::ReservedBits, 1002, frame_to(role, 0xA1, b"a")),
        (E::ReservedOpCode, 1002, frame_to(role, 0x83, b"a")),
        (E::LengthNotMinimal, 1002, length("82 7e 00 7d")),
        (E::LengthTooLarge, 1002, length("82 7f 80 00 00 00 00 00 00 00")),
        (E::ControlFragmented, 1002, frame_to(role, 0x09, b"a")),
        (E::ControlTooLong, 1002, too_long),
        (masking, 1002, frame_to(other, 0x81, b"a")),
        (E::NothingToContinue, 1002, frame_to(role, 0x80, b"a")),
        (E::MessageInterleaved, 1002, frames_to(role, &[(0x01, b"a"), (0x81, b"b")])),
        (E::InvalidUtf8, 1007, frame_to(role, 0x81, b"\xff")),
        (E::CloseBodyTooShort, 1002, frame_to(role, 0x88, b"\x03")),
        (E::InvalidCloseCode(CloseCode(999)), 1002, frame_to(role, 0x88, b"\x03\xe7")),
        (E::InvalidCloseReason, 1007, frame_to(role, 0x88, b"\x03\xe8\xff")),
        (E::FrameTooBig, 1009, frame_to(role, 0x82, &[0; 31])),
        (E::MessageTooBig, 1009, frames_to(role, &[(0x02, &[0; 30]), (0x00, &[0; 11])])),
        (E::TooManyFragments, 1008, frames_to(role, &[(0x02, b""), (0x00, b""), (0x00, b""), (0x00, b"")])),
    ];
    let inflated = common::deflate_faults().into_iter();
    faults.extend(inflated.map(|(error, code, payload)| (error, code, frame_to(role, 0xC2, &payload))));
    faults
}

/// Limits that each of these errors can exceed.
fn small(error: E) -> Config {
    let mut config = common::with_deflate(Config::default());
    config.limits.frame = 30;
    // what a ratio of 1 leaves free is more than 40
    config.limits.message = if error == E::InflatesTooMuch { 5000 } else { 40 };
    config.limits.inflate_ratio = Some(1);
    config.limits.fragments = 3;
    config
}

#[test]
fn sio_5_every_failure_has_a_cause_a_code_and_a_close_that_says_so() {
    // SIO-5, 6455-7.4.1-6, 6455-7.1.7-1, 6455-7.1.7-2, 28-40, 6455-10.7-2, 6455-7.4.1-1
    for role in ROLES {
        for (error, code, octets) in faults(role) {
            assert_eq!(error.close_code(), CloseCode(code));
            assert!(!error.to_string().is_empty());
            // clean flag, cause, code and output are looked at there
            assert_failed(&run_with(role, &small(error), &octets), role, error);
        }
        let mut ws = common::connection(role, &small(E::UnexpectedEof));
        assert_eq!(ws.receive_eof(), Err(E::UnexpectedEof));
        assert_eq!(E::UnexpectedEof.close_code(), CloseCode::ABNORMAL);
        let outcome = ws.close_outcome().unwrap();
        assert_eq!((outcome.clean, outcome.sent, outcome.error), (false, CloseCode::ABNORMAL, Some(E::UnexpectedEof)));
    }
}

#[test]
fn sio_5_the_table_of_failures_is_whole() {
    // SIO-5
    let source = include_str!("../src/error.rs");
    let (_, source) = source.split_once("pub enum ProtocolError {").unwrap();
    let (source, _) = source.split_once("\n}").unwrap();
    let is_variant = |line: &&str| line.starts_with(char::is_uppercase);
    let variants = source.lines().map(str::trim).filter(is_variant).map(|line| line.split(['(', ',']).next().unwrap());
    let variants: BTreeSet<String> = variants.map(str::to_owned).collect();
    let mut caused = BTreeSet::from(["UnexpectedEof".to_owned()]);
    for (error, ..) in ROLES.into_iter().flat_map(faults) {
        caused.insert(format!("{error:?}").split('(').next().unwrap().to_owned());
    }
    if common::deflate_faults().is_empty() {
        caused.extend(["InvalidDeflate", "InflatesTooMuch"].map(str::to_owned));
    }
    assert_eq!(caused, variants);
}

#[test]
fn s7_1_7_3_what_comes_after_a_failure_is_discarded() {
    // 6455-7.1.7-3, 6455-7.1.7-2
    for role in ROLES {
        let octets = frames_to(role, &[(0x83, b""), (0x81, b"a"), (0x88, b"")]);
        assert_failed(&run(role, &octets), role, E::ReservedOpCode);
        for (error, _, octets) in faults(role) {
            let after = frames_to(role, &[(0x80, b""), (0x81, b"a"), (0x89, b"p"), (0x88, b"\x0f\xa0")]);
            assert_failed(&run_with(role, &small(error), &[octets, after].concat()), role, error);
        }
    }
}

#[test]
fn s7_1_5_1_a_failure_after_our_close_sends_no_second_one() {
    // 6455-5.5.1-10, 6455-7.1.5-1, 6455-7.1.4-1, SIO-5
    for role in ROLES {
        for (error, _, octets) in faults(role) {
            let close_first = |ws: &mut Connection, out: &mut Vec<u8>| ws.close(CloseCode(4000), "", out).unwrap();
            let transcript = run_after(role, &small(error), close_first, &octets);
            assert_eq!((transcript.messages, transcript.error), (vec![], Some(error)));
            assert_eq!((transcript.output, transcript.state), (frame_from(role, 0x88, b"\x0f\xa0"), State::Closed));
            let outcome = transcript.outcome.unwrap();
            assert_eq!((outcome.clean, outcome.sent, outcome.received), (false, CloseCode(4000), CloseCode::ABNORMAL));
            assert_eq!((outcome.error, outcome.began), (Some(error), Side::Local));
        }
    }
}

#[test]
fn s10_7_no_choice_switches_a_check_off() {
    // 6455-10.7-1, 6455-10.7-2
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            for pong in [PongPolicy::Automatic, PongPolicy::Manual] {
                for (error, _, octets) in faults(role) {
                    let mut config = small(error);
                    (config.delivery, config.pong) = (delivery, pong);
                    let before = frame_to(role, 0x81, b"good");
                    let mut ws = common::connection(role, &config);
                    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                    input.extend_from_slice(&[before, octets].concat());
                    let failed = loop {
                        match ws.receive(&mut input, &mut output) {
                            Ok(Some(_)) => {}
                            Ok(None) => panic!("{error} was let through"),
                            Err(failed) => break failed,
                        }
                    };
                    assert_eq!(failed, error);
                    assert_eq!(output, frame_from(role, 0x88, &error.close_code().0.to_be_bytes()));
                }
            }
        }
        // what limits can be switched off by, they alone
        let mut config = common::with_deflate(Config::default());
        (config.limits.frame, config.limits.message, config.limits.fragments) = (u64::MAX, u64::MAX, u32::MAX);
        for (error, _, octets) in faults(role) {
            let is_limit =
                matches!(error, E::FrameTooBig | E::MessageTooBig | E::InflatesTooMuch | E::TooManyFragments);
            assert_eq!(run_with(role, &config, &octets).error, if is_limit { None } else { Some(error) });
        }
    }
}

#[test]
fn s10_7_messages_before_a_failure_are_delivered() {
    // 6455-7.1.7-2, 6455-10.7-2
    for role in ROLES {
        for (error, _, octets) in faults(role) {
            let octets = [frame_to(role, 0x81, b"good"), octets].concat();
            assert_failed_after(&run_with(role, &small(error), &octets), role, error, &[text("good")], &[]);
        }
    }
}

#[test]
fn s7_1_4_2_what_never_opened_has_no_connection_and_sends_no_frame() {
    // 6455-7.1.4-2, 6455-10.7-2
    let uri = Uri::parse("ws://server.example.com/").unwrap();
    for answer in [&b""[..], b"HTTP/1.1 101 Sw", b"\x81\x05Hello", b"HTTP/1.1 101 \r\nUpgrade: h2c\r\n\r\n\x81\x00"] {
        let mut request = Vec::new();
        let mut client = ClientRequest::new(&uri).send(&Config::default(), &mut request).unwrap();
        let mut input = ReadBuffer::default();
        input.extend_from_slice(answer);
        let early = client.receive(&mut input).map(|answer| answer.is_some());
        let end = client.receive_eof();
        match early {
            Ok(is_there) => assert_eq!((is_there, end), (false, Err(HandshakeError::UnexpectedEof))),
            Err(_) => assert_eq!(end, Ok(())),
        }
        // neither open nor to be opened any more, and nothing but the request went out
        assert!(matches!(client.receive(&mut input), Ok(None)));
        assert!(request.ends_with(b"\r\n\r\n"));
    }
    // a server answers what is no handshake with a status, and with no frame
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(b"\x16\x03\x01\x02\x00\r\n\r\n\x81\x80\0\0\0\0");
    let mut server = ServerHandshake::new(&Config::default());
    assert!(server.receive(&mut input, &mut output).is_err());
    assert!(output.starts_with(b"HTTP/1.1 400 "), "{}", String::from_utf8_lossy(&output));
    let sent = output.clone();
    assert!(matches!(server.receive(&mut input, &mut output), Ok(None)));
    assert_eq!(output, sent);
}
