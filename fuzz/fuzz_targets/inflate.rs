//! Any octets as the payload of compressed messages, cut to fragments: both doors and both deliveries give the same,
//! whatever the cut, and the reference of the tests agrees, which inflates bit by bit; nothing goes beyond the limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::wire::{FrameHeader, OpCode};
use websocket_proto::{Delivery, PongPolicy, Role};
use websocket_proto_fuzz::{Door, config, cut, deflate, frames, parts, receive, reference};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    let mut config = config(choices & 2);
    let has_takeover = choices & 4 == 0;
    let mut deflate = deflate((choices & 8) >> 1);
    // the reference knows no smaller window
    deflate.peer_window_bits = 15;
    (deflate.takeover, deflate.peer_takeover) = (has_takeover, has_takeover);
    config.deflate = Some(deflate);
    config.limits.message = 9000;
    config.limits.inflate_ratio = if choices & 16 == 0 { None } else { Some(20) };
    let role = if choices & 1 == 0 { Role::Server } else { Role::Client };
    let stream = match choices & 32 {
        0 => octets.to_vec(),
        _ => stream(role, choices, sizes, octets),
    };
    let pieces = cut(&stream, sizes);
    for delivery in [Delivery::Whole, Delivery::Chunks] {
        config.delivery = delivery;
        let seen = receive(role, &config, Door::Borrowed, pieces.iter().copied()).merged();
        let owned = receive(role, &config, Door::Owned, [&stream[..]]).merged();
        assert_eq!(seen, owned, "{role:?}, {delivery:?}");
        let seen = seen.assembled();
        let inflating = Some((has_takeover, delivery));
        let mut meaning = reference::read_inflating(role, &config.limits, inflating, &stream);
        if config.pong == PongPolicy::Manual {
            meaning.answers.retain(|(first, _)| *first != 0x8A);
        }
        assert_eq!(seen.error, meaning.error, "{role:?}, {delivery:?}");
        assert_eq!(seen.events, meaning.messages, "{role:?}, {delivery:?}");
        assert_eq!(frames(&seen.output), meaning.answers, "{role:?}, {delivery:?}");
    }
});

/// The octets as two compressed messages, the second of which is the same again, in fragments of these sizes.
fn stream(role: Role, choices: u8, sizes: &[u8], octets: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    let opcode = if choices & 64 == 0 { OpCode::Binary } else { OpCode::Text };
    for _ in 0..2 {
        let mut rest = octets;
        let mut sizes = sizes.iter().rev();
        let mut is_first = true;
        loop {
            let size = sizes.next().map_or(rest.len(), |size| usize::from(*size).min(rest.len()));
            let (payload, behind) = rest.split_at(size);
            rest = behind;
            let fin = rest.is_empty() && (sizes.len() == 0 || !payload.is_empty());
            let (opcode, reserved) = if is_first { (opcode, 0x40) } else { (OpCode::Continuation, 0) };
            // a key of zeros leaves the payload as it is
            let mask = (role == Role::Server).then_some([0; 4]);
            let header = FrameHeader { fin, reserved, opcode, mask, payload_len: payload.len() as u64 };
            header.encode(&mut stream).expect("right");
            stream.extend_from_slice(payload);
            is_first = false;
            if fin {
                break;
            }
        }
    }
    stream
}
