//! The closing handshake, abused: codes that must not be, a second Close, data behind it, none at all; and reasons that
//! say more than they should.

use std::time::Duration;

use websocket_proto::{
    CloseCode, Config, Keepalive, ProtocolError as E, ReadBuffer, SendError, State, TimedOut, Timeouts,
};

use crate::common::{ROLES, assert_failed, close, connection, frame_from, frame_to, frames_in, frames_to, run, text};
use crate::victim::{DOORS, Victim};

/// RFC 6455 §7.4 and the registry, as they are read here.
fn is_allowed(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[test]
fn all_close_codes_in_and_out() {
    for role in ROLES {
        for code in 0..=u16::MAX {
            let mut victim = Victim::new(role, &Config::default(), DOORS[usize::from(code % 2)]);
            let body = code.to_be_bytes();
            assert!(!victim.takes(&frame_to(role, 0x88, &body)));
            let (error, answer) = match is_allowed(code) {
                true => (None, body),
                false => (Some(E::InvalidCloseCode(CloseCode(code))), 1002_u16.to_be_bytes()),
            };
            assert_eq!(victim.error, error, "{code}");
            assert_eq!(victim.output, frame_from(role, 0x88, &answer), "{code}");

            let (mut ws, mut output) = (connection(role, &Config::default()), Vec::new());
            let sent = ws.close(CloseCode(code), "", &mut output);
            // 1010 is a client's to say
            let may = is_allowed(code) && (code != 1010 || role == websocket_proto::Role::Client);
            let expected = if may { frame_from(role, 0x88, &body) } else { vec![] };
            assert_eq!((sent.is_ok(), output), (may, expected), "{code}");
        }
    }
}

#[test]
fn a_close_of_one_octet_is_refused() {
    for role in ROLES {
        for octet in [0x00, 0x03, 0xFF] {
            assert_failed(&run(role, &frame_to(role, 0x88, &[octet])), role, E::CloseBodyTooShort);
        }
        // an empty one is none of that (wtx#419, tokio-websockets#55), and is answered with as little
        let transcript = run(role, &frame_to(role, 0x88, b""));
        assert_eq!((transcript.error, transcript.output), (None, frame_from(role, 0x88, b"")));
    }
}

#[test]
fn nothing_behind_a_close_is_looked_at() {
    // CVE-2024-23672 (Tomcat): an endpoint that goes on after a Close can be kept open for ever
    for role in ROLES {
        let behind = [
            frames_to(role, &[(0x81, b"text"), (0x89, b"ping"), (0x88, b"\x03\xe9again")]),
            vec![0xFF; 100], // no frame
            frame_to(role, 0x82, &[0; 300]),
        ];
        for behind in behind {
            let octets = [frame_to(role, 0x88, b"\x03\xe8bye"), behind.clone()].concat();
            let transcript = run(role, &octets);
            assert_eq!((transcript.messages, transcript.error), (vec![close(1000, "bye")], None));
            assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xe8"), "one Close, and no Pong");
            assert!(transcript.outcome.unwrap().clean);
            // however much comes of it, and however often
            for door in DOORS {
                let mut victim = Victim::new(role, &Config::default(), door);
                victim.takes(&octets);
                for _ in 0..300 {
                    assert!(!victim.takes(&behind) && victim.input.is_empty());
                }
                assert_eq!((victim.events, victim.output.len()), (1, transcript.output.len()));
                assert!(victim.most <= 2 * octets.len());
            }
        }
    }
}

#[test]
fn a_second_close_is_not_sent() {
    for role in ROLES {
        let (mut ws, mut input, mut output) = (connection(role, &Config::default()), ReadBuffer::default(), Vec::new());
        ws.close(CloseCode::GOING_AWAY, "", &mut output).unwrap();
        for _ in 0..3 {
            assert_eq!(ws.close(CloseCode::NORMAL, "", &mut output), Err(SendError::Closed));
            assert_eq!(ws.close_without_code(&mut output), Err(SendError::Closed));
        }
        // nor for the peer's, nor for what it breaks then
        input.extend_from_slice(&frame_to(role, 0x89, b""));
        input.extend_from_slice(&[0xFF; 10]);
        assert!(ws.receive(&mut input, &mut output).is_ok() && ws.receive(&mut input, &mut output).is_err());
        let closes = frames_in(&output)
            .iter()
            .filter(|(header, _)| header.opcode == websocket_proto::wire::OpCode::Close)
            .count();
        assert_eq!((closes, ws.state()), (1, State::Closed));
    }
}

#[test]
fn messages_behind_our_own_close_keep_to_the_limits() {
    for role in ROLES {
        let mut config = Config::default();
        (config.limits.message, config.limits.fragments) = (100, 10);
        for (frames, error) in [
            (frame_to(role, 0x82, &[0; 101]), E::MessageTooBig),
            ([frame_to(role, 0x02, b""), frame_to(role, 0x00, b"").repeat(10)].concat(), E::TooManyFragments),
        ] {
            for door in DOORS {
                let mut victim = Victim::new(role, &config, door);
                victim.ws.close(CloseCode::NORMAL, "", &mut victim.output).unwrap();
                let sent = victim.output.len();
                assert!(victim.takes(&frame_to(role, 0x82, &[0; 100])), "within them, it comes");
                assert!(!victim.takes(&frames));
                assert_eq!((victim.error, victim.output.len(), victim.delivered), (Some(error), sent, 100));
            }
        }
    }
}

#[test]
fn a_peer_that_never_answers_a_close_meets_a_deadline() {
    // uWebSockets, denoland/deno#24301, tungstenite-rs#506: a Close, and then nothing; or messages, for ever
    let at = Duration::from_secs;
    for role in ROLES {
        for goes_on in [false, true] {
            let mut victim = Victim::new(role, &Config::default(), DOORS[0]);
            let mut keepalive = Keepalive::new(&Timeouts::default(), at(0));
            keepalive.opened(at(0));
            victim.ws.close(CloseCode::NORMAL, "", &mut victim.output).unwrap();
            let sent = victim.output.len();
            assert_eq!(keepalive.next_deadline(at(1), &victim.ws), Some(at(11)));
            for now in 1..11 {
                if goes_on {
                    assert!(victim.takes(&frame_to(role, 0x81, b"still here")));
                    keepalive.heard(at(now));
                    keepalive.active(at(now));
                }
                assert_eq!(keepalive.handle_timeout(at(now), &mut victim.ws, &mut victim.output), Ok(()));
            }
            let late = keepalive.handle_timeout(at(11), &mut victim.ws, &mut victim.output);
            assert_eq!((late, victim.output.len()), (Err(TimedOut::Close), sent));
        }
        // one that has answered, and does not end the stream
        let mut victim = Victim::new(role, &Config::default(), DOORS[0]);
        let mut keepalive = Keepalive::new(&Timeouts::default(), at(0));
        keepalive.opened(at(0));
        victim.takes(&frame_to(role, 0x88, b"\x03\xe8"));
        assert_eq!(keepalive.next_deadline(at(5), &victim.ws), Some(at(15)));
        assert_eq!(keepalive.handle_timeout(at(15), &mut victim.ws, &mut victim.output), Err(TimedOut::Close));
    }
}

#[test]
fn a_stream_that_ends_without_a_close_is_not_taken_for_one_that_was_closed() {
    // a network that cuts a message short must not pass it off as whole
    for role in ROLES {
        for octets in [vec![], frame_to(role, 0x01, b"pay 1"), frame_to(role, 0x81, b"pay 100")[..8].to_vec()] {
            let mut victim = Victim::new(role, &Config::default(), DOORS[0]);
            victim.takes(&octets);
            assert_eq!((victim.events, victim.ws.receive_eof()), (0, Err(E::UnexpectedEof)));
            let outcome = victim.ws.close_outcome().unwrap();
            assert_eq!((outcome.clean, outcome.received), (false, CloseCode::ABNORMAL));
        }
    }
}

#[test]
fn a_reason_is_sent_as_it_is_or_not_at_all() {
    // CVE-2026-45736 (websockets/ws): octets of memory behind a reason; uWebSockets cuts one in the middle of a
    // character
    for role in ROLES {
        for reason in ["", "a", &"r".repeat(123), &"\u{20ac}".repeat(41), &"\u{1f600}".repeat(30), "\0", "\u{10ffff}"] {
            let (mut ws, mut output) = (connection(role, &Config::default()), b"what was there".to_vec());
            ws.close(CloseCode::NORMAL, reason, &mut output).unwrap();
            let body = [b"\x03\xe8", reason.as_bytes()].concat();
            assert_eq!(output, [b"what was there", &frame_from(role, 0x88, &body)[..]].concat());
        }
        // one octet more, and those that could be cut to fit
        for reason in [
            &"r".repeat(124),
            &"\u{e9}".repeat(62),
            &"\u{20ac}".repeat(42),
            &"\u{1f600}".repeat(31),
            &"r".repeat(70_000),
        ] {
            let (mut ws, mut output) = (connection(role, &Config::default()), Vec::new());
            assert_eq!(ws.close(CloseCode::NORMAL, reason, &mut output), Err(SendError::ReasonTooLong));
            assert_eq!((output.len(), ws.state()), (0, State::Open), "nothing was sent");
            // a shorter one may be
            ws.send_text("goes on", &mut output).unwrap();
            assert_eq!(ws.close(CloseCode::NORMAL, "short", &mut output), Ok(()));
        }
    }
}

#[test]
fn the_answer_to_a_close_repeats_no_octet_of_its_reason() {
    for role in ROLES {
        for reason in ["secret", &"s".repeat(123)] {
            let body = [b"\x0f\xa0", reason.as_bytes()].concat();
            // amid a message, whose octets lie where the body is read
            let octets = frames_to(role, &[(0x01, b"of somebody else"), (0x88, &body)]);
            let transcript = run(role, &octets);
            assert_eq!(transcript.output, frame_from(role, 0x88, b"\x0f\xa0"));
            assert_eq!(transcript.messages, [close(4000, reason)]);
        }
        // what is wrong is told by its code alone
        let transcript = run(role, &frames_to(role, &[(0x81, b"a"), (0x81, b"\xff secret")]));
        assert_eq!(transcript.messages, [text("a")]);
        assert_eq!(transcript.output, frame_from(role, 0x88, b"\x03\xef"));
    }
}
