//! Lengths that lie: headers that announce what never comes, or more than there is.

use websocket_proto::{Config, Delivery, MessageKind, ProtocolError as E, Role, SendError};

use crate::common::{KEY, ROLES, assert_failed, connection, frame_to, run};
use crate::counting::measure;
use crate::victim::{DOORS, Victim};

/// A header with a length in this form: of 16 bits, or of 64.
fn header(role: Role, first: u8, form: usize, len: u64) -> Vec<u8> {
    let mask_bit = if role == Role::Server { 0x80 } else { 0 };
    let mut header = vec![first, mask_bit + if form == 2 { 126 } else { 127 }];
    header.extend_from_slice(&len.to_be_bytes()[8 - form..]);
    if role == Role::Server {
        header.extend_from_slice(&KEY);
    }
    header
}

/// So many letters of a payload, masked as they come to this end.
fn letters(role: Role, len: usize) -> Vec<u8> {
    let key = if role == Role::Server { KEY } else { [0; 4] };
    key.iter().cycle().take(len).map(|key| b'a' ^ key).collect()
}

/// Lengths about every bound that code may have: of the forms, of 31, 32 and 63 bits, and where the length of the
/// header added to it is more than there is. What is wrong with each, however much is allowed.
const LENGTHS: [(usize, u64, Option<E>); 22] = [
    (2, 0, Some(E::LengthNotMinimal)),
    (2, 125, Some(E::LengthNotMinimal)),
    (2, 126, None),
    (2, 0xFFFF, None),
    (8, 0, Some(E::LengthNotMinimal)),
    (8, 125, Some(E::LengthNotMinimal)),
    (8, 0xFFFF, Some(E::LengthNotMinimal)),
    (8, 0x1_0000, None),
    (8, (1 << 31) - 1, None),
    (8, 1 << 31, None),
    (8, (1 << 32) - 14, None),
    (8, (1 << 32) - 1, None),
    (8, 1 << 32, None),
    (8, (1 << 32) + 3, None), // 3, for who counts with 32 bits
    (8, (1 << 63) - 15, None),
    (8, (1 << 63) - 14, None),
    (8, (1 << 63) - 1, None),
    (8, 1 << 63, Some(E::LengthTooLarge)),
    (8, (1 << 63) + 3, Some(E::LengthTooLarge)),
    (8, u64::MAX - 14, Some(E::LengthTooLarge)),
    (8, u64::MAX - 13, Some(E::LengthTooLarge)),
    (8, u64::MAX, Some(E::LengthTooLarge)),
];

#[test]
fn a_length_that_wraps_or_lies_delivers_nothing_and_allocates_nothing() {
    // gorilla/websocket, NATS, undici, Tomcat: lengths of 2^63 and more, negative ones, sums with the header that wrap
    let mut config = Config::default();
    (config.limits.frame, config.limits.message) = (u64::MAX, u64::MAX);
    for role in ROLES {
        for door in DOORS {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                config.delivery = delivery;
                for (form, len, error) in LENGTHS {
                    for first in [0x81, 0x82, 0x01, 0x02] {
                        let header = header(role, first, form, len);
                        let mut victim = Victim::new(role, &config, door);
                        victim.input.spare(64);
                        victim.output.reserve(64);
                        let (goes_on, allocations, _) = measure(|| victim.takes(&header));
                        assert_eq!((victim.error, victim.events, allocations), (error, 0, 0), "{len}");
                        assert_eq!(goes_on, error.is_none());
                        if error.is_some() {
                            assert_eq!(victim.output.len(), if role == Role::Server { 4 } else { 8 }, "a Close");
                            continue;
                        }
                        assert_eq!((victim.ws.missing(), victim.output.len()), (len, 0));
                        victim.takes(&letters(role, 3));
                        assert_eq!(victim.ws.missing(), len - 3, "as 64 bits are counted");
                        assert_eq!(victim.delivered, if delivery == Delivery::Whole { 0 } else { 3 });
                    }
                }
            }
        }
    }
}

