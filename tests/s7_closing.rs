//! RFC 6455 §1.4, §5.5.1, §7.1 to §7.3: the closing handshake.

mod common;

use common::{KEY, ROLES, close, frame_from, frame_to, frames_in, frames_to, hex, ping, pong, run, run_after, text};
use websocket_proto::wire::OpCode;
use websocket_proto::{
    CloseCode, CloseOutcome, Config, Connection, Message, ProtocolError, ReadBuffer, Role, SendError, Side, State,
};

/// The messages that came, and all that went out, for some octets that come to an open connection.
fn receive(ws: &mut Connection, octets: &[u8]) -> (Vec<Message>, Vec<u8>) {
    let (mut input, mut output, mut messages) = (ReadBuffer::default(), Vec::new(), Vec::new());
    input.extend_from_slice(octets);
    while let Some(message) = ws.receive_message(&mut input, &mut output).unwrap() {
        messages.push(message);
    }
    (messages, output)
}

/// Clean or not, the code that was sent, the code that came.
fn codes(outcome: Option<CloseOutcome>) -> (bool, u16, u16) {
    outcome.map(|end| (end.clean, end.sent.0, end.received.0)).expect("it is over")
}

/// Does all that an application may ask a connection to send; says how much of it was refused because it is too late.
fn try_to_send(ws: &mut Connection, out: &mut Vec<u8>) -> usize {
    let attempts = [
        ws.send_text("x", out),
        ws.send_binary(b"x", out),
        ws.send_header(websocket_proto::MessageKind::Text, 1, out).map(|_| ()),
        ws.begin_text("x", out),
        ws.continue_text("x", out),
        ws.finish_text("x", out),
        ws.begin_binary(b"x", out),
        ws.continue_binary(b"x", out),
        ws.finish_binary(b"x", out),
        ws.send_ping(b"x", out),
        ws.close(CloseCode::NORMAL, "", out),
        ws.close_without_code(out),
    ];
    attempts.iter().filter(|attempt| **attempt == Err(SendError::Closed)).count()
}

const ATTEMPTS: usize = 12;

#[test]
fn s5_5_1_6_a_close_is_answered_with_its_code() {
    // 6455-5.5.1-6, 28-1, 6455-7.1.5-1, 6455-7.1.6-1, 6455-5.5.1-1, 6455-5.5.1-2, WHATWG-6-1
    for role in ROLES {
        for (body, message, answer) in [
            (&b"\x03\xe8"[..], close(1000, ""), &b"\x03\xe8"[..]),
            (b"\x03\xe9", close(1001, ""), b"\x03\xe9"),
            (b"\x03\xe9bye", close(1001, "bye"), b"\x03\xe9"),
            (b"\x0f\xa1\xce\xba", close(4001, "κ"), b"\x0f\xa1"),
            (b"", Message::Close(None), b""),
        ] {
            let transcript = run(role, &frame_to(role, 0x88, body));
            assert_eq!(transcript.messages, [message]);
            assert_eq!(transcript.output, frame_from(role, 0x88, answer));
            let outcome = transcript.outcome.unwrap();
            let code = answer.try_into().map_or(CloseCode::NO_STATUS, |code| CloseCode(u16::from_be_bytes(code)));
            assert_eq!((outcome.clean, outcome.began), (true, Side::Remote));
            assert_eq!((outcome.sent, outcome.received), (code, code));
        }
    }
    assert_eq!(run(Role::Server, &hex("88 82 37 fa 21 3d 34 12")).output, hex("88 02 03 e8"));
}

