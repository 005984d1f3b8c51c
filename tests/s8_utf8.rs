//! RFC 6455 §5.6, §8.1, RFC 3629: text is UTF-8, and is found not to be as soon as it can be.

mod common;

use common::{ROLES, binary, frame_from, frame_to, frames_to, ping, run, text};
use websocket_proto::{Config, ProtocolError, ReadBuffer, Role};

const KOSME: &str = "κόσμε";

fn assert_invalid(role: Role, octets: &[u8]) {
    let transcript = run(role, octets);
    assert_eq!(
        (&transcript.messages[..], transcript.error),
        (&[][..], Some(ProtocolError::InvalidUtf8)),
        "{octets:02x?}"
    );
    assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xef"));
}

#[test]
fn r3629_3_and_4_1_sequences_valid_and_invalid() {
    let valid: [&[u8]; 14] = [
        b"",
        b"\x00",
        b"\x7f",
        b"\xc2\x80",
        b"\xdf\xbf",
        b"\xe0\xa0\x80",
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xef\xbf\xbf",
        b"\xef\xbb\xbfa",
        b"\xf0\x90\x80\x80",
        b"\xf4\x8f\xbf\xbf",
        b"\xf0\x9f\xbf\xbe",
        b"\xef\xbf\xbd",
    ];
    let invalid: [&[u8]; 30] = [
        b"\x80",
        b"\xbf",
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xe0\x80\x80",
        b"\xe0\x9f\xbf",
        b"\xf0\x80\x80\x80",
        b"\xf0\x8f\xbf\xbf",
        b"\xed\xa0\x80",
        b"\xed\xad\xbf",
        b"\xed\xb0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf5",
        b"\xf7\xbf\xbf\xbf",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\xc3 ",
        b"\xe2\x82 ",
        b"\xf0\x9f\x98A",
        b"\xe2\x82",
        b"\xc3",
        b"\xf0\x9f\x98",
        b"\xf0",
        b"\xe2",
        b"a\xc3",
    ];
    for role in ROLES {
        for octets in valid {
            let expected = text(std::str::from_utf8(octets).unwrap());
            assert_eq!(run(role, &frame_to(role, 0x81, octets)).messages, [expected]);
        }
        for octets in invalid {
            assert_invalid(role, &frame_to(role, 0x81, octets));
            // behind text that is longer than a vector register
            let long = [KOSME.repeat(9).as_bytes(), octets].concat();
            assert_invalid(role, &frame_to(role, 0x81, &long));
        }
    }
}

#[test]
fn s5_6_1_a_character_may_be_cut_by_frames_and_pings() {
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
    for role in ROLES {
        assert_invalid(role, &frame_to(role, 0x81, b"\xe2\x82"));
        assert_invalid(role, &frames_to(role, &[(0x01, b"\xe2\x82"), (0x80, b"")]));
        assert_invalid(role, &frames_to(role, &[(0x01, b"\xf0"), (0x00, b"\x9f\x98"), (0x80, b"")]));
    }
}

#[test]
fn s8_1_2_text_fails_inside_an_unfinished_frame() {
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
    for role in ROLES {
        let frames =
            frames_to(role, &[(0x82, b"\x80"), (0x02, b"\xe2"), (0x80, b""), (0x81, "é".as_bytes()), (0x82, b"\xc3")]);
        assert_eq!(run(role, &frames).messages, [binary(b"\x80"), binary(b"\xe2"), text("é"), binary(b"\xc3")]);
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(run(role, &frame_to(role, 0x82, &all)).messages, [binary(&all)]);
    }
}
