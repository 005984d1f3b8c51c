//! permessage-deflate against zlib, the C library: any octets as the payload of compressed messages give the same
//! octets and the same verdict; and what is compressed here, with any settings, it inflates to what it was.
//!
//! Where RFC 7692 says more than zlib does, the reference below does it, by way of zlib:
//!
//! - behind a final block, the message goes on, with what came before to refer to (§7.2.3.4); more of them than allowed
//!   are [`ProtocolError::TooManyFragments`];
//! - with the tail that the sender cut off, the data ends at the end of a block, or of a final one; zlib itself takes
//!   data that ends anywhere. A message without context takeover may end a block amid an octet, as the rest of that
//!   means nothing: there, what zlib says of the end is not asked for;
//! - a payload without any octet is no data;
//! - nothing is made beyond the limit.
//!
//! Both go back 32 KiB, whatever was agreed.
#![no_main]

use flate2::{Decompress, FlushDecompress, Status};
use libfuzzer_sys::fuzz_target;
use websocket_proto::wire::{FrameHeader, OpCode};
use websocket_proto::{Config, Message, ProtocolError, Role};
use websocket_proto_fuzz::{Door, Endpoint, cut, deflate, frames, parts, receive};

fuzz_target!(|data: &[u8]| {
    let Some((choices, sizes, octets)) = parts(data) else { return };
    if choices & 1 == 0 {
        inflates_as_zlib(choices, sizes, octets);
    } else {
        zlib_inflates(choices, sizes, octets);
    }
});

/// What a sender cuts off each message.
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The most that a message may be inflated to.
const LIMIT: usize = 50_000;

/// The octets as compressed messages.
fn inflates_as_zlib(choices: u8, sizes: &[u8], octets: &[u8]) {
    let has_takeover = choices & 2 == 0;
    let mut config = Config::default();
    let mut deflate = deflate(choices & 4);
    (deflate.takeover, deflate.peer_takeover) = (has_takeover, has_takeover);
    (deflate.window_bits, deflate.peer_window_bits) = (15, 15);
    config.deflate = Some(deflate);
    config.limits.message = LIMIT as u64;
    let payloads = if sizes.is_empty() { vec![octets] } else { cut(octets, sizes) };

    let mut stream = Vec::new();
    let (mut history, mut expected) = (Vec::new(), Vec::new());
    let mut error = None;
    let mut is_certain = true;
    for payload in payloads {
        let header = FrameHeader {
            fin: true,
            reserved: 0x40,
            opcode: OpCode::Binary,
            mask: None,
            payload_len: payload.len() as u64,
        };
        header.encode(&mut stream).expect("right");
        stream.extend_from_slice(payload);
        if error.is_some() || !is_certain {
            continue;
        }
        match inflate(&history, payload) {
            Ok((plain, ends)) => {
                if !ends && has_takeover {
                    error = Some(ProtocolError::InvalidDeflate);
                    continue;
                }
                is_certain = ends;
                if has_takeover {
                    history.extend_from_slice(&plain);
                }
                expected.push(Message::Binary(plain.into()));
            }
            Err(reason) => error = Some(reason),
        }
    }
    let seen = receive(Role::Client, &config, Door::Borrowed, [&stream[..]]);
    if is_certain {
        assert_eq!(seen.events, expected);
        assert_eq!(seen.error, error);
    } else {
        // the last of these is refused, or it is as zlib has it
        let len = seen.events.len().min(expected.len());
        assert!(len + 1 >= expected.len());
        assert_eq!(seen.events[..len], expected[..len]);
        assert!(len == expected.len() || seen.error == Some(ProtocolError::InvalidDeflate));
    }
}

