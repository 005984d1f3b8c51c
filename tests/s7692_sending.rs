//! RFC 7692 §6.1, §7.2.1: messages that we compress, read bit by bit.
#![cfg(feature = "deflate")]

mod common;

use common::deflate::{Random, chat, config, in_each_memory, noise, takeover};
use common::puff::Puff;
use common::{ROLES, connection, frames_in};
use websocket_proto::deflate::{Compression, DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::wire::OpCode;
use websocket_proto::{Connection, Event, MessageKind, Prepared, ReadBuffer, Role, SendError};

/// One end that sends, and a reader of what it sends that shares no code with it.
struct Sent {
    ws: Connection,
    output: Vec<u8>,
    puff: Puff,
    takeover: bool,
}

impl Sent {
    fn new(role: Role, deflate: &DeflateConfig) -> Self {
        let ws = connection(role, &config(deflate.clone()));
        Self { ws, output: Vec::new(), puff: Puff::default(), takeover: deflate.takeover }
    }

    /// The messages that are in the output: whether each was compressed, and what it says.
    fn messages(&mut self) -> Vec<(bool, Vec<u8>)> {
        let mut messages = Vec::new();
        let (mut is_compressed, mut payload) = (false, Vec::new());
        for (header, octets) in frames_in(&std::mem::take(&mut self.output)) {
            if header.opcode.is_control() {
                assert_eq!(header.reserved, 0);
                continue;
            }
            match header.opcode {
                OpCode::Continuation => assert_eq!(header.reserved, 0),
                _ => is_compressed = header.reserved == 0x40,
            }
            payload.extend(octets);
            if header.fin {
                let payload = std::mem::take(&mut payload);
                let plain = match is_compressed {
                    true => self.puff.message(&payload, self.takeover).expect("valid data"),
                    false => payload,
                };
                if !self.takeover {
                    self.puff.clear();
                }
                messages.push((is_compressed, plain));
            }
        }
        assert!(payload.is_empty(), "whole messages");
        messages
    }
}

/// Both roles, with and without takeover, in each way of holding memory.
fn in_each_mode(check: impl Fn(Sent)) {
    for role in ROLES {
        for deflate in [takeover(true), takeover(false)] {
            for deflate in in_each_memory(&deflate) {
                check(Sent::new(role, &deflate));
            }
        }
    }
}

#[test]
fn s7_2_3_hello() {
    // 7692-7.2.1-1, 7692-7.2.1-5, 6455-6.1-5, 6455-5.3-4
    in_each_mode(|mut sent| {
        let hello = "f2 48 cd c9 c9 07 00";
        for message in 0..2 {
            sent.ws.compressing(Compression::Always).send_text("Hello", &mut sent.output).unwrap();
            if sent.ws.role() == Role::Client && message == 0 {
                let masked = "c1 87 37 fa 21 3d c5 b2 ec f4 fe fd 21";
                assert_eq!(sent.output, common::hex(masked), "it is masked behind the compression");
            }
            let payload = frames_in(&sent.output).remove(0).1;
            match sent.takeover && message == 1 {
                false => assert_eq!(payload, common::hex(hello)),
                true => assert!(payload.len() < 7, "{payload:02x?} refers to the first"),
            }
            assert_eq!(sent.messages(), [(true, b"Hello".to_vec())]);
        }
    });
}

#[test]
fn s7_2_1_whatever_is_sent_can_be_read() {
    // 7692-6.1-2, 7692-7.2.1-1, 7692-7.2.1-5: compressible, random, empty and large messages, compressed and plain, in
    // one frame and in several, with pings in between
    in_each_mode(|mut sent| {
        let mut random = Random(7);
        for round in 0..100 {
            let len = [0, 1, 2, 50, 300, 1000, 1000, 5000, 40_000][random.below(9)];
            let payload = match random.below(2) {
                0 => chat(len, round),
                _ => noise(len, round).iter().map(|octet| char::from(octet & 0x7f)).collect(),
            };
            let choice = [Compression::Auto, Compression::Always, Compression::Never][random.below(3)];
            let output = &mut sent.output;
            if random.below(3) == 0 {
                let mut pieces = payload.as_bytes().chunks(1 + len / (1 + random.below(5)));
                let first = pieces.next().unwrap_or_default();
                sent.ws.compressing(choice).begin_binary(first, output).unwrap();
                for piece in pieces {
                    sent.ws.send_ping(b"p", output).unwrap();
                    sent.ws.continue_binary(piece, output).unwrap();
                }
                sent.ws.finish_binary(b"", output).unwrap();
            } else {
                sent.ws.compressing(choice).send_text(&payload, output).unwrap();
            }
            let messages = sent.messages();
            assert_eq!(messages.len(), 1);
            let (is_compressed, plain) = &messages[0];
            assert!(plain == payload.as_bytes(), "message {round}");
            match choice {
                Compression::Always => assert!(is_compressed),
                Compression::Never => assert!(!is_compressed),
                Compression::Auto => {}
            }
        }
    });
}

#[test]
fn s7_2_1_no_distance_is_larger_than_the_agreed_window() {
    // 7692-7.2.1-4, 7692-7.1.2-2
    for window_bits in 9..=15 {
        for level in 0..=9 {
            for deflate in in_each_memory(&takeover(true)) {
                let mut deflate = deflate;
                deflate.window_bits = window_bits;
                deflate.level = level;
                let mut sent = Sent::new(Role::Server, &deflate);
                let block = chat(300 << (window_bits - 9), 3);
                let mut said = Vec::new();
                for round in 0..6 {
                    let text = format!("{round}{block}{block}{}", chat(700, round));
                    sent.ws.send_text(&text, &mut sent.output).unwrap();
                    said.push(text.into_bytes());
                }
                let read: Vec<Vec<u8>> = sent.messages().into_iter().map(|(_, plain)| plain).collect();
                assert!(read == said, "window {window_bits}, level {level}");
                let distance = sent.puff.distance;
                assert!(distance <= 1 << window_bits, "{distance} with a window of 2^{window_bits}");
                // what was repeated was found, so that the bound was there to be broken
                assert!(level == 0 || distance > 1 << (window_bits - 2), "{distance}: window {window_bits}, {level}");
            }
        }
    }
}

#[test]
fn s7_2_1_empty_messages() {
    // 7692-7.2.1-7
    in_each_mode(|mut sent| {
        for _ in 0..3 {
            sent.ws.compressing(Compression::Always).send_text("", &mut sent.output).unwrap();
            assert_eq!(frames_in(&sent.output)[0].1, [0x00]);
            assert_eq!(sent.messages(), [(true, Vec::new())]);
        }
        sent.ws.compressing(Compression::Always).begin_text("", &mut sent.output).unwrap();
        sent.ws.continue_text("", &mut sent.output).unwrap();
        sent.ws.finish_text("", &mut sent.output).unwrap();
        assert_eq!(sent.messages(), [(true, Vec::new())]);
    });
}

#[test]
fn s7_2_1_the_tail_is_cut_off_at_the_end_alone() {
    // 7692-7.2.1-3
    in_each_mode(|mut sent| {
        let output = &mut sent.output;
        sent.ws.compressing(Compression::Always).begin_text("Hello, ", output).unwrap();
        sent.ws.continue_text("Hello, ", output).unwrap();
        sent.ws.finish_text("World", output).unwrap();
        let frames = frames_in(output);
        assert_eq!(frames.iter().map(|(header, _)| header.reserved).collect::<Vec<_>>(), [0x40, 0, 0]);
        for (header, payload) in &frames {
            assert_eq!(payload.ends_with(b"\x00\x00\xff\xff"), !header.fin, "{payload:02x?}");
        }
        assert_eq!(sent.messages(), [(true, b"Hello, Hello, World".to_vec())]);
    });
}

#[test]
fn s7_3_short_messages_stay_plain() {
    // 7692-7.3-1
    for role in ROLES {
        let mut ws = connection(role, &{
            let mut config = config(DeflateConfig::default());
            config.deflate = Some(DeflateConfig::default());
            config
        });
        let threshold = DeflateConfig::default().threshold;
        let mut output = Vec::new();
        for len in [threshold - 1, threshold] {
            ws.send_text(&"a".repeat(len), &mut output).unwrap();
        }
        ws.begin_text("a", &mut output).unwrap();
        let reserved: Vec<u8> = frames_in(&output).iter().map(|(header, _)| header.reserved).collect();
        assert_eq!(reserved, [0, 0x40, 0x40]);
    }
}

#[test]
fn s6_1_a_message_that_does_not_shrink_does_not_part_the_windows() {
    // 7692-6.1-2: it is sent compressed all the same where a compressor keeps it, and plain where none does
    in_each_mode(|mut sent| {
        for round in 0..3 {
            let said: Vec<Vec<u8>> = vec![chat(500, 1).into_bytes(), noise(3000, round), chat(500, 1).into_bytes()];
            for message in &said {
                sent.ws.send_binary(message, &mut sent.output).unwrap();
            }
            let read: Vec<Vec<u8>> = sent.messages().into_iter().map(|(_, plain)| plain).collect();
            assert_eq!(read, said);
        }
    });
}

#[test]
fn s8_what_is_never_compressed_is_never_in_the_window() {
    // 7692-8-1: the length of what is said next does not depend on the secret
    in_each_mode(|mut sent| {
        let guess = |sent: &mut Sent, secret: &str| {
            sent.ws.reset_compression().unwrap();
            sent.ws.send_text(&chat(200, 5), &mut sent.output).unwrap();
            sent.ws.compressing(Compression::Never).send_text(secret, &mut sent.output).unwrap();
            let begin = sent.output.len();
            sent.ws.send_text("token=c4b1c3a8d0f7; token=c4b1c3a8d0f7", &mut sent.output).unwrap();
            let len = sent.output.len() - begin;
            assert!(!sent.messages()[1].0, "the secret is plain");
            len
        };
        let (right, wrong) = (guess(&mut sent, "token=c4b1c3a8d0f7"), guess(&mut sent, "token=0123456789ab"));
        assert_eq!(right, wrong);
    });
}

#[test]
fn s8_after_a_reset_nothing_is_referred_to() {
    // 7692-8-1
    in_each_mode(|mut sent| {
        let text = chat(400, 9);
        let len = |sent: &mut Sent| {
            sent.ws.send_text(&text, &mut sent.output).unwrap();
            let len = sent.output.len();
            sent.messages();
            len
        };
        let (first, again) = (len(&mut sent), len(&mut sent));
        assert_eq!(again < first / 2, sent.takeover);
        sent.ws.reset_compression().unwrap();
        assert_eq!(len(&mut sent), first);

        sent.ws.begin_text("a", &mut sent.output).unwrap();
        assert_eq!(sent.ws.reset_compression(), Err(SendError::MessageUnfinished));
    });
}

#[test]
fn a_header_alone_is_for_a_plain_payload() {
    in_each_mode(|mut sent| {
        let _mask = sent.ws.send_header(MessageKind::Binary, 1000, &mut sent.output).unwrap();
        assert_eq!(sent.output[0], 0x82);
    });
}

#[test]
fn what_is_prepared_is_compressed_once_and_breaks_no_window() {
    let news = Prepared::text(&chat(2000, 1)).compress(&takeover(true));
    let noise = Prepared::binary(&noise(2000, 2)).compress(&takeover(true));
    in_each_mode(|mut sent| {
        let mut lens = Vec::new();
        let mut said = Vec::new();
        for round in 0..10 {
            let own = chat(300, round);
            sent.ws.send_text(&own, &mut sent.output).unwrap();
            let begin = sent.output.len();
            // as a copy, or handed out to be written right behind
            match round % 2 {
                0 => sent.ws.send_prepared(&news, &mut sent.output).unwrap(),
                _ => sent.output.extend(sent.ws.send_shared(&news).unwrap()),
            }
            lens.push(sent.output.len() - begin);
            sent.ws.send_prepared(&noise, &mut sent.output).unwrap();
            sent.ws.send_text(&chat(2000, 1), &mut sent.output).unwrap();
            said.extend([
                own.into_bytes(),
                news.payload().to_vec(),
                noise.payload().to_vec(),
                chat(2000, 1).into_bytes(),
            ]);
        }
        let read: Vec<Vec<u8>> = sent.messages().into_iter().map(|(_, plain)| plain).collect();
        assert!(read == said);
        assert!(lens.iter().all(|len| *len < 2000), "{lens:?}: it goes compressed to all");
    });
}

#[test]
fn what_is_prepared_with_a_larger_window_is_not_sent_to_who_has_a_smaller_one() {
    let text =
        [chat(600, 1), noise(900, 1).iter().map(|octet| char::from(octet & 0x7f)).collect(), chat(600, 1)].concat();
    let mut large = DeflateConfig::default();
    large.window_bits = 15;
    let news = Prepared::text(&text).compress(&large);
    for deflate in in_each_memory(&takeover(false)) {
        let mut deflate = deflate;
        deflate.window_bits = 9;
        let mut sent = Sent::new(Role::Server, &deflate);
        sent.ws.send_prepared(&news, &mut sent.output).unwrap();
        assert_eq!(sent.messages(), [(true, text.clone().into_bytes())]);
        assert!(sent.puff.distance <= 512, "{}", sent.puff.distance);

        deflate.window_bits = 15;
        let mut sent = Sent::new(Role::Server, &deflate);
        sent.ws.send_prepared(&news, &mut sent.output).unwrap();
        sent.messages();
        assert!(sent.puff.distance > 1000, "what is repeated is found: {}", sent.puff.distance);
    }
}

#[test]
fn what_is_prepared_needs_no_compression() {
    let news = Prepared::text("news").compress(&takeover(true));
    for role in ROLES {
        let mut plain = connection(role, &websocket_proto::Config::default());
        let mut output = Vec::new();
        plain.send_prepared(&news, &mut output).unwrap();
        let mut expected = Vec::new();
        connection(role, &websocket_proto::Config::default()).send_text("news", &mut expected).unwrap();
        assert_eq!(output, expected);
        plain.begin_text("", &mut output).unwrap();
        assert_eq!(plain.send_prepared(&news, &mut output), Err(SendError::MessageUnfinished));
    }
}

#[test]
fn nothing_is_compressed_that_cannot_be_sent() {
    in_each_mode(|mut sent| {
        sent.ws.begin_text("Hello", &mut sent.output).unwrap();
        let before = sent.output.len();
        for choice in [Compression::Auto, Compression::Always, Compression::Never] {
            let refused = sent.ws.compressing(choice).send_text("x", &mut sent.output);
            assert_eq!(refused, Err(SendError::MessageUnfinished));
            let refused = sent.ws.compressing(choice).begin_binary(b"x", &mut sent.output);
            assert_eq!(refused, Err(SendError::MessageUnfinished));
        }
        assert_eq!(sent.output.len(), before);
        sent.ws.finish_text(" World", &mut sent.output).unwrap();
        assert_eq!(sent.messages()[0].1, b"Hello World");
        sent.ws.close_without_code(&mut sent.output).unwrap();
        let before = sent.output.len();
        assert_eq!(sent.ws.compressing(Compression::Always).send_text("x", &mut sent.output), Err(SendError::Closed));
        assert_eq!(sent.ws.compressing(Compression::Always).begin_text("x", &mut sent.output), Err(SendError::Closed));
        assert_eq!(sent.ws.send_prepared(&Prepared::text("x"), &mut sent.output), Err(SendError::Closed));
        assert_eq!(sent.output.len(), before);
    });
}

#[test]
fn an_end_whose_compressor_would_need_a_window_of_256_octets_sends_plain() {
    // 7692-7.1.2-2
    let agreed = common::deflate::agreed_by("permessage-deflate; client_max_window_bits=8");
    let deflate = DeflateConfig::default();
    let mut ws = Connection::client(&config(deflate.clone())).with_deflate(&deflate, agreed);
    let mut output = Vec::new();
    ws.compressing(Compression::Always).send_text(&chat(1000, 1), &mut output).unwrap();
    ws.begin_text("a", &mut output).unwrap();
    assert!(frames_in(&output).iter().all(|(header, _)| header.reserved == 0));
    assert_eq!(ws.deflate().unwrap().client_max_window_bits(), 8);
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&common::frame_to(Role::Client, 0xC1, &common::hex("f2 48 cd c9 c9 07 00")));
    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Text("Hello"))));
}

#[test]
fn a_pool_may_be_shared_by_threads() {
    let mut deflate = takeover(true);
    deflate.memory = DeflateMemory::Shared(DeflatePool::new(2));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut deflate = deflate.clone();
            // states of other settings are in the pool too
            deflate.window_bits = 9 + thread % 2;
            scope.spawn(move || {
                let mut ends = ROLES.map(|role| connection(role, &config(deflate.clone())));
                let (mut input, mut output, mut answers) = (ReadBuffer::default(), Vec::new(), Vec::new());
                for round in 0..60 {
                    let text = chat(1500, round * 4 + u64::from(thread));
                    let [a, b] = &mut ends;
                    a.begin_text("", &mut output).unwrap();
                    std::thread::yield_now();
                    a.finish_text(&text, &mut output).unwrap();
                    input.extend_from_slice(&output);
                    output.clear();
                    assert_eq!(b.receive(&mut input, &mut answers), Ok(Some(Event::Text(&text))));
                    ends.reverse();
                }
            });
        }
    });
}
