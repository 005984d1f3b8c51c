//! The same with permessage-deflate.

use super::common::deflate::{in_each_memory, noise, takeover as takeover_in_both};
use super::common::{ROLES, connection, frame_to, frames_in};
use super::formula::{Settings, WorstCase, open};
use super::{End, assert_within, assert_worst, peak_of, pings, settings, staircase};
use websocket_proto::deflate::{Compression, DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::{Delivery, ProtocolError, Role};

/// In each memory, with and without takeover, with windows of several sizes, the same in both directions.
fn all_deflates() -> Vec<DeflateConfig> {
    let mut all = Vec::new();
    for (window_bits, takeover) in [(9, true), (9, false), (12, true), (15, true), (15, false)] {
        let mut deflate = takeover_in_both(takeover);
        (deflate.window_bits, deflate.peer_window_bits) = (window_bits, window_bits);
        all.extend(in_each_memory(&deflate));
    }
    all
}

fn with(deflate: &DeflateConfig, message: u64, delivery: Delivery, is_owned: bool) -> Settings {
    let mut settings = settings(message, 1000, delivery, is_owned);
    settings.config.limits.frame = 2 * message + 1000;
    let mut deflate = deflate.clone();
    if deflate.memory != DeflateMemory::Dedicated {
        deflate.memory = DeflateMemory::Shared(DeflatePool::default()); // with nothing in it that was used before
    }
    settings.config.deflate = Some(deflate);
    settings
}

/// What the peer of `role` sends for these messages, in small frames.
fn compressed(role: Role, settings: &Settings, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut config = settings.config.clone();
    config.deflate.as_mut().unwrap().memory = DeflateMemory::Dedicated;
    let peer = if role == Role::Server { Role::Client } else { Role::Server };
    let (mut peer, mut octets) = (connection(peer, &config), Vec::new());
    for message in messages {
        let mut output = Vec::new();
        peer.compressing(Compression::Always).send_binary(message, &mut output).unwrap();
        let payload = frames_in(&output).remove(0).1;
        octets.extend(frame_to(role, 0x42, b""));
        payload.chunks(300).for_each(|piece| octets.extend(frame_to(role, 0x00, piece)));
        octets.extend(frame_to(role, 0x80, b""));
    }
    octets
}

#[test]
fn inflating_takes_what_the_formula_says() {
    // a window that grows, then a message of the limit, then one that inflates beyond it
    let messages = [noise(3000, 1), noise(20_000, 2), vec![0; 50_000]];
    for role in ROLES {
        for deflate in all_deflates() {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                for is_owned in [false, true] {
                    let settings = with(&deflate, 20_000, delivery, is_owned);
                    let octets = compressed(role, &settings, &messages);
                    let peak = peak_of(|| {
                        let mut end = End::new(role, &settings);
                        assert_eq!(end.feed(&octets), Err(ProtocolError::MessageTooBig));
                    });
                    let worst = open(&settings);
                    let what = format!("{role:?} {settings:?}");
                    assert_within(peak, WorstCase { deflater: 0, answers: 0, ..worst }.total(), &what);
                    // without what plain messages take, of which there are none
                    let inflating = worst.inflated + worst.inflater + worst.window;
                    assert!(peak > inflating, "{what}: {peak} octets, of which {inflating} by the formula");
                }
            }
        }
    }
}

#[test]
fn all_at_once_is_the_formula() {
    let messages = [noise(3000, 1), noise(20_000, 2)];
    for role in ROLES {
        for deflate in all_deflates() {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                let settings = with(&deflate, 20_000, delivery, true);
                let mut streams = staircase(role, &settings, 2000);
                streams.push(pings(role));
                streams.push(compressed(role, &settings, &messages));
                let (sent, mut output) = (&messages[1], Vec::with_capacity(100_000));
                let peak = peak_of(|| {
                    let mut end = End::new(role, &settings);
                    end.ws.compressing(Compression::Always).send_binary(sent, &mut output).unwrap();
                    end.ws.compressing(Compression::Always).begin_binary(sent, &mut output).unwrap();
                    end.feed_all(&streams);
                });
                assert_worst(peak, open(&settings).total(), &format!("{role:?} {settings:?}"));
            }
        }
    }
}
