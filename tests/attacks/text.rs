//! Text that is none: what crashes a reader, and what gets past one.

use websocket_proto::{Config, Delivery, Message, ProtocolError as E};

use crate::common::{ROLES, assert_failed, close, connection, frame_from, frame_to, frames_to, run, text};
use crate::victim::{DOORS, Victim};

/// Sequences that were taken, or that crashed somebody.
const SEQUENCES: [&[u8]; 24] = [
    b"\xc3a",                                // a lead octet, then ASCII (cowlib#158)
    b"\xe2\x82a",                            // the same, a step later
    b"\xf0\x9f\x98a",                        // and another
    b"\xc0\xaf",                             // a slash, too long
    b"\xe0\x80\xaf",                         // the same
    b"\xf0\x80\x80\xaf",                     // the same
    b"\xc1\xbf",                             // 7F, too long
    b"\xed\xa0\x80",                         // a surrogate
    b"\xed\xaf\xbf\xed\xbf\xbf",             // a pair of them
    b"\xf4\x90\x80\x80",                     // beyond U+10FFFF
    b"\xf5\x80\x80\x80",                     // far beyond
    b"\xf8\x88\x80\x80\x80",                 // five octets
    b"\xfc\x84\x80\x80\x80\x80",             // six
    b"\xfe",                                 // no lead at all
    b"\xff",                                 // nor this
    b"\x80",                                 // a rest without a lead
    b"\xbf\xbf",                             // two
    b"\xc3\xa9\xa9",                         // one too many
    b"\xf0\x9f\x98\x80\xff",                 // behind what is right
    b"\xef\xbf\xbe",                         // U+FFFE, which is right
    b"\xf4\x8f\xbf\xbf",                     // U+10FFFF, which is right
    b"\xed\x9f\xbf",                         // U+D7FF, which is right
    b"\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80", // the least of each length
    b"\x00",                                 // NUL is a character
];

#[test]
fn text_that_is_none_is_refused_wherever_it_is_cut_by_frames_and_reads() {
    for role in ROLES {
        for sequence in SEQUENCES {
            let expected = std::str::from_utf8(sequence);
            for cut in 0..=sequence.len() {
                let (begin, end) = sequence.split_at(cut);
                // behind ASCII, which a fast path takes; with a Pong where a character is cut
                let begin = [&[b'a'; 17][..], begin].concat();
                let octets = frames_to(role, &[(0x01, &begin), (0x8A, b""), (0x00, end), (0x80, b"")]);
                let transcript = run(role, &octets);
                if let Ok(expected) = expected {
                    let whole = format!("{}{expected}", "a".repeat(17));
                    assert_eq!((&transcript.messages[1..], transcript.error), (&[text(&whole)][..], None));
                } else {
                    assert_eq!(transcript.error, Some(E::InvalidUtf8), "{sequence:02x?}");
                    assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xef"));
                    assert!(!transcript.messages.iter().any(|message| matches!(message, Message::Text(_))));
                }
            }
        }
    }
}

#[test]
fn no_two_octets_get_past_or_crash() {
    // all 65,536, in a message and in the reason of a Close, against the standard library
    for first in 0..=0xFF_u8 {
        for second in 0..=0xFF {
            // roles and doors in turn
            let turn = usize::from(first ^ (second >> 1));
            let (role, door) = (ROLES[turn % 2], DOORS[turn / 2 % 2]);
            let octets = [first, second];
            let expected = std::str::from_utf8(&octets);
            let mut victim = Victim::new(role, &Config::default(), door);
            victim.takes(&frame_to(role, 0x81, &octets));
            assert_eq!(victim.error, expected.err().map(|_| E::InvalidUtf8), "{octets:02x?}");
            assert_eq!(victim.events, usize::from(expected.is_ok()));
            let mut victim = Victim::new(role, &Config::default(), door);
            victim.takes(&frame_to(role, 0x88, &[0x03, 0xE8, first, second]));
            assert_eq!(victim.error, expected.err().map(|_| E::InvalidCloseReason), "{octets:02x?}");
        }
    }
}

#[test]
fn the_reason_of_a_close_is_text_too() {
    for role in ROLES {
        for sequence in SEQUENCES {
            let body = [b"\x03\xe8because ", sequence].concat();
            let transcript = run(role, &frame_to(role, 0x88, &body));
            match std::str::from_utf8(&body[2..]) {
                Ok(reason) => assert_eq!(transcript.messages, [close(1000, reason)]),
                Err(_) => assert_failed(&transcript, role, E::InvalidCloseReason),
            }
        }
    }
}

#[test]
fn what_is_invalid_fails_at_once_and_not_when_the_message_ends() {
    // the peer would otherwise have all of a message held, that is lost already; and the whole of a text checked again
    // with each fragment
    for role in ROLES {
        for door in DOORS {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                let mut config = Config::default();
                config.delivery = delivery;
                let mut victim = Victim::new(role, &config, door);
                let frame = frame_to(role, 0x01, &[&b"good \xff"[..], &vec![b'a'; 50_000]].concat());
                let header = frame.len() - 50_006;
                for (n, octet) in frame.iter().enumerate() {
                    if !victim.takes(&[*octet]) {
                        assert_eq!(n, header + 5, "the octet that makes it certain");
                        break;
                    }
                }
                assert_eq!(victim.error, Some(E::InvalidUtf8));
            }
        }
    }
}

#[test]
fn text_that_is_sent_is_text_by_its_type() {
    // `send_text` takes a `str`; what is cut anywhere else than between characters cannot be handed to it
    for role in ROLES {
        let mut ws = connection(role, &Config::default());
        let mut output = Vec::new();
        ws.begin_text("\u{20ac}", &mut output).unwrap();
        ws.finish_text("\u{1f600}", &mut output).unwrap();
        let frames = crate::common::frames_in(&output);
        assert!(frames.iter().all(|(_, payload)| std::str::from_utf8(payload).is_ok()));
    }
}
