//! Lengths of the wire have 64 bits: on a machine whose `usize` has 32, none is cut off. Each length here is one of
//! 64 bits whose lower 32 bits are a short one.

mod common;

use common::handshake::{Outcome, answer};
use common::{Joined, ROLES, assert_failed, connection, frame_to, run_with};
use proptest::prelude::*;
use websocket_proto::wire::{FrameHeader, OpCode};
use websocket_proto::{CloseCode, Config, Delivery, MessageKind, ProtocolError, ReadBuffer, Role};

/// So many octets come behind a header; a length that is cut off to 32 bits is one of these.
const SHORT: [usize; 4] = [0, 1, 5, 200];

/// 64-bit lengths of which the lower 32 bits say something else.
fn long_lengths() -> impl Iterator<Item = (u64, usize)> {
    [1 << 32, 2 << 32, 1 << 40, 0x7fff_ffff << 32]
        .into_iter()
        .flat_map(|high| SHORT.into_iter().map(move |short| (high + short as u64, short)))
}

fn unlimited() -> Config {
    let mut config = Config::default();
    config.limits.frame = u64::MAX;
    config.limits.message = u64::MAX;
    config
}

/// The header of a frame, with a key of zeros where one has to be.
fn header(role: Role, first: u8, len: u64) -> Vec<u8> {
    let (mask, key): (u8, &[u8]) = if role == Role::Server { (0x80, &[0; 4]) } else { (0, &[]) };
    [&[first, mask | 127], len.to_be_bytes().as_slice(), key].concat()
}

#[test]
fn a_long_frame_is_too_big_and_not_a_short_one() {
    for role in ROLES {
        for (len, short) in long_lengths() {
            for first in [0x81, 0x82, 0x01, 0x02] {
                let octets = [header(role, first, len), vec![b'a'; short]].concat();
                let transcript = run_with(role, &Config::default(), &octets);
                assert_failed(&transcript, role, ProtocolError::FrameTooBig);
                assert_eq!(ProtocolError::FrameTooBig.close_code(), CloseCode::MESSAGE_TOO_BIG);
            }
        }
    }
}

#[test]
fn a_long_frame_that_is_allowed_does_not_end_where_a_short_one_would() {
    for role in ROLES {
        for (len, short) in long_lengths() {
            for first in [0x81, 0x82] {
                // what comes behind the short length is no frame of its own, but more of the long one
                let octets = [header(role, first, len), vec![b'a'; short + 3]].concat();
                let transcript = run_with(role, &unlimited(), &octets);
                assert_eq!((transcript.error, transcript.messages), (None, vec![]));
                let mut ws = connection(role, &unlimited());
                let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                input.extend_from_slice(&octets);
                assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
                assert_eq!(ws.missing(), len - short as u64 - 3);
            }
        }
    }
}

#[test]
fn of_a_long_frame_in_chunks_all_that_comes_is_delivered() {
    let mut config = unlimited();
    config.delivery = Delivery::Chunks;
    for role in ROLES {
        for (len, short) in long_lengths() {
            for first in [0x81, 0x82] {
                let (mut ws, mut input, mut output) = (connection(role, &config), ReadBuffer::default(), Vec::new());
                input.extend_from_slice(&[header(role, first, len), vec![b'a'; short + 3]].concat());
                let mut joined = Joined::default();
                while let Some(event) = ws.receive(&mut input, &mut output).unwrap() {
                    joined.push(event.into());
                }
                assert_eq!(joined.unfinished, Some(vec![b'a'; short + 3]));
                assert_eq!(joined.messages, []);
            }
        }
    }
}

#[test]
fn fragments_of_more_than_32_bits_together_are_too_big() {
    let mut config = Config::default();
    config.limits.frame = u64::MAX;
    for limit in [100, u64::from(u32::MAX), 1 << 32] {
        config.limits.message = limit;
        for role in ROLES {
            // with two octets before it, the second frame's length makes 2^32 + 1 and more
            let octets = [frame_to(role, 0x02, b"ab"), header(role, 0x80, (1 << 32) - 1)].concat();
            assert_failed(&run_with(role, &config, &octets), role, ProtocolError::MessageTooBig);
        }
    }
}

#[test]
fn a_header_of_a_long_payload_that_is_sent_says_its_length() {
    for (len, _) in long_lengths() {
        let mut ws = connection(Role::Server, &Config::default());
        let mut output = Vec::new();
        let _ = ws.send_header(MessageKind::Binary, len, &mut output).unwrap();
        let (header, _) = FrameHeader::decode(&output).unwrap().unwrap();
        assert_eq!(header.payload_len, len);
    }
}

#[test]
fn a_long_body_of_a_rejection_does_not_end_where_a_short_one_would() {
    for (len, short) in long_lengths() {
        for framing in [format!("Content-Length: {len}\r\n"), format!("Transfer-Encoding: chunked\r\n\r\n{len:x}")] {
            let body = "a".repeat(short + 3);
            let outcome = answer(&[], format!("HTTP/1.1 403 x\r\n{framing}\r\n{body}").as_bytes());
            assert_eq!(outcome, Ok(Outcome::Rejected(403, 1, body, false)), "{framing}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_length_breaches_a_limit_by_its_64_bits(
        len in prop_oneof![0..200_u64, 65_000..70_000_u64, 0xffff_ff00..0x1_0000_0100_u64, 0..1_u64 << 63],
        limit in prop_oneof![0..200_u64, 65_000..70_000_u64, 0xffff_ff00..0x1_0000_0100_u64, any::<u64>()],
        of_message: bool,
    ) {
        let mut config = unlimited();
        let error = if of_message { ProtocolError::MessageTooBig } else { ProtocolError::FrameTooBig };
        *if of_message { &mut config.limits.message } else { &mut config.limits.frame } = limit;
        for role in ROLES {
            let mask = (role == Role::Server).then_some([0; 4]);
            let mut octets = Vec::new();
            let header = FrameHeader { fin: true, reserved: 0, opcode: OpCode::Binary, mask, payload_len: len };
            header.encode(&mut octets).unwrap();
            let (mut ws, mut input, mut output) = (connection(role, &config), ReadBuffer::default(), Vec::new());
            input.extend_from_slice(&octets);
            match ws.receive(&mut input, &mut output) {
                Err(found) => prop_assert!(len > limit && found == error, "{found:?} for {len} of {limit}"),
                Ok(event) => {
                    prop_assert!(len <= limit, "{len} of {limit}");
                    prop_assert_eq!(event.is_some(), len == 0);
                }
            }
        }
    }
}
