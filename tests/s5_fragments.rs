//! RFC 6455 §5.4: fragmentation.

mod common;

use std::slice::from_ref;

use common::{
    ROLES, assert_failed, assert_failed_after, binary, frame_from, frame_to, frames_in, frames_to, hex, ping, pong,
    run, text,
};
use websocket_proto::wire::OpCode;
use websocket_proto::{Config, Message, MessageKind, ProtocolError, ReadBuffer, Role, SendError, State};

#[test]
fn s5_4_1_fragments_join_and_control_frames_stand_between() {
    // 6455-5.4-1, 6455-5.4-3, 6455-5.4-2, 6455-5.5.3-5
    assert_eq!(run(Role::Client, &hex("02 01 61 00 01 62 80 01 63")).messages, [binary(b"abc")]);
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
fn s5_4_3_a_ping_amid_a_message_is_answered_before_it_ends() {
    // 6455-5.4-3, 6455-5.5.2-1
    let mut ws = common::connection(Role::Client, &Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(&hex("01 03 48 65 6c  89 01 70"));
    assert_eq!(ws.receive_message(&mut input, &mut output), Ok(Some(ping(b"p"))));
    assert_eq!(output, frame_from(Role::Client, 0x8A, b"p"));
    input.extend_from_slice(&hex("8a 01 71  89 00 89 01 72  80 02 6c 6f"));
    for message in [pong(b"q"), ping(b""), ping(b"r"), text("Hello")] {
        assert_eq!(ws.receive_message(&mut input, &mut output), Ok(Some(message)));
    }
    let pongs = [b"p", &b""[..], b"r"].map(|payload| frame_from(Role::Client, 0x8A, payload));
    assert_eq!(output, pongs.concat());
}

#[test]
fn s5_4_2_a_hundred_thousand_fragments_of_one_octet() {
    // 6455-5.4-2, 6455-5.4-1, SEC-1
    for role in ROLES {
        for first in [0x01, 0x02] {
            let mut ws = common::connection(role, &Config::default());
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            for n in 0..100_000 {
                let first = match n {
                    0 => first,
                    99_999 => 0x80,
                    _ => 0x00,
                };
                input.extend_from_slice(&frame_to(role, first, &[b'a' + u8::try_from(n % 26).unwrap()]));
                if n < 99_999 {
                    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
                }
            }
            let whole: String = ('a'..='z').cycle().take(100_000).collect();
            let expected = if first == 1 { text(&whole) } else { binary(whole.as_bytes()) };
            assert_eq!(ws.receive_message(&mut input, &mut output), Ok(Some(expected)));
            assert!(output.is_empty() && input.is_empty());
        }
    }
}

#[test]
fn s5_4_4_control_frames_are_not_fragmented() {
    // 6455-5.4-4, 6455-5.5-2
    for role in ROLES {
        for (first, payload) in [(0x09, &b"a"[..]), (0x08, b""), (0x0A, b""), (0x08, b"\x03\xe8"), (0x0A, b"a")] {
            for more in [&[][..], &frame_to(role, 0x80, b"b")] {
                let frames = [&frame_to(role, first, payload), more].concat();
                assert_failed(&run(role, &frames), role, ProtocolError::ControlFragmented);
                let amid = [frame_to(role, 0x01, b"a"), frames].concat();
                assert_failed(&run(role, &amid), role, ProtocolError::ControlFragmented);
            }
        }
    }
}

#[test]
fn s5_4_5_and_6_messages_do_not_interleave() {
    // 6455-5.4-5, 6455-5.4-6
    for role in ROLES {
        for first in [0x81, 0x82, 0x01, 0x02] {
            for begun in [&[(0x01, &b"a"[..])][..], &[(0x02, b"")], &[(0x01, b"a"), (0x00, b"b")]] {
                let frames = [frames_to(role, begun), frame_to(role, first, b"b"), frame_to(role, 0x80, b"c")].concat();
                assert_failed(&run(role, &frames), role, ProtocolError::MessageInterleaved);
            }
        }
        for first in [0x80, 0x00] {
            for payload in [&b""[..], b"c"] {
                let stray = frame_to(role, first, payload);
                assert_failed(&run(role, &stray), role, ProtocolError::NothingToContinue);
                for (before, message) in [
                    (&[(0x01, &b"a"[..]), (0x80, b"b")][..], text("ab")),
                    (&[(0x81, b"ab")], text("ab")),
                    (&[(0x8A, b"ab")], pong(b"ab")),
                ] {
                    let transcript = run(role, &[frames_to(role, before), stray.clone()].concat());
                    assert_failed_after(&transcript, role, ProtocolError::NothingToContinue, &[message], &[]);
                }
            }
        }
    }
}

#[test]
fn s5_4_7_empty_fragments_first_middle_and_last() {
    // 6455-5.4-7
    for role in ROLES {
        let frames = frames_to(role, &[(0x01, b""), (0x00, b""), (0x80, b""), (0x01, b""), (0x00, b"a"), (0x80, b"")]);
        assert_eq!(run(role, &frames).messages, [text(""), text("a")]);
        let frames = frames_to(role, &[(0x01, b"a"), (0x00, b""), (0x80, b"b"), (0x02, b""), (0x80, b"")]);
        assert_eq!(run(role, &frames).messages, [text("ab"), binary(b"")]);
    }
}

#[test]
fn s5_4_8_every_fragmentation_is_the_same_message() {
    // 6455-5.4-8, 6455-5.4-1, 6455-5.6-1
    const DATA: &[u8] = "aκ€".as_bytes();
    for role in ROLES {
        for (opcode, message) in [(0x01, text("aκ€")), (0x02, binary(DATA))] {
            for cuts in 0u32..1 << (DATA.len() - 1) {
                let ends = |i: usize| i + 1 == DATA.len() || cuts >> i & 1 == 1;
                let mut frames = Vec::new();
                let mut begin = 0;
                for i in (0..DATA.len()).filter(|i| ends(*i)) {
                    let first = if begin == 0 { opcode } else { 0 } | if i + 1 == DATA.len() { 0x80 } else { 0 };
                    frames.extend(frame_to(role, first, &DATA[begin..=i]));
                    begin = i + 1;
                }
                assert_eq!(run(role, &frames).messages, from_ref(&message), "{cuts:b}");
            }
        }
    }
}

#[test]
fn s5_4_a_continuation_is_a_data_frame() {
    // erratum-4672, 6455-5.5.1-5
    assert!(!OpCode::Continuation.is_control());
    for role in ROLES {
        // longer than a control frame may be, cut anywhere, counted by the limits, and barred after a Close
        let frames = frames_to(role, &[(0x02, b""), (0x00, &[7; 126]), (0x80, &[8; 200])]);
        assert_eq!(run(role, &frames).messages, [binary(&[&[7; 126][..], &[8; 200]].concat())]);
        let mut config = Config::default();
        config.limits.frame = 125;
        let frames = frames_to(role, &[(0x02, b""), (0x00, &[7; 126])]);
        assert_failed(&common::run_with(role, &config, &frames), role, ProtocolError::FrameTooBig);
        let mut ws = common::connection(role, &Config::default());
        let mut out = Vec::new();
        ws.begin_binary(b"", &mut out).unwrap();
        ws.close_without_code(&mut out).unwrap();
        let sent = out.clone();
        assert_eq!(ws.continue_binary(b"", &mut out), Err(SendError::Closed));
        assert_eq!(ws.finish_binary(b"", &mut out), Err(SendError::Closed));
        assert_eq!(out, sent);
    }
}

#[test]
fn s5_4_10_while_a_message_is_open_only_control_frames_may_be_sent() {
    // 6455-5.4-10, 6455-5.5.2-4, 6455-5.4-3
    for role in ROLES {
        let mut ws = common::connection(role, &Config::default());
        let mut out = Vec::new();
        ws.begin_binary(b"a", &mut out).unwrap();
        assert_eq!(ws.send_text("x", &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(ws.send_binary(b"x", &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(ws.begin_text("x", &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(ws.begin_binary(b"x", &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(ws.continue_text("x", &mut out), Err(SendError::NothingToContinue));
        assert_eq!(ws.finish_text("x", &mut out), Err(SendError::NothingToContinue));
        assert_eq!(ws.send_header(MessageKind::Binary, 1, &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(out, frame_from(role, 0x02, b"a"), "what was refused left nothing");
        ws.send_ping(b"p", &mut out).unwrap();
        ws.send_pong(b"q", &mut out).unwrap();
        ws.continue_binary(b"b", &mut out).unwrap();
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&frame_to(role, 0x89, b"r"));
        assert_eq!(ws.receive_message(&mut input, &mut out), Ok(Some(ping(b"r"))));
        ws.finish_binary(b"c", &mut out).unwrap();
        assert_eq!(ws.continue_binary(b"x", &mut out), Err(SendError::NothingToContinue));
        ws.send_text("d", &mut out).unwrap();
        let frames: [(u8, &[u8]); 7] =
            [(0x02, b"a"), (0x89, b"p"), (0x8A, b"q"), (0x00, b"b"), (0x8A, b"r"), (0x80, b"c"), (0x81, b"d")];
        let expected: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame_from(role, *first, payload)).collect();
        assert_eq!(out, expected);
        assert_eq!(ws.state(), State::Open);
    }
}

#[test]
fn s6_1_a_message_goes_as_one_frame_or_as_a_series() {
    // 6455-6.1-2, 6455-6.1-3
    let data: Vec<u8> = (0..200).collect();
    for role in ROLES {
        for size in [1, 7, 66, 100, 199, 200, 1000] {
            let mut ws = common::connection(role, &Config::default());
            let mut out = Vec::new();
            let pieces: Vec<&[u8]> = data.chunks(size).collect();
            match &pieces[..] {
                [whole] => ws.send_binary(whole, &mut out).unwrap(),
                [first, middle @ .., last] => {
                    ws.begin_binary(first, &mut out).unwrap();
                    for piece in middle {
                        ws.continue_binary(piece, &mut out).unwrap();
                    }
                    ws.finish_binary(last, &mut out).unwrap();
                }
                [] => unreachable!("there is data"),
            }
            let frames = frames_in(&out);
            assert_eq!(frames.len(), data.len().div_ceil(size));
            for (n, (header, payload)) in frames.iter().enumerate() {
                assert_eq!((header.opcode == OpCode::Binary, header.fin), (n == 0, n + 1 == frames.len()));
                assert!(n == 0 || header.opcode == OpCode::Continuation);
                assert_eq!((header.reserved, &payload[..]), (0, pieces[n]));
            }
        }
    }
}

#[test]
fn s6_2_3_the_type_is_that_of_the_first_frame() {
    // 6455-6.2-3, 6455-6.2-2
    for role in ROLES {
        let frames = frames_to(role, &[(0x01, b"a"), (0x80, b"b"), (0x82, b"c"), (0x02, b"\xff"), (0x80, b"\xfe")]);
        let messages: [Message; 3] = [text("ab"), binary(b"c"), binary(b"\xff\xfe")];
        assert_eq!(run(role, &frames).messages, messages);
    }
}
