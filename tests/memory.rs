//! What is allocated, and when: counted, for this thread, by the allocator itself.

mod common;
#[path = "common/counting.rs"]
mod counting;

use common::{frame_from, frame_to, frames_to};
use counting::{live, measure};
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{Config, Connection, Delivery, Event, Message, ProtocolError, ReadBuffer, Role};

/// Takes all events, and says how many there were.
fn drain(ws: &mut Connection, input: &mut ReadBuffer, output: &mut Vec<u8>) -> usize {
    let mut events = 0;
    while ws.receive(input, output).unwrap().is_some() {
        events += 1;
    }
    events
}

#[test]
fn the_counter_counts() {
    let (octets, allocations, peak) = measure(|| Vec::<u8>::with_capacity(1000).capacity());
    assert_eq!((octets, allocations, peak), (1000, 1, 1000));
}

#[test]
fn an_idle_connection_is_its_struct() {
    assert!(size_of::<Connection>() <= 256, "{}", size_of::<Connection>());
    let config = Config::default();
    for make in [Connection::server, Connection::client] {
        let ((mut ws, mut input, mut output), allocations, _) =
            measure(|| (make(&config), ReadBuffer::default(), Vec::new()));
        assert_eq!(allocations, 0);
        let (events, allocations, _) = measure(|| drain(&mut ws, &mut input, &mut output));
        assert_eq!((events, allocations), (0, 0));
    }
}

