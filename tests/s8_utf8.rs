//! RFC 6455 §5.6, §8.1, RFC 3629: text is UTF-8, and is found not to be as soon as it can be.

mod common;

use bytes::Bytes;
use common::{ROLES, assert_failed, binary, frame_from, frame_to, frames_to, hex, ping, run, text};
use websocket_proto::{Config, Connection, Message, ProtocolError, ReadBuffer, Role, SendError, Utf8Bytes};

const KOSME: &str = "κόσμε";

fn assert_invalid(role: Role, octets: &[u8]) {
    assert_failed(&run(role, octets), role, ProtocolError::InvalidUtf8);
}

#[test]
fn r3629_3_and_4_1_sequences_valid_and_invalid() {
    // 3629-4-1, 3629-3-1, 3629-3-2, 3629-3-3, 3629-3-4, 3629-3-5, 6455-8.1-1, 6455-8.1-3
    let valid = [
        "",
        "00",
        "7f",
        "c2 80",
        "df bf",
        "e0 a0 80",
        "ed 9f bf",
        "ee 80 80",
        "ef bf be",
        "ef bf bf",
        "ef bb bf 61",
        "f0 90 80 80",
        "f4 8f bf bf",
        "f0 9f bf be",
        "ef bf bd",
    ];
    let invalid = [
        "80",
        "bf",
        "c0 80",
        "c0 af",
        "c1 bf",
        "e0 80 80",
        "e0 80 af",
        "e0 9f bf",
        "f0 80 80 80",
        "f0 8f bf bf",
        "ed a0 80",
        "ed ad bf",
        "ed b0 80",
        "ed bf bf",
        "ed a0 80 ed b0 80",
        "f4 90 80 80",
        "f5",
        "f7 bf bf bf",
        "f8 88 80 80 80",
        "fc 84 80 80 80 80",
        "fe",
        "ff",
        "c3 20",
        "e2 82 20",
        "f0 9f 98 41",
        "e2 82",
        "c3",
        "f0 9f 98",
        "f0",
        "e2",
        "61 c3",
    ];
    for role in ROLES {
        for octets in valid.map(hex) {
            let expected = text(std::str::from_utf8(&octets).unwrap());
            assert_eq!(run(role, &frame_to(role, 0x81, &octets)).messages, [expected]);
        }
        for octets in invalid.map(hex) {
            assert_invalid(role, &frame_to(role, 0x81, &octets));
            // behind text that is longer than a vector register
            let long = [KOSME.repeat(9).as_bytes(), &octets].concat();
            assert_invalid(role, &frame_to(role, 0x81, &long));
        }
    }
}

#[test]
fn r3629_4_1_all_pairs_of_octets() {
    // 3629-4-1, 3629-3-4, 6455-8.1-1, 6455-8.1-3, 6455-10.7-1
    for role in ROLES {
        for pair in 0..=u16::MAX {
            let octets = pair.to_be_bytes();
            let [a, b] = octets.map(|octet| [octet]);
            let expected = std::str::from_utf8(&octets).map(text).map_err(|_| ProtocolError::InvalidUtf8);
            let whole = frame_to(role, 0x81, &octets);
            let cut = frames_to(role, &[(0x01, &a), (0x80, &b)]);
            for frames in [whole, cut] {
                let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                let mut ws = common::connection(role, &Config::default());
                input.extend_from_slice(&frames);
                let received = ws.receive(&mut input, &mut output).map(|event| Message::from(event.expect("whole")));
                assert_eq!(received, expected, "{octets:02x?}");
            }
        }
    }
}

#[test]
fn s5_6_1_a_character_may_be_cut_by_frames_and_pings() {
    // 6455-5.6-1, 6455-8.1-4
    assert_eq!(run(Role::Client, &hex("01 01 ce  80 01 ba")).messages, [text("κ")]);
    for role in ROLES {
        let octets = KOSME.as_bytes();
        for cut in 0..=octets.len() {
            let (a, b) = octets.split_at(cut);
            assert_eq!(run(role, &frames_to(role, &[(0x01, a), (0x80, b)])).messages, [text(KOSME)]);
            let frames = frames_to(role, &[(0x01, a), (0x89, b"\xff"), (0x00, b""), (0x80, b)]);
            assert_eq!(run(role, &frames).messages, [ping(b"\xff"), text(KOSME)]);
        }
        let mut frames = frame_to(role, 0x01, b"");
        for octet in "日本語 😀".as_bytes() {
            frames.extend(frame_to(role, 0x00, &[*octet]));
        }
        frames.extend(frame_to(role, 0x80, b""));
        assert_eq!(run(role, &frames).messages, [text("日本語 😀")]);
    }
}