/// What zlib inflates a message to, and whether its data has ended with the tail.
fn inflate(history: &[u8], payload: &[u8]) -> Result<(Vec<u8>, bool), ProtocolError> {
    if payload.is_empty() {
        return Err(ProtocolError::InvalidDeflate);
    }
    let data = [payload, &TAIL].concat();
    let most_finals = 16 + payload.len() / 64;
    let (mut at, mut finals) = (0, 0);
    let mut plain = Vec::new();
    loop {
        let mut zlib = Decompress::new_with_window_bits(false, 15);
        let before = [history, &plain].concat();
        let window = &before[before.len().saturating_sub(1 << 15)..];
        if !window.is_empty() {
            zlib.set_dictionary(window).expect("raw data has no header to wait for");
        }
        let begin = at;
        let come = payload.get(begin..).unwrap_or_default();
        let end = run(&mut zlib, come, 4096, LIMIT + 1 - plain.len(), &mut plain);
        if plain.len() > LIMIT {
            return Err(ProtocolError::MessageTooBig);
        }
        let mut has_ended = end.map_err(|()| ProtocolError::InvalidDeflate)?;
        at = begin + zlib.total_in() as usize;
        if !has_ended {
            let end = run(&mut zlib, &data[at..], 4096, LIMIT + 1 - plain.len(), &mut plain);
            has_ended = end.map_err(|()| ProtocolError::InvalidDeflate)?;
            at = begin + zlib.total_in() as usize;
        }
        if plain.len() > LIMIT {
            // the tail is not the peer's: that it is inflated to something shows that the data did not end before it
            return Err(ProtocolError::InvalidDeflate);
        }
        if !has_ended {
            // a block that may only come where one ends; nothing else inflates to what is in it
            const PROBE: &[u8] = b"\x01\x19\x00\xe6\xff<where a block may begin>";
            let mut probed = Vec::new();
            let end = run(&mut zlib, PROBE, 4096, PROBE.len() + 300, &mut probed);
            return Ok((plain, end == Ok(true) && probed == PROBE[5..]));
        }
        finals += 1;
        if finals > most_finals && at <= payload.len() {
            return Err(ProtocolError::TooManyFragments);
        }
        match data.len() - at {
            0 | 4 => return Ok((plain, true)),
            // a final block that ends amid the tail
            1..4 => return Ok((plain, false)),
            _ => {}
        }
    }
}

/// Inflates all there is, in steps of so many octets: whether a final block has ended.
fn run(zlib: &mut Decompress, data: &[u8], step: usize, most: usize, plain: &mut Vec<u8>) -> Result<bool, ()> {
    let begin = (zlib.total_in(), plain.len());
    let mut room = vec![0; step];
    loop {
        let taken = (zlib.total_in() - begin.0) as usize;
        let left = most - (plain.len() - begin.1);
        let before = (zlib.total_in(), zlib.total_out());
        let room = &mut room[..step.min(left)];
        let status = zlib.decompress(&data[taken..], room, FlushDecompress::Sync);
        let made = (zlib.total_out() - before.1) as usize;
        plain.extend_from_slice(&room[..made]);
        match status {
            Err(_) => return Err(()),
            Ok(Status::StreamEnd) => return Ok(true),
            Ok(_) if (zlib.total_in(), zlib.total_out()) == before => return Ok(false),
            Ok(_) => {}
        }
    }
}

/// Octets that do not repeat themselves.
fn gap(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

/// The octets as messages that are sent compressed, with themselves again somewhere behind.
fn zlib_inflates(choices: u8, sizes: &[u8], octets: &[u8]) {
    let mut deflate = deflate((choices & 0x0E) >> 1);
    let [setting, more] = [0, 1].map(|i| sizes.get(i).copied().unwrap_or_default());
    deflate.level = setting % 10;
    deflate.mem_level = 1 + setting % 9;
    deflate.window_bits = 9 + more % 7;
    let mut config = Config::default();
    config.deflate = Some(deflate);
    let mut endpoint = Endpoint::new(Role::Client, &config, Door::Borrowed);
    let agreed = endpoint.ws.deflate().expect("it was agreed");
    let new = || Decompress::new_with_window_bits(false, agreed.client_max_window_bits());
    let mut zlib = new();
    let gap = gap(8 * usize::from(sizes.get(2).copied().unwrap_or_default()));
    for (i, plain) in cut(octets, sizes).into_iter().enumerate() {
        // what is repeated is near, or far away
        let plain = &[plain, &gap, plain].concat()[..];
        let Endpoint { ws, output, .. } = &mut endpoint;
        if i % 3 == 2 {
            let (first, last) = plain.split_at(plain.len() / 2);
            ws.begin_binary(first, output).expect("nothing else is under way");
            ws.finish_binary(last, output).expect("it was begun");
        } else {
            ws.send_binary(plain, output).expect("it is open");
        }
        let frames = frames(output);
        output.clear();
        let is_compressed = frames[0].0 & 0x40 != 0;
        let mut payload: Vec<u8> = frames.into_iter().flat_map(|(_, payload)| payload).collect();
        if !is_compressed {
            assert_eq!(payload, plain);
            continue;
        }
        payload.extend(TAIL);
        if agreed.client_no_context_takeover() {
            zlib = new();
        }
        let mut inflated = Vec::new();
        // in small steps, or what is further back than the window would still lie in the room
        let before = zlib.total_in();
        assert_eq!(run(&mut zlib, &payload, 64, plain.len() + 1, &mut inflated), Ok(false));
        assert_eq!((inflated.as_slice(), zlib.total_in() - before), (plain, payload.len() as u64));
    }
}
