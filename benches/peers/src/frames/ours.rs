//! This crate: a connection, its read buffer and its output.

use std::collections::VecDeque;

use websocket_proto::{Config, Connection, Event, Message, MessageKind, ReadBuffer};

use super::codec::{
    BATCH, Codec, Delivery, Flush, KEPT, LARGE, Library, Payloads, Pieces, READ, Role, Standing, Tally,
};
use super::transport::{Source, Wire};

#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) delivery: Delivery,
}

impl Library for Ours {
    fn name(&self) -> &'static str {
        match self.delivery {
            Delivery::Messages => "ours",
            Delivery::Pieces => "ours, pieces",
        }
    }

    fn standing(&self) -> Standing {
        Standing::Ours
    }

    fn delivery(&self) -> Delivery {
        self.delivery
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let mut config = Config::default();
        if self.delivery == Delivery::Pieces {
            config.delivery = websocket_proto::Delivery::Chunks;
        }
        let ws = match role {
            Role::Server => Connection::server(&config),
            Role::Client => Connection::client(&config),
        };
        let open = Open { role, ws, input: ReadBuffer::default(), output: Vec::new() };
        match self.delivery {
            Delivery::Messages => Box::new(open),
            Delivery::Pieces => Box::new(InPieces(open)),
        }
    }
}

/// Octets of a connection, and of its read buffer without what lies in it.
pub(crate) const SIZES: (usize, usize) = (size_of::<Connection>(), size_of::<ReadBuffer>());

struct Open {
    role: Role,
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
}

impl Open {
    /// A read. `None`: there is nothing left.
    #[inline]
    fn read(&mut self, source: &mut Source) -> Option<()> {
        let len = source.read(self.input.room(READ));
        self.input.filled(len);
        (len > 0).then_some(())
    }

    #[inline]
    fn write(&mut self, wire: &mut Wire) {
        if !self.output.is_empty() {
            wire.write(&[&self.output]);
            self.output.clear();
        }
    }

    /// Writes the payload from where it lies, masked there by a client, behind what is in the output, and a header.
    #[inline]
    fn write_in_place(&mut self, payload: &mut [u8], wire: &mut Wire) {
        let len = payload.len() as u64;
        let mut mask = self.ws.send_header(MessageKind::Binary, len, &mut self.output).expect("it is open");
        if self.role == Role::Client {
            mask.apply(payload);
        }
        wire.write(&[&self.output, payload]);
        self.output.clear();
    }
}

impl Codec for Open {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        let mut tally = Tally::default();
        while self.read(source).is_some() {
            while let Some(event) = self.ws.receive(&mut self.input, &mut self.output).expect("it is right") {
                match event {
                    Event::Text(text) => tally.add(text.as_bytes()),
                    Event::Binary(data) => tally.add(data),
                    _ => {}
                }
            }
        }
        Some(tally)
    }

    fn receive_kept(&mut self, source: &mut Source) -> Option<Tally> {
        let mut tally = Tally::default();
        let mut kept = VecDeque::with_capacity(KEPT);
        while self.read(source).is_some() {
            while let Some(message) = self.ws.receive_message(&mut self.input, &mut self.output).expect("it is right") {
                if let Message::Binary(data) = message {
                    tally.add(&data);
                    if kept.len() == KEPT {
                        kept.pop_front();
                    }
                    kept.push_back(data);
                }
            }
        }
        Some(tally)
    }

    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()> {
        let (in_place, least) = match (self.role, flush) {
            (Role::Server, Flush::Each) => (0, 0),
            (Role::Client, Flush::Each) => (LARGE, 0),
            (_, Flush::Batch) => (LARGE, BATCH),
        };
        for payload in &mut payloads.octets {
            if payload.len() >= in_place {
                self.write_in_place(payload, wire);
                continue;
            }
            self.ws.send_binary(payload, &mut self.output).expect("it is open");
            if self.output.len() >= least {
                self.write(wire);
            }
        }
        self.write(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        let mut tally = Tally::default();
        while self.read(source).is_some() {
            while let Some(event) = self.ws.receive(&mut self.input, &mut self.output).expect("it is right") {
                let Event::Binary(data) = event else { continue };
                tally.add(data);
                if data.len() < LARGE {
                    self.ws.send_binary(data, &mut self.output).expect("it is open");
                    continue;
                }
                // from where it lies, behind what is in the output, and its header
                let len = data.len() as u64;
                let _ = self.ws.send_header(MessageKind::Binary, len, &mut self.output).expect("it is open");
                wire.write(&[&self.output, data]);
                self.output.clear();
            }
            self.write(wire);
        }
        Some(tally)
    }

    fn idle(&mut self) {
        self.input.shrink(0);
        self.output = Vec::new();
    }
}

/// With messages delivered in chunks. What it sends is no different.
struct InPieces(Open);

impl Codec for InPieces {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        let Self(open) = self;
        let mut pieces = Pieces::default();
        while open.read(source).is_some() {
            while let Some(event) = open.ws.receive(&mut open.input, &mut open.output).expect("it is right") {
                let (piece, last) = match event {
                    Event::TextChunk { text, last, .. } => (text.as_bytes(), last),
                    Event::BinaryChunk { data, last, .. } => (data, last),
                    _ => continue,
                };
                pieces.add(piece);
                if last {
                    pieces.end();
                }
            }
        }
        Some(pieces.tally)
    }

    fn receive_kept(&mut self, _: &mut Source) -> Option<Tally> {
        None
    }

    fn send(&mut self, _: &mut Payloads, _: Flush, _: &mut Wire) -> Option<()> {
        None
    }

    fn echo(&mut self, _: &mut Source, _: &mut Wire) -> Option<Tally> {
        None
    }

    fn idle(&mut self) {
        self.0.idle();
    }
}
