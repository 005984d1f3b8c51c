//! Defects that were seen in other libraries while they were read, each as the test that it would have failed.
//! `README.md` has the list. The versions are those that were read; some of the defects may be mended by now.

use std::time::Duration;

use websocket_proto::handshake::{ClientRequest, ServerHandshake, Uri};
use websocket_proto::{
    Config, Delivery, HandshakeError as E, Keepalive, ProtocolError, ReadBuffer, Role, TimedOut, Timeouts,
};

use crate::common::handshake::{
    Outcome, REQUEST, RESPONSE, accepted, answer, answer_once, assert_opens, assert_refused, fields_of, opens,
    read_request, read_response, refuses, request_with, response_with, serve_once, values, with_request,
};
use crate::common::{
    ROLES, assert_failed, assert_failed_after, binary, frame_from, frame_to, frames_to, run, run_with,
};
use crate::counting::measure;
use crate::victim::{DOORS, Victim};

#[test]
fn a_wrong_accept_value_opens_nothing() {
    // seen in fastwebsockets 0.10.0 and yawc before its #50: the value is not looked at; in wtx 0.52.1: it is
    // computed, and the result dropped
    for value in ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "dGhlIHNhbXBsZSBub25jZQ=="] {
        let response = response_with("Sec-WebSocket-Accept", &format!("Sec-WebSocket-Accept: {value}\r\n"));
        assert_eq!(answer(&["chat"], &response), Err(E::AcceptMismatch), "{value}");
    }
}

#[test]
fn connection_is_a_list_that_names_upgrade() {
    // seen in fastwebsockets 0.10.0 and yawc 0.5.0: all of the value is compared, so that `keep-alive, Upgrade` fails
    for value in ["keep-alive, Upgrade", "Upgrade,keep-alive", "close, UPGRADE", ", upgrade ,"] {
        assert_opens(&request_with("Connection", &format!("Connection: {value}\r\n")));
        let response = response_with("Connection", &format!("Connection: {value}\r\n"));
        assert_eq!(answer(&["chat"], &response), Ok(accepted("")), "{value}");
    }
}

#[test]
fn a_part_of_a_word_is_not_the_word() {
    // seen in tokio-websockets 0.13.3: `Connection` is searched for a substring
    for value in ["Upgrade-Insecure-Requests", "noupgrade", "upgraded", "up grade", "\"upgrade\"", "keep-alive Upgrade"]
    {
        assert_refused(&request_with("Connection", &format!("Connection: {value}\r\n")), E::NotAnUpgrade);
        let response = response_with("Connection", &format!("Connection: {value}\r\n"));
        assert_eq!(answer(&["chat"], &response), Err(E::ConnectionMismatch), "{value}");
    }
    for value in ["websocket2", "xwebsocket", "web socket", "websocket/13x", "h2c"] {
        assert_refused(&request_with("Upgrade", &format!("Upgrade: {value}\r\n")), E::NotAnUpgrade);
        let response = response_with("Upgrade", &format!("Upgrade: {value}\r\n"));
        assert_eq!(answer(&["chat"], &response), Err(E::UpgradeMismatch), "{value}");
    }
}

#[test]
fn a_head_that_does_not_upgrade_opens_nothing() {
    // seen in wtx 0.52.1, both sides: Connection and Upgrade are looked at, and what was found is dropped
    for name in ["Connection", "Upgrade"] {
        for line in [String::new(), format!("{name}: keep-alive\r\n"), format!("{name}:\r\n")] {
            assert_refused(&request_with(name, &line), E::NotAnUpgrade);
            let error = if name == "Upgrade" { E::UpgradeMismatch } else { E::ConnectionMismatch };
            assert_eq!(answer(&["chat"], &response_with(name, &line)), Err(error), "{line:?}");
        }
    }
}

#[test]
fn a_hundred_header_fields_are_none_too_many() {
    // seen in wtx 0.52.1 (16), tokio-websockets (25): caps that proxies exceed
    for count in [17, 26, 33, 65, 93] {
        let request = request_with("Origin", &"X-Forwarded: by a proxy\r\n".repeat(count));
        assert_eq!(serve_once(&Config::default(), request.chunks(7)).result, Ok(()));
        let lines = format!("HTTP/1.1 101 x\r\n{}", "X-Forwarded: by a proxy\r\n".repeat(count));
        assert_eq!(answer_once(&["chat"], response_with("HTTP", &lines).chunks(7)), Ok(accepted("")));
    }
}