#[test]
fn s7_1_5_the_code_and_the_reason_are_those_of_the_first_close() {
    // 6455-7.1.5-1, 6455-7.1.6-1, 6455-7.1.5-2, 6455-5.5.1-9
    let ends = |body: &'static [u8], own: Option<u16>| {
        let before = move |ws: &mut Connection, out: &mut Vec<u8>| {
            if let Some(code) = own {
                ws.close(CloseCode(code), "ours", out).unwrap();
            }
        };
        let octets = frames_to(Role::Client, &[(0x88, body), (0x88, b"\x0f\xa0second")]);
        let transcript = run_after(Role::Client, &Config::default(), before, &octets);
        (codes(transcript.outcome), transcript.messages)
    };
    assert_eq!(ends(b"\x03\xe9first", None), ((true, 1001, 1001), vec![close(1001, "first")]));
    assert_eq!(ends(b"\x03\xe9first", Some(1000)), ((true, 1000, 1001), vec![close(1001, "first")]));
    assert_eq!(ends(b"", None), ((true, 1005, 1005), vec![Message::Close(None)]));
    assert_eq!(ends(b"", Some(4000)), ((true, 4000, 1005), vec![Message::Close(None)]));
}

#[test]
fn s5_5_1_4_a_clients_close_is_masked() {
    // 6455-5.5.1-4, 6455-7.1.2-1, WHATWG-3-4
    let mut out = Vec::new();
    let mut ws = common::connection(Role::Client, &Config::default());
    ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
    assert_eq!(out, hex("88 82 37 fa 21 3d 34 12"));
    out.clear();
    common::connection(Role::Client, &Config::default()).close_without_code(&mut out).unwrap();
    assert_eq!(out, [&[0x88, 0x80][..], &KEY].concat());
}

#[test]
fn s7_1_2_a_close_goes_out_with_what_it_was_given() {
    // 6455-7.1.2-1, 6455-7.1.3-1, 6455-7.3-1, WHATWG-3-4
    for role in ROLES {
        for (code, reason, body) in [
            (Some(1000), "", &b"\x03\xe8"[..]),
            (Some(1001), "bye", b"\x03\xe9bye"),
            (Some(4999), "κ", b"\x13\x87\xce\xba"),
            (None, "", b""),
        ] {
            let mut ws = common::connection(role, &Config::default());
            let mut out = Vec::new();
            assert_eq!(ws.state(), State::Open);
            match code {
                Some(code) => ws.close(CloseCode(code), reason, &mut out).unwrap(),
                None => ws.close_without_code(&mut out).unwrap(),
            }
            assert_eq!(out, frame_from(role, 0x88, body));
            assert_eq!((ws.state(), ws.wants_read(), ws.close_outcome()), (State::Closing, true, None));
        }
        // it also begins when one comes
        let mut ws = common::connection(role, &Config::default());
        receive(&mut ws, &frame_to(role, 0x88, b""));
        assert_ne!(ws.state(), State::Open);
    }
}

#[test]
fn s1_4_1_what_comes_after_a_close_is_discarded() {
    // 6455-1.4-1, 28-4, 6455-5.5.2-2, 6455-5.5.1-10
    for role in ROLES {
        for after in [
            &hex("83 ff ff")[..],
            &frame_to(role, 0x81, b"x"),
            &frame_to(role, 0x81, b"\xff"),
            &frame_to(role, 0x89, b"x"),
            &frame_to(role, 0x88, b""),
            &frame_to(role, 0x88, b"\x03"),
            &[0xFF; 40],
        ] {
            for (body, message) in [(&b"\x03\xe8"[..], close(1000, "")), (b"", Message::Close(None))] {
                let octets = [&frame_to(role, 0x88, body), after].concat();
                let transcript = run(role, &octets);
                assert_eq!((transcript.messages, transcript.error), (vec![message], None));
                assert_eq!(transcript.output, frame_from(role, 0x88, body));
                assert!(transcript.outcome.unwrap().clean);
            }
        }
    }
}

#[test]
fn r28_5_a_close_amid_a_fragmented_message_is_a_normal_close() {
    // 28-5, 6455-5.5.1-6
    for role in ROLES {
        for begun in [&[(0x01, &b"a"[..])][..], &[(0x02, b"")], &[(0x01, b"a\xe2"), (0x00, b"\x82")]] {
            let octets = [frames_to(role, begun), frames_to(role, &[(0x88, b"\x03\xe8"), (0x80, b"b")])].concat();
            let transcript = run(role, &octets);
            assert_eq!((transcript.messages, transcript.error), (vec![close(1000, "")], None));
            assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xe8"));
            assert_eq!(codes(transcript.outcome), (true, 1000, 1000));
        }
    }
}

