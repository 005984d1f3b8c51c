//! RFC 6455 §5.4, §5.5, §7: the closing handshake and fragmentation, held against tables: all sequences of eight inputs
//! up to a length, and all states that sequences of any length lead to.
//!
//! The tables are in [`model::spec`]. What is compared after each input is all that a program sees: what a call returns
//! or which event is delivered, with its payload; the output, octet by octet; how much the read buffer holds; the state,
//! whether to read on, the outcome of the close, the next deadline, and what was not done in time.
#![allow(unreachable_pub)] // the modules are of this test program alone

mod common;
mod model {
    pub mod explore;
    pub mod machine;
    pub mod spec;
}

use common::ROLES;
use model::explore::{Pair, Replay, Same};
use model::machine::{Cut, Door, Setup};
use model::spec::Input::{Deadline, Eof, Receive, Send};
use model::spec::{CALLS, Call, FRAMES, Frame, Input};
use websocket_proto::{Delivery, Role};

/// Up to which length, and how: 8^8 sequences are for a build that is optimized.
const LONGEST: usize = if cfg!(debug_assertions) { 5 } else { 8 };

/// The closing handshake.
const CLOSING: [Input; 8] = [
    Send(Call::Text),
    Send(Call::Close),
    Receive(Frame::Text),
    Receive(Frame::Ping),
    Receive(Frame::Close),
    Receive(Frame::Reserved),
    Eof,
    Deadline,
];

/// A message that comes in fragments.
const RECEIVING: [Input; 8] = [
    Receive(Frame::BeginText),
    Receive(Frame::BeginBinary),
    Receive(Frame::Continue),
    Receive(Frame::ContinueEmpty),
    Receive(Frame::End),
    Receive(Frame::Text),
    Receive(Frame::Ping),
    Receive(Frame::Close),
];

/// A message that is sent in fragments.
const SENDING: [Input; 8] = [
    Send(Call::BeginText),
    Send(Call::BeginBinary),
    Send(Call::ContinueText),
    Send(Call::FinishText),
    Send(Call::FinishBinary),
    Send(Call::Text),
    Send(Call::Ping),
    Send(Call::Close),
];

const DOORS: [Door; 3] = [Door::Borrowed, Door::Owned, Door::Split];

/// Runs all sequences, and sees to it that none is left out.
fn run_all(role: Role, door: Door, delivery: Delivery, alphabet: &[Input; 8]) {
    let setup = Setup { role, door, delivery, cut: Cut::Nowhere };
    // without a shortcut in one of the setups
    let replay = match (role, door, delivery) {
        (Role::Server, Door::Borrowed, Delivery::Whole) if !cfg!(debug_assertions) => Replay::Always,
        _ => Replay::UntilTheEnd,
    };
    let sequences = Pair::new(&setup).run_all(alphabet, LONGEST, replay);
    let expected: u64 = (1..=LONGEST).map(|length| 8_u64.pow(u32::try_from(length).unwrap())).sum();
    assert_eq!(sequences, expected);
    assert!(cfg!(debug_assertions) || sequences == 19_173_960, "8 + 64 + ... + 16,777,216");
}

#[test]
fn s7_all_sequences_of_closing_as_a_server() {
    // 6455-5.5.1-6, 6455-5.5.1-9, 6455-5.5.1-10, 6455-5.5.2-2, 6455-5.5.2-3, 6455-7.1.3-1, 6455-7.1.4-1, 6455-7.1.5-1,
    // 6455-7.1.7-3, 6455-1.4-1
    for door in DOORS {
        run_all(Role::Server, door, Delivery::Whole, &CLOSING);
    }
}

#[test]
fn s7_all_sequences_of_closing_as_a_client() {
    // 6455-5.5.1-4, 6455-5.5.1-6, 6455-5.5.1-9, 6455-5.5.1-10, 6455-5.5.2-2, 6455-5.5.2-3, 6455-7.1.3-1, 6455-7.1.4-1,
    // 6455-7.1.5-1, 6455-7.1.7-3, 6455-1.4-1
    for door in DOORS {
        run_all(Role::Client, door, Delivery::Whole, &CLOSING);
    }
}

