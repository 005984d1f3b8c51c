//! sockudo-ws.
//!
//! Its sans-I/O layer, which its streams are made on: they would add a clock, timers and a buffer of 64 KiB. Messages
//! are `Bytes`, which it is given without a copy. What it encodes into is shared by all connections.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use sockudo_ws::{CompressedProtocol, DeflateConfig, Message as Data};

use super::library::{Library, Server, Setup, Traffic};
use super::payload::Message;
use super::pipe::READ;

#[derive(Debug, Default)]
pub(crate) struct Sockudo {
    output: Rc<RefCell<BytesMut>>,
}

impl Library for Sockudo {
    fn name(&self) -> &'static str {
        "sockudo-ws"
    }

    fn open(&self, setup: Setup) -> Option<Box<dyn Server>> {
        let config = match setup {
            Setup::Level1 { takeover } => DeflateConfig {
                server_no_context_takeover: !takeover,
                client_no_context_takeover: !takeover,
                compression_level: 1,
                compression_threshold: 0,
                ..DeflateConfig::default()
            },
            Setup::Defaults => DeflateConfig::default(),
        };
        Some(Box::new(Open {
            ws: CompressedProtocol::server(16 << 20, 64 << 20, config),
            input: BytesMut::new(),
            messages: Vec::new(),
            output: Rc::clone(&self.output),
        }))
    }
}

struct Open {
    ws: CompressedProtocol,
    input: BytesMut,
    messages: Vec<Data>,
    output: Rc<RefCell<BytesMut>>,
}

impl Server for Open {
    fn receive(&mut self, traffic: &Traffic, sink: &mut dyn FnMut(&[u8])) {
        for read in traffic.octets.chunks(READ) {
            self.input.reserve(READ);
            self.input.extend_from_slice(read);
            self.ws.process_into(&mut self.input, &mut self.messages).expect("it is right");
            for message in self.messages.drain(..) {
                sink(message.as_bytes());
            }
        }
    }

    fn send(&mut self, message: &mut Message, wire: &mut Vec<u8>) {
        let output = &mut *self.output.borrow_mut();
        output.clear();
        self.ws.encode_message(&Data::Text(Bytes::clone(&message.bytes)), output).expect("it is open");
        wire.extend_from_slice(output);
    }
}
