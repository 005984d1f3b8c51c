//! RFC 6455 §5.5.1, §7.4: the body of a Close, its code and its reason.

mod common;

use common::{ROLES, assert_failed, close, frame_from, frame_to, hex, run};
use websocket_proto::{CloseCode, Config, Event, Message, ProtocolError, ReadBuffer, Role, SendError, State};

#[test]
fn iana_1_all_close_codes_received_and_sent() {
    // IANA-1, 6455-7.4.1-2, 6455-7.4.1-3, 6455-7.4.1-4, 6455-7.4.2-1, 6455-7.4.2-2, 6455-7.4.2-3, 6455-7.4.2-4
    // 28-8, 6455-7.4-1, 6455-5.5.1-6
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
            // whatever the code says, the connection is over
            let outcome = ws.close_outcome().unwrap();
            let received = if allowed { code } else { CloseCode::ABNORMAL };
            assert_eq!((outcome.clean, outcome.sent, outcome.received), (allowed, CloseCode(answer), received));
            assert_eq!((ws.state(), ws.wants_read()), (State::Closed, false));

            output.clear();
            let mut ws = common::connection(role, &Config::default());
            let sent = ws.close(code, "", &mut output);
            let may_send = allowed && !(number == 1010 && role == Role::Server);
            if may_send {
                assert_eq!((sent, ws.state()), (Ok(()), State::Closing));
                assert_eq!(output, frame_from(role, 0x88, &number.to_be_bytes()));
            } else {
                assert_eq!((sent, ws.state()), (Err(SendError::InvalidCloseCode(code)), State::Open));
                assert!(output.is_empty());
            }
        }
    }
}

#[test]
fn s7_4_codes_at_the_bounds_of_their_ranges() {
    // 6455-7.4.1-2, 6455-7.4.1-3, 6455-7.4.2-1, 6455-7.4.2-2, 6455-7.4.2-3, 6455-7.4.2-4, 28-8, 28-1
    for body in
        ["00 00", "03 e7", "03 ec", "03 ed", "03 ee", "03 f7", "03 f8", "04 4c", "07 d0", "0b b7", "13 88", "ff ff"]
    {
        let body = hex(body);
        let code = CloseCode(u16::from_be_bytes([body[0], body[1]]));
        for role in ROLES {
            for reason in [&b""[..], b"why"] {
                let transcript = run(role, &frame_to(role, 0x88, &[&body, reason].concat()));
                assert_failed(&transcript, role, ProtocolError::InvalidCloseCode(code));
            }
        }
    }
    for body in ["03 e8", "03 eb", "03 ef", "03 f4", "03 f5", "03 f6", "0b b8", "0f 9f", "0f a0", "13 87"] {
        let body = hex(body);
        for role in ROLES {
            let transcript = run(role, &frame_to(role, 0x88, &body));
            assert_eq!(transcript.messages, [close(u16::from_be_bytes([body[0], body[1]]), "")]);
            assert_eq!(transcript.output, frame_from(role, 0x88, &body));
        }
    }
}

#[test]
fn s7_4_1_codes_of_one_side_come_from_both() {
    // 28-43, erratum-3227, 6455-7.4.1-5, 6455-7.4.1-4, 6455-7.4.1-1
    for role in ROLES {
        for code in [1010, 1011] {
            let body = u16::to_be_bytes(code);
            let transcript = run(role, &frame_to(role, 0x88, &body));
            assert_eq!((transcript.messages, transcript.error), (vec![close(code, "")], None));
            assert_eq!(transcript.output, frame_from(role, 0x88, &body));
        }
        let mut out = Vec::new();
        common::connection(role, &Config::default()).close(CloseCode::INTERNAL_ERROR, "", &mut out).unwrap();
        assert_eq!(out, frame_from(role, 0x88, b"\x03\xf3"));
    }
}

