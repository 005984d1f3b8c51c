//! What a `DeflateConfig` asks for, and who is served with which state.
#![cfg(feature = "deflate")]

mod common;

use common::deflate::{agreed_by, chat, compressed_with, config, in_each_memory, noise, takeover};
use common::puff::Puff;
use common::{ROLES, connection, frames_in};
use websocket_proto::deflate::{Compression, DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::{Config, Connection, Prepared, Role};

/// The reserved bits and the payload of the frame that a message goes in.
fn sent(ws: &mut Connection, send: impl FnOnce(&mut Connection, &mut Vec<u8>)) -> (u8, Vec<u8>) {
    let mut output = Vec::new();
    send(ws, &mut output);
    let (header, payload) = frames_in(&output).remove(0);
    (header.reserved, payload)
}

fn sent_binary(ws: &mut Connection, data: &[u8]) -> (u8, Vec<u8>) {
    sent(ws, |ws, output| ws.send_binary(data, output).unwrap())
}

#[test]
fn the_defaults() {
    let default = DeflateConfig::default();
    assert_eq!((default.window_bits, default.peer_window_bits), (12, 15));
    assert_eq!((default.takeover, default.peer_takeover, default.fallback), (true, true, false));
    assert_eq!((default.level, default.mem_level, default.threshold), (1, 5, 128));
    assert_eq!(default.memory, DeflateMemory::Dedicated);
    assert_eq!(Config::default().deflate, None);
}

#[test]
fn what_is_beyond_what_there_is_is_taken_for_the_nearest() {
    let data = chat(3000, 1);
    let made = |window_bits, level, mem_level| {
        let mut deflate = takeover(true);
        (deflate.window_bits, deflate.level, deflate.mem_level) = (window_bits, level, mem_level);
        let mut ws = connection(Role::Server, &config(deflate));
        let (_, payload) = sent_binary(&mut ws, data.as_bytes());
        (payload, ws.memory_used())
    };
    for (asked, taken) in [((0, 1, 5), (9, 1, 5)), ((255, 1, 5), (15, 1, 5)), ((12, 255, 5), (12, 9, 5))] {
        assert_eq!(made(asked.0, asked.1, asked.2), made(taken.0, taken.1, taken.2), "{asked:?}");
    }
    assert_eq!(made(12, 1, 0), made(12, 1, 1));
    assert_eq!(made(12, 1, 255), made(12, 1, 9));
    // and each of them matters
    assert_ne!(made(9, 1, 5).1, made(15, 1, 5).1);
    assert_ne!(made(12, 1, 5).0, made(12, 9, 5).0);
    assert_ne!(made(12, 1, 1).1, made(12, 1, 9).1);
}

#[test]
fn who_wants_no_takeover_has_none_whatever_was_agreed() {
    let mut deflate = DeflateConfig::default();
    deflate.takeover = false;
    for deflate in in_each_memory(&deflate) {
        let agreed = agreed_by("permessage-deflate");
        let mut ws = Connection::client(&config(deflate.clone())).with_deflate(&deflate, agreed);
        let text = chat(500, 1);
        assert_eq!(sent_binary(&mut ws, text.as_bytes()), sent_binary(&mut ws, text.as_bytes()));
    }
}

#[test]
fn a_choice_goes_before_the_threshold() {
    for role in ROLES {
        let mut deflate = DeflateConfig::default();
        deflate.threshold = 100;
        let mut config = Config::default();
        config.deflate = Some(deflate);
        let mut ws = connection(role, &config);
        let mut reserved = |choice, len: usize| {
            sent(&mut ws, |ws, output| ws.compressing(choice).send_text(&"a".repeat(len), output).unwrap()).0
        };
        assert_eq!([99, 100].map(|len| reserved(Compression::Auto, len)), [0, 0x40]);
        assert_eq!([0, 1, 1000].map(|len| reserved(Compression::Always, len)), [0x40; 3]);
        assert_eq!([0, 1, 1000].map(|len| reserved(Compression::Never, len)), [0; 3]);
    }
}

#[test]
fn what_is_no_shorter_is_sent_plain_where_no_compressor_keeps_it() {
    for has_takeover in [true, false] {
        for deflate in in_each_memory(&takeover(has_takeover)) {
            let keeps = has_takeover && deflate.memory == DeflateMemory::Dedicated;
            let mut ws = connection(Role::Server, &config(deflate));
            let (reserved, payload) = sent_binary(&mut ws, &noise(500, 1));
            assert_eq!((reserved, payload.len() == 500), if keeps { (0x40, false) } else { (0, true) });
        }
    }
    // as long as before, and no longer
    let deflate = takeover(false);
    let mut ws = connection(Role::Server, &config(deflate.clone()));
    let (mut equal, mut shorter) = (0, 0);
    for len in 8..200 {
        let data = [noise(len, 7), vec![b'a'; 8]].concat();
        let made = compressed_with(&deflate, &data).len();
        equal += u32::from(made == data.len());
        shorter += u32::from(made < data.len());
        assert_eq!(sent_binary(&mut ws, &data).0 == 0x40, made < data.len(), "{made} for {}", data.len());
    }
    assert!(equal > 0 && shorter > 0, "{equal} equal, {shorter} shorter");
}

#[test]
fn what_is_prepared_is_used_as_it_is_where_it_fits() {
    // made at level 9, which no receiver has: what they would make themselves looks different
    let mut best = takeover(false);
    (best.level, best.window_bits) = (9, 15);
    for window_bits in [9, 12, 15] {
        for len in [500, 1 << window_bits, (1 << window_bits) + 1, 40_000] {
            let text = chat(len, 3);
            let news = Prepared::binary(text.as_bytes()).compress(&best);
            let prepared = compressed_with(&best, text.as_bytes());
            for has_takeover in [true, false] {
                for deflate in in_each_memory(&takeover(has_takeover)) {
                    let keeps = has_takeover && deflate.memory == DeflateMemory::Dedicated;
                    let mut deflate = deflate;
                    deflate.window_bits = window_bits;
                    for role in ROLES {
                        let mut ws = connection(role, &config(deflate.clone()));
                        let payload = sent(&mut ws, |ws, output| ws.send_prepared(&news, output).unwrap()).1;
                        let mut ws = connection(role, &config(deflate.clone()));
                        let shared = sent(&mut ws, |ws, output| output.extend(ws.send_shared(&news).unwrap())).1;
                        assert!(shared == payload, "handed out, it is the same");
                        let fits = window_bits == 15 || text.len() <= 1 << window_bits;
                        let is_used = fits && !keeps && role == Role::Server;
                        assert_eq!(
                            payload == prepared,
                            is_used,
                            "{len} with 2^{window_bits}, takeover: {has_takeover}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_state_that_is_lent_knows_nothing_of_who_had_it_before() {
    let pool = DeflatePool::default();
    let mut deflate = takeover(false);
    deflate.memory = DeflateMemory::Shared(pool);
    let text = chat(500, 1);
    let mut first = connection(Role::Server, &config(deflate.clone()));
    first.begin_binary(text.as_bytes(), &mut Vec::new()).unwrap();
    drop(first); // in the middle of a message
    let mut second = connection(Role::Server, &config(deflate));
    let (_, payload) = sent_binary(&mut second, text.as_bytes());
    assert_eq!(Puff::default().message(&payload, false), Ok(text.into_bytes()));
}

#[test]
fn a_pool_lends_a_state_with_the_settings_that_are_wanted() {
    let pool = DeflatePool::default();
    for window_bits in [15, 9, 15, 10, 9] {
        let mut deflate = takeover(false);
        (deflate.window_bits, deflate.memory) = (window_bits, DeflateMemory::Shared(pool.clone()));
        let mut ws = connection(Role::Server, &config(deflate));
        let block = chat(5000, 3);
        let (_, payload) = sent_binary(&mut ws, format!("{block}{block}").as_bytes());
        let mut puff = Puff::default();
        puff.message(&payload, false).unwrap();
        assert_eq!(puff.distance > 1024, window_bits == 15, "{} with 2^{window_bits}", puff.distance);
        assert!(puff.distance <= 1 << window_bits);
    }
}

#[test]
fn a_pool_is_its_clones_and_no_other() {
    let pool = DeflatePool::default();
    assert_eq!(pool, pool.clone());
    assert_ne!(pool, DeflatePool::default());
    assert_ne!(DeflateMemory::Shared(pool.clone()), DeflateMemory::Dedicated);
    pool.clear();
    assert_eq!(format!("{pool:?}"), "DeflatePool { compressors: 0, decompressors: 0, .. }");
}

#[test]
fn a_full_pool_lets_go_of_the_state_that_lay_there_longest() {
    let pool = DeflatePool::new(2);
    let free = |window_bits| {
        let mut deflate = takeover(false);
        (deflate.window_bits, deflate.memory) = (window_bits, DeflateMemory::Shared(pool.clone()));
        sent_binary(&mut connection(Role::Server, &config(deflate)), &[7; 500]);
        format!("{pool:?}")
    };
    for (window_bits, compressors) in [(9, 1), (9, 1), (10, 2), (11, 2), (12, 2)] {
        assert_eq!(free(window_bits), format!("DeflatePool {{ compressors: {compressors}, decompressors: 0, .. }}"));
    }
    pool.clear();
    assert_eq!(free(9), "DeflatePool { compressors: 1, decompressors: 0, .. }", "it keeps as many as before");
}

#[test]
fn fragments_refer_to_those_before() {
    for has_takeover in [true, false] {
        for deflate in in_each_memory(&takeover(has_takeover)) {
            let is_shared = deflate.memory != DeflateMemory::Dedicated;
            let mut ws = connection(Role::Server, &config(deflate));
            let idle = ws.memory_used();
            let (text, mut output) = (chat(500, 1), Vec::new());
            ws.begin_text(&text, &mut output).unwrap();
            assert!(ws.memory_used() > idle + 100_000, "a state is held as long as the message takes");
            ws.continue_text(&text, &mut output).unwrap();
            ws.finish_text(&text, &mut output).unwrap();
            let lens: Vec<usize> = frames_in(&output).iter().map(|(_, payload)| payload.len()).collect();
            assert!(lens[1] < lens[0] / 4 && lens[2] < lens[0] / 4, "{lens:?}");
            assert_eq!(ws.memory_used() < idle + 100_000, is_shared, "and no longer");
        }
    }
}

#[test]
fn a_threshold_that_nothing_reaches() {
    for role in ROLES {
        let mut deflate = DeflateConfig::default();
        for (threshold, first) in [(usize::MAX, 0x01), (usize::MAX - 1, 0x41)] {
            deflate.threshold = threshold;
            let mut config = Config::default();
            config.deflate = Some(deflate.clone());
            let mut output = Vec::new();
            connection(role, &config).begin_text("Hello", &mut output).unwrap();
            assert_eq!(output[0], first, "{threshold}");
        }
    }
}

#[test]
fn what_is_prepared_plain_stays_plain() {
    for role in ROLES {
        for deflate in in_each_memory(&takeover(true)) {
            let mut ws = connection(role, &config(deflate.clone()));
            let text = chat(500, 1);
            let mut prepared = |message: &Prepared| sent(&mut ws, |ws, out| ws.send_prepared(message, out).unwrap()).0;
            assert_eq!(prepared(&Prepared::text(&text)), 0);
            assert_eq!(prepared(&Prepared::text(&text).compress(&deflate)), 0x40);
            assert_eq!(prepared(&Prepared::binary(&noise(500, 1)).compress(&deflate)), 0, "it is no shorter");
        }
    }
}

#[test]
fn s7_2_1_without_takeover_nothing_is_left_of_a_message() {
    // 7692-7.2.1-5: at every level, by one frame and by several
    for level in 0..=9 {
        for deflate in in_each_memory(&takeover(false)) {
            let mut deflate = deflate;
            deflate.level = level;
            let mut ws = connection(Role::Server, &config(deflate));
            let (a, b) = (chat(3000, 1), chat(20_000, 2));
            let first = sent_binary(&mut ws, a.as_bytes());
            let mut output = Vec::new();
            ws.begin_binary(a.as_bytes(), &mut output).unwrap();
            ws.finish_binary(b.as_bytes(), &mut output).unwrap();
            let payload: Vec<u8> = frames_in(&output).into_iter().flat_map(|(_, payload)| payload).collect();
            let both = Puff::default().message(&payload, false).unwrap();
            assert!(both == [a.as_bytes(), b.as_bytes()].concat(), "level {level}");
            sent_binary(&mut ws, b.as_bytes());
            assert_eq!(sent_binary(&mut ws, a.as_bytes()), first, "level {level}");
        }
    }
}
