//! permessage-deflate, attacked: bombs, blocks at the edge of the format, and what the length of a message tells.
#![cfg(feature = "deflate")]

use websocket_proto::deflate::{Compression, DeflateConfig};
use websocket_proto::{Config, Connection, Delivery, Message, ProtocolError as E, Role};

use crate::common::deflate::{compressed, config, in_each_memory, noise, takeover};
use crate::common::puff::Puff;
use crate::common::{
    ROLES, assert_failed, assert_failed_after, binary, connection, frame_to, frames_in, frames_to, hex, run_with, text,
};
use crate::counting::measure;
use crate::victim::{DOORS, Door, Victim};

/// What a decompressor takes, with the window that is kept beside it, and what is read at once.
const FIXED: usize = 48 * 1024 + 32 * 1024 + 8 * 1024;

/// A configuration with a limit on messages.
fn limited(deflate: &DeflateConfig, message: u64, delivery: Delivery) -> Config {
    let mut config = config(deflate.clone());
    (config.limits.message, config.delivery) = (message, delivery);
    config
}

/// Zeros, compressed as well as they can be: 1000 to 1.
fn bomb(len: usize) -> Vec<u8> {
    let mut best = takeover(false);
    best.level = 9;
    let payload = crate::common::deflate::compressed_with(&best, &vec![0; len]);
    assert!(payload.len() < len / 900);
    payload
}

#[test]
fn a_bomb_stops_at_the_limit() {
    // CVE-2018-1000518 (websockets for Python), undici, Autobahn, NATS: 16 KiB that become 16 MiB, and so on
    const LIMIT: usize = 1 << 20;
    let payload = bomb(10 * LIMIT);
    let mut in_fragments = frame_to(Role::Server, 0x42, b"");
    payload.chunks(100).for_each(|piece| in_fragments.extend(frame_to(Role::Server, 0x00, piece)));
    for (role, frames) in [
        (Role::Server, frame_to(Role::Server, 0xC2, &payload)),
        (Role::Server, frame_to(Role::Server, 0xC1, &payload)), // NUL is text
        (Role::Server, in_fragments),
        (Role::Client, frame_to(Role::Client, 0xC2, &payload)),
    ] {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            for deflate in in_each_memory(&takeover(true)) {
                for (door, step) in [(Door::Borrowed, frames.len()), (Door::Owned, 1000)] {
                    let mut victim = Victim::new(role, &limited(&deflate, LIMIT as u64, delivery), door);
                    victim.output.reserve(64);
                    let ((), _, peak) = measure(|| {
                        for octets in frames.chunks(step) {
                            victim.takes(octets);
                        }
                    });
                    assert_eq!(victim.error, Some(E::MessageTooBig));
                    assert!(victim.delivered <= LIMIT && victim.output.len() <= 8, "{}", victim.delivered);
                    let (held, is_whole) = (FIXED + 2 * frames.len(), delivery == Delivery::Whole);
                    assert_eq!(victim.delivered, if is_whole { 0 } else { LIMIT }, "exact to the octet");
                    // what is owned is a chunk more
                    let most = held + if is_whole { LIMIT } else { 2 * 16 * 1024 };
                    assert!(peak <= most, "{peak} octets, {delivery:?}");
                }
            }
        }
    }
}

#[test]
fn the_limit_on_what_is_inflated_is_exact_whatever_is_inflated() {
    for plain in [vec![0; 5000], noise(5000, 1), [noise(2500, 2), vec![1; 2500]].concat()] {
        let payload = compressed(&plain);
        for role in ROLES {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                for (limit, is_within) in [(4999, false), (5000, true), (5001, true)] {
                    for door in DOORS {
                        let mut victim = Victim::new(role, &limited(&takeover(true), limit, delivery), door);
                        victim.takes_dribbled(&frame_to(role, 0xC2, &payload));
                        assert_eq!(victim.error, (!is_within).then_some(E::MessageTooBig), "{limit}");
                        assert!(victim.delivered as u64 <= limit);
                    }
                }
            }
        }
    }
}

