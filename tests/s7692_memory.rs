//! What permessage-deflate costs of memory, counted by the allocator, and what the documentation says it costs.
#![cfg(feature = "deflate")]

mod common;
#[path = "common/counting.rs"]
mod counting;

use common::deflate::{chat, compressed, config, in_each_memory, takeover};
use common::{ROLES, connection, frame_to, frames_in};
use counting::{held_by, live, measure};
use websocket_proto::deflate::{Compression, DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::{
    Config, Connection, Delivery, Event, Prepared, ProtocolError, ReadBuffer, Receiver, Role, Sender,
};

/// The zlib state of a decompressor, and of a compressor by its settings, in octets.
const INFLATE: usize = 47_552;

fn deflate_state(deflate: &DeflateConfig) -> usize {
    134_272 + (4 << deflate.window_bits) + (7 << (deflate.mem_level + 6))
}

/// Two ends, and what has come to each.
struct Pair {
    ends: [(Connection, ReadBuffer, Vec<u8>); 2],
}

impl Pair {
    fn new(deflate: &DeflateConfig) -> Self {
        let config = config(deflate.clone());
        Self { ends: ROLES.map(|role| (connection(role, &config), ReadBuffer::default(), Vec::new())) }
    }

    /// The first end sends, the second receives and answers the same, the first receives that.
    fn echo(&mut self, text: &str) {
        let [(a, a_input, a_output), (b, b_input, b_output)] = &mut self.ends;
        a.send_text(text, a_output).unwrap();
        b_input.extend_from_slice(a_output);
        a_output.clear();
        while let Some(event) = b.receive(b_input, a_output).unwrap() {
            let Event::Text(event) = event else { panic!() };
            b.send_text(event, b_output).unwrap();
        }
        a_input.extend_from_slice(b_output);
        b_output.clear();
        assert_eq!(a.receive(a_input, a_output), Ok(Some(Event::Text(text))));
    }

    fn into_connections(self) -> [Connection; 2] {
        self.ends.map(|(ws, ..)| ws)
    }
}

/// What a connection holds by the allocator; it is what it says itself.
fn held(ws: Connection) -> usize {
    let said = ws.memory_used() - size_of::<Connection>();
    let held = held_by(ws);
    assert!(held <= said && said <= held + LESS, "the connection says itself what it holds: {said}, of {held}");
    held
}

/// By so much zlib's states may be smaller where pointers are; what they are with 64 bits is what is said.
const LESS: usize = if cfg!(target_pointer_width = "64") { 0 } else { 600 };

/// Both halves of permessage-deflate, without zlib's states and without windows: what it costs at the least.
const HALVES: usize = 300;

#[test]
fn a_connection_without_it_holds_nothing() {
    for role in ROLES {
        assert_eq!(held(connection(role, &Config::default())), 0);
    }
    assert!(size_of::<Connection>() <= 256, "{}", size_of::<Connection>());
}

#[test]
fn a_connection_that_has_not_compressed_holds_no_state() {
    for role in ROLES {
        for has_takeover in [true, false] {
            for deflate in in_each_memory(&takeover(has_takeover)) {
                let held = held(connection(role, &config(deflate)));
                assert!(held <= HALVES, "{held}");
            }
        }
    }
}

#[test]
fn dedicated_holds_its_states_and_what_the_peer_may_refer_to() {
    for (window_bits, mem_level) in [(9, 1), (12, 5), (15, 8), (15, 1)] {
        let mut deflate = takeover(true);
        (deflate.window_bits, deflate.peer_window_bits) = (window_bits, window_bits);
        deflate.mem_level = mem_level;
        let mut pair = Pair::new(&deflate);
        let text = chat(100_000, 1);
        pair.echo(&text);
        pair.echo(&text);
        let states = INFLATE + deflate_state(&deflate);
        for ws in pair.into_connections() {
            let held = held(ws);
            let expected = states + (1 << window_bits);
            assert!((expected - LESS..expected + HALVES + 300).contains(&held), "{held} for {expected}");
        }
    }
}

#[test]
fn shared_without_takeover_holds_nothing() {
    let mut deflate = takeover(false);
    deflate.memory = DeflateMemory::Shared(DeflatePool::default());
    let mut pair = Pair::new(&deflate);
    for seed in 0..3 {
        pair.echo(&chat(100_000, seed));
    }
    for ws in pair.into_connections() {
        let held = held(ws);
        assert!(held <= HALVES, "{held}");
    }
}

#[test]
fn shared_with_takeover_holds_its_windows_and_no_more() {
    for window_bits in [9, 12, 15] {
        let mut deflate = takeover(true);
        (deflate.window_bits, deflate.peer_window_bits) = (window_bits, window_bits);
        deflate.memory = DeflateMemory::Shared(DeflatePool::default());
        for len in [100, 5000, 100_000] {
            let mut pair = Pair::new(&deflate);
            pair.echo(&chat(len, 1));
            // no window is larger than what went through it
            let window = len.min(1 << window_bits);
            for ws in pair.into_connections() {
                let held = held(ws);
                assert!((2 * window..=2 * window + HALVES).contains(&held), "{held} for 2 x {window}");
            }
        }
    }
}

#[test]
fn a_hundred_connections_share_the_states_of_one() {
    let pool = DeflatePool::default();
    let mut deflate = takeover(true);
    deflate.memory = DeflateMemory::Shared(pool.clone());
    let before = live();
    let mut pairs: Vec<Pair> = (0..100).map(|_| Pair::new(&deflate)).collect();
    for seed in 0..3 {
        for pair in &mut pairs {
            pair.echo(&chat(300, seed));
        }
    }
    let connections: Vec<_> = pairs.into_iter().map(Pair::into_connections).collect();
    drop(deflate);
    let states = (live() - before).cast_unsigned() - held_by(connections);
    let one = INFLATE + deflate_state(&DeflateConfig::default());
    assert!((one - LESS..one + 2000).contains(&states), "{states} for {one}");
    pool.clear();
    assert!(live() - before < 1000, "{}", live() - before);
}

#[test]
fn a_pool_keeps_no_more_than_it_was_told() {
    let pool = DeflatePool::new(0);
    let mut deflate = takeover(false);
    deflate.memory = DeflateMemory::Shared(pool);
    let mut pair = Pair::new(&deflate);
    let before = live();
    pair.echo(&chat(300, 1));
    let rises = (live() - before).cast_unsigned();
    assert!(rises < 3000, "{rises}");
}

#[test]
fn no_allocation_for_a_message_in_steady_state() {
    for has_takeover in [true, false] {
        for deflate in in_each_memory(&takeover(has_takeover)) {
            let mut pair = Pair::new(&deflate);
            let texts: Vec<String> = [0, 1, 100, 3000, 70_000].iter().map(|len| chat(*len, 1)).collect();
            let mut echo = || {
                for text in &texts {
                    pair.echo(text);
                }
            };
            for _ in 0..4 {
                echo();
            }
            let ((), allocations, _) = measure(echo);
            assert_eq!(allocations, 0, "takeover: {has_takeover}, {:?}", deflate.memory);
        }
    }
}

/// The compressed form of so many MiB of zeros, about a thousandth of it.
fn bomb(mebibytes: usize) -> Vec<u8> {
    let mut peer = connection(Role::Server, &config(takeover(true)));
    let zeros = vec![0; 1 << 20];
    let mut output = Vec::new();
    peer.compressing(Compression::Always).begin_binary(&zeros, &mut output).unwrap();
    for _ in 1..mebibytes {
        peer.continue_binary(&zeros, &mut output).unwrap();
    }
    peer.finish_binary(b"", &mut output).unwrap();
    frames_in(&output).into_iter().flat_map(|(_, payload)| payload).collect()
}

#[test]
fn a_bomb_costs_at_most_the_limit() {
    // 7692-7.2.2-6, SEC-1: 10 MiB, and a beginning that could go on to 10 GiB; in one frame, in many, in chunks
    let payload = bomb(10);
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)) {
            for limit in [1000, 100_000, 1 << 20, 3_000_000] {
                let mut config = config(deflate.clone());
                config.limits.message = limit;
                let one = frame_to(role, 0xC2, &payload);
                let mut many = frame_to(role, 0x42, b"");
                payload.chunks(100).for_each(|piece| many.extend(frame_to(role, 0x00, piece)));
                for frames in [one, many] {
                    for delivery in [Delivery::Whole, Delivery::Chunks] {
                        config.delivery = delivery;
                        let mut ws = connection(role, &config);
                        let (mut input, mut output) = (ReadBuffer::default(), Vec::with_capacity(64));
                        let (error, _, peak) = measure(|| {
                            for octets in frames.chunks(1000) {
                                input.extend_from_slice(octets);
                                loop {
                                    match ws.receive(&mut input, &mut output) {
                                        Ok(Some(_)) => {}
                                        Ok(None) => break,
                                        Err(error) => return Some(error),
                                    }
                                }
                            }
                            None
                        });
                        assert_eq!(error, Some(ProtocolError::MessageTooBig));
                        let limit = usize::try_from(limit).unwrap();
                        // zlib, the window that is kept, what is read at once; and what is inflated
                        let fixed = INFLATE + (1 << 15) + 4096;
                        let most = match delivery {
                            Delivery::Chunks => fixed + 16 * 1024,
                            _ => fixed + limit,
                        };
                        assert!(peak <= most, "{peak} for a limit of {limit}, {delivery:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_prepared_costs_a_receiver_nothing() {
    let mut deflate = takeover(false);
    deflate.memory = DeflateMemory::Shared(DeflatePool::default());
    let news = Prepared::text(&chat(10_000, 1)).compress(&deflate);
    let config = config(deflate);
    let mut readers: Vec<Connection> = (0..10).map(|_| connection(Role::Server, &config)).collect();
    let mut output = Vec::with_capacity(1 << 20);
    let ((), allocations, _) = measure(|| {
        for ws in &mut readers {
            ws.send_prepared(&news, &mut output).unwrap();
        }
    });
    assert_eq!(allocations, 0);
    assert!(output.len() < 10 * 6000, "{}", output.len());
    // handed out, it is not even copied
    let frames: [_; 10] = std::array::from_fn(|reader| readers[reader].send_shared(&news).unwrap());
    assert!(frames.iter().all(|frame| frame.as_ptr() == frames[0].as_ptr()));
    assert!(output.ends_with(&frames[0]));
}

#[test]
fn each_half_counts_the_state_that_it_holds_and_gives_it_back() {
    let (mut receiver, mut sender) = connection(Role::Server, &config(takeover(true))).split();
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    sender.send_text(&"compress me ".repeat(100), &mut output).unwrap();
    input.extend_from_slice(&frame_to(Role::Server, 0xC1, &compressed(&[b'a'; 1000])));
    assert!(matches!(receiver.receive(&mut input), Ok(Some(Event::Text(text))) if text.len() == 1000));
    assert!(receiver.memory_used() > 10_000 && sender.memory_used() > 10_000);
    receiver.receive_eof().unwrap_err();
    sender.settle(receiver.take_owed().unwrap(), &mut output);
    assert_eq!(receiver.memory_used(), size_of::<Receiver>());
    assert_eq!(sender.memory_used(), size_of::<Sender>());
}

#[test]
fn a_buffer_gives_back_what_was_inflated() {
    for role in ROLES {
        let mut ws = connection(role, &config(takeover(true)));
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let payload = bomb(1);
        input.extend_from_slice(&frame_to(role, 0xC2, &payload));
        assert!(matches!(ws.receive(&mut input, &mut output), Ok(Some(Event::Binary(data))) if data.len() == 1 << 20));
        assert!(input.is_empty() && input.capacity() > 1 << 20);
        input.shrink(4096);
        assert!(input.capacity() <= 4096 + 1024, "{}", input.capacity());

        // amid a message, what is needed stays
        let (first, last) = payload.split_at(payload.len() / 2);
        input.extend_from_slice(&frame_to(role, 0x42, first));
        assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
        assert!(!input.is_empty() && input.len() > 100_000);
        input.shrink(0);
        input.extend_from_slice(&frame_to(role, 0x80, last));
        assert!(
            matches!(ws.receive(&mut input, &mut output), Ok(Some(Event::Binary(data))) if data == vec![0; 1 << 20])
        );
    }
}

#[test]
fn a_header_alone_takes_no_state() {
    // SEC-1: nor does a frame that has not all come
    for role in ROLES {
        for has_takeover in [true, false] {
            for deflate in in_each_memory(&takeover(has_takeover)) {
                let mut ws = connection(role, &config(deflate));
                let idle = ws.memory_used();
                let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                let frame = frame_to(role, 0xC1, &common::hex("f2 48 cd c9 c9 07 00"));
                for octets in frame[..frame.len() - 1].chunks(1) {
                    input.extend_from_slice(octets);
                    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
                    assert_eq!(ws.memory_used(), idle);
                }
            }
        }
    }
}

#[test]
fn a_connection_that_is_over_holds_nothing() {
    let endings: [fn(Role, &mut Connection); 4] = [
        |role, ws| {
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            input.extend_from_slice(&frame_to(role, 0xC3, b""));
            ws.receive(&mut input, &mut output).unwrap_err();
        },
        |role, ws| {
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            input.extend_from_slice(&frame_to(role, 0x88, b""));
            assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Close(None))));
        },
        |_, ws| ws.receive_eof().unwrap_err().to_string().clear(),
        |role, ws| {
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            ws.close_without_code(&mut output).unwrap();
            input.extend_from_slice(&frame_to(role, 0x88, b""));
            assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Close(None))));
        },
    ];
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)) {
            for end in endings {
                let config = config(deflate.clone());
                let mut ws = connection(role, &config);
                let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
                // amid a message in both directions
                ws.begin_text(&chat(500, 1), &mut output).unwrap();
                input.extend_from_slice(&frame_to(role, 0x41, &common::hex("f2 48 cd")));
                assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
                assert!(ws.memory_used() > 200_000);
                end(role, &mut ws);
                assert_eq!(ws.memory_used(), size_of::<Connection>());
                assert!(ws.deflate().is_some(), "what was agreed is still known");
            }
        }
    }
}