#[test]
fn a_long_ping_pong_or_close_is_refused_at_its_header() {
    // seen in fastwebsockets 0.10.0, wtx 0.52.1, yawc 0.5.0: only a Ping is held to 125 octets, and a long Close is
    // even sent back
    for role in ROLES {
        for first in [0x88, 0x89, 0x8A] {
            for octets in [126, 200, 70_000].map(|len| frame_to(role, first, &vec![b'x'; len])) {
                let mut victim = Victim::new(role, &Config::default(), DOORS[0]);
                assert!(victim.takes(&octets[..1]) && !victim.takes(&octets[1..2]), "{first:#x}");
                assert_eq!(victim.error, Some(ProtocolError::ControlTooLong));
                assert_failed(&run(role, &octets[..300.min(octets.len())]), role, ProtocolError::ControlTooLong);
            }
        }
    }
}

#[test]
fn a_frame_that_is_not_masked_as_it_must_be_is_refused_at_its_second_octet() {
    // seen in fastwebsockets 0.10.0, soketto 0.8.1: no look at who masks
    for role in ROLES {
        let error = if role == Role::Server { ProtocolError::FrameNotMasked } else { ProtocolError::FrameMasked };
        for first in [0x81, 0x82, 0x01, 0x89, 0x8A, 0x88] {
            let mut victim = Victim::new(role, &Config::default(), DOORS[1]);
            let octets = frame_from(role, first, b"\x03\xe8");
            assert!(victim.takes(&octets[..1]) && !victim.takes(&octets[1..2]));
            assert_eq!((victim.error, victim.events), (Some(error), 0));
        }
    }
}

#[test]
fn a_masked_frame_from_a_server_delivers_nothing() {
    // seen in yawc 0.5.0: it is delivered, still masked
    let frame = frame_to(Role::Server, 0x81, b"masked");
    let transcript = run(Role::Client, &[frame_to(Role::Client, 0x82, b"plain"), frame].concat());
    assert_failed_after(&transcript, Role::Client, ProtocolError::FrameMasked, &[binary(b"plain")], &[]);
}

#[test]
fn a_new_data_frame_within_a_message_is_refused() {
    // seen in fastwebsockets 0.10.0: one with FIN=0 takes the place of the message, silently
    for role in ROLES {
        for first in [0x01, 0x02, 0x81, 0x82] {
            for begun in [0x01, 0x02] {
                let octets = frames_to(role, &[(begun, b"first"), (0x00, b" of"), (first, b"other"), (0x80, b" two")]);
                assert_failed(&run(role, &octets), role, ProtocolError::MessageInterleaved);
            }
        }
    }
}

#[test]
fn a_message_that_ends_within_a_character_is_refused() {
    // seen in fastwebsockets 0.10.0: it is delivered without its end
    for role in ROLES {
        for cut in ["\u{e9}".as_bytes(), "\u{20ac}".as_bytes(), "\u{1f600}".as_bytes()] {
            for len in 1..cut.len() {
                let cut = &cut[..len];
                for frames in [
                    frame_to(role, 0x81, &[b"text ", cut].concat()),
                    frames_to(role, &[(0x01, b"text "), (0x80, cut)]),
                    frames_to(role, &[(0x01, &[b"text ", cut].concat()), (0x80, b"")]),
                    frames_to(role, &[(0x01, cut), (0x00, b""), (0x89, b""), (0x80, b"")]),
                ] {
                    let transcript = run(role, &frames);
                    assert_eq!(transcript.error, Some(ProtocolError::InvalidUtf8));
                    assert!(
                        transcript.messages.iter().all(|message| matches!(message, websocket_proto::Message::Ping(_)))
                    );
                }
            }
        }
    }
}

#[test]
fn a_write_that_takes_nothing_is_no_progress() {
    // seen in fastwebsockets 0.10.0: a loop of writes goes round for ever on one of 0 octets. There is no such loop in
    // here; who has one says what was written, and 0 puts nothing off
    let at = Duration::from_secs;
    let mut ws = crate::common::connection(Role::Server, &Config::default());
    let (mut keepalive, mut output) = (Keepalive::new(&Timeouts::default(), at(0)), Vec::new());
    keepalive.opened(at(0));
    (0..30).for_each(|now| keepalive.wrote(at(now), 0, 10));
    assert_eq!(keepalive.next_deadline(at(29), &ws), Some(at(30)));
    assert_eq!(keepalive.handle_timeout(at(30), &mut ws, &mut output), Err(TimedOut::Write));
}

