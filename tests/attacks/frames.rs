//! Frames that the other side must not send, and calls that must get on.

use websocket_proto::{Config, ProtocolError as E, Role, State};

use crate::common::{
    ROLES, assert_failed, assert_failed_after, connection, frame_to, frames_to, ping, pong, run, run_with, text,
};
use crate::victim::{DOORS, Victim};

#[test]
fn reserved_bits_and_opcodes_are_judged_at_the_first_octet() {
    // aio-libs/aiohttp#12976, actix/actix-web#1579, gws, uWebSockets: RSV1 on what is not compressed
    for role in ROLES {
        for first in 0..=0xFF_u8 {
            for is_negotiated in [false, true] {
                let config =
                    if is_negotiated { crate::common::with_deflate(Config::default()) } else { Config::default() };
                let is_negotiated = is_negotiated && cfg!(feature = "deflate");
                let (reserved, opcode) = (first & 0x70, first & 0x0F);
                let is_compressed = is_negotiated && reserved == 0x40 && matches!(opcode, 1 | 2);
                let expected = match opcode {
                    _ if reserved != 0 && !is_compressed => Some(E::ReservedBits),
                    0x3..=0x7 | 0xB.. => Some(E::ReservedOpCode),
                    0x8..=0xA if first & 0x80 == 0 => Some(E::ControlFragmented),
                    0x0 => Some(E::NothingToContinue),
                    _ => None,
                };
                for door in DOORS {
                    let mut victim = Victim::new(role, &config, door);
                    victim.takes(&[first]);
                    assert_eq!(victim.error, expected, "{first:#x}");
                }
            }
        }
    }
}

#[test]
fn reserved_bits_are_refused_within_a_message_too() {
    for role in ROLES {
        for config in [Config::default(), crate::common::with_deflate(Config::default())] {
            for first in [0x10, 0x20, 0x40, 0x50, 0x90, 0xA0, 0xC0, 0xF0, 0xC9, 0xCA, 0xC8, 0x99] {
                let frames = frames_to(role, &[(0x01, b"a"), (0x89, b"p"), (first, b"")]);
                let transcript = run_with(role, &config, &frames);
                let pong = crate::common::frame_from(role, 0x8A, b"p");
                assert_failed_after(&transcript, role, E::ReservedBits, &[ping(b"p")], &pong);
            }
        }
    }
}

