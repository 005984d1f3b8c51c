//! What a program does wrong must not panic: buffers given to the wrong connection, at any time.

mod common;

use common::{connection, frame_to, frames_to, with_deflate, with_shared_deflate};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::{CloseCode, Config, Connection, Delivery, ReadBuffer, Role};

#[derive(Clone, Debug)]
enum Step {
    Feed(usize, Vec<u8>),
    Receive(usize, usize),
    ReceiveMessage(usize, usize),
    Eof(usize),
    Close(usize),
    Shrink(usize, usize),
    Spare(usize, usize),
    Clear(usize),
    Send(usize, Vec<u8>),
    Limits(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let long = (any::<u8>(), 1000..3000usize).prop_map(|(octet, len)| vec![octet; len]);
    let compressed: Vec<Vec<u8>> = [0, 10, 3000, 50_000].map(common::compressed_text).into();
    // cut off anywhere, or with a block that is called final
    let compressed = (prop::sample::select(compressed), any::<prop::sample::Index>(), 0..4u8).prop_map(
        |(mut payload, cut, what)| {
            match what {
                0 => payload.truncate(cut.index(payload.len() + 1)),
                1 => payload.iter_mut().take(1).for_each(|first| *first |= 1),
                _ => {}
            }
            payload
        },
    );
    let payload = prop_oneof![
        1 => vec(any::<u8>(), 0..40),
        1 => long,
        1 => "[aé日]{0,9}".prop_map(Vec::from),
        2 => compressed,
    ];
    let first = prop_oneof![
        2 => prop::sample::select(vec![0xC1u8, 0xC2, 0x41, 0x42]),
        3 => prop::sample::select(vec![0x81u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x88, 0xFF]),
    ];
    let frame =
        (first, payload, any::<bool>(), any::<prop::sample::Index>()).prop_map(|(first, payload, is_whole, cut)| {
            let mut frame = frame_to(Role::Server, first, &payload);
            if !is_whole {
                frame.truncate(cut.index(frame.len()));
            }
            frame
        });
    prop_oneof![
        5 => (0..2usize, frame).prop_map(|(buffer, frame)| Step::Feed(buffer, frame)),
        4 => (0..7usize, 0..2usize).prop_map(|(ws, buffer)| Step::Receive(ws, buffer)),
        4 => (0..7usize, 0..2usize).prop_map(|(ws, buffer)| Step::ReceiveMessage(ws, buffer)),
        1 => (0..7usize).prop_map(Step::Eof),
        1 => (0..7usize).prop_map(Step::Close),
        1 => (0..7usize, vec(any::<u8>(), 0..300)).prop_map(|(ws, data)| Step::Send(ws, data)),
        1 => (0..2usize, 0..3000usize).prop_map(|(buffer, capacity)| Step::Shrink(buffer, capacity)),
        1 => (0..2usize, 0..3000usize).prop_map(|(buffer, len)| Step::Spare(buffer, len)),
        1 => (0..2usize).prop_map(Step::Clear),
        1 => (0..7usize, 0..3000u64).prop_map(|(ws, limit)| Step::Limits(ws, limit)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn buffers_may_be_mixed_up(steps in vec(step(), 0..40)) {
        // SEC-1
        let mut in_chunks = Config::default();
        in_chunks.delivery = Delivery::Chunks;
        let (whole, server) = (Config::default(), Role::Server);
        let mut connections = [
            connection(server, &whole),
            connection(server, &in_chunks),
            connection(Role::Client, &whole),
            connection(server, &with_deflate(whole.clone())),
            connection(server, &with_deflate(in_chunks.clone())),
            connection(server, &with_shared_deflate(whole.clone())),
            connection(server, &with_shared_deflate(in_chunks)),
        ];
        let mut buffers = [ReadBuffer::default(), ReadBuffer::default()];
        let mut output = Vec::new();
        for step in steps {
            match step {
                Step::Feed(buffer, frame) => buffers[buffer].extend_from_slice(&frame),
                // an error is fine
                Step::Receive(ws, buffer) => drop(connections[ws].receive(&mut buffers[buffer], &mut output)),
                Step::ReceiveMessage(ws, buffer) => {
                    drop(connections[ws].receive_message(&mut buffers[buffer], &mut output));
                }
                Step::Eof(ws) => drop(connections[ws].receive_eof()),
                Step::Close(ws) => drop(connections[ws].close(CloseCode::NORMAL, "", &mut output)),
                Step::Shrink(buffer, capacity) => buffers[buffer].shrink(capacity),
                Step::Spare(buffer, len) => assert_eq!(buffers[buffer].spare(len).len(), len),
                Step::Send(ws, data) => drop(connections[ws].send_binary(&data, &mut output)),
                Step::Clear(buffer) => buffers[buffer].clear(),
                Step::Limits(ws, limit) => {
                    let mut limits = Config::default().limits;
                    limits.message = limit;
                    connections[ws].set_limits(limits);
                }
            }
        }
    }
}

#[test]
fn a_message_behind_anothers_unfinished_one() {
    let mut buffer = ReadBuffer::default();
    let mut output = Vec::new();
    let mut ws = [Connection::server(&Config::default()), Connection::server(&Config::default())];
    buffer.extend_from_slice(&frame_to(Role::Server, 0x02, b"ab"));
    assert_eq!(ws[0].receive_message(&mut buffer, &mut output), Ok(None));
    buffer.extend_from_slice(&frames_to(Role::Server, &[(0x82, &[7; 2000]), (0x81, b"x")]));
    assert_eq!(ws[1].receive_message(&mut buffer, &mut output), Ok(Some(common::binary(&[7; 2000]))));
    assert_eq!(ws[1].receive_message(&mut buffer, &mut output), Ok(Some(common::text("x"))));
    assert_eq!(buffer.len(), 2, "what the first connection holds");
}