#[test]
fn the_limit_is_that_of_the_message_and_not_of_each_frame() {
    // seen in fastwebsockets 0.10.0, wtx 0.52.1, actix-web#530: a message of many frames is held however long it is
    for role in ROLES {
        let mut config = Config::default();
        (config.limits.frame, config.limits.message) = (10, 25);
        let within = frames_to(role, &[(0x02, &[1; 10]), (0x00, &[1; 10]), (0x80, &[1; 5])]);
        let beyond = frames_to(role, &[(0x02, &[2; 10]), (0x00, &[2; 10]), (0x80, &[2; 6])]);
        let transcript = run_with(role, &config, &[within, beyond].concat());
        assert_failed_after(&transcript, role, ProtocolError::MessageTooBig, &[binary(&[1; 25])], &[]);
        let transcript = run_with(role, &config, &frame_to(role, 0x82, &[0; 11]));
        assert_failed(&transcript, role, ProtocolError::FrameTooBig);
    }
}

#[test]
fn text_is_checked_without_being_asked_for() {
    // seen in yawc 0.5.0: off by default. There is nothing here to switch it off with
    for delivery in [Delivery::Whole, Delivery::Chunks] {
        let mut config = Config::default();
        config.delivery = delivery;
        for role in ROLES {
            for door in DOORS {
                let mut victim = Victim::new(role, &config, door);
                victim.takes(&frame_to(role, 0x81, b"\xff"));
                assert_eq!((victim.error, victim.events), (Some(ProtocolError::InvalidUtf8), 0));
            }
        }
    }
}

#[test]
fn a_message_that_never_ends_is_ended_without_another_frame() {
    // seen in yawc 0.5.0: its timeout for fragments is looked at when the next one comes, which never does
    let at = Duration::from_secs;
    for role in ROLES {
        let mut timeouts = Timeouts::default();
        timeouts.idle = at(60);
        let mut victim = Victim::new(role, &Config::default(), DOORS[0]);
        let mut keepalive = Keepalive::new(&timeouts, at(0));
        keepalive.opened(at(0));
        victim.takes(&frame_to(role, 0x01, b"never"));
        for now in (0..60).step_by(10) {
            keepalive.heard(at(now)); // Pongs, say: alive, and of no use
            assert_eq!(keepalive.handle_timeout(at(now), &mut victim.ws, &mut victim.output), Ok(()));
        }
        assert_eq!(keepalive.next_deadline(at(59), &victim.ws), Some(at(60)));
        assert_eq!(keepalive.handle_timeout(at(60), &mut victim.ws, &mut victim.output), Ok(()));
        let close = frame_from(role, 0x88, &[b"\x03\xe9", &b"idle for too long"[..]].concat());
        assert!(victim.output.ends_with(&close), "a Close, and then");
        assert_eq!(keepalive.handle_timeout(at(70), &mut victim.ws, &mut victim.output), Err(TimedOut::Idle));
    }
}

#[test]
fn what_is_behind_a_message_that_is_too_long_is_not_read_as_frames() {
    // seen in soketto 0.8.1: what it skips is as long as the message so far, not as the rest of the frame; so the
    // attacker's payload is read as frames
    for role in ROLES {
        let mut config = Config::default();
        (config.limits.frame, config.limits.message) = (50, 50);
        let inner = frames_to(role, &[(0x81, b"forged"), (0x89, b"forged")]).repeat(5);
        let octets = [frame_to(role, 0x02, &[0; 20]), frame_to(role, 0x80, &inner), inner].concat();
        let transcript = run_with(role, &config, &octets);
        assert_failed(&transcript, role, ProtocolError::FrameTooBig);
    }
}

#[test]
fn a_head_is_bounded_by_default() {
    // seen in soketto 0.8.1: octets of a handshake without a bound
    for role in ROLES {
        let flood = "a".repeat(1 << 20);
        let result = match role {
            Role::Server => serve_once(&Config::default(), format!("GET /{flood}").as_bytes().chunks(4096)).result,
            Role::Client => answer_once(&[], format!("HTTP/1.1 101 {flood}").as_bytes().chunks(4096)).map(drop),
        };
        let error = if role == Role::Server { E::TargetTooLong } else { E::HeadTooLarge };
        assert_eq!(result, Err(error));
    }
}