#[test]
fn events_are_small() {
    assert!(size_of::<Event<'_>>() <= 32);
    assert!(size_of::<Result<Option<Event<'_>>, ProtocolError>>() <= 32);
    assert!(size_of::<ProtocolError>() <= 4);
}

#[test]
fn no_allocation_for_a_message_in_steady_state() {
    for role in common::ROLES {
        let message = frames_to(
            role,
            &[
                (0x81, "text, κόσμε".as_bytes()),
                (0x82, &[7; 3000]),
                (0x89, b"p"),
                (0x01, b"a"),
                (0x89, b""),
                (0x80, b"b"),
            ],
        );
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let mut round = |cut: usize| {
            for octets in message.chunks(cut) {
                input.spare(octets.len()).copy_from_slice(octets);
                input.filled(octets.len());
                while let Some(event) = ws.receive(&mut input, &mut output).unwrap() {
                    match event {
                        Event::Text(text) => ws.send_text(text, &mut output).unwrap(),
                        Event::Binary(data) => ws.send_binary(data, &mut output).unwrap(),
                        _ => {}
                    }
                }
            }
            assert!(input.is_empty());
            output.clear();
        };
        for cut in [message.len(), 1000, 7, 1] {
            round(cut); // warm up
            let ((), allocations, _) = measure(|| (0..20).for_each(|_| round(cut)));
            assert_eq!(allocations, 0, "{role:?} cut by {cut}");
        }
    }
}

#[test]
fn nothing_is_allocated_by_an_announced_length() {
    // 6455-5.2-14, 6455-10.4-1
    let mut config = Config::default();
    config.limits.frame = u64::MAX;
    config.limits.message = u64::MAX;
    for role in common::ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            config.delivery = delivery;
            let mut ws = common::connection(role, &config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let mut header = common::hex("82 7f 7f ff ff ff ff ff ff ff");
            if role == Role::Server {
                header[1] |= 0x80;
                header.extend_from_slice(&common::KEY);
            }
            input.extend_from_slice(&header);
            let (events, allocations, _) = measure(|| drain(&mut ws, &mut input, &mut output));
            assert_eq!((events, allocations), (0, 0));
            assert_eq!(ws.missing(), (1 << 63) - 1);
        }
    }
}

#[test]
fn memory_grows_with_what_came() {
    // one message of 1 MiB, in reads of 4 KiB: what it holds, and what growing by doubling takes on top
    let mut ws = common::connection(Role::Server, &Config::default());
    let frame = frame_to(Role::Server, 0x82, &vec![7; 1 << 20]);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut come = 0;
    for octets in frame.chunks(4096) {
        come += octets.len();
        input.extend_from_slice(octets);
        assert!(input.capacity() <= 2 * come + 4096, "{} for {come}", input.capacity());
        drain(&mut ws, &mut input, &mut output);
    }
    assert!(input.is_empty());
    input.shrink(0);
    assert_eq!(input.capacity(), 0);
}

#[test]
fn the_worst_case_is_that_of_the_docs() {
    // 6455-10.4-2
    const ROOM: usize = 1000;
    let mut config = Config::default();
    config.limits.message = 20_000;
    config.limits.frame = 20_000;
    for delivery in [Delivery::Whole, Delivery::Chunks] {
        config.delivery = delivery;
        let bound = if delivery == Delivery::Whole { 4 * 20_000 + 4 * ROOM } else { 4 * ROOM };
        for fragment in [0, 1, 7, 200, 3000, 20_000] {
            let mut ws = Connection::server(&config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let mut stream = Vec::new();
            for len in [1, 500, 20_000, 13, 999, 7777, 20_000, 0, 10_000, 19_999] {
                let mut left: usize = len;
                stream.extend(frame_to(Role::Server, 0x02, b""));
                for _ in 0..1000.min(left) {
                    stream.extend(frame_to(Role::Server, 0x00, &vec![7; fragment.min(left)]));
                    left = left.saturating_sub(fragment);
                    stream.extend(frame_to(Role::Server, 0x89, &[7; 50]));
                }
                stream.extend(frame_to(Role::Server, 0x80, &vec![7; left]));
            }
            for (n, octets) in stream.chunks(777).enumerate() {
                input.spare(ROOM)[..octets.len()].copy_from_slice(octets);
                input.filled(octets.len());
                drain(&mut ws, &mut input, &mut output);
                output.clear();
                assert!(input.capacity() < bound, "{} bytes at read {n}, fragments of {fragment}", input.capacity());
            }
            assert!(input.is_empty());
        }
    }
}

#[test]
fn fragments_need_no_second_buffer() {
    let mut ws = common::connection(Role::Server, &Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let mut frames = frame_to(Role::Server, 0x01, b"");
    for _ in 0..16 * 1024 {
        frames.extend(frame_to(Role::Server, 0x00, &[b'x'; 64]));
    }
    let ((), _, peak) = measure(|| {
        for octets in frames.chunks(4096) {
            input.extend_from_slice(octets);
            drain(&mut ws, &mut input, &mut output);
        }
    });
    assert_eq!(input.len(), 1 << 20);
    // the message, doubled; while it is moved to more memory, the old memory too
    assert!(peak <= 3 * (1 << 20) + 4096, "{peak}");
}

#[test]
fn a_flood_of_tiny_fragments_stays_flat() {
    let mut config = Config::default();
    config.limits.fragments = u32::MAX;
    for payload in [&b""[..], b"x"] {
        let mut ws = common::connection(Role::Server, &config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let flood: Vec<u8> = frame_to(Role::Server, 0x00, payload).repeat(1000);
        input.extend_from_slice(&frame_to(Role::Server, 0x02, b""));
        for _ in 0..100 {
            input.extend_from_slice(&flood);
            drain(&mut ws, &mut input, &mut output);
        }
        assert_eq!(input.len(), 100_000 * payload.len());
        assert!(input.capacity() <= 2 * input.len() + 2 * flood.len(), "{}", input.capacity());
    }
}

#[test]
fn a_gibibyte_passes_through_in_flat_memory() {
    let mut config = Config::default();
    config.delivery = Delivery::Chunks;
    config.limits.frame = u64::MAX;
    config.limits.message = u64::MAX;
    let mut ws = Connection::server(&config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let total: u64 = 1 << 30;
    let mut header = vec![0x82, 0xFF];
    header.extend_from_slice(&total.to_be_bytes());
    header.extend_from_slice(&[0; 4]);
    input.extend_from_slice(&header);
    let ((), allocations, peak) = measure(|| {
        let mut left = total;
        let mut seen = 0;
        while left > 0 {
            let room = input.spare(64 * 1024);
            let len = usize::try_from(left).map_or(room.len(), |left| left.min(room.len()));
            left -= len as u64;
            input.filled(len);
            while let Some(event) = ws.receive(&mut input, &mut output).unwrap() {
                let Event::BinaryChunk { data, first, last } = event else { panic!("{event:?}") };
                assert_eq!(first, seen == 0);
                seen += data.len() as u64;
                assert_eq!(last, seen == total);
            }
        }
        assert_eq!(seen, total);
    });
    assert!(allocations <= 4 && peak <= 128 * 1024, "{allocations} allocations, {peak} bytes");
}

#[test]
fn the_buffer_reads_to_the_end_of_a_large_frame_and_grows_with_what_has_come() {
    let payload = vec![7; 1 << 20];
    for first in [0x81, 0x82] {
        let mut stream = frame_to(Role::Server, first, &payload);
        let frame = stream.len();
        stream.extend_from_slice(&frame_to(Role::Server, first, b"the next one"));
        let mut ws = common::connection(Role::Server, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let mut read = 0;
        while read < frame {
            let room = input.room(4096);
            let len = room.len();
            room.copy_from_slice(&stream[read..read + len]);
            assert!(read == 0 || read + len <= frame, "{len} octets behind {read} reach into the next frame");
            input.filled(len);
            read += len;
            assert!(input.capacity() <= 5 * read / 2 + 4096, "{} octets of memory for {read}", input.capacity());
            let received = ws.receive(&mut input, &mut output).unwrap();
            assert_eq!(received.is_some(), read == frame);
        }
        assert!(input.capacity() <= frame + frame / 4, "{}", input.capacity());
        assert_eq!(input.room(4096).len(), 4096);
    }
}

#[test]
fn an_owned_message_has_memory_of_its_own_as_long_as_it_is() {
    for role in [Role::Server, Role::Client] {
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        for len in [1, 10, 125, 1024, 100_000, 1 << 20] {
            for (first, payload) in [(0x82, vec![0xFE; len]), (0x81, vec![b'x'; len])] {
                let frame = frame_to(role, first, &payload);
                input.extend_from_slice(&frame);
                let capacity = input.capacity();
                let (message, allocations, peak) =
                    measure(|| ws.receive_message(&mut input, &mut output).unwrap().unwrap());
                assert_eq!((allocations, peak), (1, len), "{role:?} {first:#x} {len}");
                match message {
                    Message::Binary(data) => assert_eq!(data, payload),
                    Message::Text(text) => assert_eq!(text.as_bytes(), payload),
                    other => panic!("{other:?}"),
                }
                // the buffer keeps its memory, and needs no other for the next one
                assert_eq!(input.capacity(), capacity);
                let ((), allocations, _) = measure(|| input.extend_from_slice(&frame));
                assert_eq!(allocations, 0);
                input.clear();
            }
        }
    }
}

#[test]
fn a_buffer_that_grew_for_a_message_gives_its_memory_back() {
    let payload = vec![7; 512 * 1024];
    let frame = frame_to(Role::Server, 0x82, &payload);
    let before = live();
    let mut ws = Connection::server(&Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    for is_owned in [false, true] {
        for octets in frame.chunks(frame.len()).chain(frame.chunks(16 * 1024)) {
            input.extend_from_slice(octets);
            if is_owned {
                drop(ws.receive_message(&mut input, &mut output).unwrap());
            } else {
                drain(&mut ws, &mut input, &mut output);
            }
        }
        assert!(input.is_empty());
        assert!(input.capacity() >= payload.len(), "{} bytes", input.capacity());
        input.shrink(0);
        assert_eq!((input.capacity(), live()), (0, before), "owned: {is_owned}");
    }
}

#[test]
fn empty_fragments_without_end_are_stopped_and_held_by_nothing() {
    // 6455-5.4-12, 6455-10.4-1
    for role in common::ROLES {
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let fragments = frame_to(role, 0x00, b"").repeat(1024);
        input.extend_from_slice(&[&frame_to(role, 0x01, b"")[..], &fragments[..fragments.len() - 6]].concat());
        drain(&mut ws, &mut input, &mut output);
        let mut failure = None;
        let (reads, _, peak) = measure(|| {
            (0..1000)
                .take_while(|_| {
                    input.extend_from_slice(&fragments);
                    failure = ws.receive(&mut input, &mut output).err();
                    failure.is_none()
                })
                .count()
        });
        // 131,072 fragments are 128 times 1024
        assert_eq!((reads, failure), (127, Some(ProtocolError::TooManyFragments)));
        assert!(peak <= 3 * fragments.len(), "{peak} bytes");
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xf0"));
    }
}

#[test]
fn a_flood_of_pings_stays_within_what_the_loop_allows() {
    // SIO-4, 6455-10.4-2, 6455-5.5.3-2
    const PINGS: usize = 1_000_000;
    const LIMIT: usize = 1000;
    for (role, payload) in [(Role::Server, &b"ping"[..]), (Role::Client, b"")] {
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::with_capacity(2 * LIMIT));
        let read = frame_to(role, 0x89, payload).repeat(PINGS / 1000);
        let pong = frame_from(role, 0x8A, payload);
        let pongs = pong.repeat(11);
        let (mut fed, mut answered, mut written) = (0, 0, 0);
        let ((), _, peak) = measure(|| {
            while written < PINGS * pong.len() {
                // a peer that reads slowly, and a loop that goes on only while little waits for it
                let some = output.len().min(10 * pong.len() - 1);
                assert_eq!(output[..some], pongs[written % pong.len()..][..some]);
                output.drain(..some);
                written += some;
                while output.len() < LIMIT && answered < PINGS {
                    let before = output.len();
                    if input.is_empty() {
                        input.extend_from_slice(&read);
                        fed += PINGS / 1000;
                    }
                    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Ping(payload))));
                    answered += 1;
                    assert_eq!(output.len(), before + pong.len(), "one Pong for each call");
                    assert!(output.len() < LIMIT + pong.len());
                }
            }
        });
        assert_eq!((fed, answered, written, output.len()), (PINGS, PINGS, PINGS * pong.len(), 0));
        assert!(peak <= 2 * read.len(), "{peak} bytes");
    }
}

#[test]
fn a_head_without_end_is_stopped() {
    // 6455-10.4-2
    let config = Config::default();
    for begin in ["GET /", "GET / HTTP/1.1\r\nHost: "] {
        let mut server = ServerHandshake::new(&config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(begin.as_bytes());
        let (reads, _, peak) = measure(|| {
            (0..1000)
                .take_while(|_| {
                    input.extend_from_slice(&[b'a'; 1000]);
                    server.receive(&mut input, &mut output).is_ok()
                })
                .count()
        });
        assert!(reads <= config.limits.head / 1000, "{reads} reads");
        assert!(peak <= 3 * config.limits.head, "{peak} bytes");
    }
}

#[test]
fn fed_octet_by_octet_the_work_is_that_of_the_octets() {
    // SEC-1
    // were the text checked, or the message moved, from its beginning with each octet, this would not end
    let text = "aé€😀".repeat(50_000);
    for delivery in [Delivery::Whole, Delivery::Chunks] {
        let mut config = Config::default();
        config.delivery = delivery;
        let mut ws = Connection::server(&config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let (first, second) = text.as_bytes().split_at(text.len() / 2 + 1);
        let frames = frames_to(Role::Server, &[(0x01, first), (0x89, b"p"), (0x80, second)]);
        let mut came = 0;
        let ((), allocations, peak) = measure(|| {
            for octet in &frames {
                input.extend_from_slice(&[*octet]);
                while let Some(event) = ws.receive(&mut input, &mut output).unwrap() {
                    match event {
                        Event::Text(text) | Event::TextChunk { text, .. } => came += text.len(),
                        event => assert_eq!(event, Event::Ping(b"p")),
                    }
                }
            }
        });
        assert_eq!(came, text.len());
        let growth = if delivery == Delivery::Whole { 4 * text.len() } else { 1000 };
        assert!(allocations <= 40 && peak <= growth, "{allocations} allocations, {peak} bytes");
    }
}