#[test]
fn s8_1_3_a_message_must_not_end_in_a_character() {
    // 6455-8.1-3, 28-26
    for role in ROLES {
        assert_invalid(role, &frame_to(role, 0x81, b"\xe2\x82"));
        assert_invalid(role, &frames_to(role, &[(0x01, b"\xe2\x82"), (0x80, b"")]));
        assert_invalid(role, &frames_to(role, &[(0x01, b"\xf0"), (0x00, b"\x9f\x98"), (0x80, b"")]));
        for character in ["é", "€", "😀"] {
            for len in 1..character.len() {
                let begun = &character.as_bytes()[..len];
                let frames = [(0x01, begun), (0x00, b""), (0x8A, b""), (0x00, b""), (0x80, b"")];
                let transcript = run(role, &frames_to(role, &frames));
                let error = ProtocolError::InvalidUtf8;
                common::assert_failed_after(&transcript, role, error, &[common::pong(b"")], &[]);
                // which is not yet wrong while the message goes on
                let frames = [(0x01, begun), (0x00, b""), (0x80, &character.as_bytes()[len..])];
                assert_eq!(run(role, &frames_to(role, &frames)).messages, [text(character)]);
            }
        }
    }
}

#[test]
fn s8_1_2_text_fails_inside_an_unfinished_frame() {
    // 6455-8.1-2, 28-26
    for role in ROLES {
        // Autobahn 6.4: the octet that makes it certain, long before the end of the frame
        let octets = [KOSME.as_bytes(), b"\xf4\x90\x80\x80edited"].concat();
        let frame = frame_to(role, 0x81, &octets);
        let header = frame.len() - octets.len();
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(&frame[..=header + KOSME.len()]);
        assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
        input.extend_from_slice(&frame[header + KOSME.len() + 1..][..1]);
        assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::InvalidUtf8));
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xef"));
        // and in a second fragment
        assert_invalid(role, &frames_to(role, &[(0x01, KOSME.as_bytes()), (0x00, b"\xf4"), (0x00, b"\x90")]));
    }
}

#[test]
fn s8_1_4_each_message_begins_anew_and_binary_is_opaque() {
    // 6455-8.1-4, 6455-5.6-3
    for role in ROLES {
        let frames =
            frames_to(role, &[(0x82, b"\x80"), (0x02, b"\xe2"), (0x80, b""), (0x81, "é".as_bytes()), (0x82, b"\xc3")]);
        assert_eq!(run(role, &frames).messages, [binary(b"\x80"), binary(b"\xe2"), text("é"), binary(b"\xc3")]);
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(run(role, &frame_to(role, 0x82, &all)).messages, [binary(&all)]);
    }
}

#[test]
fn s8_1_2_every_sequence_fails_at_the_octet_that_makes_it_certain() {
    // 6455-8.1-2, 28-26
    for octets in [
        "f4 90",
        "80",
        "c0",
        "c1",
        "c3 20",
        "e0 9f",
        "e2 82 20",
        "ed a0",
        "f0 8f",
        "f0 9f 98 41",
        "f5",
        "ff",
        "ce ba f8",
    ] {
        let octets = hex(octets);
        for role in ROLES {
            // nine octets more are announced than come
            let mut frame = frame_to(role, 0x81, &octets);
            frame[1] += 9;
            let header = frame.len() - octets.len();
            let mut ws = common::connection(role, &Config::default());
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            for (n, octet) in frame.iter().enumerate() {
                input.extend_from_slice(&[*octet]);
                let is_last = n + 1 == header + octets.len();
                let expected = if is_last { Err(ProtocolError::InvalidUtf8) } else { Ok(None) };
                assert_eq!(ws.receive(&mut input, &mut output), expected, "{octets:02x?} at {n}");
            }
            assert_eq!(output, frame_from(role, 0x88, b"\x03\xef"));
        }
    }
}

#[test]
fn s5_6_2_text_that_is_sent_is_text() {
    // 6455-5.6-2: the doors that take a payload take `str` and nothing else
    type Door = fn(&mut Connection, &str, &mut Vec<u8>) -> Result<(), SendError>;
    let [whole, begin, more, finish]: [Door; 4] =
        [Connection::send_text, Connection::begin_text, Connection::continue_text, Connection::finish_text];
    for octets in ["80", "e2 82", "ed a0 80"] {
        assert!(Utf8Bytes::try_from(Bytes::from(hex(octets))).is_err());
    }
    for role in ROLES {
        let mut ws = common::connection(role, &Config::default());
        let mut out = Vec::new();
        whole(&mut ws, KOSME, &mut out).unwrap();
        begin(&mut ws, "κ", &mut out).unwrap();
        more(&mut ws, "", &mut out).unwrap();
        more(&mut ws, "όσ", &mut out).unwrap();
        finish(&mut ws, "με", &mut out).unwrap();
        let other = if role == Role::Server { Role::Client } else { Role::Server };
        assert_eq!(run(other, &out).messages, [text(KOSME), text(KOSME)]);
    }
}