#[test]
fn a_bomb_before_a_login_costs_what_a_stranger_may_cost() {
    for role in ROLES {
        let mut victim = Victim::new(role, &limited(&takeover(true), 1000, Delivery::Whole), Door::Borrowed);
        victim.output.reserve(64);
        let frame = frame_to(role, 0xC2, &bomb(5 << 20));
        let (_, _, peak) = measure(|| victim.takes(&frame[..2000]));
        assert!(victim.error == Some(E::MessageTooBig) && peak <= FIXED + 1000 + 2 * 2000, "{peak}");
        // who is known may send more
        let mut victim = Victim::new(role, &limited(&takeover(true), 1000, Delivery::Whole), Door::Borrowed);
        let mut limits = victim.ws.limits();
        limits.message = 5 << 20;
        victim.ws.set_limits(limits);
        victim.takes(&frame);
        assert_eq!((victim.error, victim.delivered), (None, 5 << 20));
    }
}

#[test]
fn the_ratio_of_a_bomb_can_be_limited() {
    for role in ROLES {
        let mut config = config(takeover(true));
        config.limits.inflate_ratio = Some(100);
        let frame = frame_to(role, 0xC2, &bomb(1 << 20));
        let mut victim = Victim::new(role, &config, Door::Borrowed);
        let (_, _, peak) = measure(|| victim.takes(&frame));
        assert_eq!(victim.error, Some(E::InflatesTooMuch));
        assert!(peak <= FIXED + 100 * frame.len() + 2 * frame.len(), "{peak}");
    }
}

#[test]
fn the_header_of_a_compressed_message_allocates_nothing_of_what_it_announces() {
    for role in ROLES {
        for door in DOORS {
            let mask = if role == Role::Server { 0x80 } else { 0 };
            let mut header = vec![0xC2, mask + 127];
            header.extend_from_slice(&(16_u64 << 20).to_be_bytes());
            header.extend_from_slice(&crate::common::KEY[..if role == Role::Server { 4 } else { 0 }]);
            let mut victim = Victim::new(role, &config(takeover(true)), door);
            victim.input.spare(64);
            let (goes_on, _, peak) = measure(|| victim.takes_dribbled(&header));
            assert!(goes_on && peak <= FIXED, "{peak}");
        }
    }
}

#[test]
fn limits_that_are_as_high_as_can_be_do_not_wrap() {
    for role in ROLES {
        let mut config = config(takeover(true));
        config.limits.message = u64::MAX;
        config.limits.frame = u64::MAX;
        config.limits.inflate_ratio = Some(u32::MAX);
        let transcript = run_with(role, &config, &frame_to(role, 0xC1, &hex("f2 48 cd c9 c9 07 00")));
        assert_eq!(transcript.messages, [text("Hello")]);
    }
}

#[test]
fn who_inflates_to_nothing_does_not_go_on_for_ever() {
    // blocks that say nothing: each is work, and none makes the message longer
    for role in ROLES {
        for (block, error) in [
            (&[0x00, 0x00, 0x00, 0xff, 0xff][..], E::MessageTooBig), // stored, empty
            (&[0x03, 0x00], E::TooManyFragments),                    // fixed codes, empty, final
        ] {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                let mut victim = Victim::new(role, &limited(&takeover(true), 1000, delivery), Door::Borrowed);
                victim.takes(&frame_to(role, 0x42, block));
                let frame = frame_to(role, 0x00, &block.repeat(100));
                let taken = (0..10_000).filter(|_| victim.takes(&frame)).count();
                assert_eq!((victim.error, victim.delivered), (Some(error), 0), "{block:02x?}");
                assert!(taken * 100 * block.len() <= 2 * 1000 + 64 * 1024, "{taken} frames");
            }
        }
    }
}

/// Payloads of compressed messages at the edge of the format, with what they say; `None`: nothing that is right.
const EDGES: [(&str, Option<&str>); 22] = [
    ("f2 48 cd c9 c9 07 00", Some("Hello")),
    ("f3 48 cd c9 c9 07 00 00", Some("Hello")), // BFINAL, as RFC 7692 has it
    ("f3 48 cd c9 c9 07 00", Some("Hello")),    // without the octet behind it
    ("f3 48 05 00 cb c9 c9 07 00 00", Some("Hello")), // BFINAL twice
    ("f3 48 cd c9 c9 07 00 f2 00 11 00 00", Some("HelloHello")), // what is behind refers to what is before
    ("f2 48 05 00 00 00 ff ff ca c9 c9 07 00", Some("Hello")), // a flush in the middle
    ("00 05 00 fa ff 48 65 6c 6c 6f 00", Some("Hello")), // stored
    ("01 05 00 fa ff 48 65 6c 6c 6f 00", Some("Hello")), // stored, final
    ("00", Some("")),
    ("02 00", Some("")),
    ("03 00", Some("")),
    ("03 80", Some("")), // yawc#40: an empty final block, and it spun for ever
    ("", None),
    ("06", None), // a reserved kind of block
    ("07", None),
    ("ff ff", None),
    ("f2 48 cd", None),                         // cut
    ("f2 48 cd c9 c9 07 00 00 00 ff ff", None), // with the end that is not sent
    ("00 05 00 fa fe 48 65 6c 6c 6f 00", None), // a length and its complement that do not fit
    ("f2 00 11 00 00", None),                   // refers to what never was
    ("05 c0 01 00 00 00 00 00", None),          // codes that are none
    ("00 05 00 fa ff 48 65", None),             // stored, cut
];