#[test]
fn s5_4_all_sequences_of_fragments_that_come_to_a_server() {
    // 6455-5.4-1, 6455-5.4-3, 6455-5.4-5, 6455-5.4-6, 6455-5.4-7, 6455-5.4-9
    for door in DOORS {
        run_all(Role::Server, door, Delivery::Whole, &RECEIVING);
    }
    for door in [Door::Borrowed, Door::Split] {
        run_all(Role::Server, door, Delivery::Chunks, &RECEIVING);
    }
}

#[test]
fn s5_4_all_sequences_of_fragments_that_come_to_a_client() {
    // 6455-5.4-1, 6455-5.4-3, 6455-5.4-5, 6455-5.4-6, 6455-5.4-7, 6455-5.4-9
    for door in DOORS {
        run_all(Role::Client, door, Delivery::Whole, &RECEIVING);
    }
    for door in [Door::Borrowed, Door::Split] {
        run_all(Role::Client, door, Delivery::Chunks, &RECEIVING);
    }
}

#[test]
fn s5_4_all_sequences_of_fragments_that_are_sent() {
    // 6455-5.4-10, 6455-5.5.1-5, 6455-5.5.1-10, 6455-5.5.2-4
    for role in ROLES {
        // a half that sends is what a whole connection sends with; the states of both are below
        run_all(role, Door::Borrowed, Delivery::Whole, &SENDING);
    }
}

/// Tries all inputs in all states that they lead to; there are so many of these by the tables.
fn reach(setup: &Setup, alphabet: &[Input], same: Same, positions: usize) -> Pair {
    let mut pair = Pair::new(setup);
    let reached = pair.reach(alphabet, same);
    assert_eq!(reached.0, positions, "{setup:?}");
    assert!(reached.1 >= positions);
    pair
}

#[test]
fn s7_all_states_of_closing_and_of_fragments_each() {
    // 6455-5.4-8, 6455-5.5.3-5, 6455-5.5.1-10, 6455-7.1.4-1
    for role in ROLES {
        for (door, delivery, cut) in [
            (Door::Borrowed, Delivery::Whole, Cut::Nowhere),
            (Door::Borrowed, Delivery::Chunks, Cut::BehindEachOctet),
            (Door::Owned, Delivery::Whole, Cut::BehindEachOctet),
            (Door::Owned, Delivery::Chunks, Cut::Nowhere),
            (Door::Split, Delivery::Whole, Cut::BehindEachOctet),
            (Door::Split, Delivery::Chunks, Cut::Nowhere),
        ] {
            let setup = Setup { role, door, delivery, cut };
            let amid_messages = if delivery == Delivery::Whole { 10 } else { 12 };
            reach(&setup, &CLOSING, Same::AsFarAsIsShown, 24);
            reach(&setup, &RECEIVING, Same::AsFarAsIsShown, amid_messages);
            reach(&setup, &SENDING, Same::AsFarAsIsShown, 6);
        }
    }
}

/// All inputs together: messages that come and that go, amid the closing handshake and each other, and all ways to end.
fn reach_all(role: Role) {
    let all = CALLS.map(Send).into_iter().chain(FRAMES.map(Receive)).chain([Eof, Deadline]).collect::<Vec<_>>();
    let same = if cfg!(debug_assertions) { Same::AsTheTablesSay } else { Same::AsFarAsIsShown };
    for (door, delivery, cut) in [
        (Door::Borrowed, Delivery::Whole, Cut::Nowhere),
        (Door::Owned, Delivery::Chunks, Cut::BehindEachOctet),
        (Door::Split, Delivery::Whole, Cut::BehindEachOctet),
        (Door::Split, Delivery::Chunks, Cut::Nowhere),
    ] {
        let positions = if delivery == Delivery::Whole { 552 } else { 696 };
        let pair = reach(&Setup { role, door, delivery, cut }, &all, same, positions);
        assert_eq!(pair.unused_rows(), [""; 0], "rows that nothing leads to");
    }
}

#[test]
fn s7_all_states_of_a_server() {
    // 6455-5.4-5, 6455-5.4-10, 6455-5.5.1-5, 6455-5.5.1-9, 6455-5.5.1-10, 6455-7.1.4-1, 6455-7.1.7-3
    reach_all(Role::Server);
}

#[test]
fn s7_all_states_of_a_client() {
    // 6455-5.4-5, 6455-5.4-10, 6455-5.5.1-5, 6455-5.5.1-9, 6455-5.5.1-10, 6455-7.1.4-1, 6455-7.1.7-3
    reach_all(Role::Client);
}
