//! More of something than anybody needs: fragments, octets alone, Pings, and output that nobody reads.

use std::time::Duration;

use websocket_proto::wire::OpCode;
use websocket_proto::{
    Backlog, CloseCode, Config, Delivery, Event, Flow, Keepalive, Prepared, ProtocolError as E, ReadBuffer, Role,
    TimedOut, Timeouts,
};

use crate::common::{
    ROLES, assert_failed_after, binary, connection, frame_from, frame_to, frames_in, frames_to, run_with,
};
use crate::counting::{live, measure};
use crate::victim::{DOORS, Door, Victim};

/// Both roles, through both doors, with messages whole and in chunks, each of these at least once with each role.
const WAYS: [(Role, Delivery, Door); 4] = [
    (Role::Server, Delivery::Whole, Door::Borrowed),
    (Role::Server, Delivery::Chunks, Door::Owned),
    (Role::Client, Delivery::Whole, Door::Owned),
    (Role::Client, Delivery::Chunks, Door::Borrowed),
];

#[test]
fn a_million_empty_fragments_end_at_the_limit() {
    // websockets/ws (CVE-2026-48779), undici; several have no limit on their count to this day
    for (role, delivery, door) in WAYS {
        let mut config = Config::default();
        config.delivery = delivery;
        let mut victim = Victim::new(role, &config, door);
        victim.takes(&frame_to(role, 0x02, b""));
        let flood = frame_to(role, 0x00, b"").repeat(1000);
        victim.output.reserve(16);
        let before = live();
        let (reads, _, peak) = measure(|| (0..1000).filter(|_| victim.takes(&flood)).count());
        // the first frame, and 131,071 of these, are as many as may be
        assert_eq!((reads, victim.error), (131, Some(E::TooManyFragments)));
        assert_eq!(victim.output, frame_from(role, 0x88, &CloseCode::POLICY_VIOLATION.0.to_be_bytes()));
        assert_eq!((victim.delivered, victim.events), (0, 0));
        assert!(peak <= 2 * flood.len() && victim.most <= 2 * flood.len(), "{peak} octets");
        // none of the 868,929 others was looked at: they are thrown away
        assert!(victim.input.is_empty() && live() - before <= isize::try_from(2 * flood.len()).unwrap());
    }
}

#[test]
fn fragments_of_one_octet_end_at_either_limit() {
    for (role, delivery, door) in WAYS {
        let flood = frame_to(role, 0x00, b"x").repeat(1000);
        for (fragments, message, error, frames) in
            [(50_000, 1 << 20, E::TooManyFragments, 50_000), (u32::MAX, 50_000, E::MessageTooBig, 50_001)]
        {
            let mut config = Config::default();
            config.delivery = delivery;
            (config.limits.fragments, config.limits.message) = (fragments, message);
            let mut victim = Victim::new(role, &config, door);
            victim.takes(&frame_to(role, 0x01, b""));
            let (reads, _, peak) = measure(|| (0..1000).filter(|_| victim.takes(&flood)).count());
            assert_eq!((victim.error, reads), (Some(error), frames / 1000 - usize::from(frames % 1000 == 0)));
            // the message, doubled, with its old memory while it is moved; and one read
            let held = if delivery == Delivery::Whole { 3 * 50_000 } else { 0 };
            assert!(peak <= held + 3 * flood.len(), "{peak} octets");
            assert_eq!(victim.delivered, if delivery == Delivery::Whole { 0 } else { frames - 1 });
        }
    }
}

#[test]
fn the_limit_on_fragments_is_exact_and_empty_ones_count() {
    for role in ROLES {
        let mut config = Config::default();
        config.limits.fragments = 5;
        let five: [(u8, &[u8]); 5] = [(0x02, b""), (0x00, b"a"), (0x00, b""), (0x00, b""), (0x80, b"b")];
        let six = [&five[..4], &[(0x00, b""), (0x80, b"")]].concat();
        let transcript = run_with(role, &config, &frames_to(role, &[&five[..], &six].concat()));
        assert_failed_after(&transcript, role, E::TooManyFragments, &[binary(b"ab")], &[]);
    }
}

