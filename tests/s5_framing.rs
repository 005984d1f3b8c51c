//! RFC 6455 §5: base framing, masking, fragmentation, control frames.

mod common;

use common::{ROLES, Transcript, binary, frame_from, frame_to, frames_to, hex, ping, pong, run, run_with, text};
use websocket_proto::{CloseCode, Config, MessageKind, PongPolicy, ProtocolError, ReadBuffer, Role, SendError, State};

/// The connection failed: nothing but a Close with this code went out after what was owed before.
fn assert_failed(transcript: &Transcript, role: Role, error: ProtocolError) {
    assert_eq!(transcript.error, Some(error));
    let close = frame_from(role, 0x88, &error.close_code().0.to_be_bytes());
    assert!(transcript.output.ends_with(&close), "{:02x?}", transcript.output);
    assert_eq!(transcript.state, State::Closed);
    let outcome = transcript.outcome.expect("it is over");
    assert_eq!((outcome.clean, outcome.sent, outcome.received), (false, error.close_code(), CloseCode::ABNORMAL));
}

#[test]
fn s5_7_1_to_3_text_unmasked_masked_and_fragmented() {
    assert_eq!(run(Role::Client, &hex("81 05 48 65 6c 6c 6f")).messages, [text("Hello")]);
    assert_eq!(run(Role::Server, &hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")).messages, [text("Hello")]);
    assert_eq!(run(Role::Client, &hex("01 03 48 65 6c  80 02 6c 6f")).messages, [text("Hello")]);
    let mut out = Vec::new();
    common::connection(Role::Server, &Config::default()).send_text("Hello", &mut out).unwrap();
    assert_eq!(out, hex("81 05 48 65 6c 6c 6f"));
    out.clear();
    common::connection(Role::Client, &Config::default()).send_text("Hello", &mut out).unwrap();
    assert_eq!(out, hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
    out.clear();
    let mut ws = common::connection(Role::Server, &Config::default());
    ws.begin_text("Hel", &mut out).unwrap();
    ws.finish_text("lo", &mut out).unwrap();
    assert_eq!(out, hex("01 03 48 65 6c  80 02 6c 6f"));
}

#[test]
fn s5_7_4_ping_and_its_masked_pong() {
    let transcript = run(Role::Client, &hex("89 05 48 65 6c 6c 6f"));
    assert_eq!(transcript.messages, [ping(b"Hello")]);
    assert_eq!(transcript.output, hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"));
}

#[test]
fn s5_7_5_and_6_binary_of_256_and_65536() {
    for (len, header) in [(256, "82 7e 01 00"), (65536, "82 7f 00 00 00 00 00 01 00 00")] {
        let data: Vec<u8> = (0..=255).cycle().take(len).collect();
        let frame = [hex(header), data.clone()].concat();
        assert_eq!(run(Role::Client, &frame).messages, [binary(&data)]);
        let mut out = Vec::new();
        common::connection(Role::Server, &Config::default()).send_binary(&data, &mut out).unwrap();
        assert_eq!(out, frame);
    }
}

#[test]
fn s5_2_4_every_length_form_both_ways() {
    for len in [0, 1, 125, 126, 127, 128, 65535, 65536, 70_000] {
        let data: Vec<u8> = (0..=255).cycle().take(len).collect();
        for role in ROLES {
            assert_eq!(run(role, &frame_to(role, 0x82, &data)).messages, [binary(&data)]);
            let mut out = Vec::new();
            common::connection(role, &Config::default()).send_binary(&data, &mut out).unwrap();
            assert_eq!(out, frame_from(role, 0x82, &data));
        }
    }
}

#[test]
fn s5_2_9_empty_payloads_of_every_kind() {
    for role in ROLES {
        let frames = frames_to(role, &[(0x81, b""), (0x82, b""), (0x89, b""), (0x8A, b"")]);
        let transcript = run(role, &frames);
        assert_eq!(transcript.messages, [text(""), binary(b""), ping(b""), pong(b"")]);
        assert_eq!(transcript.output, frame_from(role, 0x8A, b""));
        assert_eq!(transcript.state, State::Open);
    }
}

#[test]
fn s5_2_2_and_3_reserved_bits_and_opcodes_in_all_combinations() {
    for role in ROLES {
        for first in 0..=255u8 {
            let transcript = run(role, &frame_to(role, first, b""));
            let (fin, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0F);
            match (reserved, opcode) {
                (1.., _) => assert_failed(&transcript, role, ProtocolError::ReservedBits),
                (_, 0) => assert_failed(&transcript, role, ProtocolError::NothingToContinue),
                (_, 3..=7 | 11..) => assert_failed(&transcript, role, ProtocolError::ReservedOpCode),
                (_, 8..=10) if !fin => assert_failed(&transcript, role, ProtocolError::ControlFragmented),
                _ => assert_eq!(transcript.error, None, "{first:02x}"),
            }
        }
        let frames = [frame_to(role, 0x01, b"a"), frame_to(role, 0xC0, b"b")].concat();
        assert_failed(&run(role, &frames), role, ProtocolError::ReservedBits);
    }
}

#[test]
fn s5_2_5_and_6_lengths_that_are_too_large_or_not_minimal() {
    for (header, error) in [
        ("82 7f 80 00 00 00 00 00 00 00", ProtocolError::LengthTooLarge),
        ("82 7f ff ff ff ff ff ff ff ff", ProtocolError::LengthTooLarge),
        ("82 7e 00 00", ProtocolError::LengthNotMinimal),
        ("82 7e 00 7d", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 00 00 00 7d", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 00 00 ff ff", ProtocolError::LengthNotMinimal),
        ("82 7f 7f ff ff ff ff ff ff ff", ProtocolError::FrameTooBig),
        ("82 7f 00 00 00 00 01 00 00 01", ProtocolError::FrameTooBig),
    ] {
        assert_failed(&run(Role::Client, &hex(header)), Role::Client, error);
        let mut masked = hex(header);
        masked[1] |= 0x80;
        masked.extend_from_slice(&common::KEY);
        assert_failed(&run(Role::Server, &masked), Role::Server, error);
    }
}

#[test]
fn s5_2_12_violations_show_before_the_payload() {
    for (header, error) in [
        ("83", ProtocolError::ReservedOpCode),
        ("c1", ProtocolError::ReservedBits),
        ("80", ProtocolError::NothingToContinue),
        ("09", ProtocolError::ControlFragmented),
        ("89 7e", ProtocolError::ControlTooLong),
        ("88 7f", ProtocolError::ControlTooLong),
        ("81 85", ProtocolError::FrameMasked),
        ("82 7f 80", ProtocolError::LengthTooLarge),
        ("82 7f 00 00 00 00 00 00", ProtocolError::LengthNotMinimal),
    ] {
        assert_failed(&run(Role::Client, &hex(header)), Role::Client, error);
    }
    assert_failed(&run(Role::Server, &hex("81 05")), Role::Server, ProtocolError::FrameNotMasked);
}

#[test]
fn s5_1_masking_in_both_directions() {
    for payload in [&b""[..], b"Hello"] {
        for first in [0x81, 0x82, 0x88, 0x89, 0x8A, 0x01] {
            let masked = frame_to(Role::Server, first, payload);
            let plain = frame_to(Role::Client, first, payload);
            assert_failed(&run(Role::Client, &masked), Role::Client, ProtocolError::FrameMasked);
            assert_failed(&run(Role::Server, &plain), Role::Server, ProtocolError::FrameNotMasked);
        }
    }
    // not only the first frame
    let frames = [frame_to(Role::Server, 0x81, b"a"), frame_to(Role::Client, 0x81, b"b")].concat();
    let transcript = run(Role::Server, &frames);
    assert_eq!(transcript.messages, [text("a")]);
    assert_failed(&transcript, Role::Server, ProtocolError::FrameNotMasked);
}

#[test]
fn s5_3_5_a_key_of_zeros_is_a_mask() {
    assert_eq!(run(Role::Server, &hex("81 85 00 00 00 00 48 65 6c 6c 6f")).messages, [text("Hello")]);
    let transcript = run(Role::Server, &hex("81 82 00 00 00 00 c3 28"));
    assert_failed(&transcript, Role::Server, ProtocolError::InvalidUtf8);
}

#[test]
fn s5_4_1_fragments_join_and_control_frames_stand_between() {
    for role in ROLES {
        let frames = frames_to(
            role,
            &[
                (0x02, b"a"),
                (0x89, b"p"),
                (0x00, b""),
                (0x8A, b"q"),
                (0x00, b"bc"),
                (0x89, b""),
                (0x80, b"d"),
                (0x81, b"e"),
            ],
        );
        let transcript = run(role, &frames);
        assert_eq!(transcript.messages, [ping(b"p"), pong(b"q"), ping(b""), binary(b"abcd"), text("e")]);
        assert_eq!(transcript.output, [frame_from(role, 0x8A, b"p"), frame_from(role, 0x8A, b"")].concat());
    }
}

#[test]
fn s5_4_5_and_6_messages_do_not_interleave() {
    for role in ROLES {
        for first in [0x81, 0x82, 0x01, 0x02] {
            let frames = frames_to(role, &[(0x01, b"a"), (first, b"b")]);
            let transcript = run(role, &frames);
            assert_eq!(transcript.messages, []);
            assert_failed(&transcript, role, ProtocolError::MessageInterleaved);
        }
        for first in [0x80, 0x00] {
            let frames = frames_to(role, &[(0x01, b"a"), (0x80, b"b"), (first, b"c")]);
            let transcript = run(role, &frames);
            assert_eq!(transcript.messages, [text("ab")]);
            assert_failed(&transcript, role, ProtocolError::NothingToContinue);
        }
    }
}

#[test]
fn s5_4_7_empty_fragments_first_middle_and_last() {
    for role in ROLES {
        let frames = frames_to(role, &[(0x01, b""), (0x00, b""), (0x80, b""), (0x01, b""), (0x00, b"a"), (0x80, b"")]);
        assert_eq!(run(role, &frames).messages, [text(""), text("a")]);
    }
}

#[test]
fn s5_5_1_control_frames_of_125_and_126_octets() {
    for role in ROLES {
        let transcript = run(role, &frame_to(role, 0x89, &[0xFE; 125]));
        assert_eq!(transcript.output, frame_from(role, 0x8A, &[0xFE; 125]));
        for first in [0x88, 0x89, 0x8A] {
            assert_failed(&run(role, &frame_to(role, first, &[0xFE; 126])), role, ProtocolError::ControlTooLong);
        }
        let mut ws = common::connection(role, &Config::default());
        let mut out = Vec::new();
        assert_eq!(ws.send_ping(&[0; 126], &mut out), Err(SendError::ControlTooLong));
        assert_eq!(ws.send_pong(&[0; 126], &mut out), Err(SendError::ControlTooLong));
        assert!(out.is_empty());
    }
}

#[test]
fn s5_5_2_ten_pings_ten_pongs_in_order() {
    for role in ROLES {
        let payloads: Vec<Vec<u8>> = (0..10).map(|i| vec![i, 0xFF, 0x00]).collect();
        let come: Vec<u8> = payloads.iter().flat_map(|payload| frame_to(role, 0x89, payload)).collect();
        let owed: Vec<u8> = payloads.iter().flat_map(|payload| frame_from(role, 0x8A, payload)).collect();
        assert_eq!(run(role, &come).output, owed);
    }
}

#[test]
fn s5_5_2_manual_pongs() {
    let mut config = Config::default();
    config.pong = PongPolicy::Manual;
    let transcript = run_with(Role::Server, &config, &frame_to(Role::Server, 0x89, b"p"));
    assert_eq!((transcript.messages, transcript.output), (vec![ping(b"p")], vec![]));
}

#[test]
fn s5_5_3_3_an_unasked_pong_changes_nothing() {
    for role in ROLES {
        let transcript = run(role, &frames_to(role, &[(0x8A, b"abc"), (0x8A, b"")]));
        assert_eq!((transcript.messages, transcript.output), (vec![pong(b"abc"), pong(b"")], vec![]));
        assert_eq!(transcript.state, State::Open);
    }
}

#[test]
fn s10_4_limits_are_exact() {
    let mut config = Config::default();
    config.limits.message = 10;
    config.limits.frame = 8;
    config.limits.fragments = 3;
    for role in ROLES {
        let run = |frames: &[(u8, &[u8])]| run_with(role, &config, &frames_to(role, frames));
        assert_eq!(run(&[(0x82, &[1; 8])]).messages, [binary(&[1; 8])]);
        assert_failed(&run(&[(0x82, &[1; 9])]), role, ProtocolError::FrameTooBig);
        assert_eq!(run(&[(0x02, &[1; 8]), (0x80, &[1; 2])]).messages, [binary(&[1; 10])]);
        assert_failed(&run(&[(0x02, &[1; 8]), (0x80, &[1; 3])]), role, ProtocolError::MessageTooBig);
        assert_eq!(run(&[(0x02, b""), (0, b""), (0x80, b"")]).messages, [binary(b"")]);
        let transcript = run(&[(0x02, b""), (0, b""), (0, b""), (0x80, b"")]);
        assert_failed(&transcript, role, ProtocolError::TooManyFragments);
        assert_eq!(transcript.error.unwrap().close_code(), CloseCode::POLICY_VIOLATION);
        // a limit is for each message anew, and not for control frames
        let messages = [(0x02, &[1; 8][..]), (0x80, &[1; 2]), (0x89, &[1; 99]), (0x02, &[1; 8]), (0x80, &[1; 2])];
        assert_eq!(run(&messages).error, None);
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

#[test]
fn s5_4_10_while_a_message_is_open_only_control_frames_may_be_sent() {
    let mut ws = common::connection(Role::Server, &Config::default());
    let mut out = Vec::new();
    ws.begin_binary(b"a", &mut out).unwrap();
    assert_eq!(ws.send_text("x", &mut out), Err(SendError::MessageUnfinished));
    assert_eq!(ws.send_binary(b"x", &mut out), Err(SendError::MessageUnfinished));
    assert_eq!(ws.begin_text("x", &mut out), Err(SendError::MessageUnfinished));
    assert_eq!(ws.continue_text("x", &mut out), Err(SendError::NothingToContinue));
    assert_eq!(ws.send_header(MessageKind::Binary, 1, &mut out), Err(SendError::MessageUnfinished));
    ws.send_ping(b"p", &mut out).unwrap();
    ws.send_pong(b"q", &mut out).unwrap();
    ws.continue_binary(b"b", &mut out).unwrap();
    ws.finish_binary(b"c", &mut out).unwrap();
    assert_eq!(out, frames_to(Role::Client, &[(0x02, b"a"), (0x89, b"p"), (0x8A, b"q"), (0x00, b"b"), (0x80, b"c")]));
}

#[test]
fn s5_2_header_only_is_the_same_on_the_wire() {
    for role in ROLES {
        for len in [0, 5, 126, 70_000] {
            let mut payload = vec![b'x'; len];
            let mut out = Vec::new();
            let mut ws = common::connection(role, &Config::default());
            let mut mask = ws.send_header(MessageKind::Text, len as u64, &mut out).unwrap();
            let (a, b) = payload.split_at_mut(len / 3);
            mask.apply(a);
            mask.apply(b);
            out.extend_from_slice(&payload);
            assert_eq!(out, frame_from(role, 0x81, &vec![b'x'; len]));
            assert_eq!(ws.send_header(MessageKind::Text, 1 << 63, &mut out), Err(SendError::FrameTooBig));
        }
    }
}

#[test]
fn what_is_missing_of_a_frame_is_told() {
    let mut ws = common::connection(Role::Client, &Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    assert_eq!(ws.missing(), 0);
    input.extend_from_slice(b"\x82\x7e\x03\xe8abc");
    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
    assert_eq!((ws.missing(), input.len()), (997, 3));
    input.extend_from_slice(&[b'x'; 997]);
    assert!(ws.receive(&mut input, &mut output).unwrap().is_some());
    assert_eq!((ws.missing(), input.len()), (0, 0));
}
