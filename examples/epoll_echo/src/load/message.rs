//! What does the load send? So that it can be known again without being kept.

use std::fmt::Write;

use websocket_proto::{Connection, Event, SendError};

/// The longest of the messages, without the numbers in front.
const LONGEST: usize = 40_000;

/// Where in the noise a message may begin.
const OFFSETS: usize = 4096;

/// All messages: each begins with who sends it and its number, and is otherwise a piece of the same noise.
pub(super) struct Messages {
    text: String,
    octets: Vec<u8>,
    /// The message that is asked for.
    text_message: String,
    binary_message: Vec<u8>,
}

impl Default for Messages {
    fn default() -> Self {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let octets: Vec<u8> = (0..LONGEST + OFFSETS)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            })
            .collect();
        let text = octets.iter().map(|octet| char::from(b'a' + octet % 26)).collect();
        Self { text, octets, text_message: String::new(), binary_message: Vec::new() }
    }
}

impl Messages {
    /// Appends a peer's message of this number: texts and binary ones take turns, and a few are long.
    pub(super) fn send(
        &mut self,
        peer: usize,
        number: u64,
        ws: &mut Connection,
        output: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        match is_text(number) {
            true => ws.send_text(self.text(peer, number), output),
            false => ws.send_binary(self.binary(peer, number), output),
        }
    }

    /// Whether this is that message, octet by octet.
    pub(super) fn is_echo(&mut self, peer: usize, number: u64, event: &Event<'_>) -> bool {
        match event {
            Event::Text(text) => is_text(number) && *text == self.text(peer, number),
            Event::Binary(data) => !is_text(number) && *data == self.binary(peer, number),
            _ => false,
        }
    }

    fn text(&mut self, peer: usize, number: u64) -> &str {
        let (offset, len) = place(peer, number);
        self.text_message.clear();
        // a String takes all that is written
        let _ = write!(self.text_message, "{peer} {number} ");
        self.text_message.push_str(&self.text[offset..][..len]);
        &self.text_message
    }

    fn binary(&mut self, peer: usize, number: u64) -> &[u8] {
        let (offset, len) = place(peer, number);
        self.binary_message.clear();
        self.binary_message.extend_from_slice(&peer.to_be_bytes());
        self.binary_message.extend_from_slice(&number.to_be_bytes());
        self.binary_message.extend_from_slice(&self.octets[offset..][..len]);
        &self.binary_message
    }
}

fn is_text(number: u64) -> bool {
    number.is_multiple_of(2)
}

/// Which piece of the noise a message is: 16 to 143 octets, or 4000 of each 50th, or 40,000 of each 500th.
fn place(peer: usize, number: u64) -> (usize, usize) {
    let number = usize::try_from(number % (1 << 32)).unwrap_or_default();
    let len = match number % 500 {
        499 => LONGEST,
        n if n % 50 == 48 => 4000,
        _ => 16 + (peer.wrapping_mul(31) + number * 7) % 128,
    };
    ((peer * 13 + number * 17) % OFFSETS, len)
}
