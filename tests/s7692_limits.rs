//! RFC 7692 §7.2.2, RFC 6455 §10.4: how much a compressed message may make us do.
#![cfg(feature = "deflate")]

mod common;

use common::deflate::{chat, compressed, config, in_each_memory, takeover};
use common::{Joined, ROLES, assert_failed_after, binary, connection, frame_to, frames_to, run_with};
use websocket_proto::deflate::{Compression, DeflateConfig, DeflateMemory};
use websocket_proto::{Config, Connection, Delivery, Event, Limits, Message, ProtocolError, ReadBuffer, Role};

fn limited(role: Role, deflate: &DeflateConfig, message: u64) -> (Role, Config) {
    let mut config = config(deflate.clone());
    config.limits.message = message;
    (role, config)
}

#[test]
fn s7_2_2_the_limit_is_exact() {
    // 7692-7.2.2-6: zeros, and what hardly compresses, at every limit around their length
    for plain in [vec![0; 1000], common::deflate::noise(1000, 3), chat(1000, 3).into_bytes()] {
        let payload = compressed(&plain);
        for role in ROLES {
            for deflate in in_each_memory(&takeover(true)) {
                for limit in [0, 1, 256, 257, 998, 999, 1000, 1001, 5000] {
                    let (role, config) = limited(role, &deflate, limit);
                    let run = if limit == 999 { run_limited } else { run_long };
                    let transcript = run(role, &config, &frame_to(role, 0xC2, &payload));
                    match limit < 1000 {
                        true => assert_eq!(transcript, (vec![], Some(ProtocolError::MessageTooBig)), "limit {limit}"),
                        false => assert_eq!(transcript, (vec![binary(&plain)], None), "limit {limit}"),
                    }
                }
            }
        }
    }
}