#[test]
fn s5_5_2_3_our_own_close_does_not_end_the_duty_to_pong_nor_delivery() {
    // 6455-5.5.2-3, 28-2, 28-3, 6455-5.5.1-9, 6455-7.1.5-2
    for role in ROLES {
        let close_first = |ws: &mut Connection, out: &mut Vec<u8>| {
            ws.close(CloseCode::NORMAL, "", out).unwrap();
            assert_eq!((ws.state(), ws.wants_read(), ws.close_outcome()), (State::Closing, true, None));
        };
        let octets = frames_to(
            role,
            &[
                (0x81, b"late"),
                (0x89, b"p"),
                (0x01, b"in "),
                (0x89, b""),
                (0x8A, b"q"),
                (0x80, b"parts"),
                (0x88, b"\x03\xe9"),
                (0x81, b"too late"),
                (0x89, b"too late"),
            ],
        );
        let transcript = run_after(role, &Config::default(), close_first, &octets);
        let messages = [text("late"), ping(b"p"), ping(b""), pong(b"q"), text("in parts"), close(1001, "")];
        assert_eq!(transcript.messages, messages);
        let sent = [frame_from(role, 0x88, b"\x03\xe8"), frame_from(role, 0x8A, b"p"), frame_from(role, 0x8A, b"")];
        assert_eq!(transcript.output, sent.concat(), "the pongs, and no second close");
        let outcome = transcript.outcome.unwrap();
        assert_eq!((outcome.clean, outcome.began), (true, Side::Local));
        assert_eq!((outcome.sent, outcome.received), (CloseCode::NORMAL, CloseCode::GOING_AWAY));
    }
}

#[test]
fn r28_3_the_limits_hold_after_our_own_close() {
    // 28-3
    let mut config = Config::default();
    config.limits.message = 3;
    for role in ROLES {
        let close_first = |ws: &mut Connection, out: &mut Vec<u8>| ws.close_without_code(out).unwrap();
        let octets = frames_to(role, &[(0x82, b"abc"), (0x82, b"abcd"), (0x88, b"")]);
        let transcript = run_after(role, &config, close_first, &octets);
        assert_eq!(transcript.messages, [common::binary(b"abc")]);
        assert_eq!(transcript.error, Some(ProtocolError::MessageTooBig));
        assert_eq!(transcript.output, frame_from(role, 0x88, b""));
    }
}

#[test]
fn s5_5_1_5_and_10_nothing_is_sent_after_a_close() {
    // 6455-5.5.1-5, 6455-5.5.1-10, 6455-6.1-1
    for role in ROLES {
        for begun in [false, true] {
            // ours
            let mut ws = common::connection(role, &Config::default());
            let mut out = Vec::new();
            if begun {
                ws.begin_text("a", &mut out).unwrap();
            }
            ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
            let sent = out.clone();
            assert_eq!(try_to_send(&mut ws, &mut out), ATTEMPTS);
            assert_eq!(out, sent);
            // then the peer's
            let (_, output) = receive(&mut ws, &frame_to(role, 0x88, b""));
            assert_eq!(output, []);
            assert_eq!(try_to_send(&mut ws, &mut out), ATTEMPTS);
            assert_eq!(ws.send_pong(b"x", &mut out), Err(SendError::Closed));
            assert_eq!(out, sent);
            // the peer's alone, and a failure, after which ours has gone by itself
            for octets in [frame_to(role, 0x88, b""), frame_to(role, 0x83, b"")] {
                let mut ws = common::connection(role, &Config::default());
                let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
                if begun {
                    ws.begin_text("a", &mut out).unwrap();
                }
                input.extend_from_slice(&octets);
                let _ = ws.receive(&mut input, &mut out);
                let closes = frames_in(&out).iter().filter(|(frame, _)| frame.opcode == OpCode::Close).count();
                let sent = out.clone();
                assert_eq!((try_to_send(&mut ws, &mut out), closes), (ATTEMPTS, 1));
                assert_eq!(ws.send_pong(b"x", &mut out), Err(SendError::Closed));
                assert_eq!(out, sent);
            }
        }
    }
}

