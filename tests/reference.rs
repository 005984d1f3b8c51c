//! The crate against the naive reference, over streams that are mostly right and over any octets at all.

mod common;

use common::{ROLES, frame_from, frame_to, receive_cut, reference};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::{Config, Delivery, Role};

/// Runs the stream, cut as told, and compares all that came of it with the reference.
fn compare(role: Role, delivery: Delivery, octets: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
    let mut config = Config::default();
    config.delivery = delivery;
    config.limits.frame = 300;
    config.limits.message = 400;
    config.limits.fragments = 4;
    let expected = reference::read(role, &config.limits, octets);

    let (messages, error, output) = receive_cut(common::connection(role, &config), octets, cuts);
    let answers: Vec<u8> = expected.answers.iter().flat_map(|(first, body)| frame_from(role, *first, body)).collect();
    prop_assert_eq!(messages, expected.messages);
    prop_assert_eq!(error, expected.error);
    prop_assert_eq!(output, answers);
    Ok(())
}

fn delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![Just(Delivery::Whole), Just(Delivery::Chunks)]
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Server), Just(Role::Client)]
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    vec(1..40usize, 0..8)
}

/// A first octet that is often one that may come.
fn first_octet() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => prop::sample::select(vec![0x81u8, 0x82, 0x89, 0x8A]),
        4 => prop::sample::select(vec![0x01u8, 0x02, 0x00, 0x80]),
        1 => Just(0x88u8),
        1 => any::<u8>(),
    ]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-zκ日😀]{0,20}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..20),
        1 => vec(any::<u8>(), 100..420),
        1 => Just(b"\x03\xe8bye".to_vec()),
        1 => prop::sample::select(vec![b"\xe2".to_vec(), b"\x82".to_vec(), b"\xac".to_vec(), b"\xf4".to_vec()]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn streams_that_are_mostly_right(
        role in role(),
        delivery in delivery(),
        frames in vec((first_octet(), payload()), 0..12),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
        cuts in cuts(),
    ) {
        // 6455-5.2-13, 6455-6.2-2
        let mut octets: Vec<u8> = frames.iter().flat_map(|(first, payload)| frame_to(role, *first, payload)).collect();
        for (at, flip) in flips {
            if !octets.is_empty() {
                let at = at.index(octets.len());
                octets[at] ^= flip;
            }
        }
        compare(role, delivery, &octets, &cuts)?;
    }

    #[test]
    fn any_octets(role in role(), delivery in delivery(), octets in vec(any::<u8>(), 0..64), cuts in cuts()) {
        // SEC-1, 6455-5.2-13
        compare(role, delivery, &octets, &cuts)?;
    }
}

#[test]
fn every_pair_of_first_octets() {
    // 6455-5.2-1, 6455-5.2-2, 6455-5.2-3, 6455-5.2-12
    for role in ROLES {
        for delivery in [Delivery::Whole, Delivery::Chunks] {
            for pair in 0..=u16::MAX {
                let [a, b] = pair.to_be_bytes();
                // the second octet tells: a mask, a length, or the payload of a frame before
                let octets = [&frame_to(role, 0x01, b"\xc3")[..], &[a, b, 0, 200, 1, 2, 3, 4, 5, 6]].concat();
                compare(role, delivery, &octets, &[]).unwrap();
                compare(role, delivery, &octets, &[1]).unwrap();
            }
        }
    }
}
