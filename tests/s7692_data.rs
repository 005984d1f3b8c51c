//! RFC 7692 §6, §7.2: messages that are compressed.
#![cfg(feature = "deflate")]

mod common;

use common::deflate::{chat, compressed, compressed_with, config, in_each_memory, noise, takeover};
use common::puff::Puff;
use common::{ROLES, assert_failed_after, binary, connection, frame_to, frames_to, hex, run_with, text};
use websocket_proto::deflate::DeflateConfig;
use websocket_proto::{Config, Delivery, Event, ProtocolError, ReadBuffer, Role};

/// Both roles, with permessage-deflate as by default.
fn with_deflate(check: impl Fn(Role, &Config)) {
    for role in ROLES {
        check(role, &config(DeflateConfig::default()));
    }
}

/// What comes of these frames, in every cut: these texts, and nothing wrong.
fn assert_texts(frames: &[(u8, &str)], texts: &[&str]) {
    with_deflate(|role, config| {
        let frames: Vec<(u8, Vec<u8>)> = frames.iter().map(|(first, payload)| (*first, hex(payload))).collect();
        let frames: Vec<(u8, &[u8])> = frames.iter().map(|(first, payload)| (*first, &payload[..])).collect();
        let transcript = run_with(role, config, &frames_to(role, &frames));
        assert_eq!(transcript.error, None, "{frames:02x?}");
        let expected: Vec<_> = texts.iter().map(|expected| text(expected)).collect();
        assert_eq!(transcript.messages, expected, "{frames:02x?}");
    });
}

#[test]
fn s7_2_3_1_a_block() {
    // 7692-7.2.3-1, 7692-6-1, 7692-7.2.2-1, 6455-5.3-4
    assert_texts(&[(0xC1, "f2 48 cd c9 c9 07 00")], &["Hello"]);
    let server = config(DeflateConfig::default());
    let transcript = run_with(Role::Server, &server, &hex("c1 87 37 fa 21 3d c5 b2 ec f4 fe fd 21"));
    assert_eq!(transcript.messages, [text("Hello")]);
}

#[test]
fn s7_2_3_2_the_window_is_shared() {
    // 7692-7.2.3-2, 7692-7.2.2-2
    assert_texts(&[(0xC1, "f2 48 cd c9 c9 07 00"), (0xC1, "f2 00 11 00 00")], &["Hello", "Hello"]);
    assert_texts(
        &[(0xC1, "f2 48 cd c9 c9 07 00"), (0x81, "61 62 63"), (0xC1, "f2 00 11 00 00")],
        &["Hello", "abc", "Hello"],
    );
    with_deflate(|role, config| {
        let transcript = run_with(role, config, &frames_to(role, &[(0xC1, &hex("f2 00 11 00 00"))]));
        assert_failed_after(&transcript, role, ProtocolError::InvalidDeflate, &[], &[]);
    });
    for role in ROLES {
        let frames = frames_to(role, &[(0xC1, &hex("f2 48 cd c9 c9 07 00")), (0xC1, &hex("f2 00 11 00 00"))]);
        let transcript = run_with(role, &config(takeover(false)), &frames);
        assert_failed_after(&transcript, role, ProtocolError::InvalidDeflate, &[text("Hello")], &[]);
    }
}

#[test]
fn s7_2_3_3_a_stored_block() {
    // 7692-7.2.3-3, erratum-8099
    assert_texts(&[(0xC1, "00 05 00 fa ff 48 65 6c 6c 6f 00")], &["Hello"]);
}

#[test]
fn s7_2_3_4_final_blocks() {
    // 7692-7.2.3-4, 7692-7.2.3-7, 7692-7.2.3-8, 7692-7.2.1-2, 28-34
    let hello = "f3 48 cd c9 c9 07 00 00";
    assert_texts(
        &[(0xC1, hello), (0xC1, hello), (0xC1, hello), (0xC1, "f2 48 cd c9 c9 07 00")],
        &["Hello", "Hello", "Hello", "Hello"],
    );
    assert_texts(&[(0xC1, "f3 48 05 00 cb c9 c9 07 00 00"), (0xC1, "03 00 00")], &["Hello", ""]);
    assert_texts(&[(0xC1, hello), (0xC1, "f2 00 11 00 00")], &["Hello", "Hello"]);
    // the octet forgotten that begins the empty block: all of the message is there
    assert_texts(&[(0xC1, "f3 48 cd c9 c9 07 00"), (0xC1, "f2 00 11 00 00")], &["Hello", "Hello"]);
    // the empty block itself is final
    assert_texts(&[(0xC1, "f2 48 cd c9 c9 07 04"), (0xC1, "f2 00 11 00 00")], &["Hello", "Hello"]);
    // a message refers to what stands before its own final block
    assert_texts(&[(0xC1, "f3 48 cd c9 c9 07 00 f2 00 11 00 00")], &["HelloHello"]);
}

