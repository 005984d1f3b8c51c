//! Masks: missing, where none may be, left over from another frame, and foreseen.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use websocket_proto::wire::FrameHeader;
use websocket_proto::{CloseCode, Config, Connection, ProtocolError as E, Random, Role};

use crate::common::{
    KEY, ROLES, assert_failed, assert_failed_after, binary, frame_to, frames_in, ping, pong, run, text,
};

/// A frame as the wrong side would send it.
fn wrong(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    crate::common::frame_from(role, first, payload)
}

#[test]
fn a_frame_masked_as_the_other_side_masks_is_refused_first_or_later() {
    for role in ROLES {
        let error = if role == Role::Server { E::FrameNotMasked } else { E::FrameMasked };
        for (first, payload) in [
            (0x81, &b"text"[..]),
            (0x82, b"binary"),
            (0x82, b""),
            (0x89, b"p"),
            (0x8A, b""),
            (0x88, b"\x03\xe8"),
            (0x01, b"a"),
        ] {
            assert_failed(&run(role, &wrong(role, first, payload)), role, error);
            // the first frame was right
            let octets = [frame_to(role, 0x81, b"right"), wrong(role, first, payload)].concat();
            assert_failed_after(&run(role, &octets), role, error, &[text("right")], &[]);
        }
        // a fragment is a frame
        let octets = [frame_to(role, 0x01, b"right"), wrong(role, 0x80, b"wrong")].concat();
        assert_failed(&run(role, &octets), role, error);
        let octets = [frame_to(role, 0x01, b"right"), wrong(role, 0x8A, b"wrong")].concat();
        assert_failed(&run(role, &octets), role, error);
    }
}

#[test]
fn each_frame_is_unmasked_with_its_own_key_from_its_beginning() {
    // lengths that are no multiple of four, so that a key that goes on where it was would show
    let keys = [[1, 2, 3, 4], [0, 0, 0, 0], [0xFF, 0, 0xFF, 0], [0xA5, 0x5A, 0xC3, 0x3C]];
    let mut octets = Vec::new();
    let mut put = |first: u8, key: [u8; 4], payload: &[u8]| {
        octets.extend_from_slice(&[first, 0x80 + u8::try_from(payload.len()).unwrap()]);
        octets.extend_from_slice(&key);
        octets.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
    };
    put(0x81, keys[0], b"abcde");
    put(0x02, keys[1], b"f");
    put(0x89, keys[2], b"ping");
    put(0x00, keys[3], b"gh");
    put(0x8A, keys[0], b"pong.");
    put(0x80, keys[2], b"ijk");
    put(0x81, keys[1], b"zeros are a key");
    let transcript = run(Role::Server, &octets);
    assert_eq!(transcript.error, None);
    let expected = [text("abcde"), ping(b"ping"), pong(b"pong."), binary(b"fghijk"), text("zeros are a key")];
    assert_eq!(transcript.messages, expected);
}

#[test]
fn each_frame_draws_a_new_key_from_the_source_that_was_given() {
    // one key for a connection, or one that is counted on, lets a page choose what stands on the wire
    let drawn = Arc::new(AtomicU32::new(0));
    let counter = drawn.clone();
    let random = Random::from_fn(move |octets| {
        let n = counter.fetch_add(1, Ordering::Relaxed) + 1;
        octets.copy_from_slice(&n.to_be_bytes()[..octets.len()]);
    });
    let mut ws = Connection::client_with_random(&Config::default(), random);
    let mut output = Vec::new();
    ws.send_text("a", &mut output).unwrap();
    ws.begin_binary(b"b", &mut output).unwrap();
    ws.send_ping(b"c", &mut output).unwrap();
    ws.continue_binary(b"", &mut output).unwrap();
    ws.finish_binary(b"d", &mut output).unwrap();
    ws.send_pong(b"", &mut output).unwrap();
    ws.close(CloseCode::NORMAL, "", &mut output).unwrap();
    let keys: Vec<_> = frames_in(&output).iter().map(|(header, _)| u32::from_be_bytes(header.mask.unwrap())).collect();
    assert_eq!(keys, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(drawn.load(Ordering::Relaxed), 7, "and none in advance, of a source that is not ours");
}

#[test]
fn keys_do_not_repeat_and_do_not_follow_from_each_other() {
    // CVE-2025-10148 (curl: one key for all frames), generators seeded by time, and those that show their state
    let mut ws = Connection::client(&Config::default());
    let mut output = Vec::new();
    (0..4096).for_each(|_| ws.send_binary(b"", &mut output).unwrap());
    let keys: Vec<u32> =
        frames_in(&output).iter().map(|(header, _)| u32::from_be_bytes(header.mask.unwrap())).collect();
    // each of these has a chance of 1 in 10^9 or so to fail a source that is good
    let differences: HashSet<u32> = keys.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
    let changes: HashSet<u32> = keys.windows(2).map(|pair| pair[1] ^ pair[0]).collect();
    for distinct in [keys.iter().copied().collect::<HashSet<_>>(), differences, changes] {
        assert!(distinct.len() > 4080, "{}", distinct.len());
    }
    for bit in 0..32 {
        let ones = keys.iter().filter(|key| **key >> bit & 1 == 1).count();
        assert!((1848..=2248).contains(&ones), "bit {bit} is set in {ones} of 4096");
    }
    // what follows from the bits of seven keys before, by any exclusive-ors of them, follows as well (xorshift, LFSRs, a
    // key whose octets depend on each other): of the bits of eight keys in a row, and of a 1, none is such a sum
    let rows = keys.windows(8).map(|keys| {
        let mut row = vec![1_u64];
        row.extend(keys.chunks(2).map(|pair| u64::from(pair[0]) << 32 | u64::from(pair[1])));
        row
    });
    assert_eq!(rank(rows.collect()), 1 + 8 * 32);
    // two connections do not draw alike
    let mut other = Vec::new();
    let mut ws = Connection::client(&Config::default());
    (0..64).for_each(|_| ws.send_binary(b"", &mut other).unwrap());
    assert_ne!(other[..], output[..other.len()]);
}

/// How many of these rows of bits are sums of no others.
fn rank(mut rows: Vec<Vec<u64>>) -> usize {
    let mut rank = 0;
    while let Some(pivot) = rows.pop() {
        let Some(word) = pivot.iter().position(|word| *word != 0) else { continue };
        let bit = pivot[word].leading_zeros();
        for row in rows.iter_mut().filter(|row| row[word] << bit >> 63 == 1) {
            row.iter_mut().zip(&pivot).for_each(|(word, other)| *word ^= other);
        }
        rank += 1;
    }
    rank
}

#[test]
fn a_server_masks_nothing_and_a_client_all() {
    for role in ROLES {
        let mut ws = crate::common::connection(role, &Config::default());
        let mut output = Vec::new();
        ws.send_text("text", &mut output).unwrap();
        ws.begin_binary(b"", &mut output).unwrap();
        ws.finish_binary(b"end", &mut output).unwrap();
        ws.send_ping(b"", &mut output).unwrap();
        // and what it sends by itself
        let mut input = websocket_proto::ReadBuffer::default();
        input.extend_from_slice(&[frame_to(role, 0x89, b"p"), frame_to(role, 0x88, b"\x03\xe8")].concat());
        while ws.receive(&mut input, &mut output).unwrap().is_some() {}
        let frames = frames_in(&output);
        assert_eq!(frames.len(), 6);
        let is_right = |header: &FrameHeader| header.mask == (role == Role::Client).then_some(KEY);
        assert!(frames.iter().all(|(header, _)| is_right(header)));
    }
}
