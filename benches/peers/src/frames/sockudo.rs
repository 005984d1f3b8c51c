//! sockudo-ws.
//!
//! Its sans-I/O layer, `Protocol`, which its streams are made on: they would add a clock, and timers. As they do, it
//! reads into a window of 64 KiB. Messages are `Bytes`, which it is given without a copy.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use sockudo_ws::frame::encode_frame_header;
use sockudo_ws::protocol::Protocol;
use sockudo_ws::{Message, OpCode, Role as End};

use super::codec::{BATCH, Codec, Flush, KEPT, LARGE, Library, Payloads, Role, Tally};
use super::transport::{Source, Wire};

/// Room for a read.
const WINDOW: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Sockudo;

impl Library for Sockudo {
    fn name(&self) -> &'static str {
        "sockudo-ws"
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let end = match role {
            Role::Server => End::Server,
            Role::Client => End::Client,
        };
        Box::new(Open {
            role,
            ws: Protocol::new(end, 16 << 20, 64 << 20),
            input: BytesMut::with_capacity(WINDOW),
            messages: Vec::new(),
            output: BytesMut::new(),
        })
    }
}

struct Open {
    role: Role,
    ws: Protocol,
    input: BytesMut,
    messages: Vec<Message>,
    output: BytesMut,
}

impl Open {
    /// A read, and the messages of it. `None`: there is nothing left.
    fn read(&mut self, source: &mut Source) -> Option<()> {
        if self.input.is_empty() && !self.input.try_reclaim(WINDOW) {
            self.input.reserve(WINDOW);
        }
        if self.input.capacity() - self.input.len() < 4096 {
            self.input.reserve(WINDOW);
        }
        let octets = source.next(self.input.capacity() - self.input.len());
        self.input.extend_from_slice(octets);
        let read = (!octets.is_empty()).then_some(());
        self.ws.process_into(&mut self.input, &mut self.messages).expect("it is right");
        read
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
        let mut tally = Tally::default();
        while self.read(source).is_some() {
            for message in self.messages.drain(..) {
                tally.add(message.as_bytes());
            }
        }
        Some(tally)
    }

    fn receive_kept(&mut self, source: &mut Source) -> Option<Tally> {
        let mut tally = Tally::default();
        let mut kept = VecDeque::with_capacity(KEPT);
        while self.read(source).is_some() {
            for message in self.messages.drain(..) {
                tally.add(message.as_bytes());
                if kept.len() == KEPT {
                    kept.pop_front();
                }
                kept.push_back(message);
            }
        }
        Some(tally)
    }

    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()> {
        for payload in &payloads.shared {
            if self.role == Role::Server && (flush == Flush::Each || payload.len() >= LARGE) {
                encode_frame_header(&mut self.output, OpCode::Binary, payload.len(), true, None);
                wire.write(&[&self.output, payload]);
                self.output.clear();
                continue;
            }
            self.ws.encode_message(&Message::Binary(Bytes::clone(payload)), &mut self.output).expect("it is open");
            if flush == Flush::Each || self.output.len() >= BATCH {
                self.write(wire);
            }
        }
        self.write(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        let mut tally = Tally::default();
        while self.read(source).is_some() {
            for message in self.messages.drain(..) {
                tally.add(message.as_bytes());
                self.ws.encode_message(&message, &mut self.output).expect("it is open");
            }
            self.write(wire);
        }
        Some(tally)
    }
}
