//! RFC 6455 §5.2: does a frame that is waited for where it lies behave as one that is taken up at once?

mod common;

use common::{ROLES, connection, frame_to, frames_to};
use websocket_proto::{Config, Connection, Event, Message, ProtocolError, ReadBuffer};

/// Which door the events come through.
#[derive(Clone, Copy, Debug)]
enum Door {
    Borrowed,
    Owned,
}

const DOORS: [Door; 2] = [Door::Borrowed, Door::Owned];

fn receive(
    ws: &mut Connection,
    door: Door,
    input: &mut ReadBuffer,
    output: &mut Vec<u8>,
) -> Result<Option<Message>, ProtocolError> {
    match door {
        Door::Borrowed => Ok(ws.receive(input, output)?.map(Message::from)),
        Door::Owned => ws.receive_message(input, output),
    }
}

#[test]
fn new_limits_are_in_force_for_messages_that_have_all_come() {
    // SEC-1
    for role in ROLES {
        for door in DOORS {
            let frame = frame_to(role, 0x82, &[1; 1000]);
            let mut ws = connection(role, &Config::default());
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let mut limits = ws.limits();
            for most in [1000, 999] {
                limits.message = most;
                ws.set_limits(limits);
                input.extend_from_slice(&frame);
                let expected = if most < 1000 { Err(ProtocolError::MessageTooBig) } else { Ok(()) };
                assert_eq!(receive(&mut ws, door, &mut input, &mut output).map(|_| ()), expected);
            }
        }
    }
}

#[test]
fn new_limits_do_not_open_what_is_closed() {
    // SEC-1
    for role in ROLES {
        for door in DOORS {
            let mut ws = connection(role, &Config::default());
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            assert_eq!(ws.receive_eof(), Err(ProtocolError::UnexpectedEof));
            ws.set_limits(ws.limits());
            input.extend_from_slice(&frame_to(role, 0x82, b"late"));
            assert_eq!(receive(&mut ws, door, &mut input, &mut output), Ok(None));
        }
    }
}

#[test]
fn every_cut_of_binary_frames_about_the_lengths_where_they_are_dealt_with_otherwise() {
    // 6455-5.2-13
    for role in ROLES {
        for door in DOORS {
            for len in [0, 1, 125, 126, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_535, 65_536] {
                let payload: Vec<u8> = (0..=255).cycle().take(len).collect();
                let octets = frames_to(role, &[(0x82, &payload), (0x89, b"p"), (0x82, b"next")]);
                for cut in (0..octets.len()).step_by(1 + len / 16) {
                    let mut ws = connection(role, &Config::default());
                    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                    let mut messages = Vec::new();
                    for part in [&octets[..cut], &octets[cut..]] {
                        input.extend_from_slice(part);
                        while let Some(message) = receive(&mut ws, door, &mut input, &mut output).unwrap() {
                            messages.push(message);
                        }
                    }
                    let ping = Message::from(Event::Ping(b"p"));
                    assert_eq!(messages, [common::binary(&payload), ping, common::binary(b"next")]);
                    assert!(input.is_empty());
                }
            }
        }
    }
}