#[test]
fn control_frames_between_fragments_reset_no_count() {
    for (role, delivery, door) in WAYS {
        let mut config = Config::default();
        config.delivery = delivery;
        config.limits.fragments = 1000;
        let mut victim = Victim::new(role, &config, door);
        victim.takes(&frame_to(role, 0x02, b""));
        let pair = frames_to(role, &[(0x8A, b"unasked"), (0x00, b"")]);
        let taken = (0..5000).filter(|_| victim.takes(&pair)).count();
        // the Pong before the last frame is still told
        assert_eq!((taken, victim.events, victim.error), (999, 1000, Some(E::TooManyFragments)));
    }
}

#[test]
fn octet_by_octet_the_cost_is_that_of_the_octets() {
    // one octet for each read: calls are counted, and allocations, for a message and for one of twice its length
    for (role, delivery, door) in WAYS {
        for first in [0x01, 0x02] {
            let cost = |len: usize| {
                let mut config = Config::default();
                config.delivery = delivery;
                let mut victim = Victim::new(role, &config, door);
                let data = "a\u{e9}\u{20ac}\u{1f600}".repeat(len / 10);
                let (begin, end) = data.as_bytes().split_at(len / 2 + 1);
                let frames = frames_to(role, &[(first, begin), (0x89, b"p"), (0x80, end)]);
                let (goes_on, allocations, peak) = measure(|| victim.takes_dribbled(&frames));
                assert!(goes_on && victim.delivered == len);
                assert_eq!(victim.calls, frames.len() + victim.events, "one for each octet, and one for each event");
                (allocations.saturating_sub(if door == Door::Owned { victim.events } else { 0 }), peak)
            };
            let ((few, small), (more, large)) = (cost(10_000), cost(20_000));
            // what doubles is allocated once more, and moved to
            assert!(more <= few + 4, "{few} and {more} allocations");
            match delivery {
                Delivery::Whole => assert!(large <= 2 * small + 1000 && large <= 5 * 20_000, "{small} and {large}"),
                _ => assert!(large <= 1000, "{small} and {large}"),
            }
        }
    }
}

#[test]
fn a_dribbled_header_is_held_in_the_input_alone() {
    for role in ROLES {
        for door in DOORS {
            let header = &frame_to(role, 0x82, &vec![0; 70_000])[..if role == Role::Server { 14 } else { 10 }];
            let mut victim = Victim::new(role, &Config::default(), door);
            victim.input.spare(64);
            let (goes_on, allocations, _) = measure(|| victim.takes_dribbled(header));
            assert_eq!((goes_on, allocations, victim.calls), (true, 0, header.len()));
        }
    }
}

#[test]
fn pings_whose_pongs_nobody_reads_fill_16_kib() {
    // a quarter of a million, as a debug build takes a second for each; nothing changes behind the first two thousand
    for (role, door, pings, payload) in [
        (Role::Server, Door::Borrowed, 250_000, &b""[..]),
        (Role::Client, Door::Owned, 50_000, b"8 octets"),
        (Role::Server, Door::Owned, 20_000, &[7; 125]),
    ] {
        let mut victim = Victim::new(role, &Config::default(), door);
        let flood = frame_to(role, 0x89, payload).repeat(1000);
        let (reads, _, peak) = measure(|| (0..pings / 1000).filter(|_| victim.takes(&flood)).count());
        assert_eq!((reads, victim.events), (pings / 1000, pings), "each is told");
        let most = 16 * 1024 + 2 * 131;
        assert!((16 * 1024..=most).contains(&victim.output.len()), "{}", victim.output.len());
        assert!(frames_in(&victim.output).iter().all(|(header, _)| header.opcode == OpCode::Pong));
        // one read, the output as it doubles, and the latest, which is held back
        assert!(peak <= 2 * flood.len() + 4 * most, "{peak} octets");
    }
}

