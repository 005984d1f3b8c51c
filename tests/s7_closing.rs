//! RFC 6455 §1.4, §5.5.1, §7: the closing handshake.

mod common;

use common::{KEY, ROLES, frame_from, frame_to, frames_to, hex, ping, run, text};
use websocket_proto::{
    CloseCode, CloseFrame, Config, Connection, Event, Message, ProtocolError, ReadBuffer, Role, SendError, Side, State,
};

fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode(code), reason: reason.into() }))
}

/// The last that came, and all that went out, for some octets that come to an open connection.
fn receive(ws: &mut Connection, octets: &[u8]) -> (Vec<Message>, Vec<u8>) {
    let (mut input, mut output, mut messages) = (ReadBuffer::default(), Vec::new(), Vec::new());
    input.extend_from_slice(octets);
    while let Some(message) = ws.receive_message(&mut input, &mut output).unwrap() {
        messages.push(message);
    }
    (messages, output)
}

#[test]
fn s5_5_1_6_a_close_is_answered_with_its_code() {
    for role in ROLES {
        for (body, message, answer) in [
            (&b"\x03\xe8"[..], close(1000, ""), &b"\x03\xe8"[..]),
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
fn s5_5_1_4_a_clients_close_is_masked() {
    let mut out = Vec::new();
    let mut ws = common::connection(Role::Client, &Config::default());
    ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
    assert_eq!(out, hex("88 82 37 fa 21 3d 34 12"));
    out.clear();
    common::connection(Role::Client, &Config::default()).close_without_code(&mut out).unwrap();
    assert_eq!(out, [&[0x88, 0x80][..], &KEY].concat());
}

#[test]
fn iana_1_all_close_codes_received_and_sent() {
    for role in ROLES {
        for number in 0..=u16::MAX {
            let code = CloseCode(number);
            let allowed = matches!(number, 1000..=1003 | 1007..=1014 | 3000..=4999);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let mut ws = common::connection(role, &Config::default());
            input.extend_from_slice(&frame_to(role, 0x88, &number.to_be_bytes()));
            match ws.receive(&mut input, &mut output) {
                Ok(Some(Event::Close(Some(frame)))) => assert!(allowed && frame.code == code, "{number}"),
                Err(ProtocolError::InvalidCloseCode(refused)) => assert!(!allowed && refused == code, "{number}"),
                other => panic!("{number}: {other:?}"),
            }
            let answer = if allowed { number } else { 1002 };
            assert_eq!(output, frame_from(role, 0x88, &answer.to_be_bytes()));

            output.clear();
            let sent = common::connection(role, &Config::default()).close(code, "", &mut output);
            let may_send = allowed && !(number == 1010 && role == Role::Server);
            assert_eq!(sent, if may_send { Ok(()) } else { Err(SendError::InvalidCloseCode(code)) });
            assert_eq!(output.is_empty(), !may_send);
        }
    }
}

#[test]
fn s5_5_1_1_and_2_bodies_that_are_none() {
    for role in ROLES {
        for (body, error) in [
            (&b"\x03"[..], ProtocolError::CloseBodyTooShort),
            (b"\x03\xe8\x80", ProtocolError::InvalidCloseReason),
            (b"\x03\xe8\xe2\x82", ProtocolError::InvalidCloseReason),
            (b"\x03\xed", ProtocolError::InvalidCloseCode(CloseCode::NO_STATUS)),
        ] {
            let transcript = run(role, &frame_to(role, 0x88, body));
            assert_eq!((transcript.messages, transcript.error), (vec![], Some(error)));
            assert_eq!(transcript.output, frame_from(role, 0x88, &error.close_code().0.to_be_bytes()));
            assert!(!transcript.outcome.unwrap().clean);
        }
    }
}

#[test]
fn s5_5_1_reasons_of_123_and_124_octets() {
    for role in ROLES {
        let longest = "é".repeat(61) + "x";
        let body = [&b"\x03\xe8"[..], longest.as_bytes()].concat();
        assert_eq!(run(role, &frame_to(role, 0x88, &body)).messages, [close(1000, &longest)]);
        let mut out = Vec::new();
        common::connection(role, &Config::default()).close(CloseCode::NORMAL, &longest, &mut out).unwrap();
        assert_eq!(out, frame_from(role, 0x88, &body));
        out.clear();
        let mut ws = common::connection(role, &Config::default());
        assert_eq!(ws.close(CloseCode::NORMAL, &"é".repeat(62), &mut out), Err(SendError::ReasonTooLong));
        assert_eq!((out.len(), ws.state()), (0, State::Open));
    }
}

#[test]
fn s1_4_1_what_comes_after_a_close_is_discarded() {
    for role in ROLES {
        for after in
            [&hex("83 ff ff")[..], &frame_to(role, 0x81, b"x"), &frame_to(role, 0x89, b"x"), &frame_to(role, 0x88, b"")]
        {
            let octets = [&frame_to(role, 0x88, b"\x03\xe8"), after].concat();
            let transcript = run(role, &octets);
            assert_eq!((transcript.messages, transcript.error), (vec![close(1000, "")], None));
            assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xe8"));
            assert!(transcript.outcome.unwrap().clean);
        }
    }
}

#[test]
fn s7_1_7_3_what_comes_after_a_failure_is_discarded() {
    for role in ROLES {
        let octets = [frame_to(role, 0x83, b""), frames_to(role, &[(0x81, b"a"), (0x88, b"")])].concat();
        let transcript = run(role, &octets);
        assert_eq!((transcript.messages, transcript.error), (vec![], Some(ProtocolError::ReservedOpCode)));
        assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xea"));
        let outcome = transcript.outcome.unwrap();
        assert_eq!((outcome.clean, outcome.received), (false, CloseCode::ABNORMAL));
    }
}

#[test]
fn r28_5_a_close_amid_a_fragmented_message_is_a_normal_close() {
    for role in ROLES {
        let transcript = run(role, &frames_to(role, &[(0x01, b"a"), (0x88, b"\x03\xe8"), (0x80, b"b")]));
        assert_eq!((transcript.messages, transcript.error), (vec![close(1000, "")], None));
        assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xe8"));
    }
}

#[test]
fn s5_5_2_3_our_own_close_does_not_end_the_duty_to_pong_nor_delivery() {
    for role in ROLES {
        let close_first = |ws: &mut Connection, out: &mut Vec<u8>| {
            ws.close(CloseCode::NORMAL, "", out).unwrap();
            assert_eq!((ws.state(), ws.wants_read(), ws.close_outcome()), (State::Closing, true, None));
        };
        let octets = frames_to(role, &[(0x81, b"late"), (0x89, b"p"), (0x88, b"\x03\xe9"), (0x81, b"too late")]);
        let transcript = common::run_after(role, &Config::default(), close_first, &octets);
        assert_eq!(transcript.messages, [text("late"), ping(b"p"), close(1001, "")]);
        let sent = [frame_from(role, 0x88, b"\x03\xe8"), frame_from(role, 0x8A, b"p")].concat();
        assert_eq!(transcript.output, sent, "a pong, and no second close");
        let outcome = transcript.outcome.unwrap();
        assert_eq!((outcome.clean, outcome.began), (true, Side::Local));
        assert_eq!((outcome.sent, outcome.received), (CloseCode::NORMAL, CloseCode::GOING_AWAY));
    }
}

#[test]
fn s5_5_1_5_and_10_nothing_is_sent_after_a_close() {
    for role in ROLES {
        let mut ws = common::connection(role, &Config::default());
        let mut out = Vec::new();
        ws.begin_text("a", &mut out).unwrap();
        ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
        let sent = out.clone();
        assert_eq!(ws.finish_text("b", &mut out), Err(SendError::Closed));
        assert_eq!(ws.send_text("x", &mut out), Err(SendError::Closed));
        assert_eq!(ws.send_ping(b"x", &mut out), Err(SendError::Closed));
        assert_eq!(ws.close(CloseCode::NORMAL, "", &mut out), Err(SendError::Closed));
        assert_eq!(ws.close_without_code(&mut out), Err(SendError::Closed));
        assert_eq!(out, sent);
        let (_, output) = receive(&mut ws, &frame_to(role, 0x88, b""));
        assert_eq!(output, []);
        assert_eq!(ws.send_pong(b"x", &mut out), Err(SendError::Closed));
        assert_eq!(out, sent);
    }
}

#[test]
fn s7_1_5_1_a_failure_after_our_close_sends_no_second_one() {
    for role in ROLES {
        let close_first = |ws: &mut Connection, out: &mut Vec<u8>| ws.close(CloseCode(4000), "", out).unwrap();
        let transcript = common::run_after(role, &Config::default(), close_first, &frame_to(role, 0x83, b"x"));
        assert_eq!((transcript.messages, transcript.error), (vec![], Some(ProtocolError::ReservedOpCode)));
        assert_eq!(transcript.output, frame_from(role, 0x88, b"\x0f\xa0"));
        let outcome = transcript.outcome.unwrap();
        assert_eq!((outcome.clean, outcome.sent, outcome.received), (false, CloseCode(4000), CloseCode::ABNORMAL));
        assert_eq!(outcome.error, Some(ProtocolError::ReservedOpCode));
    }
}

#[test]
fn s7_1_4_1_and_7_2_1_1_the_stream_ends() {
    for role in ROLES {
        // open, amid a frame
        let mut ws = common::connection(role, &Config::default());
        receive(&mut ws, &frame_to(role, 0x81, b"Hello")[..4]);
        assert_eq!(ws.receive_eof(), Err(ProtocolError::UnexpectedEof));
        assert_eq!(ws.receive_eof(), Ok(()), "said once");
        let outcome = ws.close_outcome().unwrap();
        assert_eq!((outcome.clean, outcome.sent, outcome.received), (false, CloseCode::ABNORMAL, CloseCode::ABNORMAL));
        let mut out = Vec::new();
        assert_eq!(ws.send_text("x", &mut out), Err(SendError::Closed));
        assert_eq!(out, []);

        // our close was not answered
        let mut ws = common::connection(role, &Config::default());
        ws.close(CloseCode(4000), "", &mut out).unwrap();
        assert_eq!(ws.receive_eof(), Err(ProtocolError::UnexpectedEof));
        let outcome = ws.close_outcome().unwrap();
        assert_eq!((outcome.clean, outcome.sent, outcome.received), (false, CloseCode(4000), CloseCode::ABNORMAL));

        // §7.1.7-5: the peer closed, and its half of the stream too
        let mut ws = common::connection(role, &Config::default());
        let (_, output) = receive(&mut ws, &frame_to(role, 0x88, b"\x03\xe8"));
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xe8"));
        assert_eq!(ws.receive_eof(), Ok(()));
        assert!(ws.close_outcome().unwrap().clean);
    }
}

#[test]
fn sio_6_and_7_empty_feeds_and_a_dead_connection() {
    for role in ROLES {
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(b"");
        assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
        input.extend_from_slice(&frame_to(role, 0x83, b""));
        assert!(ws.receive(&mut input, &mut output).is_err());
        for _ in 0..3 {
            input.extend_from_slice(&frame_to(role, 0x81, b"x"));
            assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
            assert_eq!(ws.receive_message(&mut input, &mut output), Ok(None));
            assert!(input.is_empty());
        }
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xea"));
    }
}
