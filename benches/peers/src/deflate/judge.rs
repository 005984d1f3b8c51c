//! What a client sends, and whether what it gets is right: by another inflater than that which all of them have.

use miniz_oxide::inflate::stream::{InflateState, MinReset, inflate};
use miniz_oxide::{DataFormat, MZFlush};
use zlib_rs::{Deflate, DeflateFlush};

use super::library::Traffic;
use super::payload::Message;

/// The end of the empty block that ends each message.
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The messages as a client sends them, at level 1.
pub(crate) fn traffic(messages: &[Message], takeover: bool) -> Traffic {
    let mut zlib = Deflate::new(1, false, 15);
    let mut octets = Vec::new();
    let mut payloads = Vec::new();
    for message in messages {
        if !takeover {
            zlib.reset();
        }
        let mut payload = vec![0; message.octets.len() + 64];
        let before = zlib.total_out();
        zlib.compress(&message.octets, &mut payload, DeflateFlush::SyncFlush).expect("it compresses all");
        payload.truncate(usize::try_from(zlib.total_out() - before).expect("it is in memory"));
        assert!(payload.ends_with(&TAIL));
        frame(&payload[..payload.len() - TAIL.len()], &mut octets);
        payloads.push(payload);
    }
    Traffic { octets: octets.into(), payloads }
}

/// A text frame, compressed, final and masked.
fn frame(payload: &[u8], octets: &mut Vec<u8>) {
    const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    octets.push(0xC1);
    match payload.len() {
        len @ ..126 => octets.push(0x80 | u8::try_from(len).expect("it is small")),
        len @ ..0x1_0000 => {
            octets.push(0xFE);
            octets.extend(u16::try_from(len).expect("it is small").to_be_bytes());
        }
        len => {
            octets.push(0xFF);
            octets.extend((len as u64).to_be_bytes());
        }
    }
    octets.extend(KEY);
    octets.extend(payload.iter().zip(KEY.iter().cycle()).map(|(octet, key)| octet ^ key));
}

/// A client's receiving half.
pub(crate) struct Judge {
    state: Box<InflateState>,
    takeover: bool,
    room: Vec<u8>,
}

impl Judge {
    /// Has a new connection judged. Where takeover is left to the library, its absence does no harm to who expects it.
    pub(crate) fn begin(&mut self, takeover: bool) {
        self.state.reset_as(MinReset);
        self.takeover = takeover;
    }

    /// Whether these frames are these messages; octets of their payloads.
    pub(crate) fn check(&mut self, mut wire: &[u8], messages: &[Message]) -> usize {
        let mut octets = 0;
        for message in messages {
            let (compressed, payload, rest) = unframe(wire);
            wire = rest;
            octets += payload.len();
            let plain = if compressed { self.inflate(payload) } else { payload };
            assert!(plain == message.octets, "it is what was sent");
        }
        assert!(wire.is_empty(), "it is no more than was sent");
        octets
    }

    fn inflate(&mut self, payload: &[u8]) -> &[u8] {
        if !self.takeover {
            self.state.reset_as(MinReset);
        }
        let mut made = 0;
        for mut input in [payload, &TAIL] {
            loop {
                let step = inflate(&mut self.state, input, &mut self.room[made..], MZFlush::Sync);
                input = &input[step.bytes_consumed..];
                made += step.bytes_written;
                if input.is_empty() || (step.bytes_consumed == 0 && step.bytes_written == 0) {
                    break;
                }
            }
            assert!(input.is_empty(), "it is DEFLATE data");
        }
        &self.room[..made]
    }
}

impl Default for Judge {
    fn default() -> Self {
        Self { state: InflateState::new_boxed(DataFormat::Raw), takeover: true, room: vec![0; 1 << 17] }
    }
}

/// Whether the first frame's payload is compressed, the payload, and what follows.
fn unframe(wire: &[u8]) -> (bool, &[u8], &[u8]) {
    assert!(matches!(wire[0], 0xC1 | 0x81), "it is a text message in one frame");
    let (len, begin) = match wire[1] {
        126 => (usize::from(u16::from_be_bytes([wire[2], wire[3]])), 4),
        127 => {
            let len = wire[2..10].try_into().expect("they are eight");
            (usize::try_from(u64::from_be_bytes(len)).expect("it is in memory"), 10)
        }
        len => (usize::from(len), 2),
    };
    let (payload, rest) = wire[begin..].split_at(len);
    (wire[0] == 0xC1, payload, rest)
}