#[test]
fn after_our_close_messages_still_come() {
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)) {
            let mut ws = connection(role, &config(deflate));
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            ws.close_without_code(&mut output).unwrap();
            input.extend_from_slice(&frame_to(role, 0xC1, &common::hex("f2 48 cd c9 c9 07 00")));
            assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
        }
    }
}

#[test]
fn chunks_without_takeover_leave_no_window() {
    for role in ROLES {
        let mut deflate = takeover(false);
        deflate.memory = DeflateMemory::Shared(DeflatePool::default());
        let mut config = config(deflate);
        config.delivery = Delivery::Chunks;
        let mut ws = connection(role, &config);
        let idle = ws.memory_used();
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(&frame_to(role, 0xC2, &bomb(1)));
        while ws.receive(&mut input, &mut output).unwrap().is_some() {}
        assert_eq!(ws.memory_used(), idle);
    }
}

#[test]
fn what_is_in_the_window_is_not_shown() {
    let mut deflate = takeover(true);
    deflate.memory = DeflateMemory::Shared(DeflatePool::default());
    let mut ws = connection(Role::Server, &config(deflate));
    ws.send_binary(&[0xAB; 5000], &mut Vec::new()).unwrap();
    let shown = format!("{ws:?}");
    assert!(!shown.contains("171") && shown.len() < 2000, "{shown}");
}