#[test]
fn repeated_header_fields_are_all_kept() {
    // seen in tokio-websockets 0.13.3: of fields with the same name, the last is left
    let lines = "X: 1\r\nCookie: a\r\nx: 2\r\nX:\r\ncookie: b\r\n";
    with_request(&request_with("Origin", lines), |request| {
        let all = |name| request.headers().all(name).collect::<Vec<_>>();
        assert_eq!((all("X"), all("Cookie")), (vec![&b"1"[..], b"2", b""], vec![&b"a"[..], b"b"]));
        assert_eq!(fields_of(request.headers()).len(), 6 + 5);
    });
    let response = response_with("Connection", "Connection: Upgrade\r\nSet-Cookie: a\r\nset-cookie: b\r\n");
    let (mut handshake, _) = crate::common::handshake::client(&["chat"]);
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&response);
    let Some(websocket_proto::handshake::Answer::Accepted { response, .. }) = handshake.receive(&mut input).unwrap()
    else {
        panic!()
    };
    assert_eq!(response.headers().all("Set-Cookie").collect::<Vec<_>>(), [b"a", b"b"]);
    // those that are sent as well
    let (uri, mut output) = (Uri::parse("ws://a/").unwrap(), Vec::new());
    ClientRequest::new(&uri).header("Cookie", "a").header("cookie", "b").send(&Config::default(), &mut output).unwrap();
    assert_eq!(values(&read_request(&output).2, "Cookie"), ["a", "b"]);
    with_request(REQUEST.as_bytes(), |request| {
        let mut output = Vec::new();
        drop(request.accept().header("Set-Cookie", "a").header("Set-Cookie", "b").send(&mut output).unwrap());
        assert_eq!(values(&read_response(&output).1, "Set-Cookie"), ["a", "b"]);
    });
}

#[test]
fn a_list_over_several_lines_is_one_list() {
    // seen in tungstenite 0.30.0: of Connection and Sec-WebSocket-Protocol, the first line is looked at
    opens(
        "Connection",
        &["Connection: keep-alive\r\nConnection: Upgrade", "Connection: x\r\nConnection: y\r\nConnection: z, upgrade"],
    );
    let lines = "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\nsec-websocket-protocol: d,chat\r\n";
    let request = request_with("Sec-WebSocket-Protocol", lines);
    with_request(&request, |request| assert_eq!(request.subprotocols(), ["a", "b", "c", "d", "chat"]));
    assert!(assert_opens(&request).contains("Sec-WebSocket-Protocol: chat\r\n"));
    let response = response_with("Connection", "Connection: keep-alive\r\nConnection: Upgrade\r\n");
    assert_eq!(answer(&["chat"], &response), Ok(accepted("")));
}

#[test]
fn a_key_that_is_none_is_refused() {
    // seen in tokio-websockets 0.13.3: any value is taken for a key
    refuses(
        "Sec-WebSocket-Key",
        E::InvalidKey,
        &["Sec-WebSocket-Key: x", "Sec-WebSocket-Key: AAAA", "Sec-WebSocket-Key:"],
    );
}

#[test]
fn what_the_server_was_not_offered_it_cannot_select() {
    // seen in tokio-websockets 0.13.3 and tungstenite 0.30.0: extensions of the response are not looked at; in the
    // first, subprotocols neither
    let with = |line: &str| answer(&["chat"], &response_with("Sec-WebSocket-Protocol", &format!("{line}\r\n")));
    assert_eq!(with("Sec-WebSocket-Protocol: other"), Err(E::SubprotocolNotOffered));
    assert_eq!(with("Sec-WebSocket-Extensions: permessage-deflate"), Err(E::ExtensionNotOffered));
    // and without any, as it may be, the connection opens
    assert_eq!(with("X: y"), Ok(Outcome::Accepted(None, String::new())));
}

#[test]
fn nothing_is_buffered_before_a_header_is_judged() {
    // seen in tungstenite 0.30.0: reserved bits, masks and the length of control frames are looked at when the payload
    // is there, of up to 16 MiB
    for role in ROLES {
        let mask = if role == Role::Server { 0x80 } else { 0 };
        let wrong = 0x80 - mask;
        for octets in [
            &[0xC2][..],
            &[0xA2],
            &[0x83],
            &[0x82, wrong + 127],
            &[0x82, wrong],
            &[0x8A, mask + 126],
            &[0x88, mask + 127],
            &[0x00],
        ] {
            for door in DOORS {
                let mut victim = Victim::new(role, &Config::default(), door);
                victim.output.reserve(16);
                victim.input.spare(16);
                let (goes_on, allocations, _) = measure(|| victim.takes_dribbled(octets));
                assert_eq!((goes_on, allocations, victim.error.is_some()), (false, 0, true), "{octets:02x?}");
            }
        }
    }
}