#[test]
fn s5_5_1_7_the_answer_does_not_wait_for_our_unfinished_message() {
    // 6455-5.5.1-7, 6455-5.5.1-5
    for role in ROLES {
        let before = |ws: &mut Connection, out: &mut Vec<u8>| {
            ws.send_text("whole", out).unwrap();
            ws.begin_text("half", out).unwrap();
        };
        let transcript = run_after(role, &Config::default(), before, &frame_to(role, 0x88, b"\x03\xe8"));
        let sent: [(u8, &[u8]); 3] = [(0x81, b"whole"), (0x01, b"half"), (0x88, b"\x03\xe8")];
        let sent: Vec<u8> = sent.iter().flat_map(|(first, payload)| frame_from(role, *first, payload)).collect();
        assert_eq!(transcript.output, sent);
        assert!(transcript.outcome.unwrap().clean);
    }
}

#[test]
fn s5_5_1_8_both_have_closed_so_the_stream_may_be() {
    // 6455-5.5.1-8, SIO-2, 6455-7.1.4-1, 6455-7.1.7-5, WHATWG-3-6
    for role in ROLES {
        for is_ours_first in [false, true] {
            let mut ws = common::connection(role, &Config::default());
            let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
            ws.send_text("queued", &mut out).unwrap();
            if is_ours_first {
                ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
            }
            input.extend_from_slice(&frames_to(role, &[(0x89, b"p"), (0x88, b"\x03\xe8")]));
            assert_eq!(ws.receive_message(&mut input, &mut out), Ok(Some(ping(b"p"))));
            assert!(ws.wants_read(), "before the Close came");
            assert_eq!(ws.receive_message(&mut input, &mut out), Ok(Some(close(1000, ""))));
            // all that is to be written stands in the output when it says that the stream may be closed
            assert_eq!((ws.wants_read(), ws.state()), (false, State::Closed));
            let frames: Vec<OpCode> = frames_in(&out).iter().map(|(frame, _)| frame.opcode).collect();
            let expected = match is_ours_first {
                true => [OpCode::Text, OpCode::Close, OpCode::Pong],
                false => [OpCode::Text, OpCode::Pong, OpCode::Close],
            };
            assert_eq!(frames, expected);
            // the end of the stream is then the expected one, and changes nothing
            let (outcome, sent) = (ws.close_outcome(), out.clone());
            assert_eq!(codes(outcome), (true, 1000, 1000));
            assert_eq!((ws.receive_eof(), ws.close_outcome()), (Ok(()), outcome));
            assert_eq!(ws.receive_message(&mut input, &mut out), Ok(None));
            assert_eq!(out, sent);
        }
    }
}