/// [`run_limited`] for what is long: whole, and in a few cuts.
fn run_long(role: Role, config: &Config, octets: &[u8]) -> (Vec<Message>, Option<ProtocolError>) {
    let mut transcripts = Vec::new();
    for delivery in [Delivery::Whole, Delivery::Chunks] {
        let mut config = config.clone();
        config.delivery = delivery;
        for step in [octets.len(), 5000, 333, 50] {
            let mut ws = connection(role, &config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let (mut messages, mut error) = (Joined::default(), None);
            for octets in octets.chunks(step) {
                input.extend_from_slice(octets);
                loop {
                    match ws.receive_message(&mut input, &mut output) {
                        Ok(Some(message)) => messages.push(message),
                        Ok(None) => break,
                        Err(failure) => error = Some(failure),
                    }
                }
            }
            transcripts.push((messages.messages, error));
        }
    }
    let transcript = transcripts.swap_remove(0);
    assert!(transcripts.iter().all(|other| *other == transcript), "however it is cut and delivered");
    transcript
}

fn run_limited(role: Role, config: &Config, octets: &[u8]) -> (Vec<Message>, Option<ProtocolError>) {
    let transcript = run_with(role, config, octets);
    (transcript.messages, transcript.error)
}

#[test]
fn s7_2_2_chunks_are_delivered_up_to_the_limit() {
    // 7692-7.2.2-6
    let payload = compressed(&vec![7; 100_000]);
    for role in ROLES {
        let (role, mut config) = limited(role, &takeover(true), 50_000);
        config.delivery = Delivery::Chunks;
        let mut ws = connection(role, &config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(&frame_to(role, 0xC2, &payload));
        let mut delivered = 0;
        let error = loop {
            match ws.receive(&mut input, &mut output) {
                Ok(Some(Event::BinaryChunk { data, first, last })) => {
                    assert_eq!((first, last), (delivered == 0, false));
                    assert!(data.iter().all(|octet| *octet == 7) && data.len() <= 16 * 1024);
                    delivered += data.len();
                }
                Err(error) => break error,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((delivered, error), (50_000, ProtocolError::MessageTooBig));
    }
}

#[test]
fn s10_4_the_frame_limit_is_for_what_is_sent() {
    // 6455-10.4-1, 7692-7.2.2-6
    let payload = compressed(&[0; 10_000]);
    for role in ROLES {
        let mut config = config(takeover(true));
        config.limits.frame = payload.len() as u64;
        let frame = frame_to(role, 0xC2, &payload);
        assert_eq!(run_limited(role, &config, &frame).0, [binary(&[0; 10_000])]);
        config.limits.frame -= 1;
        let transcript = run_with(role, &config, &frame);
        assert_failed_after(&transcript, role, ProtocolError::FrameTooBig, &[], &[]);
    }
}

#[test]
fn the_ratio_can_be_limited() {
    // 7692-7.2.2-6: by what the frames have announced so far, however they are cut; 4096 octets are free
    let payload = compressed(&vec![0; 20_000]);
    let ratio = u32::try_from(20_000_usize.div_ceil(payload.len())).unwrap();
    let (first, last) = payload.split_at(payload.len() / 2);
    for role in ROLES {
        let mut config = config(takeover(true));
        for (allowed, is_ok) in [(ratio, true), (ratio - 1, false), (1, false)] {
            config.limits.inflate_ratio = Some(allowed);
            let transcript = run_with(role, &config, &frame_to(role, 0xC2, &payload));
            match is_ok {
                true => assert_eq!(transcript.messages, [binary(&vec![0; 20_000])]),
                false => assert_failed_after(&transcript, role, ProtocolError::InflatesTooMuch, &[], &[]),
            }
        }
        let two = frames_to(role, &[(0x42, first), (0x80, last)]);
        config.limits.inflate_ratio = Some(3 * ratio);
        assert_eq!(run_with(role, &config, &two).messages, [binary(&vec![0; 20_000])]);
        config.limits.inflate_ratio = Some(1);
        let small = [frame_to(role, 0xC2, &compressed(&[0; 4096])), frame_to(role, 0xC2, &compressed(&[0; 4097]))];
        let transcript = run_with(role, &config, &small.concat());
        assert_failed_after(&transcript, role, ProtocolError::InflatesTooMuch, &[binary(&[0; 4096])], &[]);
        // the smaller of both limits counts
        config.limits.message = 100;
        let transcript = run_with(role, &config, &frame_to(role, 0xC2, &payload));
        assert_failed_after(&transcript, role, ProtocolError::MessageTooBig, &[], &[]);
    }
    assert_eq!(Limits::default().inflate_ratio, None);
}

#[test]
fn s7_2_2_text_is_checked_inflated() {
    // 6455-8.1-5
    let payload = common::hex("3a b7 eb e1 de 9d e7 9b cf ed 39 b7 f5 ed 82 86 d4 94 cc 92 d4 14 00 00");
    for role in ROLES {
        let transcript = run_limited(role, &config(takeover(true)), &frame_to(role, 0xC1, &payload));
        assert_eq!(transcript, (vec![], Some(ProtocolError::InvalidUtf8)));
        // and what is compressed need not be text
        let sent = compressed("κόσμε ".repeat(20).as_bytes());
        assert!(std::str::from_utf8(&sent).is_err());
        let transcript = run_limited(role, &config(takeover(true)), &frame_to(role, 0xC1, &sent));
        assert_eq!(transcript, (vec![common::text(&"κόσμε ".repeat(20))], None));
    }
}

#[test]
fn s7_2_2_3_the_whole_window_is_there() {
    // 7692-7.2.2-3: a message whose end repeats its beginning, 32,768 octets back, and the next that repeats it again
    let noise = common::deflate::noise(32_768, 5);
    let mut whole = takeover(true);
    whole.window_bits = 15;
    for role in ROLES {
        for deflate in in_each_memory(&whole) {
            let mut puff = common::puff::Puff::default();
            let mut stored = vec![0x00, 0x00, 0x80, 0xff, 0x7f];
            stored.extend(&noise);
            stored.push(0x00);
            // a fixed block: length 258 (code 285), distance 32,768 (code 29, 13 bits of ones), end, an empty block
            let far = far_match();
            let said = [
                puff.message(&stored, true).unwrap(),
                puff.message(&far, true).unwrap(),
                puff.message(&far, true).unwrap(),
            ];
            assert_eq!((puff.distance, &said[1][..]), (32_768, &noise[..258]));
            let frames = frames_to(role, &[(0xC2, &stored), (0xC2, &far), (0xC2, &far)]);
            let transcript = run_long(role, &config(deflate), &frames);
            assert_eq!(transcript, (said.iter().map(|said| binary(said)).collect(), None));
        }
    }
}

/// A block that repeats 258 octets from 32,768 octets back.
fn far_match() -> Vec<u8> {
    let mut bits: Vec<bool> = vec![false, true, false]; // not final, fixed codes
    let code = |code: u32, len: u32| (0..len).rev().map(move |i| code >> i & 1 == 1);
    bits.extend(code(0b1100_0101, 8)); // 285
    bits.extend(code(29, 5));
    bits.extend([true; 13]);
    bits.extend(code(0, 7)); // 256
    bits.extend([false; 3]); // the empty block
    bits.chunks(8).map(|octet| octet.iter().rev().fold(0, |value, bit| value << 1 | u8::from(*bit))).collect::<Vec<_>>()
}

#[test]
fn s7_2_2_3_beyond_the_agreed_window() {
    // 28-45, 7692-7.2.2-3: within a message, and from one to the next
    let noise = common::deflate::noise(32_768, 6);
    let mut stored = vec![0x00, 0x00, 0x80, 0xff, 0x7f];
    stored.extend(&noise);
    let within = [&stored[..], &far_match()].concat();
    stored.push(0x00);
    let (whole, repeated) = (binary(&noise), binary(&noise[..258]));
    let joined = binary(&[&noise[..], &noise[..258]].concat());
    let mut small = takeover(true);
    small.peer_window_bits = 9;
    for role in ROLES {
        for deflate in in_each_memory(&small) {
            let is_dedicated = deflate.memory == DeflateMemory::Dedicated;
            let config = config(deflate);
            assert_eq!(run_long(role, &config, &frame_to(role, 0xC2, &within)), (vec![joined.clone()], None));
            let frames = frames_to(role, &[(0xC2, &stored), (0xC2, &far_match())]);
            let expected = match is_dedicated {
                true => (vec![whole.clone(), repeated.clone()], None),
                false => (vec![whole.clone()], Some(ProtocolError::InvalidDeflate)),
            };
            assert_eq!(run_long(role, &config, &frames), expected);
        }
    }
}

#[test]
fn rfc1951_s3_2_every_kind_of_block() {
    // 1951-3.3-1: by a compressor that stores, one that has fixed codes for what is short, and dynamic ones; the
    // largest stored block; empty blocks
    let mut largest = vec![0x00, 0xff, 0xff, 0x00, 0x00];
    largest.extend(common::deflate::noise(65_535, 1));
    largest.push(0x00);
    let empty = [&[0x00, 0x00, 0x00, 0xff, 0xff].repeat(1000)[..], &[0x00]].concat();
    for role in ROLES {
        let config = config(takeover(true));
        for (payload, plain) in [(&largest, common::deflate::noise(65_535, 1)), (&empty, Vec::new())] {
            let mut ws = connection(role, &config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            input.extend_from_slice(&frame_to(role, 0xC2, payload));
            assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Binary(&plain))));
        }
    }
    for level in 0..=9 {
        let mut deflate = takeover(false);
        deflate.level = level;
        for len in [0, 1, 10, 100, 10_000, 200_000] {
            let plain = chat(len, 8).into_bytes();
            let mut peer = connection(Role::Server, &config(deflate.clone()));
            let mut frame = Vec::new();
            peer.compressing(Compression::Always).send_binary(&plain, &mut frame).unwrap();
            let mut ws = Connection::client(&Config::default()).with_deflate(&deflate, peer.deflate().unwrap());
            let mut input = ReadBuffer::default();
            input.extend_from_slice(&frame);
            assert_eq!(ws.receive(&mut input, &mut Vec::new()), Ok(Some(Event::Binary(&plain))), "level {level}");
        }
    }
}

#[test]
fn s10_4_fragments_of_nothing_are_counted() {
    // 7692-6.2-1
    for role in ROLES {
        let mut config = config(takeover(true));
        config.limits.fragments = 10;
        let mut frames = frame_to(role, 0x42, b"");
        for _ in 0..10 {
            frames.extend(frame_to(role, 0x00, b""));
        }
        let transcript = run_with(role, &config, &frames);
        assert_failed_after(&transcript, role, ProtocolError::TooManyFragments, &[], &[]);
    }
}

#[test]
fn s10_4_final_blocks_are_counted() {
    // SEC-1, 6455-10.4-1: what follows each may refer to all that was before, which costs a whole window for two octets
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)).into_iter().chain(in_each_memory(&takeover(false))) {
            let mut config = config(deflate);
            let frames = |finals: usize| frame_to(role, 0xC2, &[0x03, 0x00].repeat(finals));
            // 16 are free
            let transcript = run_with(role, &config, &[frames(16), frames(17)].concat());
            assert_failed_after(&transcript, role, ProtocolError::TooManyFragments, &[binary(b"")], &[]);
            // and one for each 64 octets
            let stored = |len: u8| [&[0x00, len, 0x00, !len, 0xff][..], &vec![7; len.into()]].concat();
            let long = |len: u8| [stored(len), [0x03, 0x00].repeat(18)].concat();
            let frames = [frame_to(role, 0xC2, &long(128 - 36 - 5)), frame_to(role, 0xC2, &long(128 - 36 - 6))];
            let transcript = run_with(role, &config, &frames.concat());
            let before = [binary(&[7; 128 - 36 - 5])];
            assert_failed_after(&transcript, role, ProtocolError::TooManyFragments, &before, &[]);
            // but no more than there may be fragments
            config.limits.fragments = 10;
            let frames = |finals: usize| frame_to(role, 0xC2, &[0x03, 0x00].repeat(finals));
            let transcript = run_with(role, &config, &[frames(10), frames(11)].concat());
            assert_failed_after(&transcript, role, ProtocolError::TooManyFragments, &[binary(b"")], &[]);
            let two = frames_to(role, &[(0x42, &[0x03, 0x00].repeat(6)), (0x80, &[0x03, 0x00].repeat(5))]);
            let transcript = run_with(role, &config, &two);
            assert_failed_after(&transcript, role, ProtocolError::TooManyFragments, &[], &[]);
        }
    }
}

