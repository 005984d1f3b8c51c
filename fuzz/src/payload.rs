//! What programs of sends are made of.

use arbitrary::Arbitrary;
use websocket_proto::Message;

/// What is sent: made of its length, as its octets make no difference.
#[derive(Arbitrary, Debug)]
pub struct Payload {
    pub is_text: bool,
    pub len: u16,
}

impl Payload {
    /// Up to 2 KiB, or around 64 KiB: every form of a length.
    pub fn octets(&self) -> Vec<u8> {
        let len = usize::from(if self.len < 0xFF00 { self.len >> 5 } else { self.len });
        if !self.is_text {
            return octets(if self.len == u16::MAX { len + 1 } else { len });
        }
        let mut text = "h\u{e9}llo \u{2211} \u{1f600}".repeat(len / 8 + 1);
        text.truncate(text.floor_char_boundary(len));
        text.into()
    }
}

/// Octets of which no two neighbours are equal.
pub fn octets(len: usize) -> Vec<u8> {
    const CYCLE: &[u8] = &[3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6, 2, 6, 4, 0x80, 0xFF, 0];
    let mut octets = CYCLE.repeat(len / CYCLE.len() + 1);
    octets.truncate(len);
    octets
}

pub fn message(is_text: bool, octets: Vec<u8>) -> Message {
    match is_text {
        true => Message::Text(String::from_utf8(octets).expect("it was sent as text").into()),
        false => Message::Binary(octets.into()),
    }
}

pub fn chunk(is_text: bool, octets: Vec<u8>, first: bool, last: bool) -> Message {
    match is_text {
        true => {
            Message::TextChunk { text: String::from_utf8(octets).expect("it was sent as text").into(), first, last }
        }
        false => Message::BinaryChunk { data: octets.into(), first, last },
    }
}