/// Octets that repeat themselves from a seed.
fn garbage(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn every_call_takes_something_or_is_the_last() {
    // CVE-2020-13935 (Tomcat), CVE-2025-5399 (curl): a parser that returns without having got on, for ever. `Victim`
    // asserts it of each call; here is what it is fed: all first two octets, then garbage of every kind
    for role in ROLES {
        for door in DOORS {
            for first in 0..=0xFF {
                for second in (0..=0xFF).step_by(3).chain([0x7D, 0x7E, 0x7F, 0xFD, 0xFE]) {
                    let mut victim = Victim::new(role, &Config::default(), door);
                    let octets = [&[first, second][..], &[0; 12]].concat();
                    victim.takes(&octets);
                    assert!(victim.calls <= octets.len() + 2, "{first:#x} {second:#x}: {} calls", victim.calls);
                }
            }
            let config = crate::common::with_deflate(Config::default());
            for seed in 0..300 {
                // garbage behind each of these begins, as the payload of a frame and as frames
                let begin = [&b""[..], &[0x01], &[0x82], &[0xC2], &[0x41], &[0x88], &[0x89]]
                    [usize::try_from(seed % 7).unwrap()];
                let payload = garbage(seed, 1 + usize::try_from(seed).unwrap() % 125);
                let mut octets = begin.first().map_or_else(Vec::new, |first| frame_to(role, *first, &payload));
                octets.extend_from_slice(&payload);
                let mut victim = Victim::new(role, &config, door);
                victim.takes_dribbled(&octets);
                assert!(victim.calls <= 2 * octets.len() + 2, "seed {seed}: {} calls", victim.calls);
            }
        }
    }
}

#[test]
fn after_a_refusal_nothing_is_read_and_nothing_is_sent() {
    // libwebsockets (NN-2025-0102): the connection was refused, and the parser went on with what it had
    for role in ROLES {
        for door in DOORS {
            let refused: [&[u8]; 6] = [&[0x83], &[0xC1], &[0x00], &[0x09], &[0x8A, 0xFF], &[0x82, 0x7F, 0x80]];
            for octets in refused {
                let mut victim = Victim::new(role, &Config::default(), door);
                let behind = frames_to(role, &[(0x81, b"text"), (0x89, b"ping"), (0x88, b"\x03\xe8")]);
                assert!(!victim.takes(&[octets, &behind].concat()));
                let (sent, error) = (victim.output.len(), victim.error);
                assert!(error.is_some() && victim.input.is_empty() && !victim.ws.wants_read());
                for _ in 0..3 {
                    victim.takes(&behind);
                }
                assert_eq!((victim.events, victim.output.len(), victim.error), (0, sent, error));
                assert!(victim.input.is_empty());
                let mut output = Vec::new();
                assert!(
                    victim.ws.send_text("a", &mut output).is_err() && victim.ws.send_ping(b"", &mut output).is_err()
                );
                assert!(victim.ws.send_pong(b"", &mut output).is_err() && output.is_empty());
            }
        }
    }
}

#[test]
fn a_close_within_any_event_ends_what_is_sent_and_breaks_nothing() {
    // the application closes when it has the n-th event in its hands, with all octets in the buffer already
    for role in ROLES {
        let events = [text("a"), ping(b"p"), pong(b"q"), text("bc"), ping(b"r")];
        let frames = frames_to(
            role,
            &[(0x81, b"a"), (0x89, b"p"), (0x8A, b"q"), (0x01, b"b"), (0x80, b"c"), (0x89, b"r"), (0x88, b"\x03\xe8")],
        );
        for at in 0..=events.len() {
            let mut victim = Victim::new(role, &Config::default(), DOORS[0]);
            victim.input.extend_from_slice(&frames);
            for event in &events[..at] {
                let came = victim.ws.receive_message(&mut victim.input, &mut victim.output).unwrap();
                assert_eq!(came.as_ref(), Some(event));
            }
            victim.ws.close(websocket_proto::CloseCode::NORMAL, "", &mut victim.output).unwrap();
            let sent = crate::common::frames_in(&victim.output).len();
            for event in &events[at..] {
                let came = victim.ws.receive_message(&mut victim.input, &mut victim.output).unwrap();
                assert_eq!(came.as_ref(), Some(event), "messages still come");
            }
            assert!(victim.ws.send_text("late", &mut victim.output).is_err());
            assert!(!victim.takes(b"") && victim.error.is_none() && victim.ws.state() == State::Closed);
            // Pongs are owed until the peer's Close; a second Close is not
            let behind = crate::common::frames_in(&victim.output).split_off(sent);
            assert!(
                behind.iter().all(|(header, _)| header.opcode == websocket_proto::wire::OpCode::Pong),
                "{behind:?}"
            );
        }
    }
}

#[test]
fn a_control_frame_is_neither_long_nor_cut() {
    for role in ROLES {
        for opcode in [0x8, 0x9, 0xA] {
            let mask = if role == Role::Server { 0x80 } else { 0 };
            for len in [126, 127] {
                assert_failed(&run(role, &[0x80 | opcode, mask | len]), role, E::ControlTooLong);
            }
            assert_failed(&run(role, &[opcode]), role, E::ControlFragmented);
        }
        // what a message's end is, is not what a control frame's is
        let mut ws = connection(role, &Config::default());
        let mut output = Vec::new();
        assert!(ws.send_ping(&[0; 126], &mut output).is_err() && ws.send_pong(&[0; 126], &mut output).is_err());
        assert!(output.is_empty());
    }
}