#[test]
fn s7_4_1_a_client_says_which_extension_it_needs() {
    // 6455-7.4.1-1010a, 6455-7.4.1-4
    const NEEDED: &str = "permessage-deflate";
    let mut out = Vec::new();
    let mut client = common::connection(Role::Client, &Config::default());
    client.close(CloseCode::MANDATORY_EXTENSION, NEEDED, &mut out).unwrap();
    assert_eq!(out[..6], hex("88 94 37 fa 21 3d"));
    assert_eq!(out, frame_from(Role::Client, 0x88, &[b"\x03\xf2", NEEDED.as_bytes()].concat()));
    assert_eq!(run(Role::Server, &out).messages, [close(1010, NEEDED)]);
    // a server refuses the handshake instead
    out.clear();
    let mut server = common::connection(Role::Server, &Config::default());
    let refused = Err(SendError::InvalidCloseCode(CloseCode::MANDATORY_EXTENSION));
    assert_eq!(server.close(CloseCode::MANDATORY_EXTENSION, NEEDED, &mut out), refused);
    assert_eq!((out.len(), server.state()), (0, State::Open));
}

#[test]
fn s5_5_1_1_and_2_bodies_that_are_none() {
    // 6455-5.5.1-1, 6455-5.5.1-2, 28-6, 28-7, erratum-7262
    for role in ROLES {
        assert_eq!(run(role, &frame_to(role, 0x88, b"")).messages, [Message::Close(None)]);
        for octet in 0..=255 {
            assert_failed(&run(role, &frame_to(role, 0x88, &[octet])), role, ProtocolError::CloseBodyTooShort);
        }
        for reason in [
            &b"\x80"[..],
            b"\xe2\x82",
            b"ok\xff",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe9", // é in Latin-1
            b"b\x00\xe9\x00",
        ] {
            let body = [b"\x03\xe8", reason].concat();
            assert_failed(&run(role, &frame_to(role, 0x88, &body)), role, ProtocolError::InvalidCloseReason);
        }
        // the code is looked at first
        let both = run(role, &frame_to(role, 0x88, b"\x03\xed\x80"));
        assert_failed(&both, role, ProtocolError::InvalidCloseCode(CloseCode::NO_STATUS));
        for reason in ["bye", "\0", "κόσμε", "\u{FEFF}x", "\u{FFFF}", "😀"] {
            let body = [b"\x03\xe8", reason.as_bytes()].concat();
            assert_eq!(run(role, &frame_to(role, 0x88, &body)).messages, [close(1000, reason)]);
        }
    }
    assert_eq!(run(Role::Client, &hex("88 05 03 e8 62 79 65")).messages, [close(1000, "bye")]);
    assert_eq!(ProtocolError::InvalidCloseReason.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn s5_5_1_reasons_of_123_and_124_octets() {
    // 6455-5.5.1-2, 6455-5.5-1, 6455-5.5-4
    for role in ROLES {
        for longest in ["r".repeat(123), "é".repeat(61) + "x"] {
            let body = [b"\x03\xe8", longest.as_bytes()].concat();
            assert_eq!(run(role, &frame_to(role, 0x88, &body)).messages, [close(1000, &longest)]);
            let mut out = Vec::new();
            common::connection(role, &Config::default()).close(CloseCode::NORMAL, &longest, &mut out).unwrap();
            assert_eq!(out, frame_from(role, 0x88, &body));
        }
        for too_long in ["r".repeat(124), "é".repeat(62)] {
            // such a Close is a control frame of 126 octets
            let body = [b"\x03\xe8", too_long.as_bytes()].concat();
            assert_failed(&run(role, &frame_to(role, 0x88, &body)), role, ProtocolError::ControlTooLong);
            let mut out = Vec::new();
            let mut ws = common::connection(role, &Config::default());
            assert_eq!(ws.close(CloseCode::NORMAL, &too_long, &mut out), Err(SendError::ReasonTooLong));
            assert_eq!((out.len(), ws.state()), (0, State::Open));
        }
        // 123 octets that end in a character
        let body = [&b"\x03\xe8"[..], &[b'r'; 121], b"\xe2\x82"].concat();
        assert_failed(&run(role, &frame_to(role, 0x88, &body)), role, ProtocolError::InvalidCloseReason);
    }
}
