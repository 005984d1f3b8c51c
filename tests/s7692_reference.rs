//! permessage-deflate against the naive reference: streams of compressed messages that are mostly right, cut and
//! flipped anywhere.
#![cfg(feature = "deflate")]

mod common;

use common::deflate::{config, in_each_memory, takeover};
use common::{connection, frame_from, frame_to, frames_in, receive_cut, reference};
use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::deflate::Compression;
use websocket_proto::{Delivery, Role};

/// Runs the stream, cut as told, in each way of holding memory, and compares all that came of it with the reference.
fn compare(
    role: Role,
    delivery: Delivery,
    has_takeover: bool,
    octets: &[u8],
    cuts: &[usize],
) -> Result<(), TestCaseError> {
    for deflate in in_each_memory(&takeover(has_takeover)) {
        let mut config = config(deflate);
        config.delivery = delivery;
        config.limits.message = 6000;
        config.limits.inflate_ratio = Some(50);
        let expected = reference::read_inflating(role, &config.limits, Some((has_takeover, delivery)), octets);

        let (messages, error, output) = receive_cut(connection(role, &config), octets, cuts);
        let answers: Vec<u8> =
            expected.answers.iter().flat_map(|(first, body)| frame_from(role, *first, body)).collect();
        prop_assert_eq!(error, expected.error);
        prop_assert_eq!(messages, expected.messages);
        prop_assert_eq!(output, answers);
    }
    Ok(())
}

/// A message: its text, whether and how it is compressed, and where it is cut to fragments.
#[derive(Clone, Debug)]
struct Said {
    plain: Vec<u8>,
    is_text: bool,
    compression: Compression,
    cuts: Vec<prop::sample::Index>,
    is_final: bool,
}

fn said() -> impl Strategy<Value = Said> {
    let plain = prop_oneof![
        4 => "[a-dκ😀]{0,40}".prop_map(String::into_bytes),
        2 => ("[a-z ]{1,30}", 1..200usize).prop_map(|(text, times)| text.repeat(times).into_bytes()),
        1 => vec(any::<u8>(), 0..300),
        1 => (0..20_000usize).prop_map(|len| vec![0; len]),
    ];
    let compression = prop_oneof![4 => Just(Compression::Always), 1 => Just(Compression::Never)];
    let cuts = vec(any::<prop::sample::Index>(), 0..4);
    (plain, any::<bool>(), compression, cuts, prop::bool::weighted(0.2))
        .prop_map(|(plain, is_text, compression, cuts, is_final)| Said { plain, is_text, compression, cuts, is_final })
}

/// The frames that say it.
fn stream(role: Role, level: u8, has_takeover: bool, said: &[Said]) -> Vec<u8> {
    let mut deflate = takeover(has_takeover);
    deflate.level = level;
    let mut peer = connection(Role::Server, &config(deflate));
    let mut octets = Vec::new();
    for said in said {
        let mut sent = Vec::new();
        peer.compressing(said.compression).send_binary(&said.plain, &mut sent).unwrap();
        let (header, mut payload) = frames_in(&sent).remove(0);
        // a block that begins on an octet may be called final
        if said.is_final && header.reserved != 0 && payload.len() > 1 {
            payload[0] |= 1;
        }
        let first = if said.is_text { 0x01 } else { 0x02 } | header.reserved;
        let mut cuts: Vec<usize> = said.cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
        cuts.sort_unstable();
        let mut begin = 0;
        for (i, cut) in cuts.iter().chain([&payload.len()]).enumerate() {
            let opcode = if i == 0 { first } else { 0 };
            let fin = if i == cuts.len() { 0x80 } else { 0 };
            octets.extend(frame_to(role, fin | opcode, &payload[begin..*cut]));
            begin = *cut;
        }
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn streams_that_are_mostly_right(
        role in prop_oneof![Just(Role::Server), Just(Role::Client)],
        delivery in prop_oneof![Just(Delivery::Whole), Just(Delivery::Chunks)],
        has_takeover in any::<bool>(),
        level in 0..=9u8,
        said in vec(said(), 0..6),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cuts in vec(1..60usize, 0..6),
    ) {
        // 7692-7.2.2-1, 7692-7.2.2-2, 7692-7.2.2-4
        let mut octets = stream(role, level, has_takeover, &said);
        compare(role, delivery, has_takeover, &octets, &cuts)?;
        for (at, flip) in flips {
            if !octets.is_empty() {
                let at = at.index(octets.len());
                octets[at] ^= flip;
            }
        }
        compare(role, delivery, has_takeover, &octets, &cuts)?;
    }

    #[test]
    fn any_octets(
        role in prop_oneof![Just(Role::Server), Just(Role::Client)],
        delivery in prop_oneof![Just(Delivery::Whole), Just(Delivery::Chunks)],
        messages in vec(vec(any::<u8>(), 0..40), 1..5),
        cuts in vec(1..40usize, 0..4),
    ) {
        // 7692-7.2.2-4, 7692-7.2.2-5: payloads of any octets, often a block of fixed codes
        let octets: Vec<u8> = messages.iter().flat_map(|payload| frame_to(role, 0xC2, payload)).collect();
        compare(role, delivery, true, &octets, &cuts)?;
        let fixed: Vec<u8> = messages.iter().flat_map(|payload| {
            let mut payload = payload.clone();
            if let Some(first) = payload.first_mut() {
                *first = *first & 0xF8 | 0x02;
            }
            frame_to(role, 0xC1, &payload)
        }).collect();
        compare(role, delivery, true, &fixed, &cuts)?;
    }
}
