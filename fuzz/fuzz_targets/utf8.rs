//! Any octets as text against `core::str::from_utf8`: the same verdict, which shows with the very octet that no text
//! can go on with; before it come whole characters, and all of them. Cut anywhere: by [`split_utf8`] and
//! [`Utf8Validator`], in text messages of any fragments, plain and compressed, in both roles and both deliveries, and
//! as the reason of a Close.
//!
//! One difference: a compressed frame that is delivered whole is looked at once it is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::wire::{FrameHeader, OpCode, Utf8Validator, split_utf8};
use websocket_proto::{CloseCode, CloseFrame, Config, Delivery, Message, ProtocolError, Role};
use websocket_proto_fuzz::{Door, Endpoint, config, cut, deflate, parts};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    let octets = &octets[..octets.len().min(60_000)];
    let fault = Fault::of(octets);
    let pieces = cut(octets, sizes);
    alone(octets, &pieces, fault);

    let mut config = config(choices & 1);
    config.deflate = (choices & 2 != 0).then(|| deflate(choices & 0x3C));
    let role = if choices & 64 == 0 { Role::Server } else { Role::Client };
    let door = if choices & 128 == 0 { Door::Borrowed } else { Door::Owned };
    as_message(role, &config, door, octets, &pieces, fault);
    if octets.len() <= 123 {
        as_reason(role, &config, door, octets);
    }
});

/// Why octets are no text.
#[derive(Clone, Copy, Debug)]
struct Fault {
    /// So many are whole characters.
    valid: usize,
    /// With so many octets it shows; without, only where they end.
    shows: Option<usize>,
}

impl Fault {
    fn of(octets: &[u8]) -> Option<Self> {
        let error = str::from_utf8(octets).err()?;
        let valid = error.valid_up_to();
        let shows = error.error_len().map(|len| {
            // what is wrong is the last of these octets, or the one behind them, if they could have begun a character
            let is_begun = str::from_utf8(&octets[valid..valid + len]).is_err_and(|error| error.error_len().is_none());
            valid + len + usize::from(is_begun)
        });
        Some(Self { valid, shows })
    }
}

/// What checks octets alone.
fn alone(octets: &[u8], pieces: &[&[u8]], fault: Option<Fault>) {
    let shows = fault.and_then(|fault| fault.shows);
    match (split_utf8(octets), fault) {
        (Ok((text, tail)), None) => assert_eq!((text.as_bytes(), tail), (octets, &[][..])),
        (Ok((text, tail)), Some(Fault { valid, shows: None })) => {
            assert_eq!((text.as_bytes(), tail), octets.split_at(valid));
        }
        (split, _) => assert!(split.is_err() && shows.is_some(), "{split:?}, but {fault:?}"),
    }
    let mut validator = Utf8Validator::default();
    let mut gone = 0;
    for piece in pieces {
        gone += piece.len();
        let pushed = validator.push(piece);
        assert_eq!(pushed.is_err(), shows.is_some_and(|shows| shows <= gone), "after {gone} octets: {fault:?}");
        if pushed.is_err() {
            return;
        }
    }
    assert_eq!(validator.finish().is_ok(), fault.is_none());
}

/// As a text message, whose fragments are these pieces.
fn as_message(role: Role, config: &Config, door: Door, octets: &[u8], pieces: &[&[u8]], fault: Option<Fault>) {
    let is_compressed = config.deflate.is_some();
    let waits = is_compressed && config.delivery == Delivery::Whole;
    // a block that is stored: how many octets, and the complement of that; behind them, one that is cut off
    let len = u16::try_from(octets.len()).expect("they were cut off");
    let stored = [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes()].concat();
    let (front, back) = if is_compressed { (&stored[..], &[0][..]) } else { (&[][..], &[][..]) };

    let mut stream = Vec::new();
    let (mut gone, mut shows_at) = (0, None);
    for (i, piece) in pieces.iter().enumerate() {
        let (is_first, is_last) = (i == 0, i + 1 == pieces.len());
        let payload = [if is_first { front } else { &[] }, *piece, if is_last { back } else { &[] }].concat();
        let key = (role == Role::Server).then_some([0x37, 0xfa, 0x21, 0x3d]);
        let header = FrameHeader {
            fin: is_last,
            reserved: if is_first && is_compressed { 0x40 } else { 0 },
            opcode: if is_first { OpCode::Text } else { OpCode::Continuation },
            mask: key,
            payload_len: payload.len() as u64,
        };
        header.encode(&mut stream).expect("right");
        let begin = stream.len() + if is_first { front.len() } else { 0 };
        stream.extend_from_slice(&payload);
        if let Some(key) = key {
            let at = stream.len() - payload.len();
            websocket_proto::wire::Mask::new(key).apply(&mut stream[at..]);
        }
        if let Some(shows) =
            fault.and_then(|fault| fault.shows).filter(|shows| (gone + 1..=gone + piece.len()).contains(shows))
        {
            shows_at = Some(if waits { stream.len() } else { begin + shows - gone });
        }
        gone += piece.len();
    }
    let shows_at = shows_at.unwrap_or(stream.len());

    let mut endpoint = Endpoint::new(role, config, door);
    let (before, rest) = stream.split_at(shows_at - 1);
    cut(before, &[97, 1, 255]).into_iter().for_each(|piece| endpoint.feed(piece));
    assert_eq!(endpoint.error, None, "{fault:?}");
    assert!(endpoint.events.iter().all(|event| matches!(event, Message::TextChunk { last: false, .. })));
    endpoint.feed(&rest[..1]);
    assert_eq!(endpoint.error, fault.map(|_| ProtocolError::InvalidUtf8), "{fault:?}, {role:?}, {config:?}");
    endpoint.feed(&rest[1..]);
    match fault {
        None => assert_eq!(
            endpoint.finish().assembled().events,
            [Message::Text(String::from_utf8(octets.to_vec()).expect("it is").into())]
        ),
        Some(fault) => {
            let chunks = endpoint.events.iter().map(|event| match event {
                Message::TextChunk { text, last: false, .. } => text.as_bytes(),
                event => panic!("{event:?}"),
            });
            let is_whole = config.delivery == Delivery::Whole;
            assert_eq!(chunks.collect::<Vec<_>>().concat(), octets[..if is_whole { 0 } else { fault.valid }]);
        }
    }
}

/// As the reason of a Close.
fn as_reason(role: Role, config: &Config, door: Door, octets: &[u8]) {
    let body = [&[0x03, 0xE8][..], octets].concat();
    // a key of zeros leaves the payload as it is
    let mask = (role == Role::Server).then_some([0; 4]);
    let header = FrameHeader { fin: true, reserved: 0, opcode: OpCode::Close, mask, payload_len: body.len() as u64 };
    let mut stream = Vec::new();
    header.encode(&mut stream).expect("right");
    stream.extend_from_slice(&body);
    let mut endpoint = Endpoint::new(role, config, door);
    endpoint.feed(&stream);
    let expected = match str::from_utf8(octets) {
        Ok(reason) => Ok(CloseFrame { code: CloseCode::NORMAL, reason }),
        Err(_) => Err(ProtocolError::InvalidCloseReason),
    };
    assert_eq!(CloseFrame::decode(&body), expected.map(Some));
    assert_eq!(endpoint.error, expected.err());
    let event = expected.ok().map(|frame| Message::Close(Some(frame.into_owned())));
    assert_eq!(endpoint.events, Vec::from_iter(event));
}
