//! This crate.
//!
//! A connection has a read buffer of its own; what it encodes into is shared by all connections.

use std::cell::RefCell;
use std::rc::Rc;

use websocket_proto::deflate::{DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::handshake::{ClientRequest, ServerHandshake, Uri};
use websocket_proto::{Config, Connection, Event, ReadBuffer};

use super::library::{Library, Role, Server, Setup, Traffic};
use super::payload::Message;
use super::pipe::READ;

#[derive(Debug, Default)]
pub(crate) struct Ours {
    memory: DeflateMemory,
    output: Rc<RefCell<Vec<u8>>>,
}

impl Ours {
    /// With the states of zlib in a pool.
    pub(crate) fn pooled() -> Self {
        Self { memory: DeflateMemory::Shared(DeflatePool::default()), ..Self::default() }
    }
}

impl Library for Ours {
    fn name(&self) -> &'static str {
        if self.memory == DeflateMemory::Dedicated { "ours" } else { "ours, pool" }
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn open(&self, setup: Setup) -> Option<Box<dyn Server>> {
        let mut deflate = DeflateConfig::default();
        if let Setup::Level1 { takeover } = setup {
            deflate.level = 1;
            deflate.window_bits = 15;
            deflate.mem_level = 8;
            deflate.takeover = takeover;
            deflate.peer_takeover = takeover;
            deflate.threshold = 0;
        }
        deflate.memory = self.memory.clone();
        let mut config = Config::default();
        config.deflate = Some(deflate);
        let ws = accept(&config);
        assert!(ws.deflate().is_some(), "it is agreed");
        Some(Box::new(Open { ws, input: ReadBuffer::default(), output: Rc::clone(&self.output) }))
    }
}

/// The server's end of a handshake with a client of the same configuration.
fn accept(config: &Config) -> Connection {
    let uri = Uri::parse("ws://server.example.com/chat").expect("it is right");
    let (mut to_server, mut to_client, mut input) = (Vec::new(), Vec::new(), ReadBuffer::default());
    ClientRequest::new(&uri).send(config, &mut to_server).expect("it is right");
    input.extend_from_slice(&to_server);
    let mut server = ServerHandshake::new(config);
    let request = server.receive(&mut input, &mut to_client).expect("it is right").expect("it is complete");
    request.accept().send(&mut to_client).expect("it is right")
}

struct Open {
    ws: Connection,
    input: ReadBuffer,
    output: Rc<RefCell<Vec<u8>>>,
}

impl Server for Open {
    fn receive(&mut self, traffic: &Traffic, sink: &mut dyn FnMut(&[u8])) {
        let output = &mut *self.output.borrow_mut();
        for read in traffic.octets.chunks(READ) {
            self.input.spare(READ)[..read.len()].copy_from_slice(read);
            self.input.filled(read.len());
            while let Some(event) = self.ws.receive(&mut self.input, output).expect("it is right") {
                if let Event::Text(text) = event {
                    sink(text.as_bytes());
                }
            }
        }
    }

    fn send(&mut self, message: &mut Message, wire: &mut Vec<u8>) {
        let output = &mut *self.output.borrow_mut();
        output.clear();
        self.ws.send_text(&message.text, output).expect("it is open");
        wire.extend_from_slice(output);
    }

    fn idle(&mut self) {
        self.input.shrink(0);
    }
}
