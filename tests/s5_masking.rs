//! RFC 6455 §5.1, §5.3, §10.3: who masks, and with which keys.

mod common;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::{
    KEY, ROLES, assert_failed, assert_failed_after, binary, frame_from, frame_to, frames_in, frames_to, hex, run, text,
};
use websocket_proto::wire::{FrameHeader, Mask};
use websocket_proto::{CloseCode, Config, Connection, MessageKind, ProtocolError, Random, ReadBuffer, Role};

#[test]
fn s5_1_masking_in_both_directions() {
    // 6455-5.1-3, 6455-5.1-5, 28-9
    for payload in [&b""[..], b"Hello"] {
        for first in [0x81, 0x82, 0x01, 0x02, 0x88, 0x89, 0x8A] {
            let masked = frame_to(Role::Server, first, payload);
            let plain = frame_to(Role::Client, first, payload);
            assert_failed(&run(Role::Client, &masked), Role::Client, ProtocolError::FrameMasked);
            assert_failed(&run(Role::Server, &plain), Role::Server, ProtocolError::FrameNotMasked);
            // a key of zeros is a mask, though it changes nothing
            let mut zero = plain.clone();
            zero[1] |= 0x80;
            zero.splice(2..2, [0; 4]);
            assert_failed(&run(Role::Client, &zero), Role::Client, ProtocolError::FrameMasked);
            // the bit is enough
            assert_failed(&run(Role::Client, &masked[..2]), Role::Client, ProtocolError::FrameMasked);
            assert_failed(&run(Role::Server, &plain[..2]), Role::Server, ProtocolError::FrameNotMasked);
        }
    }
    for (role, frame) in [
        (Role::Server, "81 05 48 65 6c 6c 6f"),
        (Role::Server, "89 00"),
        (Role::Server, "88 00"),
        (Role::Client, "81 85 37 fa 21 3d 7f 9f 4d 51 58"),
        (Role::Client, "88 80 37 fa 21 3d"),
    ] {
        let error = if role == Role::Server { ProtocolError::FrameNotMasked } else { ProtocolError::FrameMasked };
        assert_failed(&run(role, &hex(frame)), role, error);
    }
}

#[test]
fn s5_1_masking_is_looked_at_in_every_frame() {
    // 6455-5.1-3, 6455-5.1-5
    for (role, other, error) in [
        (Role::Server, Role::Client, ProtocolError::FrameNotMasked),
        (Role::Client, Role::Server, ProtocolError::FrameMasked),
    ] {
        for first in [0x81, 0x82, 0x88, 0x89, 0x8A] {
            let frames = [frame_to(role, 0x81, b"a"), frame_to(other, first, b"")].concat();
            assert_failed_after(&run(role, &frames), role, error, &[text("a")], &[]);
        }
        for first in [0x00, 0x80, 0x89] {
            let frames = [frame_to(role, 0x01, b"a"), frame_to(other, first, b"b")].concat();
            assert_failed(&run(role, &frames), role, error);
        }
    }
}

/// All frames that an endpoint can send, by itself and by its application.
fn all_that_is_sent(make: impl Fn() -> Connection) -> Vec<(FrameHeader, Vec<u8>)> {
    let mut ws = make();
    let role = ws.role();
    let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
    for len in [0, 1, 125, 126, 65535, 65536] {
        ws.send_text(&"x".repeat(len), &mut out).unwrap();
        ws.send_binary(&vec![0; len], &mut out).unwrap();
    }
    ws.begin_text("", &mut out).unwrap();
    ws.send_ping(b"p", &mut out).unwrap();
    ws.continue_text("bc", &mut out).unwrap();
    ws.send_pong(b"", &mut out).unwrap();
    ws.finish_text("", &mut out).unwrap();
    ws.begin_binary(b"a", &mut out).unwrap();
    ws.continue_binary(b"", &mut out).unwrap();
    ws.finish_binary(b"d", &mut out).unwrap();
    let _ = ws.send_header(MessageKind::Binary, 0, &mut out).unwrap();
    input.extend_from_slice(&frames_to(role, &[(0x89, b"p"), (0x89, b""), (0x88, b"\x03\xe8")]));
    while ws.receive(&mut input, &mut out).unwrap().is_some() {}
    make().close(CloseCode::NORMAL, "bye", &mut out).unwrap();
    make().close_without_code(&mut out).unwrap();
    for body in [&b""[..], b"\x03\xe8", b"\x03"] {
        let mut ws = make();
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&frame_to(role, 0x88, body));
        assert_eq!(ws.receive(&mut input, &mut out).is_ok(), body != b"\x03");
    }
    frames_in(&out)
}

