//! RFC 6455 §5.5.2, §5.5.3: Ping and Pong, and what all control frames share.

mod common;

use common::{
    ROLES, assert_failed, frame_from, frame_to, frames_in, frames_to, hex, ping, pong, run, run_after, run_with, text,
};
use websocket_proto::wire::OpCode;
use websocket_proto::{CloseCode, Config, Connection, PongPolicy, ProtocolError, ReadBuffer, Role, SendError, State};

#[test]
fn s5_5_1_control_frames_of_125_and_126_octets() {
    // 6455-5.5-1, 6455-5.5-4
    for role in ROLES {
        let transcript = run(role, &frames_to(role, &[(0x89, &[0xFE; 125]), (0x8A, &[0xFD; 125])]));
        assert_eq!(transcript.messages, [ping(&[0xFE; 125]), pong(&[0xFD; 125])]);
        assert_eq!(transcript.output, frame_from(role, 0x8A, &[0xFE; 125]));
        for first in [0x88, 0x89, 0x8A] {
            for len in [126, 127, 65536] {
                assert_failed(&run(role, &frame_to(role, first, &vec![7; len])), role, ProtocolError::ControlTooLong);
            }
        }
        let mut ws = common::connection(role, &Config::default());
        let mut out = Vec::new();
        for len in [126, 127, 70_000] {
            assert_eq!(ws.send_ping(&vec![0; len], &mut out), Err(SendError::ControlTooLong));
            assert_eq!(ws.send_pong(&vec![0; len], &mut out), Err(SendError::ControlTooLong));
            assert_eq!(ws.close(CloseCode::NORMAL, &"r".repeat(len), &mut out), Err(SendError::ReasonTooLong));
        }
        assert_eq!(ws.close(CloseCode::NORMAL, &"r".repeat(124), &mut out), Err(SendError::ReasonTooLong));
        assert_eq!((out.len(), ws.state()), (0, State::Open));
        ws.send_ping(&[0; 125], &mut out).unwrap();
        ws.send_pong(&[1; 125], &mut out).unwrap();
        assert_eq!(out, [frame_from(role, 0x89, &[0; 125]), frame_from(role, 0x8A, &[1; 125])].concat());
    }
}

#[test]
fn s5_5_1_a_long_control_frame_fails_at_its_second_octet() {
    // 6455-5.5-1, 6455-5.2-12
    for role in ROLES {
        let mask_bit = if role == Role::Server { 0x80 } else { 0 };
        for first in [0x88, 0x89, 0x8A] {
            for len in [126, 127] {
                let octets = [first, mask_bit | len];
                assert_eq!(run(role, &octets[..1]).error, None);
                assert_failed(&run(role, &octets), role, ProtocolError::ControlTooLong);
                // also where the length that follows would be short
                let octets = [&octets[..], &[0, 5]].concat();
                assert_failed(&run(role, &octets), role, ProtocolError::ControlTooLong);
                let amid = [frame_to(role, 0x02, b"x"), octets].concat();
                assert_failed(&run(role, &amid), role, ProtocolError::ControlTooLong);
            }
        }
    }
}

#[test]
fn s5_5_2_a_ping_is_answered_with_its_payload() {
    // 6455-5.5.2-1, 6455-5.5.3-1, 6455-5.5.2-4
    assert_eq!(run(Role::Client, &hex("89 00")).output, hex("8a 80 37 fa 21 3d"));
    assert_eq!(run(Role::Server, &hex("89 80 00 00 00 00")).output, hex("8a 00"));
    for role in ROLES {
        for payload in [&b""[..], b"p", &hex("00 ff fe fd fc fb 00 ff"), b"\xed\xa0\x80", &[0xC3; 125]] {
            let transcript = run(role, &frame_to(role, 0x89, payload));
            assert_eq!(transcript.messages, [ping(payload)]);
            assert_eq!((transcript.output, transcript.state), (frame_from(role, 0x8A, payload), State::Open));
        }
    }
}

#[test]
fn s5_5_2_ten_pings_ten_pongs_in_order() {
    // 6455-5.5.3-2, 28-12
    for role in ROLES {
        let payloads: Vec<Vec<u8>> = (0..10).map(|i| vec![i, 0xFF, 0x00]).collect();
        let come: Vec<u8> = payloads.iter().flat_map(|payload| frame_to(role, 0x89, payload)).collect();
        let owed: Vec<u8> = payloads.iter().flat_map(|payload| frame_from(role, 0x8A, payload)).collect();
        assert_eq!(run(role, &come).output, owed);
    }
}