#[test]
fn s7_2_3_4_final_blocks_in_each_mode() {
    // 7692-7.2.3-4, 7692-7.2.3-8: what is behind refers to what is before, and may have been delivered long ago
    for role in ROLES {
        for has_takeover in [true, false] {
            for deflate in in_each_memory(&takeover(has_takeover)) {
                let config = config(deflate);
                let twice = frame_to(role, 0xC1, &hex("f3 48 cd c9 c9 07 00 f2 00 11 00 00"));
                let hello = frame_to(role, 0xC1, &hex("f3 48 cd c9 c9 07 00"));
                let transcript = run_with(role, &config, &[&twice[..], &hello, &twice].concat());
                assert_eq!(transcript.messages, [text("HelloHello"), text("Hello"), text("HelloHello")]);
                // the end of the block is the end of the room that was there, or of a chunk
                for len in [1, 255, 256, 257, 512, 1024, 16_383, 16_384, 16_385] {
                    let mut payload = compressed(&vec![7; len]);
                    payload[0] |= 1;
                    assert_eq!(once(role, &config, &payload), Ok(vec![7; len]), "{len}");
                }
            }
        }
    }
}

#[test]
fn s7_2_2_an_empty_payload_behind_others() {
    // 28-35
    let hello = hex("f2 48 cd c9 c9 07 00");
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)).into_iter().chain(in_each_memory(&takeover(false))) {
            let frames = frames_to(role, &[(0xC1, &hello), (0xC1, b"")]);
            let transcript = run_with(role, &config(deflate), &frames);
            assert_failed_after(&transcript, role, ProtocolError::InvalidDeflate, &[text("Hello")], &[]);
        }
    }
}

#[test]
fn s7_2_3_5_two_blocks() {
    // 7692-7.2.3-5
    assert_texts(&[(0xC1, "f2 48 05 00 00 00 ff ff ca c9 c9 07 00")], &["Hello"]);
}

#[test]
fn s7_2_3_6_an_empty_message_and_an_empty_end() {
    // 7692-7.2.3-6
    assert_texts(&[(0x41, "f2 48 cd c9 c9 07 00 00 00 ff ff"), (0x80, "00")], &["Hello"]);
    assert_texts(&[(0xC1, "00"), (0xC1, "00"), (0xC1, "02 00")], &["", "", ""]);
}

#[test]
fn s6_2_fragments() {
    // 7692-6.2-1, 7692-6.1-3, 6455-6.2-4
    assert_texts(&[(0x41, "f2 48 cd"), (0x80, "c9 c9 07 00")], &["Hello"]);
    assert_texts(&[(0x41, "f2 48 cd"), (0x00, ""), (0x00, "c9"), (0x00, ""), (0x80, "c9 07 00")], &["Hello"]);
    assert_texts(&[(0x41, "f2 48 cd c9 c9 07 00"), (0x80, "")], &["Hello"]);
    assert_texts(&[(0x41, ""), (0x80, "f2 48 cd c9 c9 07 00")], &["Hello"]);
}

#[test]
fn s6_1_the_bit_stands_on_the_first_frame_of_a_message_alone() {
    // 7692-6.1-1, 6455-5.2-2, 28-27
    with_deflate(|role, config| {
        for frames in [
            &[(0xC9, &b""[..])][..],
            &[(0xC8, b"")],
            &[(0xCA, b"")],
            &[(0x41, b"\xf2\x48\xcd"), (0xC0, b"\xc9\xc9\x07\x00")],
            &[(0x01, b"a"), (0xC0, b"b")],
            &[(0xA1, b"a")],
            &[(0x91, b"a")],
            &[(0xE1, b"a")],
            &[(0xC3, b"")],
        ] {
            let transcript = run_with(role, config, &frames_to(role, frames));
            assert_failed_after(&transcript, role, ProtocolError::ReservedBits, &[], &[]);
        }
    });
}

