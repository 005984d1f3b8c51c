//! RFC 6455 §5.2: does a frame that is waited for where it lies behave as one that is taken up at once?

mod common;

use common::{ROLES, connection, frame_to, frames_to};
use websocket_proto::{Config, Connection, Event, Message, ProtocolError, ReadBuffer, Role};

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

#[test]
fn what_is_missing_is_told_after_each_read() {
    for role in ROLES {
        for door in DOORS {
            for (first, len) in [(0x82, 1000), (0x82, 20_000), (0x02, 1000), (0x81, 1000)] {
                let frame = frame_to(role, first, &vec![b'x'; len]);
                let header = frame.len() - len;
                let mut ws = connection(role, &Config::default());
                let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                input.extend_from_slice(&frame[..header]);
                for come in 0..len {
                    assert_eq!(receive(&mut ws, door, &mut input, &mut output), Ok(None));
                    let expected = (len - come) as u64;
                    assert_eq!(ws.missing(), expected, "{role:?} {door:?} {first:#x} {len}: {come} have come");
                    input.extend_from_slice(&frame[header + come..][..1]);
                }
            }
        }
    }
}

#[test]
fn new_limits_are_for_the_next_frame() {
    // SEC-1
    for role in ROLES {
        for door in DOORS {
            for first in [0x82, 0x81] {
                let frame = frame_to(role, first, &[b'x'; 1000]);
                let mut ws = connection(role, &Config::default());
                let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                input.extend_from_slice(&frame[..500]);
                assert_eq!(receive(&mut ws, door, &mut input, &mut output), Ok(None));
                let mut limits = ws.limits();
                limits.frame = 10;
                limits.message = 10;
                ws.set_limits(limits);
                input.extend_from_slice(&frame[500..]);
                let received = receive(&mut ws, door, &mut input, &mut output);
                assert!(matches!(received, Ok(Some(_))), "{role:?} {door:?} {first:#x}: {received:?}");
                input.extend_from_slice(&frame);
                let received = receive(&mut ws, door, &mut input, &mut output);
                assert_eq!(received, Err(ProtocolError::FrameTooBig));
            }
        }
    }
}

#[test]
fn amid_a_short_fragment_the_usual_room_is_given() {
    let mut ws = connection(Role::Client, &Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    input.extend_from_slice(&frame_to(Role::Client, 0x02, &[1; 5000]));
    input.extend_from_slice(&frame_to(Role::Client, 0x00, &[2; 100])[..50]);
    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
    assert_eq!(ws.missing(), 52);
    assert_eq!(input.room(4096).len(), 4096, "the frame is not longer than that");
}
