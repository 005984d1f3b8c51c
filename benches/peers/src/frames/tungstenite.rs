//! tungstenite.
//!
//! Its `WebSocket` over a stream that does not block: it is read until it would, and flushed then. What it is to send
//! it copies to a buffer of its own, which it writes when it is flushed or holds more than 128 KiB.

use bytes::Bytes;
use tungstenite::protocol::{self, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

use super::async_pipe::{Kept, Pipe};
use super::codec::{Codec, Flush, Library, Payloads, Role, Tally};
use super::transport::{Source, Wire};

#[derive(Debug)]
pub(crate) struct Tungstenite {
    name: &'static str,
    config: WebSocketConfig,
}

impl Default for Tungstenite {
    fn default() -> Self {
        Self { name: "tungstenite", config: WebSocketConfig::default() }
    }
}

impl Tungstenite {
    /// With the buffer that it advises for many connections: it zeroes of it what it has room for, before each read.
    pub(crate) fn small() -> Self {
        Self { name: "tungstenite, 4 KiB reads", config: WebSocketConfig::default().read_buffer_size(4 << 10) }
    }
}

impl Library for Tungstenite {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let role = match role {
            Role::Server => protocol::Role::Server,
            Role::Client => protocol::Role::Client,
        };
        let pipe = Pipe::default();
        let ws = WebSocket::from_raw_socket(pipe.clone(), role, Some(self.config));
        Box::new(Open { ws, pipe })
    }
}

struct Open {
    ws: WebSocket<Pipe>,
    pipe: Pipe,
}

impl Open {
    /// `None`: it would have to read more.
    #[inline]
    fn next(&mut self) -> Option<Message> {
        match self.ws.read() {
            Ok(message) => Some(message),
            Err(Error::Io(_)) => None,
            Err(error) => panic!("it is right: {error}"),
        }
    }
}

#[inline]
fn add(tally: &mut Tally, message: &Message) {
    match message {
        Message::Text(text) => tally.add(text.as_bytes()),
        Message::Binary(binary) => tally.add(binary),
        _ => {}
    }
}

impl Codec for Open {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        self.pipe.swap_source(source);
        let mut tally = Tally::default();
        while let Some(message) = self.next() {
            add(&mut tally, &message);
        }
        self.pipe.swap_source(source);
        Some(tally)
    }

    fn receive_kept(&mut self, source: &mut Source) -> Option<Tally> {
        self.pipe.swap_source(source);
        let (mut tally, mut kept) = (Tally::default(), Kept::default());
        while let Some(message) = self.next() {
            add(&mut tally, &message);
            kept.push(message);
        }
        self.pipe.swap_source(source);
        Some(tally)
    }

    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()> {
        self.pipe.swap_wire(wire);
        for payload in &payloads.shared {
            self.ws.write(Message::Binary(Bytes::clone(payload))).expect("it is open");
            if flush == Flush::Each {
                self.ws.flush().expect("it is open");
            }
        }
        self.ws.flush().expect("it is open");
        self.pipe.swap_wire(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        self.pipe.swap_source(source);
        self.pipe.swap_wire(wire);
        self.pipe.pace();
        let mut tally = Tally::default();
        loop {
            while let Some(message) = self.next() {
                add(&mut tally, &message);
                if message.is_binary() {
                    self.ws.write(message).expect("it is open");
                }
            }
            self.ws.flush().expect("it is open");
            if !self.pipe.go_on() {
                break;
            }
        }
        self.pipe.open();
        self.pipe.swap_wire(wire);
        self.pipe.swap_source(source);
        Some(tally)
    }
}