#[test]
fn header_values_may_have_octets_beyond_ascii() {
    // seen in tungstenite 0.30.0: a response with one fails
    let response = response_with("Connection", "Connection: Upgrade\r\nServer: caf\u{e9} \u{ff}\r\n");
    assert_eq!(answer(&["chat"], &response), Ok(accepted("")));
    with_request(&request_with("Origin", "X: caf\u{e9}\r\n"), |request| {
        assert_eq!(request.headers().get("X"), Some(&b"caf\xe9"[..]));
    });
}

#[test]
fn what_is_written_bit_by_bit_is_moved_by_nobody() {
    // seen in tungstenite 0.30.0: each partial write moves all the rest of what waits. The output is the caller's: what
    // is appended is appended, whatever the caller has taken off its front
    let mut ws = crate::common::connection(Role::Server, &Config::default());
    let mut output = Vec::with_capacity(200_000);
    let (sent, allocations, _) =
        measure(|| (0..100).map(|_| ws.send_binary(&[7; 1000], &mut output)).all(|sent| sent.is_ok()));
    assert_eq!((sent, allocations, output.len()), (true, 0, 100 * 1004));
    output.clear();
    ws.send_binary(&[8; 1000], &mut output).unwrap();
    assert_eq!((output.len(), output.capacity()), (1004, 200_000), "nothing is kept anywhere else");
    assert_eq!(ws.memory_used(), size_of_val(&ws));
}

#[test]
fn no_draft_of_an_extension_is_offered() {
    // seen in wtx 0.52.1: `no-masking` is offered by default
    let (uri, mut output) = (Uri::parse("ws://a/").unwrap(), Vec::new());
    ClientRequest::new(&uri).send(&Config::default(), &mut output).unwrap();
    assert!(values(&read_request(&output).2, "Sec-WebSocket-Extensions").is_empty());
    let config = crate::common::with_deflate(Config::default());
    output.clear();
    ClientRequest::new(&uri).send(&config, &mut output).unwrap();
    let (_, _, fields) = read_request(&output);
    let offered: Vec<_> =
        values(&fields, "Sec-WebSocket-Extensions").iter().map(|value| value.split(';').next().unwrap()).collect();
    assert_eq!(offered, vec!["permessage-deflate"; usize::from(cfg!(feature = "deflate"))]);
    // and a server agrees to none
    let response = assert_opens(&request_with("Origin", "Sec-WebSocket-Extensions: no-masking\r\n"));
    assert!(!response.contains("no-masking"));
    assert!(RESPONSE.starts_with("HTTP/1.1 101") && ServerHandshake::new(&config).receive_eof().is_err());
}

#[cfg(feature = "deflate")]
mod deflate {
    use websocket_proto::ProtocolError;
    use websocket_proto::deflate::DeflateConfig;

    use crate::common::deflate::{in_each_memory, takeover};
    use crate::common::negotiation::{self, serve, spelled};
    use crate::common::{ROLES, assert_failed_after, binary, frame_to, frames_to, hex, run_with, text};

    #[test]
    fn after_a_compressed_message_a_plain_one_is_not_inflated() {
        // seen in ratchet 1.2.1: that a message was compressed is noted, and never forgotten
        let hello = hex("f2 48 cd c9 c9 07 00");
        for role in ROLES {
            for deflate in in_each_memory(&takeover(true)) {
                let config = crate::common::deflate::config(deflate);
                let frames = frames_to(
                    role,
                    &[
                        (0xC1, &hello),
                        (0x82, &hello),
                        (0x02, &hello[..3]),
                        (0x89, b""),
                        (0x00, &hello[3..]),
                        (0x80, b""),
                        (0xC1, &hello),
                    ],
                );
                let transcript = run_with(role, &config, &frames);
                let expected = [text("Hello"), binary(&hello), crate::common::ping(b""), binary(&hello), text("Hello")];
                assert_eq!((&transcript.messages[..], transcript.error), (&expected[..], None));
            }
        }
    }

