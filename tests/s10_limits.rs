//! RFC 6455 §10.4: what a peer may make an endpoint hold.

mod common;

use common::{ROLES, assert_failed, assert_failed_after, binary, frame_to, frames_to, hex, run, run_with, text};
use websocket_proto::{CloseCode, Config, ProtocolError, ReadBuffer, Role};

#[test]
fn s10_4_limits_are_exact() {
    // 6455-10.4-1, 6455-5.4-12
    let mut config = Config::default();
    config.limits.message = 10;
    config.limits.frame = 8;
    config.limits.fragments = 3;
    for role in ROLES {
        let run = |frames: &[(u8, &[u8])]| run_with(role, &config, &frames_to(role, frames));
        assert_eq!(run(&[(0x82, &[1; 8])]).messages, [binary(&[1; 8])]);
        assert_failed(&run(&[(0x82, &[1; 9])]), role, ProtocolError::FrameTooBig);
        assert_failed(&run(&[(0x81, &[b'a'; 9])]), role, ProtocolError::FrameTooBig);
        assert_eq!(run(&[(0x02, &[1; 8]), (0x80, &[1; 2])]).messages, [binary(&[1; 10])]);
        assert_failed(&run(&[(0x02, &[1; 8]), (0x80, &[1; 3])]), role, ProtocolError::MessageTooBig);
        assert_failed(&run(&[(0x01, b""), (0x00, &[b'a'; 8]), (0x00, b"abc")]), role, ProtocolError::MessageTooBig);
        assert_eq!(run(&[(0x02, b""), (0, b""), (0x80, b"")]).messages, [binary(b"")]);
        let transcript = run(&[(0x02, b""), (0, b""), (0, b""), (0x80, b"")]);
        assert_failed(&transcript, role, ProtocolError::TooManyFragments);
        // a limit is for each message anew, and not for control frames
        let messages = [(0x02, &[1; 8][..]), (0x80, &[1; 2]), (0x89, &[1; 99]), (0x02, &[1; 8]), (0x80, &[1; 2])];
        assert_eq!(run(&messages).error, None);
    }
    assert_eq!(ProtocolError::TooManyFragments.close_code(), CloseCode::POLICY_VIOLATION);
    assert_eq!(ProtocolError::FrameTooBig.close_code(), CloseCode::MESSAGE_TOO_BIG);
    assert_eq!(ProtocolError::MessageTooBig.close_code(), CloseCode::MESSAGE_TOO_BIG);
}

#[test]
fn s10_4_the_header_is_enough_to_breach_a_limit() {
    // 6455-10.4-1, 6455-5.2-14
    for (octets, error) in [
        ("82 7f 10 00 00 00 00 00 00 00", ProtocolError::FrameTooBig),
        ("82 7f 7f ff ff ff ff ff ff ff", ProtocolError::FrameTooBig),
        ("02 01 61  00 7f 00 00 00 00 01 00 00 00", ProtocolError::MessageTooBig),
    ] {
        assert_failed(&run(Role::Client, &hex(octets)), Role::Client, error);
    }
    // lengths whose sum is more than 64 bits hold
    let mut config = Config::default();
    config.limits.frame = u64::MAX;
    config.limits.message = u64::MAX;
    let transcript = run_with(Role::Client, &config, &hex("02 01 61  00 7f 7f ff ff ff ff ff ff ff 62"));
    assert_eq!((transcript.error, transcript.messages.len()), (None, 0));
}

#[test]
fn s10_4_a_limit_of_nothing_lets_empty_frames_through() {
    // 6455-10.4-1
    let mut config = Config::default();
    config.limits.frame = 0;
    config.limits.message = 0;
    config.limits.fragments = 1;
    for role in ROLES {
        let run = |frames: &[(u8, &[u8])]| run_with(role, &config, &frames_to(role, frames));
        assert_failed_after(&run(&[(0x81, b""), (0x82, b"a")]), role, ProtocolError::FrameTooBig, &[text("")], &[]);
        assert_failed(&run(&[(0x01, b""), (0x80, b"")]), role, ProtocolError::TooManyFragments);
    }
    config.limits.fragments = 0;
    for role in ROLES {
        assert_failed(&run_with(role, &config, &frame_to(role, 0x81, b"")), role, ProtocolError::TooManyFragments);
    }
}

#[test]
fn s10_4_limits_can_be_widened_later() {
    let mut config = Config::default();
    config.limits.message = 4;
    let mut ws = common::connection(Role::Client, &config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    config.limits.message = 5;
    ws.set_limits(config.limits);
    input.extend_from_slice(b"\x82\x05Hello");
    assert!(ws.receive(&mut input, &mut output).unwrap().is_some());
    input.extend_from_slice(b"\x82\x06Hello!");
    assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::MessageTooBig));
}