#[test]
fn s7_2_2_data_that_is_not_deflate() {
    // 7692-7.2.2-4, 7692-7.2.2-5, 7692-7.2.2-7, 7692-6-2, 28-35, 28-36, 28-44
    with_deflate(|role, config| {
        for payload in [
            "06",
            "ff ff",
            "f2 00 11 00 00",
            "f2 48 cd",
            "f2 48 cd c9 c9 07",
            "",
            "f2 48 cd c9 c9 07 00 00 00 ff ff",
            "00 05 00 fa ff 48 65",
            "00 05 00",
            "00 00 00 ff ff",
            "05",
            "04 c0",
            // cut in a final block, or with octets behind one that are no block
            "f3 48 cd",
            "f3 48 cd c9 c9 07 00 06",
        ] {
            let frames = frames_to(role, &[(0xC2, &hex(payload)), (0xC1, &hex("f2 48 cd c9 c9 07 00"))]);
            let transcript = run_with(role, config, &frames);
            assert_eq!(transcript.error, Some(ProtocolError::InvalidDeflate), "{payload}");
            assert_failed_after(&transcript, role, ProtocolError::InvalidDeflate, &[], &[]);
        }
    });
}

#[test]
fn four_octets_that_made_others_spin() {
    // 7692-7.2.3-4: c2 02 03 80, an empty final block, and bits behind it that stand for nothing
    with_deflate(|role, config| {
        let transcript = run_with(role, config, &frames_to(role, &[(0xC2, &hex("03 80")), (0x82, b"b")]));
        assert_eq!(transcript.messages, [binary(b""), binary(b"b")]);
    });
}

#[test]
fn what_is_missing_has_not_come() {
    // SIO-1: a driver that reads so much, and no less, waits for nothing that is there already
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            let mut config = config(DeflateConfig::default());
            config.delivery = delivery;
            let frame = frame_to(role, 0xC2, &compressed(&noise(1000, 1)));
            let mut ws = connection(role, &config);
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            let mut rest = &frame[..];
            for len in [8, 400, 1] {
                let (now, later) = rest.split_at(len);
                rest = later;
                input.extend_from_slice(now);
                while ws.receive(&mut input, &mut output).unwrap().is_some() {}
                assert_eq!(ws.missing(), rest.len() as u64, "{delivery:?}");
            }
            input.extend_from_slice(rest);
            assert!(ws.receive(&mut input, &mut output).unwrap().is_some());
            assert_eq!(ws.missing(), 0);
        }
    }
}

/// What a compressed binary message that comes at once says, whole and in chunks.
fn once(role: Role, config: &Config, payload: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let [whole, in_chunks] = [Delivery::Whole, Delivery::Chunks].map(|delivery| {
        let mut config = config.clone();
        config.delivery = delivery;
        let mut ws = connection(role, &config);
        let (mut input, mut output, mut said) = (ReadBuffer::default(), Vec::new(), Vec::new());
        input.extend_from_slice(&frame_to(role, 0xC2, payload));
        loop {
            match ws.receive(&mut input, &mut output)? {
                Some(Event::Binary(data)) => break Ok(data.to_vec()),
                Some(Event::BinaryChunk { data, last, .. }) => {
                    said.extend_from_slice(data);
                    if last {
                        break Ok(said);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!(whole, in_chunks);
    whole
}

#[test]
fn s7_2_2_no_beginning_of_a_message_is_one() {
    // 28-44, 7692-7.2.2-5: cut at each octet, in the tables of a block, in its codes, and in what is stored
    for level in [0, 9] {
        let mut deflate = takeover(false);
        deflate.level = level;
        let payload = compressed_with(&deflate, chat(400, 3).as_bytes());
        for cut in 1..payload.len() {
            for has_takeover in [true, false] {
                // the end that is put back says nothing by itself
                let plain = Puff::default().inflate(&payload[..cut]).0;
                let expected =
                    Puff::default().message(&payload[..cut], has_takeover).ok().filter(|said| *said == plain);
                let said = once(Role::Client, &config(takeover(has_takeover)), &payload[..cut]);
                assert!(said.ok() == expected, "level {level}, cut at {cut}, takeover: {has_takeover}");
            }
        }
    }
}