#[test]
fn s7_1_4_1_and_7_2_1_1_the_stream_ends() {
    // 6455-7.1.4-1, 6455-7.2.1-1, 6455-7.1.5-1, 28-41, 6455-7.1.7-2
    for role in ROLES {
        // open: idle, amid a header, a frame, a message, a control frame
        let (frame, begun) = (frame_to(role, 0x81, b"Hello"), frame_to(role, 0x01, b"Hel"));
        for come in [&b""[..], &frame, &frame[..1], &frame[..4], &begun, &frame_to(role, 0x89, b"ping")[..3]] {
            let mut ws = common::connection(role, &Config::default());
            receive(&mut ws, come);
            assert_eq!(ws.close_outcome(), None);
            assert_eq!(ws.receive_eof(), Err(ProtocolError::UnexpectedEof));
            assert_eq!(ws.receive_eof(), Ok(()), "said once");
            assert_eq!((codes(ws.close_outcome()), ws.wants_read()), ((false, 1006, 1006), false));
            assert_eq!(ws.close_outcome().unwrap().error, Some(ProtocolError::UnexpectedEof));
            // the peer is gone: not even a Close is sent
            let mut out = Vec::new();
            assert_eq!(try_to_send(&mut ws, &mut out), ATTEMPTS);
            assert_eq!(receive(&mut ws, &frame_to(role, 0x89, b"p")), (vec![], vec![]));
            assert_eq!(out, []);
        }

        // our close was not answered
        for (close, sent) in [(Some(CloseCode(4000)), 4000), (None, 1005)] {
            let mut out = Vec::new();
            let mut ws = common::connection(role, &Config::default());
            match close {
                Some(code) => ws.close(code, "", &mut out).unwrap(),
                None => ws.close_without_code(&mut out).unwrap(),
            }
            assert_eq!(ws.receive_eof(), Err(ProtocolError::UnexpectedEof));
            assert_eq!(codes(ws.close_outcome()), (false, sent, 1006));
        }

        // after a failure, the end is no second one
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(&frame_to(role, 0x83, b""));
        assert_eq!(ws.receive(&mut input, &mut out), Err(ProtocolError::ReservedOpCode));
        assert_eq!((ws.receive_eof(), codes(ws.close_outcome())), (Ok(()), (false, 1002, 1006)));
    }
}

#[test]
fn s7_1_7_5_the_answer_is_there_though_the_stream_has_ended() {
    // 6455-7.1.7-5, 6455-7.1.4-1
    for role in ROLES {
        let mut ws = common::connection(role, &Config::default());
        let (_, output) = receive(&mut ws, &frame_to(role, 0x88, b"\x03\xe8"));
        assert_eq!(ws.receive_eof(), Ok(()));
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xe8"));
        assert_eq!(codes(ws.close_outcome()), (true, 1000, 1000));
    }
}

#[test]
fn sio_6_and_7_empty_feeds_and_a_dead_connection() {
    // SIO-6, SIO-7
    for role in ROLES {
        for last in [frame_to(role, 0x83, b""), frame_to(role, 0x88, b"\x03\xe8")] {
            let mut ws = common::connection(role, &Config::default());
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            // nothing, between any two octets
            let octets = [frames_to(role, &[(0x01, b"a\xc3"), (0x80, b"\xa9")]), last].concat();
            let (mut messages, mut failures) = (Vec::new(), 0);
            for octet in octets {
                input.extend_from_slice(&[octet]);
                match ws.receive_message(&mut input, &mut output) {
                    Ok(message) => messages.extend(message),
                    Err(_) => failures += 1,
                }
                let before = (ws.state(), ws.close_outcome(), ws.missing(), input.len(), output.clone());
                for _ in 0..3 {
                    input.extend_from_slice(b"");
                    input.spare(9);
                    input.filled(0);
                    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
                    assert_eq!(ws.receive_message(&mut input, &mut output), Ok(None));
                    let after = (ws.state(), ws.close_outcome(), ws.missing(), input.len(), output.clone());
                    assert_eq!(after, before);
                }
            }
            let (sent, outcome) = (output.clone(), ws.close_outcome());
            assert_eq!(messages[0], text("aé"));
            assert_eq!((messages.len() + failures, outcome.is_some()), (2, true));
            for _ in 0..3 {
                for first in [0x81, 0x83, 0x88, 0x89] {
                    input.extend_from_slice(&frame_to(role, first, b"x"));
                    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
                    assert!(input.is_empty());
                }
                assert_eq!(ws.receive_eof(), Ok(()));
                ws.set_limits(Config::default().limits);
                assert_eq!(try_to_send(&mut ws, &mut output), ATTEMPTS);
                assert_eq!((&output, ws.close_outcome()), (&sent, outcome));
            }
        }
    }
}