#[test]
fn blocks_at_the_edge_are_read_as_a_plain_reader_reads_them() {
    // boostorg/beast#923 and #3028, cowlib, CivetWeb: final blocks, empty ones, what is cut
    for role in ROLES {
        for has_takeover in [true, false] {
            // each way to hold memory once with each role
            let way = usize::from(has_takeover == (role == Role::Server));
            for deflate in in_each_memory(&takeover(has_takeover)).into_iter().skip(way).take(1) {
                let config = config(deflate);
                for (payload, says) in EDGES {
                    let payload = hex(payload);
                    // whole, octet by octet, in every cut: and so every way that zlib is asked for what it has
                    let transcript = run_with(role, &config, &frame_to(role, 0xC1, &payload));
                    match says {
                        Some(says) => assert_eq!((transcript.messages, transcript.error), (vec![text(says)], None)),
                        None => assert_failed(&transcript, role, E::InvalidDeflate),
                    }
                    if !payload.is_empty() {
                        let read = Puff::default().message(&payload, has_takeover).ok();
                        assert_eq!(read.as_deref(), says.map(str::as_bytes), "{payload:02x?}");
                    }
                    for door in DOORS {
                        let mut victim = Victim::new(role, &config, door);
                        victim.takes_dribbled(&frame_to(role, 0xC1, &payload));
                        assert!(victim.calls <= payload.len() + 20, "{} calls", victim.calls);
                    }
                }
            }
        }
    }
}

#[test]
fn control_frames_and_empty_fragments_between_compressed_fragments_disturb_nothing() {
    let hello = hex("f2 48 cd c9 c9 07 00");
    for role in ROLES {
        for cut in 0..=hello.len() {
            let (begin, end) = hello.split_at(cut);
            let frames: [(u8, &[u8]); 6] =
                [(0x41, begin), (0x89, b"\xf2\x48"), (0x00, b""), (0x8A, &[0; 9]), (0x00, end), (0x80, b"")];
            let transcript = run_with(role, &config(takeover(true)), &frames_to(role, &frames));
            assert_eq!((transcript.messages.last(), transcript.error), (Some(&text("Hello")), None), "{cut}");
        }
        // a new message amid one, compressed or not, is refused all the same
        for first in [0x41, 0xC1, 0x81, 0x02] {
            let frames = frames_to(role, &[(0x41, b"\xf2\x48"), (first, &hello)]);
            let transcript = run_with(role, &config(takeover(true)), &frames);
            assert_failed(&transcript, role, E::MessageInterleaved);
        }
    }
}

#[test]
fn a_message_that_is_not_marked_is_not_inflated_nor_the_reverse() {
    let hello = hex("f2 48 cd c9 c9 07 00");
    for role in ROLES {
        // what would inflate, unmarked, is what it is
        let transcript = run_with(role, &config(takeover(true)), &frame_to(role, 0x82, &hello));
        assert_eq!((transcript.messages, transcript.error), (vec![binary(&hello)], None));
        let frames = frames_to(role, &[(0xC2, &hello), (0x82, &hello), (0xC2, &hex("f2 00 11 00 00"))]);
        let transcript = run_with(role, &config(takeover(true)), &frames);
        assert_eq!(transcript.messages, [binary(b"Hello"), binary(&hello), binary(b"Hello")]);
        // marked where nothing was agreed, it is refused
        let transcript = run_with(role, &Config::default(), &frame_to(role, 0xC2, &hello));
        assert_failed(&transcript, role, E::ReservedBits);
    }
}

#[test]
fn what_is_inflated_has_to_be_text_too() {
    for role in ROLES {
        for bad in [&b"\xff"[..], b"caf\xc3", b"\xed\xa0\x80"] {
            let frames = frames_to(role, &[(0x81, b"a"), (0xC1, &compressed(bad))]);
            let transcript = run_with(role, &config(takeover(true)), &frames);
            assert_failed_after(&transcript, role, E::InvalidUtf8, &[text("a")], &[]);
        }
    }
}

