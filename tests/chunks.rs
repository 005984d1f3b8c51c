//! RFC 6455 §5.4: a message too big to hold passes through in pieces.

mod common;

use common::{frame_from, frame_to, frames_to};
use websocket_proto::{Config, Connection, Delivery, Event, ProtocolError, ReadBuffer, Role};

fn chunks() -> Config {
    let mut config = Config::default();
    config.delivery = Delivery::Chunks;
    config
}

/// The chunks that come of each feed, as text: content, then `<` for first and `>` for last.
fn pieces(ws: &mut Connection, input: &mut ReadBuffer, octets: &[u8]) -> Vec<String> {
    let mut output = Vec::new();
    input.extend_from_slice(octets);
    let mut pieces = Vec::new();
    while let Some(event) = ws.receive(input, &mut output).unwrap() {
        let (content, first, last) = match event {
            Event::TextChunk { text, first, last } => (text.to_owned(), first, last),
            Event::BinaryChunk { data, first, last } => (format!("{data:02x?}"), first, last),
            other => (format!("{other:?}"), false, false),
        };
        pieces.push(format!("{}{content}{}", if first { "<" } else { "" }, if last { ">" } else { "" }));
    }
    pieces
}

#[test]
fn s5_4_9_pieces_as_they_come_with_marks() {
    // 6455-5.4-9
    let mut ws = common::connection(Role::Client, &chunks());
    let input = &mut ReadBuffer::default();
    assert_eq!(pieces(&mut ws, input, b"\x81\x05Hello"), ["<Hello>"]);
    assert_eq!(pieces(&mut ws, input, b"\x01\x05He"), ["<He"]);
    assert_eq!(pieces(&mut ws, input, b"llo\x89\x01p\x00\x00\x00\x01 \x80\x06wor"), ["llo", "Ping([112])", " ", "wor"]);
    assert_eq!(pieces(&mut ws, input, b"ld!\x82\x02\x01\x02"), ["ld!>", "<[01, 02]>"]);
    assert_eq!(pieces(&mut ws, input, b"\x02\x00\x00\x00"), Vec::<String>::new());
    assert_eq!(pieces(&mut ws, input, b"\x80\x00"), ["<[]>"]);
    assert_eq!(pieces(&mut ws, input, b"\x01\x01a\x80\x00"), ["<a", ">"]);
    assert!(input.is_empty());
}

#[test]
fn s8_1_text_is_cut_between_characters() {
    // 6455-5.4-9, 6455-5.6-1, 6455-5.5.3-5
    let mut ws = common::connection(Role::Client, &chunks());
    let input = &mut ReadBuffer::default();
    let mut seen = Vec::new();
    for octet in frames_to(Role::Client, &[(0x01, b"a\xe2"), (0x00, b"\x82"), (0x89, b""), (0x80, b"\xacb")]) {
        seen.extend(pieces(&mut ws, input, &[octet]));
    }
    assert_eq!(seen, ["<a", "Ping([])", "€", "b>"]);
}

#[test]
fn s8_1_2_invalid_text_fails_in_its_chunk_after_what_came_before() {
    // 6455-8.1-2, 28-26
    let mut ws = common::connection(Role::Server, &chunks());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let frame = frame_to(Role::Server, 0x01, b"good\xf4\x90");
    input.extend_from_slice(&frame[..frame.len() - 1]);
    assert_eq!(pieces(&mut ws, &mut input, b""), ["<good"]);
    input.extend_from_slice(&frame[frame.len() - 1..]);
    assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::InvalidUtf8));
    assert_eq!(output, frame_from(Role::Server, 0x88, b"\x03\xef"));
}

#[test]
fn s8_1_2_what_is_delivered_of_invalid_text_does_not_depend_on_the_cut() {
    // 6455-5.2-13, 6455-8.1-1
    for octets in [&b"abcde\xff"[..], b"ab\xe2\x82xyz", b"\xff", b"abc\xe2"] {
        for first in [0x81, 0x01] {
            let frames = frames_to(Role::Client, &[(first, octets), (0x80, b"\xff")]);
            let transcript = common::run(Role::Client, &frames);
            assert_eq!((transcript.messages.len(), transcript.error), (0, Some(ProtocolError::InvalidUtf8)));
        }
    }
    let mut ws = common::connection(Role::Client, &chunks());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(b"\x81\x06abcde\xff");
    let first = ws.receive(&mut input, &mut output).unwrap();
    assert!(matches!(first, Some(Event::TextChunk { text: "abcde", first: true, last: false })), "{first:?}");
    assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::InvalidUtf8));
    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
}

#[test]
fn limits_hold_for_chunks_too() {
    // 6455-10.4-1
    let mut config = chunks();
    config.limits.message = 4;
    let mut ws = common::connection(Role::Client, &config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(b"\x02\x03abc\x80\x02");
    assert!(ws.receive(&mut input, &mut output).unwrap().is_some());
    assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::MessageTooBig));
}