#[test]
fn s5_5_2_1_a_pong_stands_behind_what_was_sent_before_and_between_frames() {
    // 6455-5.5.2-1, 6455-6.1-6
    for role in ROLES {
        let before = |ws: &mut Connection, out: &mut Vec<u8>| {
            ws.send_binary(&vec![7; 70_000], out).unwrap();
            ws.begin_text("half", out).unwrap();
        };
        let transcript = run_after(role, &Config::default(), before, &frame_to(role, 0x89, b"p"));
        let frames: Vec<_> =
            frames_in(&transcript.output).into_iter().map(|(frame, data)| (frame.opcode, data)).collect();
        let expected =
            [(OpCode::Binary, vec![7; 70_000]), (OpCode::Text, b"half".to_vec()), (OpCode::Pong, vec![b'p'])];
        assert_eq!(frames, expected);
    }
}

#[test]
fn s5_5_2_2_no_pong_after_the_peers_close() {
    // 6455-5.5.2-2, 6455-1.4-1, 28-4
    assert_eq!(run(Role::Client, &hex("88 02 03 e8  89 00")).output, hex("88 82 37 fa 21 3d 34 12"));
    for role in ROLES {
        let frames = frames_to(role, &[(0x89, b"a"), (0x88, b"\x03\xe8"), (0x89, b"b"), (0x89, b"")]);
        let expected = [frame_from(role, 0x8A, b"a"), frame_from(role, 0x88, b"\x03\xe8")].concat();
        assert_eq!(run(role, &frames).output, expected);
        // nor one that the application wants to send
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(&frame_to(role, 0x88, b""));
        ws.receive(&mut input, &mut out).unwrap();
        out.clear();
        assert_eq!(ws.send_pong(b"", &mut out), Err(SendError::Closed));
        assert!(out.is_empty());
    }
}

#[test]
fn s5_5_2_manual_pongs() {
    // 28-2
    let mut config = Config::default();
    config.pong = PongPolicy::Manual;
    for role in ROLES {
        let transcript = run_with(role, &config, &frame_to(role, 0x89, b"p"));
        assert_eq!((transcript.messages, transcript.output), (vec![ping(b"p")], vec![]));
        // also after our own Close, where the application may still answer
        let mut ws = common::connection(role, &config);
        let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
        ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
        out.clear();
        input.extend_from_slice(&frame_to(role, 0x89, b"p"));
        assert_eq!(ws.receive_message(&mut input, &mut out), Ok(Some(ping(b"p"))));
        assert!(out.is_empty());
        ws.send_pong(b"p", &mut out).unwrap();
        assert_eq!(out, frame_from(role, 0x8A, b"p"));
    }
}

#[test]
fn s5_5_3_3_an_unasked_pong_changes_nothing() {
    // 6455-5.5.3-3, 28-11, WHATWG-5-1
    assert_eq!(run(Role::Client, &hex("8a 03 61 62 63")).messages, [pong(b"abc")]);
    for role in ROLES {
        let transcript = run(role, &frames_to(role, &[(0x8A, b"abc"), (0x8A, b"")]));
        assert_eq!((transcript.messages, transcript.output), (vec![pong(b"abc"), pong(b"")], vec![]));
        assert_eq!((transcript.state, transcript.outcome), (State::Open, None));
        // amid a message, and before a Ping that is answered once
        let transcript = run(role, &frames_to(role, &[(0x01, b"a"), (0x8A, b"x"), (0x80, b"b"), (0x89, b"p")]));
        assert_eq!(transcript.messages, [pong(b"x"), text("ab"), ping(b"p")]);
        assert_eq!(transcript.output, frame_from(role, 0x8A, b"p"));
    }
}

#[test]
fn s5_5_3_5_control_frames_do_not_disturb_a_message() {
    // 6455-5.5.3-5, 6455-8.1-4
    for role in ROLES {
        for control in [0x89, 0x8A] {
            // its payload would be the wrong end of the character, or a right one
            for payload in [&b"\xff"[..], b"\xbf", b"", b"\xe2\x82\xac"] {
                let transcript =
                    run(role, &frames_to(role, &[(0x01, b"\xe2"), (control, payload), (0x80, b"\x82\xac")]));
                assert_eq!((transcript.messages.last(), transcript.error), (Some(&text("€")), None));
                let frames =
                    [(0x01, &b"\xe2"[..]), (control, payload), (0x00, b"\x82"), (control, payload), (0x80, b"")];
                let owed = if control == 0x89 { frame_from(role, 0x8A, payload).repeat(2) } else { vec![] };
                let transcript = run(role, &frames_to(role, &frames));
                let message = if control == 0x89 { ping(payload) } else { pong(payload) };
                let before = [message.clone(), message];
                common::assert_failed_after(&transcript, role, ProtocolError::InvalidUtf8, &before, &owed);
            }
        }
    }
}
