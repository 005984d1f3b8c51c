//! Any octets, into both roles: both doors and the halves of a connection give the same, both deliveries give the same
//! messages, and the reference of the tests agrees.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::{Delivery, PongPolicy, Role};
use websocket_proto_fuzz::{Door, config, cut, frames, parts, receive, receive_by_halves, reference};

fuzz_target!(|data: &[u8]| {
    // of longer ones, which all stay in the output here, not all Pings are answered
    let Some((choices, sizes, octets)) = parts(&data[..data.len().min(5000)]) else { return };
    let pieces = cut(octets, sizes);
    let mut config = config(choices);
    for role in [Role::Server, Role::Client] {
        let seen = [Delivery::Whole, Delivery::Chunks].map(|delivery| {
            config.delivery = delivery;
            let borrowed = receive(role, &config, Door::Borrowed, pieces.iter().copied());
            let owned = receive(role, &config, Door::Owned, pieces.iter().copied());
            assert_eq!(borrowed, owned, "{role:?}, {delivery:?}");
            let halves = receive_by_halves(role, &config, pieces.iter().copied());
            assert_eq!(borrowed, halves, "{role:?}, {delivery:?}, by halves");
            borrowed.assembled()
        });
        assert_eq!(seen[0], seen[1], "{role:?}");
        let [seen, _] = seen;
        let mut meaning = reference::read(role, &config.limits, octets);
        if config.pong == PongPolicy::Manual {
            meaning.answers.retain(|(first, _)| *first != 0x8A);
        }
        assert_eq!(seen.error, meaning.error, "{role:?}");
        assert_eq!(seen.events, meaning.messages, "{role:?}");
        assert_eq!(frames(&seen.output), meaning.answers, "{role:?}");
    }
});
