//! nexus-web.
//!
//! Its `FrameReader` has a buffer of a fixed size, 1 MiB unless it is told otherwise; a message that does not lie in it
//! as a whole is copied out of it. Its `FrameWriter` encodes into room that is given. The text of a frame that has come
//! in more than one read is handed out unchecked (0.8.0): those that always do are not measured.

use std::collections::VecDeque;

use nexus_web::ws::{FrameReader, FrameWriter, Message, Role as End};

use super::codec::{BATCH, Codec, Flush, KEPT, LARGE, Library, Payloads, Role, Tally};
use super::transport::{Source, Wire};

#[derive(Debug)]
pub(crate) struct Nexus {
    name: &'static str,
    /// Octets of its buffer.
    size: usize,
}

impl Nexus {
    pub(crate) fn with_defaults() -> Self {
        Self { name: "nexus-web", size: 1 << 20 }
    }

    /// With a buffer that stays in the first cache.
    pub(crate) fn with_small_buffer() -> Self {
        Self { name: "nexus-web, 16 KiB", size: 16 << 10 }
    }
}

impl Library for Nexus {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let end = match role {
            Role::Server => End::Server,
            Role::Client => End::Client,
        };
        let reader = FrameReader::builder().role(end).buffer_capacity(self.size).build();
        Box::new(Open { role, size: self.size, reader, writer: FrameWriter::new(end), output: Vec::new(), end: 0 })
    }
}

struct Open {
    role: Role,
    /// Octets of the reader's buffer.
    size: usize,
    reader: FrameReader,
    writer: FrameWriter,
    output: Vec<u8>,
    /// Of what is to be written.
    end: usize,
}

impl Open {
    /// A read, as its own client does it. `None`: there is nothing left.
    fn read(&mut self, source: &mut Source) -> Option<()> {
        if self.reader.spare().is_empty() {
            self.reader.compact();
        }
        let len = source.read(self.reader.spare());
        self.reader.filled(len);
        (len > 0).then_some(())
    }

    fn write(&mut self, wire: &mut Wire) {
        if self.end > 0 {
            wire.write(&[&self.output[..self.end]]);
            self.end = 0;
        }
    }
}

/// Appends a frame; the new end.
fn append(writer: &mut FrameWriter, payload: &[u8], output: &mut Vec<u8>, end: usize) -> usize {
    let most = end + writer.max_encoded_len(payload.len());
    if output.len() < most {
        output.resize(most, 0);
    }
    end + writer.encode_binary(payload, &mut output[end..])
}

impl Codec for Open {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        let mut tally = Tally::default();
        while self.read(source).is_some() {
            while let Some(message) = self.reader.next().expect("it is right") {
                match message {
                    Message::Text(text) if text.len() >= self.size => return None,
                    Message::Text(text) => tally.add(text.as_bytes()),
                    Message::Binary(data) => tally.add(data),
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
            while let Some(message) = self.reader.next().expect("it is right") {
                let message = message.into_owned();
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
        for payload in &payloads.octets {
            if self.role == Role::Server && (flush == Flush::Each || payload.len() >= LARGE) {
                let (header, _) = self.writer.build_header(0x82, payload.len());
                wire.write(&[header.as_bytes(), payload]);
                continue;
            }
            self.end = append(&mut self.writer, payload, &mut self.output, self.end);
            if flush == Flush::Each || self.end >= BATCH {
                self.write(wire);
            }
        }
        self.write(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        let mut tally = Tally::default();
        while self.read(source).is_some() {
            while let Some(message) = self.reader.next().expect("it is right") {
                if let Message::Binary(data) = message {
                    tally.add(data);
                    self.end = append(&mut self.writer, data, &mut self.output, self.end);
                }
            }
            self.write(wire);
        }
        Some(tally)
    }
}