#[test]
fn s10_4_who_says_nothing_does_not_go_on_for_ever() {
    // SEC-1: empty blocks inflate to nothing; a message of them is bounded too, by twice the limit and 64 KiB
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            let (role, mut config) = limited(role, &takeover(true), 1000);
            config.delivery = delivery;
            let mut ws = connection(role, &config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let empty = [0x00, 0x00, 0x00, 0xff, 0xff].repeat(100);
            let mut come = 0;
            let mut frame = frame_to(role, 0x42, &empty);
            let error = loop {
                input.extend_from_slice(&frame);
                match ws.receive(&mut input, &mut output) {
                    Ok(None) => come += empty.len(),
                    Err(error) => break error,
                    other => panic!("{other:?}"),
                }
                frame = frame_to(role, 0x00, &empty);
            };
            assert_eq!(error, ProtocolError::MessageTooBig);
            assert!((2 * 1000 + 65_536 - 500..=2 * 1000 + 65_536).contains(&come), "{come}");
        }
    }
}

#[test]
fn a_frame_larger_than_the_limit_is_not_gathered() {
    // 6455-10.4-1: what is held is bound by the limit, not by the frame
    for role in ROLES {
        let (role, config) = limited(role, &takeover(true), 1000);
        let mut ws = connection(role, &config);
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let frame = frame_to(role, 0xC2, &[0x00, 0x00, 0x00, 0xff, 0xff].repeat(12_000));
        for octets in frame[..frame.len() - 1].chunks(500) {
            input.spare(500)[..octets.len()].copy_from_slice(octets);
            input.filled(octets.len());
            assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
            assert!(input.capacity() <= 4000, "{}", input.capacity());
        }
    }
}

#[test]
fn the_ratio_is_exact() {
    // 7692-7.2.2-6
    let len = |plain: usize| compressed(&vec![0; plain]).len();
    let plain = (8000..30_000).find(|plain| plain % len(*plain) == 0 && len(*plain) == len(*plain + 1)).unwrap();
    let ratio = u32::try_from(plain / len(plain)).unwrap();
    for role in ROLES {
        let mut config = config(takeover(true));
        config.limits.inflate_ratio = Some(ratio);
        let fits = frame_to(role, 0xC2, &compressed(&vec![0; plain]));
        assert_eq!(run_limited(role, &config, &fits), (vec![binary(&vec![0; plain])], None));
        let one_more = frame_to(role, 0xC2, &compressed(&vec![0; plain + 1]));
        assert_eq!(run_limited(role, &config, &one_more), (vec![], Some(ProtocolError::InflatesTooMuch)));
        // where both limits are the same, it is the message that is too big
        config.limits.message = plain as u64;
        assert_eq!(run_limited(role, &config, &one_more), (vec![], Some(ProtocolError::MessageTooBig)));
    }
}
