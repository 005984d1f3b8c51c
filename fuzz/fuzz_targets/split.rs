//! The law of sans-IO: the same octets, whole and cut anywhere, give the same events, output, error and outcome.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::Role;
use websocket_proto_fuzz::{Door, config, cut, parts, receive};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    let config = config(choices);
    let role = if choices & 8 == 0 { Role::Server } else { Role::Client };
    let door = if choices & 16 == 0 { Door::Borrowed } else { Door::Owned };
    let whole = receive(role, &config, door, [octets]).merged();
    // of more Pongs than that, which all stay in the output here, not all are sent; which, is a matter of the cut
    if whole.output.len() >= 16 << 10 {
        return;
    }
    assert_eq!(whole, receive(role, &config, door, cut(octets, sizes)).merged(), "whole, and cut by {sizes:?}");
    assert_eq!(whole, receive(role, &config, door, cut(octets, &[])).merged(), "whole, and octet by octet");
});
