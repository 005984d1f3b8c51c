//! Any octets, read by tungstenite and by us, in both roles: the same messages in the same order until the first fault,
//! and the same answers to Pings and Closes.
//!
//! Where we differ on purpose:
//!
//! - we refuse a length that is not in its shortest form, which it takes, of control frames, too;
//! - we refuse a close code that must not be sent; it reports 1002 in its place. It takes 1014 for such a code, too,
//!   which is registered;
//! - we say what is wrong with the octet that makes it so; it does so with the whole header or frame, or never, if that
//!   does not come;
//! - we answer what is wrong with a Close, it leaves that to the application;
//! - our answer to a Close has its code, the other one the reason, too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::{CloseCode, CloseFrame, Message, ProtocolError, Role};
use websocket_proto_fuzz::{Door, config, cut, frames, parts, peer, receive};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    let mut config = config(choices & 1);
    (config.limits.frame, config.limits.message) = if choices & 2 == 0 { (1 << 17, 1 << 18) } else { (130, 140) };
    let door = if choices & 4 == 0 { Door::Borrowed } else { Door::Owned };
    let pieces = cut(octets, sizes);
    for role in [Role::Server, Role::Client] {
        let mut ws = peer::new(role, &config.limits, &pieces);
        let (messages, failure) = peer::read(&mut ws);
        let mut answers = frames(&ws.get_ref().output);
        if let Some((0x88, body)) = answers.last_mut() {
            body.truncate(2);
        }

        let seen = receive(role, &config, door, pieces.iter().copied()).assembled();
        // of more Pongs than that, which all stay in the output here, not all are sent
        let has_all_pongs = seen.output.len() < 16 << 10;
        let mut answered = frames(&seen.output);
        if seen.error.is_some() {
            assert_eq!(answered.pop().map(|(first, _)| first), Some(0x88), "a Close says why");
        }
        if let Some(Message::Close(Some(CloseFrame { code: CloseCode::BAD_GATEWAY, .. }))) = seen.events.last() {
            assert_eq!(answered.pop(), Some((0x88, vec![0x03, 0xF6])));
            answered.push((0x88, vec![0x03, 0xEA]));
        }
        let expected: Vec<Message> = seen.events.into_iter().map(peer::as_reported).collect();
        match seen.error {
            Some(
                ProtocolError::LengthNotMinimal | ProtocolError::ControlTooLong | ProtocolError::InvalidCloseCode(_),
            ) => {
                assert!(messages.starts_with(&expected), "{role:?}, {:?}: {messages:?}, {expected:?}", seen.error);
                assert!(!has_all_pongs || answers.starts_with(&answered), "{role:?}: {answers:?}, {answered:?}");
            }
            error => {
                assert_eq!(messages, expected, "{role:?}, {error:?}, {failure:?}");
                assert!(error.is_some() || failure.is_none(), "{role:?}: {failure:?}");
                assert!(!has_all_pongs || answers == answered, "{role:?}: {answers:?}, {answered:?}");
            }
        }
    }
});