    #[test]
    fn a_final_block_ends_neither_the_message_nor_what_comes_after() {
        // seen in wtx 0.52.1: it ends the message, and the state is not begun anew
        let hello = "f3 48 cd c9 c9 07 00 ";
        for role in ROLES {
            for has_takeover in [true, false] {
                let config = crate::common::deflate::config(takeover(has_takeover));
                let frames = [
                    frame_to(role, 0xC1, &hex(&[hello, hello, "00"].concat())),
                    frame_to(role, 0xC1, &hex(&[hello, "00"].concat())),
                    frames_to(role, &[(0x41, &hex(hello)), (0x80, &hex("f2 48 cd c9 c9 07 00"))]),
                ];
                let transcript = run_with(role, &config, &frames.concat());
                let expected = [text("HelloHello"), text("Hello"), text("HelloHello")];
                assert_eq!((&transcript.messages[..], transcript.error), (&expected[..], None));
            }
        }
    }

    #[test]
    fn what_is_inflated_counts_for_the_limit() {
        // seen in wtx 0.52.1, ratchet 1.2.1: no bound at all
        for role in ROLES {
            let mut config = crate::common::deflate::config(takeover(true));
            config.limits.message = 1000;
            let frames =
                [1000, 1001].map(|len| frame_to(role, 0xC2, &crate::common::deflate::compressed(&vec![7; len])));
            let transcript = run_with(role, &config, &frames.concat());
            assert_failed_after(&transcript, role, ProtocolError::MessageTooBig, &[binary(&[7; 1000])], &[]);
        }
    }

    #[test]
    fn a_window_is_limited_only_where_the_client_has_said_that_it_can() {
        // seen in wtx 0.52.1: it inflates with the window that it is configured to, whether the client knows of it or
        // not
        let small = negotiation::config(|deflate| deflate.peer_window_bits = 10);
        assert_eq!(serve(&small, &spelled("pmd")), Ok(None), "rather none");
        let lenient = negotiation::config(|deflate| (deflate.peer_window_bits, deflate.fallback) = (10, true));
        let (params, response) = serve(&lenient, &spelled("pmd")).unwrap().unwrap();
        assert!(params.client_max_window_bits() == 15 && !response.contains("client_max_window_bits"), "{response}");
        // and then it is 15 that is inflated with: a match 30,000 octets back
        let far =
            [crate::common::deflate::noise(300, 3), vec![0; 30_000], crate::common::deflate::noise(300, 3)].concat();
        let mut wide = takeover(true);
        wide.window_bits = 15;
        wide.level = 9;
        let payload = crate::common::deflate::compressed_with(&wide, &far);
        assert!(payload.len() < 500, "it refers back that far: {}", payload.len());
        let ws =
            websocket_proto::Connection::server(&websocket_proto::Config::default()).with_deflate(&lenient, params);
        let mut victim = crate::victim::Victim::of(ws, crate::victim::Door::Owned);
        victim.takes_dribbled(&frame_to(websocket_proto::Role::Server, 0xC2, &payload));
        assert_eq!((victim.error, victim.delivered), (None, far.len()));
    }

    #[test]
    fn the_windows_of_both_ends_are_not_mixed_up() {
        // seen in wtx 0.52.1: the response has the same number twice
        let server = negotiation::config(|deflate| (deflate.window_bits, deflate.peer_window_bits) = (10, 13));
        let (params, response) = serve(&server, &spelled("pmd; client_max_window_bits")).unwrap().unwrap();
        assert_eq!((params.server_max_window_bits(), params.client_max_window_bits()), (10, 13));
        assert_eq!(response, spelled("pmd; server_max_window_bits=10; client_max_window_bits=13"));
        let client = negotiation::answer(Some(&DeflateConfig::default()), Some(&response)).unwrap().unwrap();
        assert_eq!(client, params);
    }

    #[test]
    fn a_bare_client_max_window_bits_asks_for_nothing_less() {
        // seen in yawc 0.5.0: it is answered with 9
        for bits in 8..=15 {
            let server = negotiation::config(|deflate| deflate.peer_window_bits = bits);
            let (params, response) = serve(&server, &spelled("pmd; client_max_window_bits")).unwrap().unwrap();
            assert_eq!(params.client_max_window_bits(), bits, "{response}");
            assert_eq!(response.contains("client_max_window_bits"), bits < 15, "{response}");
        }
    }
}
