//! websocket-sans-io.
//!
//! It unmasks what it is lent, and says where frames begin and end: payloads come in pieces, and nothing is checked. So
//! a message is never whole in one place, and text is not measured.

use rand::Rng;
use websocket_sans_io::{FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent};

use super::codec::{BATCH, Codec, Delivery, Flush, LARGE, Library, Payloads, Pieces, READ, Role, Tally};
use super::transport::{Source, Wire};

#[derive(Debug)]
pub(crate) struct SansIo;

impl Library for SansIo {
    fn name(&self) -> &'static str {
        "websocket-sans-io"
    }

    fn delivery(&self) -> Delivery {
        Delivery::Pieces
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        Box::new(Open {
            role,
            decoder: WebsocketFrameDecoder::new(),
            encoder: WebsocketFrameEncoder::new(),
            input: vec![0; READ],
            output: Vec::new(),
        })
    }
}

struct Open {
    role: Role,
    decoder: WebsocketFrameDecoder,
    encoder: WebsocketFrameEncoder,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Open {
    fn header(&mut self, payload_length: u64) {
        let mask = match self.role {
            Role::Server => None,
            Role::Client => Some(rand::rng().next_u32().to_ne_bytes()),
        };
        let frame = FrameInfo { opcode: Opcode::Binary, payload_length, mask, fin: true, reserved: 0 };
        self.output.extend_from_slice(&self.encoder.start_frame(&frame));
    }

    fn append(&mut self, payload: &[u8]) {
        let begin = self.output.len();
        self.output.extend_from_slice(payload);
        self.encoder.transform_frame_payload(&mut self.output[begin..]);
    }

    fn write(&mut self, wire: &mut Wire) {
        if !self.output.is_empty() {
            wire.write(&[&self.output]);
            self.output.clear();
        }
    }
}

impl Codec for Open {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        let mut pieces = Pieces::default();
        loop {
            let len = source.read(&mut self.input);
            if len == 0 {
                return Some(pieces.tally);
            }
            let mut rest = &mut self.input[..len];
            loop {
                let step = self.decoder.add_data(rest).expect("it is right");
                let (piece, behind) = rest.split_at_mut(step.consumed_bytes);
                match step.event {
                    Some(WebsocketFrameEvent::Start { original_opcode: Opcode::Text, .. }) => return None,
                    Some(WebsocketFrameEvent::PayloadChunk { .. }) => pieces.add(piece),
                    Some(WebsocketFrameEvent::End { .. }) => pieces.end(),
                    None if step.consumed_bytes == 0 => break,
                    _ => {}
                }
                rest = behind;
            }
        }
    }

    fn receive_kept(&mut self, _: &mut Source) -> Option<Tally> {
        None
    }

    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()> {
        for payload in &payloads.octets {
            self.header(payload.len() as u64);
            match (self.role, flush) {
                (Role::Server, flush) if flush == Flush::Each || payload.len() >= LARGE => {
                    wire.write(&[&self.output, payload]);
                    self.output.clear();
                }
                (_, flush) => {
                    self.append(payload);
                    if flush == Flush::Each || self.output.len() >= BATCH {
                        self.write(wire);
                    }
                }
            }
        }
        self.write(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        let mut pieces = Pieces::default();
        loop {
            let len = source.read(&mut self.input);
            if len == 0 {
                return Some(pieces.tally);
            }
            let mut begin = 0;
            loop {
                let step = self.decoder.add_data(&mut self.input[begin..len]).expect("it is right");
                let end = begin + step.consumed_bytes;
                match step.event {
                    Some(WebsocketFrameEvent::Start { frame_info, .. }) => self.header(frame_info.payload_length),
                    Some(WebsocketFrameEvent::PayloadChunk { .. }) => {
                        let piece = &self.input[begin..end];
                        pieces.add(piece);
                        self.output.extend_from_slice(piece);
                    }
                    Some(WebsocketFrameEvent::End { .. }) => pieces.end(),
                    None if begin == end => break,
                    None => {}
                }
                begin = end;
            }
            self.write(wire);
        }
    }
}