#[test]
fn the_half_that_receives_owes_one_pong_however_many_pings_come() {
    for role in ROLES {
        let (mut receiver, mut sender) = connection(role, &Config::default()).split();
        let mut input = ReadBuffer::default();
        let pings: Vec<u8> = (0..1000_u16).flat_map(|i| frame_to(role, 0x89, &i.to_be_bytes())).collect();
        input.spare(pings.len());
        let ((), allocations, _) = measure(|| {
            for _ in 0..20 {
                input.extend_from_slice(&pings);
                while let Some(event) = receiver.receive(&mut input).unwrap() {
                    assert!(matches!(event, Event::Ping(_)));
                }
            }
        });
        assert_eq!(allocations, 0);
        let mut output = Vec::new();
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert_eq!(output, frame_from(role, 0x8A, &999_u16.to_be_bytes()), "the latest");
        assert!(receiver.take_owed().is_none());
    }
}

#[test]
fn no_call_appends_more_than_three_times_what_it_takes() {
    // no peer makes another one send much with little
    for role in ROLES {
        for door in DOORS {
            for payload in [&b""[..], b"1", b"12", &[0; 60], &[0; 125]] {
                let mut victim = Victim::new(role, &Config::default(), door);
                let ping = frame_to(role, 0x89, payload);
                for _ in 0..5000 {
                    let before = victim.output.len();
                    victim.takes(&ping);
                    assert!(victim.output.len() - before <= 3 * ping.len());
                }
            }
        }
    }
}

#[test]
fn a_peer_that_never_reads_has_its_answers_stopped() {
    // nothing is written: what waits is bounded by the first mark, one answer, and the Pongs
    const PAUSE: usize = 8000;
    for role in ROLES {
        let mut backlog = Backlog::new(PAUSE, 50_000);
        let mut ws = connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let asks = frames_to(role, &[(0x82, &[7; 1000]), (0x89, b"ping")]).repeat(4);
        let (mut read, mut turns) = (0, 0);
        while turns < 1000 {
            turns += 1;
            while backlog.flow(output.len()) == Flow::Read {
                match ws.receive(&mut input, &mut output).unwrap() {
                    Some(Event::Binary(data)) => ws.send_binary(data, &mut output).unwrap(),
                    Some(_) => {}
                    None => break,
                }
            }
            if backlog.flow(output.len()) == Flow::Read {
                input.extend_from_slice(&asks);
                read += asks.len();
            }
        }
        assert!(output.len() <= PAUSE + 1014 + 10, "{}", output.len());
        assert!(read <= PAUSE + 2 * asks.len() && input.capacity() <= 4 * asks.len(), "{read} octets were read");
    }
}

#[test]
fn a_peer_that_never_reads_a_broadcast_is_given_up_at_the_second_mark() {
    // RUSTSEC-2020-0043, CVE-2020-35896: output that grows for ever
    let news = Prepared::binary(&[7; 1000]);
    let mut ws = connection(Role::Server, &Config::default());
    let (mut backlog, mut output, mut sent) = (Backlog::new(8000, 50_000), Vec::new(), 0);
    while backlog.flow(output.len()) != Flow::Overflow {
        ws.send_prepared(&news, &mut output).unwrap();
        sent += 1;
    }
    assert_eq!((sent, output.len()), (50, 50 * 1004));
    // what was handed out without a copy counts as well
    let mut shared = 0;
    while backlog.flow(shared) != Flow::Overflow {
        shared += ws.send_shared(&news).unwrap().len();
    }
    assert_eq!(shared, 50 * 1004);
}

#[test]
fn a_peer_that_never_reads_meets_the_deadline_for_writing() {
    let at = Duration::from_secs;
    for role in ROLES {
        let mut ws = connection(role, &Config::default());
        let (mut keepalive, mut output) = (Keepalive::new(&Timeouts::default(), at(0)), Vec::new());
        keepalive.opened(at(0));
        keepalive.wrote(at(1), 0, 100);
        keepalive.blocked(at(1));
        for now in 2..31 {
            keepalive.heard(at(now)); // it goes on sending
            keepalive.wrote(at(now), 0, 100); // a write that takes nothing is no progress
            assert_eq!(keepalive.handle_timeout(at(now), &mut ws, &mut output), Ok(()));
        }
        assert_eq!(keepalive.next_deadline(at(30), &ws), Some(at(31)));
        assert_eq!(keepalive.handle_timeout(at(31), &mut ws, &mut output), Err(TimedOut::Write));
    }
}