/// How many octets a text takes that follows a secret, with the secret sent so.
fn told_by(role: Role, deflate: &DeflateConfig, compression: Compression, resets: bool, guess: &str) -> usize {
    let (mut ws, mut output) = (connection(role, &config(deflate.clone())), Vec::new());
    ws.send_text("a line that both ends say often, and that is in the window", &mut output).unwrap();
    ws.compressing(compression).send_text("session=7f3a9c51e2d84b60", &mut output).unwrap();
    if resets {
        ws.reset_compression().unwrap();
    }
    output.clear();
    ws.compressing(Compression::Always).send_text(guess, &mut output).unwrap();
    output.len()
}

#[test]
fn the_length_of_a_guess_does_not_tell_a_secret_that_was_sent_plain_or_before_a_reset() {
    // RFC 7692 section 8; CRIME and BREACH: who has a text of his own sent in the same window, and sees its length
    let (right, wrong) = ("session=7f3a9c51e2d84b60", "session=b04d8f26c7a1953e");
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)) {
            let told =
                |compression, resets| [right, wrong].map(|guess| told_by(role, &deflate, compression, resets, guess));
            let [with_right, with_wrong] = told(Compression::Always, false);
            assert!(with_right < with_wrong, "the attack works, on who does nothing against it");
            for (compression, resets) in
                [(Compression::Never, false), (Compression::Always, true), (Compression::Never, true)]
            {
                let [with_right, with_wrong] = told(compression, resets);
                assert_eq!(with_right, with_wrong, "{compression:?}, reset: {resets}");
            }
        }
        // nor where no window outlives its message
        let [with_right, with_wrong] =
            [right, wrong].map(|guess| told_by(role, &takeover(false), Compression::Always, false, guess));
        assert_eq!(with_right, with_wrong);
    }
}

#[test]
fn what_is_never_compressed_goes_out_as_it_is() {
    for role in ROLES {
        let (mut ws, mut output) = (connection(role, &config(takeover(true))), Vec::new());
        let secret = "s".repeat(1000);
        ws.compressing(Compression::Never).send_text(&secret, &mut output).unwrap();
        let (header, payload) = frames_in(&output).remove(0);
        assert_eq!((header.reserved, &payload[..]), (0, secret.as_bytes()));
        let mut halves = ws.split();
        output.clear();
        halves.1.compressing(Compression::Never).send_binary(secret.as_bytes(), &mut output).unwrap();
        assert_eq!(frames_in(&output).remove(0).1, secret.as_bytes());
    }
}

#[test]
fn a_state_that_is_lent_shows_nothing_of_who_had_it_before() {
    // a pool serves many: what one has sent must not be in the window of the next
    for deflate in in_each_memory(&takeover(false)) {
        let config = config(deflate);
        let secret = noise(3000, 77);
        let mut one = Victim::new(Role::Server, &config, Door::Borrowed);
        one.takes(&frame_to(Role::Server, 0xC2, &compressed(&secret)));
        assert_eq!(one.delivered, 3000);
        // the other refers to what it never sent
        let mut other = Victim::new(Role::Server, &config, Door::Borrowed);
        other.takes(&frame_to(Role::Server, 0xC2, &hex("f2 00 11 00 00")));
        assert_eq!((other.error, other.events), (Some(E::InvalidDeflate), 0));
    }
}

#[test]
fn what_was_inflated_before_a_limit_is_not_delivered_whole() {
    // of a message that is refused, nothing is: but in chunks, what came before
    let mut ws = Connection::server(&Config::default());
    assert!(ws.deflate().is_none() && ws.reset_compression().is_ok(), "nothing was agreed");
    for role in ROLES {
        let mut victim = Victim::new(role, &limited(&takeover(true), 100, Delivery::Whole), Door::Owned);
        let good = frame_to(role, 0xC2, &compressed(&[7; 100]));
        let bad = frame_to(role, 0xC2, &compressed(&[7; 101]));
        victim.input.extend_from_slice(&[good, bad].concat());
        let first = victim.ws.receive_message(&mut victim.input, &mut victim.output);
        assert_eq!(first, Ok(Some(Message::Binary(vec![7; 100].into()))));
        assert_eq!(victim.ws.receive_message(&mut victim.input, &mut victim.output), Err(E::MessageTooBig));
    }
}