#[test]
fn a_length_beyond_the_limits_is_refused_at_its_header_however_it_comes() {
    for role in ROLES {
        for (form, len, error) in LENGTHS {
            let error = error.or((len > 16 << 20).then_some(E::FrameTooBig));
            for first in [0x81, 0x82] {
                // whole, octet by octet and in every cut; and what comes behind it is nothing
                let mut octets = header(role, first, form, len);
                if let Some(error) = error {
                    octets.extend_from_slice(&frame_to(role, 0x82, b"not a frame any more"));
                    assert_failed(&run(role, &octets), role, error);
                } else {
                    let transcript = run(role, &octets);
                    assert_eq!((transcript.error, transcript.messages, transcript.output), (None, vec![], vec![]));
                }
            }
        }
    }
}

#[test]
fn a_sum_of_lengths_does_not_wrap() {
    // the second fragment makes the message as long as 2^63 + 9
    for role in ROLES {
        for door in DOORS {
            for (limit, error) in [(u64::MAX, None), ((1 << 63) + 9, None), ((1 << 63) + 8, Some(E::MessageTooBig))] {
                let mut config = Config::default();
                (config.limits.frame, config.limits.message) = (u64::MAX, limit);
                let mut victim = Victim::new(role, &config, door);
                assert!(victim.takes(&frame_to(role, 0x02, &[7; 10])));
                let header = header(role, 0x00, 8, (1 << 63) - 1);
                let (_, _, peak) = measure(|| victim.takes(&header));
                assert_eq!((victim.error, victim.events), (error, 0), "{limit}");
                assert!(peak <= 64, "{peak}");
            }
        }
    }
}

#[test]
fn a_header_alone_allocates_nothing() {
    // RUSTSEC-2022-0035, CVE-2022-35922: a buffer of the announced length, which aborts the process; others reserve
    // as much as their limit, for 14 octets
    const LIMIT: u64 = 16 << 20;
    for role in ROLES {
        for door in DOORS {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                for (before, first) in [(None, 0x81), (None, 0x82), (None, 0x02), (Some(0x01), 0x80), (Some(2), 0)] {
                    let mut config = Config::default();
                    config.delivery = delivery;
                    let mut victim = Victim::new(role, &config, door);
                    victim.input.spare(64);
                    if let Some(first) = before {
                        victim.takes(&frame_to(role, first, b""));
                    }
                    let header = header(role, first, 8, LIMIT);
                    let (_, allocations, _) = measure(|| victim.takes_dribbled(&header));
                    let how = (role, door, delivery, first);
                    assert_eq!((victim.error, victim.ws.missing(), allocations), (None, LIMIT, 0), "{how:?}");
                    // nor does the buffer make room for it
                    let (room, _, peak) = measure(|| victim.input.room(4096).len());
                    assert!(room <= 4096 && peak <= 4096 + 64, "{room} {peak}");
                }
            }
        }
    }
}

#[test]
fn memory_grows_with_what_comes_and_not_with_what_was_announced() {
    for role in ROLES {
        for door in DOORS {
            for first in [0x81, 0x82] {
                let mut victim = Victim::new(role, &Config::default(), door);
                victim.takes(&header(role, first, 8, 16 << 20));
                let piece = letters(role, 1000);
                for come in (1000..=100_000).step_by(1000) {
                    // as a driver reads: into the room that it is given
                    assert!(victim.input.room(1000).len() >= 1000);
                    assert!(victim.takes(&piece));
                    assert!(victim.most <= 4 * come + 4000, "{} octets of memory for {come}", victim.most);
                }
                assert_eq!((victim.events, victim.ws.missing()), (0, (16 << 20) - 100_000));
            }
        }
    }
}

#[test]
fn no_length_beyond_63_bits_is_sent() {
    for role in ROLES {
        let mut ws = connection(role, &Config::default());
        let mut output = Vec::new();
        for len in [1 << 63, u64::MAX] {
            assert_eq!(ws.send_header(MessageKind::Binary, len, &mut output).err(), Some(SendError::FrameTooBig));
            assert!(output.is_empty());
        }
        assert!(ws.send_header(MessageKind::Binary, (1 << 63) - 1, &mut output).is_ok());
        let most = [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(output[2..10], most);
    }
}
