//! RFC 6455 §5.2, §5.7: base framing.

mod common;

use common::{
    KEY, ROLES, assert_failed, assert_failed_after, binary, frame_from, frame_to, frames_to, hex, ping, pong, run,
    run_after, run_with, text,
};
use websocket_proto::wire::{FrameHeader, OpCode};
use websocket_proto::{Config, Connection, MessageKind, ProtocolError, ReadBuffer, Role, SendError, State};

/// A header without a mask, as the role would get it: with the mask bit and a key, if it is a server.
fn header_to(role: Role, header: &str) -> Vec<u8> {
    let mut octets = hex(header);
    if role == Role::Server {
        octets[1] |= 0x80;
        octets.extend_from_slice(&KEY);
    }
    octets
}

/// What a send appends for a connection of this role.
fn sent(role: Role, send: impl FnOnce(&mut Connection, &mut Vec<u8>) -> Result<(), SendError>) -> Vec<u8> {
    let mut out = Vec::new();
    send(&mut common::connection(role, &Config::default()), &mut out).unwrap();
    out
}

#[test]
fn s5_7_1_to_3_text_unmasked_masked_and_fragmented() {
    // 6455-5.7-1, 6455-5.7-2, 6455-5.7-3, 6455-5.2-11
    assert_eq!(run(Role::Client, &hex("81 05 48 65 6c 6c 6f")).messages, [text("Hello")]);
    assert_eq!(run(Role::Server, &hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")).messages, [text("Hello")]);
    assert_eq!(run(Role::Client, &hex("01 03 48 65 6c  80 02 6c 6f")).messages, [text("Hello")]);
    assert_eq!(run(Role::Client, &hex("81 01 61")).messages, [text("a")]);
    assert_eq!(sent(Role::Server, |ws, out| ws.send_text("Hello", out)), hex("81 05 48 65 6c 6c 6f"));
    assert_eq!(sent(Role::Client, |ws, out| ws.send_text("Hello", out)), hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"));
    let fragments = sent(Role::Server, |ws, out| {
        ws.begin_text("Hel", out)?;
        ws.finish_text("lo", out)
    });
    assert_eq!(fragments, hex("01 03 48 65 6c  80 02 6c 6f"));
}

#[test]
fn s5_7_4_ping_and_its_masked_pong() {
    // 6455-5.7-4, erratum-3432
    let transcript = run(Role::Client, &hex("89 05 48 65 6c 6c 6f"));
    assert_eq!(transcript.messages, [ping(b"Hello")]);
    assert_eq!(transcript.output, hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"));
    let transcript = run(Role::Server, &hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"));
    assert_eq!((transcript.messages, transcript.output), (vec![pong(b"Hello")], vec![]));
}

#[test]
fn s5_7_5_and_6_binary_of_256_and_65536() {
    // 6455-5.7-5, 6455-5.7-6, 6455-5.2-1
    for (len, header) in [(256, "82 7e 01 00"), (65536, "82 7f 00 00 00 00 00 01 00 00")] {
        let data: Vec<u8> = (0..=255).cycle().take(len).collect();
        let frame = [hex(header), data.clone()].concat();
        assert_eq!(run(Role::Client, &frame).messages, [binary(&data)]);
        assert_eq!(sent(Role::Server, |ws, out| ws.send_binary(&data, out)), frame);
        // the same from a client
        let masked = data.iter().zip(KEY.iter().cycle()).map(|(octet, key)| octet ^ key);
        let frame: Vec<u8> = header_to(Role::Server, header).into_iter().chain(masked).collect();
        assert_eq!(run(Role::Server, &frame).messages, [binary(&data)]);
        assert_eq!(sent(Role::Client, |ws, out| ws.send_binary(&data, out)), frame);
    }
}

#[test]
fn s5_2_4_every_length_form_both_ways() {
    // 6455-5.2-4, 6455-5.2-6, 6455-5.2-8
    for (len, header) in [
        (0, "82 00"),
        (1, "82 01"),
        (125, "82 7d"),
        (126, "82 7e 00 7e"),
        (127, "82 7e 00 7f"),
        (128, "82 7e 00 80"),
        (65535, "82 7e ff ff"),
        (65536, "82 7f 00 00 00 00 00 01 00 00"),
    ] {
        let data: Vec<u8> = (0..=255).cycle().take(len).collect();
        for role in ROLES {
            let frame = frame_to(role, 0x82, &data);
            assert!(frame.starts_with(&header_to(role, header)), "{len}");
            let mut ws = common::connection(role, &Config::default());
            let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
            input.extend_from_slice(&frame);
            let message = ws.receive_message(&mut input, &mut output).unwrap();
            assert_eq!((message, input.is_empty()), (Some(binary(&data)), true));
            if len < 1000 {
                assert_eq!(run(role, &frame).messages, [binary(&data)]);
            }
            assert_eq!(sent(role, |ws, out| ws.send_binary(&data, out)), frame_from(role, 0x82, &data));
        }
    }
}

#[test]
fn s5_2_6_the_sender_takes_the_shortest_length() {
    // 6455-5.2-6, 6455-5.2-1
    for (payload_len, form) in (0..=125).map(|len| (len, 0)).chain((126..=300).map(|len| (len, 2))).chain([
        (0x7FFF, 2),
        (0xFFFF, 2),
        (0x1_0000, 8),
        (u64::from(u32::MAX), 8),
        (FrameHeader::MAX_PAYLOAD_LEN, 8),
    ]) {
        for role in ROLES {
            let header = sent(role, |ws, out| ws.send_header(MessageKind::Binary, payload_len, out).map(drop));
            let mask = if role == Role::Client { 4 } else { 0 };
            assert_eq!(header.len(), 2 + form + mask, "{payload_len}");
            let (read, _) = FrameHeader::decode(&header).unwrap().unwrap();
            assert_eq!((read.payload_len, read.mask.is_some()), (payload_len, role == Role::Client));
        }
    }
}

#[test]
fn s5_2_1_all_pairs_of_first_octets_mean_what_the_picture_says() {
    // 6455-5.2-1, 6455-5.2-8, 6455-5.2-4
    // length octets and a key that say which of them were read
    let behind = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5];
    for first in 0..=255u8 {
        for second in 0..=255u8 {
            let octets = [&[first, second][..], &behind].concat();
            let is_control = first & 0x08 != 0;
            let expected = if matches!(first & 0x0F, 3..=7 | 11..) {
                Err(ProtocolError::ReservedOpCode)
            } else if is_control && first & 0x80 == 0 {
                Err(ProtocolError::ControlFragmented)
            } else if is_control && second & 0x7F > 125 {
                Err(ProtocolError::ControlTooLong)
            } else {
                let (payload_len, len_size) = match second & 0x7F {
                    126 => (0x0102, 2),
                    127 => (0x0102_0304_0506_0708, 8),
                    len => (u64::from(len), 0),
                };
                let key = [0, 1, 2, 3].map(|i| behind[len_size + i]);
                let mask = (second & 0x80 != 0).then_some(key);
                let opcode = OpCode::from_bits(first & 0x0F).unwrap();
                let header = FrameHeader { fin: first & 0x80 != 0, reserved: first & 0x70, opcode, mask, payload_len };
                let size = 2 + len_size + mask.map_or(0, |key| key.len());
                let mut encoded = Vec::new();
                header.encode(&mut encoded).unwrap();
                assert_eq!(encoded, octets[..size]);
                Ok(Some((header, size)))
            };
            assert_eq!(FrameHeader::decode(&octets), expected, "{first:02x} {second:02x}");
        }
    }
}

#[test]
fn s5_2_7_the_key_does_not_count() {
    // 6455-5.2-7, 6455-5.2-8, 6455-5.2-10, 6455-5.2-20
    let octets = hex("82 81 37 fa 21 3d 35  82 81 37 fa 21 3d 34");
    assert_eq!(run(Role::Server, &octets).messages, [binary(b"\x02"), binary(b"\x03")]);
    assert_eq!(run(Role::Client, &hex("82 01 35  82 01 34")).messages, [binary(b"\x35"), binary(b"\x34")]);
}

#[test]
fn s5_2_9_empty_payloads_of_every_kind() {
    // 6455-5.2-9
    assert_eq!(run(Role::Server, &hex("81 80 37 fa 21 3d")).messages, [text("")]);
    for role in ROLES {
        let frames = frames_to(role, &[(0x81, b""), (0x82, b""), (0x89, b""), (0x8A, b"")]);
        let transcript = run(role, &frames);
        assert_eq!(transcript.messages, [text(""), binary(b""), ping(b""), pong(b"")]);
        assert_eq!(transcript.output, frame_from(role, 0x8A, b""));
        assert_eq!(transcript.state, State::Open);
        let transcript = run(role, &frame_to(role, 0x88, b""));
        assert_eq!(transcript.messages, [websocket_proto::Message::Close(None)]);
    }
}

/// What is wrong with a first octet, with or without a message to continue.
fn fault(first: u8, is_amid: bool) -> Option<ProtocolError> {
    let (fin, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0F);
    match (reserved, opcode) {
        (1.., _) => Some(ProtocolError::ReservedBits),
        (_, 0) if !is_amid => Some(ProtocolError::NothingToContinue),
        (_, 1 | 2) if is_amid => Some(ProtocolError::MessageInterleaved),
        (_, 3..=7 | 11..) => Some(ProtocolError::ReservedOpCode),
        (_, 8..=10) if !fin => Some(ProtocolError::ControlFragmented),
        _ => None,
    }
}

#[test]
fn s5_2_2_and_3_reserved_bits_and_opcodes_in_all_combinations() {
    // 6455-5.2-2, 6455-5.2-3, 6455-5.5-3, 6455-5.4-4, 6455-5.5-2, 28-27
    for role in ROLES {
        for first in 0..=255u8 {
            for payload in [&b""[..], b"\x0f\x2b"] {
                let frame = frame_to(role, first, payload);
                for begun in [vec![], frame_to(role, 0x01, b"a"), frame_to(role, 0x02, b"")] {
                    let transcript = run(role, &[&begun[..], &frame].concat());
                    match fault(first, !begun.is_empty()) {
                        Some(error) => assert_failed(&transcript, role, error),
                        None => assert_eq!(transcript.error, None, "{first:02x}"),
                    }
                }
            }
        }
    }
    for frames in ["c1 00", "a1 00", "91 00", "f2 00", "c9 00", "f8 00", "01 01 61 c0 01 62"] {
        assert_failed(&run(Role::Client, &hex(frames)), Role::Client, ProtocolError::ReservedBits);
    }
}

#[test]
fn s5_2_3_what_comes_before_a_fault_is_delivered_and_nothing_after() {
    // 6455-5.2-3, 6455-5.2-2, 28-40
    for role in ROLES {
        for (first, error) in [(0x83, ProtocolError::ReservedOpCode), (0xC1, ProtocolError::ReservedBits)] {
            let frames = frames_to(role, &[(0x81, b"a"), (0x89, b"p"), (first, b"b"), (0x81, b"c"), (0x89, b"q")]);
            let pong = frame_from(role, 0x8A, b"p");
            assert_failed_after(&run(role, &frames), role, error, &[text("a"), ping(b"p")], &pong);
        }
    }
}

#[test]
fn s5_2_5_and_6_lengths_that_are_too_large_or_not_minimal() {
    // 6455-5.2-5, 6455-5.2-6, 6455-5.2-14, erratum-3912, 28-24, 28-25
    for (header, error) in [
        ("82 7f 80 00 00 00 00 00 00 00", ProtocolError::LengthTooLarge),
        ("82 7f 80 00 00 00 00 00 00 01", ProtocolError::LengthTooLarge),
        ("82 7f ff ff ff ff ff ff ff ff", ProtocolError::LengthTooLarge),
        ("82 7e 00 00", ProtocolError::LengthNotMinimal),
        ("82 7e 00 7d", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 00 00 00 00", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 00 00 00 7d", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 00 00 00 7e", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 00 00 ff ff", ProtocolError::LengthNotMinimal),
        ("82 7f 7f ff ff ff ff ff ff ff", ProtocolError::FrameTooBig),
        ("82 7f 10 00 00 00 00 00 00 00", ProtocolError::FrameTooBig),
        ("82 7f 00 00 00 01 00 00 00 00", ProtocolError::FrameTooBig),
        ("82 7f 00 00 00 00 01 00 00 01", ProtocolError::FrameTooBig),
    ] {
        for role in ROLES {
            for first in [0x82, 0x81, 0x01, 0x80, 0x00] {
                let mut octets = header_to(role, header);
                octets[0] = first;
                let begun = if matches!(first, 0x00 | 0x80) { frame_to(role, 0x02, b"") } else { vec![] };
                assert_failed(&run(role, &[begun, octets].concat()), role, error);
            }
        }
    }
}

#[test]
fn s5_2_5_the_63_bits_come_before_the_limits_whatever_they_are() {
    // 6455-5.2-5, erratum-3912, 28-25
    for limit in [0, 1, 125, 65536, u64::from(u32::MAX), (1 << 63) - 1, 1 << 63, u64::MAX] {
        let mut config = Config::default();
        config.limits.frame = limit;
        config.limits.message = limit;
        for role in ROLES {
            for header in ["82 7f 80", "82 7f 80 00 00 00 00 00 00 00", "82 7f ff ff ff ff ff ff ff ff"] {
                let mut octets = hex(header);
                octets[1] |= if role == Role::Server { 0x80 } else { 0 };
                assert_failed(&run_with(role, &config, &octets), role, ProtocolError::LengthTooLarge);
            }
            // one less is a length like another
            let transcript = run_with(role, &config, &header_to(role, "82 7f 7f ff ff ff ff ff ff ff"));
            let is_allowed = limit >= (1 << 63) - 1;
            assert_eq!(transcript.error, if is_allowed { None } else { Some(ProtocolError::FrameTooBig) });
        }
    }
}

#[test]
fn s5_2_12_violations_show_before_the_payload() {
    // 6455-5.2-12, 6455-5.2-5, 6455-5.2-6
    for (header, error) in [
        ("83", ProtocolError::ReservedOpCode),
        ("83 05", ProtocolError::ReservedOpCode),
        ("c1", ProtocolError::ReservedBits),
        ("80", ProtocolError::NothingToContinue),
        ("09", ProtocolError::ControlFragmented),
        ("89 7e", ProtocolError::ControlTooLong),
        ("88 7f", ProtocolError::ControlTooLong),
        ("81 85", ProtocolError::FrameMasked),
        ("82 7e 00 7d", ProtocolError::LengthNotMinimal),
        ("82 7f 80", ProtocolError::LengthTooLarge),
        ("82 7f 00 00 00 00 00 00", ProtocolError::LengthNotMinimal),
        ("82 7f 00 00 00 00 01 00 00 01", ProtocolError::FrameTooBig),
    ] {
        let octets = hex(header);
        assert_failed(&run(Role::Client, &octets), Role::Client, error);
        if octets.len() != 2 || octets[1] & 0x80 != 0 {
            let before = run(Role::Client, &octets[..octets.len() - 1]);
            assert_eq!(before.error, None, "{header} less one");
        }
    }
    assert_failed(&run(Role::Server, &hex("81 05")), Role::Server, ProtocolError::FrameNotMasked);
}

#[test]
fn s5_2_13_any_three_reads_come_to_the_same() {
    // 6455-5.2-13
    for role in ROLES {
        let frames = [
            (0x01, "Hé".as_bytes()),
            (0x89, b"p"),
            (0x00, b"\xe2\x82"),
            (0x80, b"\xac"),
            (0x82, &[7; 130]),
            (0x8A, b""),
            (0x88, b"\x03\xe8x"),
        ];
        let octets = frames_to(role, &frames);
        let expected = run(role, &octets);
        assert_eq!(expected.messages.len(), 5);
        for first in 0..octets.len() {
            for second in (first..octets.len()).step_by(3) {
                let mut ws = common::connection(role, &Config::default());
                let (mut input, mut output, mut messages) = (ReadBuffer::default(), Vec::new(), Vec::new());
                for part in [&octets[..first], &octets[first..second], &octets[second..]] {
                    input.extend_from_slice(part);
                    while let Some(message) = ws.receive_message(&mut input, &mut output).unwrap() {
                        messages.push(message);
                    }
                }
                assert_eq!((&messages, &output), (&expected.messages, &expected.output), "{first} {second}");
            }
        }
    }
}

#[test]
fn s5_2_a_length_is_that_of_its_frame() {
    // erratum-4184: a message may be longer than any of its frames says
    for role in ROLES {
        let frames = frames_to(role, &[(0x02, &[1; 100]), (0x00, &[2; 126]), (0x80, &[3; 1]), (0x82, b"x")]);
        let whole = [&[1; 100][..], &[2; 126], &[3]].concat();
        assert_eq!(run(role, &frames).messages, [binary(&whole), binary(b"x")]);
    }
}

#[test]
fn s5_1_1_data_goes_until_our_close() {
    // 6455-5.1-1
    for role in ROLES {
        let out = sent(role, |ws, out| {
            ws.send_text("a", out)?;
            ws.send_binary(b"b", out)?;
            ws.close_without_code(out)?;
            assert_eq!(ws.send_text("c", out), Err(SendError::Closed));
            assert_eq!(ws.send_binary(b"c", out), Err(SendError::Closed));
            Ok(())
        });
        let expected = [frame_from(role, 0x81, b"a"), frame_from(role, 0x82, b"b"), frame_from(role, 0x88, b"")];
        assert_eq!(out, expected.concat());
        // from the first octet on, whoever is first
        let send = |ws: &mut Connection, out: &mut Vec<u8>| ws.send_text("first", out).unwrap();
        let transcript = run_after(role, &Config::default(), send, &frame_to(role, 0x81, b"x"));
        assert_eq!((transcript.messages, transcript.output), (vec![text("x")], frame_from(role, 0x81, b"first")));
    }
}

#[test]
fn s5_2_header_only_is_the_same_on_the_wire() {
    for role in ROLES {
        for len in [0, 5, 126, 70_000] {
            let mut payload = vec![b'x'; len];
            let mut out = Vec::new();
            let mut ws = common::connection(role, &Config::default());
            let mut mask = ws.send_header(MessageKind::Text, len as u64, &mut out).unwrap();
            let (a, b) = payload.split_at_mut(len / 3);
            mask.apply(a);
            mask.apply(b);
            out.extend_from_slice(&payload);
            assert_eq!(out, frame_from(role, 0x81, &vec![b'x'; len]));
            assert_eq!(ws.send_header(MessageKind::Text, 1 << 63, &mut out), Err(SendError::FrameTooBig));
        }
    }
}

#[test]
fn what_is_missing_of_a_frame_is_told() {
    let mut ws = common::connection(Role::Client, &Config::default());
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    assert_eq!(ws.missing(), 0);
    input.extend_from_slice(b"\x82\x7e\x03\xe8abc");
    assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
    assert_eq!((ws.missing(), input.len()), (997, 4 + 3), "a short frame is waited for where it lies, with its header");
    input.extend_from_slice(&[b'x'; 997]);
    assert!(ws.receive(&mut input, &mut output).unwrap().is_some());
    assert_eq!((ws.missing(), input.len()), (0, 0));
}