#[test]
fn s5_1_a_client_masks_all_and_a_server_nothing() {
    // 6455-5.1-2, 6455-5.1-4, 6455-5.3-1, 6455-6.1-4, 6455-5.5.1-4
    for role in ROLES {
        let frames = all_that_is_sent(|| common::connection(role, &Config::default()));
        assert_eq!(frames.len(), 12 + 5 + 3 + 1 + 3 + 2 + 3);
        for (header, payload) in frames {
            let key = if role == Role::Client { Some(KEY) } else { None };
            assert_eq!(header.mask, key, "{header:?}");
            assert_eq!(payload.len() as u64, header.payload_len);
        }
    }
}

/// A client whose keys are 1, 2, 3 and so on, and the last that it drew.
fn counting_client() -> (Connection, Arc<AtomicU32>) {
    let drawn = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&drawn);
    let random = Random::from_fn(move |octets| {
        let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
        octets.copy_from_slice(&count.to_be_bytes());
    });
    (Connection::client_with_random(&Config::default(), random), drawn)
}

#[test]
fn s5_3_2_each_frame_draws_a_key_of_its_own() {
    // 6455-5.3-2, 6455-10.3-2
    let (mut ws, drawn) = counting_client();
    let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
    assert_eq!(drawn.load(Ordering::Relaxed), 0);
    let mut count = 0;
    let mut check = |ws: &mut Connection, act: &mut dyn FnMut(&mut Connection, &mut Vec<u8>), frames: u32| {
        let before = out.clone();
        act(ws, &mut out);
        count += frames;
        assert_eq!(drawn.load(Ordering::Relaxed), count);
        assert!(out.starts_with(&before), "what was begun stays as it is");
        let keys: Vec<u32> = frames_in(&out).iter().map(|(frame, _)| u32::from_be_bytes(frame.mask.unwrap())).collect();
        assert_eq!(keys, (1..=count).collect::<Vec<_>>());
    };
    check(&mut ws, &mut |ws, out| ws.send_text("text", out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| ws.send_binary(b"", out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| ws.send_binary(&[7; 10_000], out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| assert!(ws.send_header(MessageKind::Text, 0, out).is_ok()), 1);
    check(&mut ws, &mut |ws, out| ws.begin_binary(b"a", out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| ws.continue_binary(b"b", out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| ws.send_ping(b"p", out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| ws.finish_binary(b"c", out).unwrap(), 1);
    check(&mut ws, &mut |ws, out| ws.send_pong(b"", out).unwrap(), 1);
    let mut receive = |ws: &mut Connection, out: &mut Vec<u8>| while ws.receive(&mut input, out).unwrap().is_some() {};
    check(&mut ws, &mut receive, 0);
    input.extend_from_slice(b"\x89\x01p\x89\x00\x81\x01t\x8a\x00");
    let mut receive = |ws: &mut Connection, out: &mut Vec<u8>| while ws.receive(&mut input, out).unwrap().is_some() {};
    check(&mut ws, &mut receive, 2);
    check(&mut ws, &mut |ws, out| ws.close(CloseCode::NORMAL, "", out).unwrap(), 1);
    input.extend_from_slice(b"\x89\x00\x88\x00");
    let mut receive = |ws: &mut Connection, out: &mut Vec<u8>| while ws.receive(&mut input, out).unwrap().is_some() {};
    check(&mut ws, &mut receive, 1);
    assert!(!ws.wants_read());
    // the Close that answers, and the one that says why
    for (come, is_fault) in [(&b"\x88\x00"[..], false), (b"\x83\x00", true)] {
        let (mut ws, drawn) = counting_client();
        let (mut input, mut out) = (ReadBuffer::default(), Vec::new());
        input.extend_from_slice(come);
        assert_eq!(ws.receive(&mut input, &mut out).is_err(), is_fault);
        assert_eq!((drawn.load(Ordering::Relaxed), frames_in(&out).len()), (1, 1));
    }
    // nothing is drawn for what is refused
    let (mut ws, drawn) = counting_client();
    ws.send_ping(&[0; 126], &mut out).unwrap_err();
    ws.finish_text("", &mut out).unwrap_err();
    assert_eq!(drawn.load(Ordering::Relaxed), 0);
}

#[test]
fn s5_3_2_keys_of_the_default_source_do_not_repeat_nor_follow_from_another() {
    // 6455-5.3-2, 6455-10.3-1
    let mut ws = Connection::client(&Config::default());
    let mut out = Vec::new();
    for _ in 0..10_000 {
        ws.send_binary(b"", &mut out).unwrap();
    }
    let keys: Vec<u32> = out.chunks(6).map(|frame| u32::from_be_bytes(frame[2..].try_into().unwrap())).collect();
    let different = |numbers: &mut dyn Iterator<Item = u32>| numbers.collect::<HashSet<_>>().len();
    // of 10,000 draws from 2^32, 0.01 pairs are equal; ten would be a broken source
    assert!(different(&mut keys.iter().copied()) > 9_990);
    let pairs = || keys.iter().zip(&keys[1..]);
    assert!(different(&mut pairs().map(|(a, b)| b.wrapping_sub(*a))) > 9_980, "it counts");
    assert!(different(&mut pairs().map(|(a, b)| a ^ b)) > 9_980, "it shifts");
    for bit in 0..32 {
        let set = keys.iter().filter(|key| *key >> bit & 1 == 1).count();
        assert!((4_650..=5_350).contains(&set), "bit {bit} is set {set} times of 10,000: seven sigma");
    }
    // nor do two connections of one thread share them
    let first_key = || {
        let mut out = Vec::new();
        Connection::client(&Config::default()).send_binary(b"", &mut out).unwrap();
        out
    };
    assert_ne!((first_key(), first_key()), (first_key(), first_key()));
}

#[test]
fn s10_3_who_supplies_the_data_cannot_choose_the_octets_on_the_wire() {
    // 6455-10.3-1, 6455-10.3-3
    // a page that wants a request on the wire masks it with the key that it expects: the last one, or that and one more
    const WANTED: [u8; 8] = *b"GET / HT";
    let mut ws = Connection::client(&Config::default());
    let mut last = [0; 4];
    for _ in 0..500 {
        for guess in [last, u32::from_be_bytes(last).wrapping_add(1).to_be_bytes(), u32::to_be_bytes(0)] {
            let mut data = WANTED;
            Mask::new(guess).apply(&mut data);
            let mut out = Vec::new();
            ws.send_binary(&data, &mut out).unwrap();
            assert_ne!(out[6..], WANTED);
            last = out[2..6].try_into().unwrap();
        }
    }
}

#[test]
fn s5_3_3_the_key_begins_anew_with_each_frame() {
    // 6455-5.3-3, 6455-6.2-1
    for len in 0..=9 {
        let frames: Vec<Vec<u8>> = (1..=4).map(|n| vec![n; len]).collect();
        let octets =
            frames_to(Role::Server, &[(0x02, &frames[0]), (0x00, &frames[1]), (0x89, &frames[2]), (0x80, &frames[3])]);
        let transcript = run(Role::Server, &octets);
        let whole = [&frames[0][..], &frames[1], &frames[3]].concat();
        assert_eq!(transcript.messages, [common::ping(&frames[2]), binary(&whole)]);
        assert_eq!(transcript.output, frame_from(Role::Server, 0x8A, &frames[2]));
    }
    let octets = hex("81 85 37 fa 21 3d 7f 9f 4d 51 58  82 81 37 fa 21 3d 35");
    assert_eq!(run(Role::Server, &octets).messages, [text("Hello"), binary(b"\x02")]);
}

#[test]
fn s5_3_4_a_mask_keeps_the_length() {
    // 6455-5.3-4
    for len in (0..=130).chain([65535, 65536]) {
        let mut out = Vec::new();
        common::connection(Role::Client, &Config::default()).send_binary(&vec![7; len], &mut out).unwrap();
        let (header, size) = FrameHeader::decode(&out).unwrap().unwrap();
        assert_eq!((header.payload_len, out.len() - size), (len as u64, len));
    }
    // the compressed "Hello" of RFC 7692 §7.2.3.1: what is masked is what was compressed
    let mut frame = hex("c1 87 37 fa 21 3d c5 b2 ec f4 fe fd 21");
    let (header, size) = FrameHeader::decode(&frame).unwrap().unwrap();
    Mask::new(header.mask.unwrap()).apply(&mut frame[size..]);
    assert_eq!((header.reserved, &frame[size..]), (0x40, &hex("f2 48 cd c9 c9 07 00")[..]));
}

#[test]
fn s5_3_5_a_key_of_zeros_is_a_mask() {
    // 6455-5.3-5, 28-10
    assert_eq!(run(Role::Server, &hex("81 85 00 00 00 00 48 65 6c 6c 6f")).messages, [text("Hello")]);
    assert_eq!(run(Role::Server, &hex("81 80 00 00 00 00")).messages, [text("")]);
    let fragments = hex("01 83 00 00 00 00 48 65 6c  89 81 00 00 00 00 70  80 82 00 00 00 00 6c 6f");
    assert_eq!(run(Role::Server, &fragments).messages, [common::ping(b"p"), text("Hello")]);
    let transcript = run(Role::Server, &hex("81 82 00 00 00 00 c3 28"));
    assert_failed(&transcript, Role::Server, ProtocolError::InvalidUtf8);
    for key in ["ff ff ff ff", "00 00 00 01", "80 00 00 00"] {
        let mut data = *b"Hello";
        Mask::new(hex(key).try_into().unwrap()).apply(&mut data);
        assert_eq!(run(Role::Server, &[hex("81 85"), hex(key), data.to_vec()].concat()).messages, [text("Hello")]);
    }
    // ours, by chance
    let mut ws = Connection::client_with_random(&Config::default(), Random::from_fn(|octets| octets.fill(0)));
    let mut out = Vec::new();
    ws.send_text("Hello", &mut out).unwrap();
    assert_eq!(out, hex("81 85 00 00 00 00 48 65 6c 6c 6f"));
}
