//! wtx.
//!
//! Its `WebSocket` over a stream that never waits, each future polled once. It has no context takeover. It wants the
//! payload to be mutable, though a server that compresses does not write to it; what it inflates into is shared by all
//! connections.

use std::cell::RefCell;
use std::rc::Rc;

use wtx::collection::Vector;
use wtx::rng::Xorshift64;
use wtx::stream::{StreamReader, StreamWriter};
use wtx::web_socket::compression::{CompressionLevel, Flate2, NegotiatedFlate2, WindowBits};
use wtx::web_socket::{
    Compression, DeflateConfig, Frame, OpCode, WebSocketBuffer, WebSocketOwned, WebSocketPayloadOrigin,
};

use super::library::{Library, Server, Setup, Traffic};
use super::payload::Message;
use super::pipe::{Pipe, now};

#[derive(Debug, Default)]
pub(crate) struct Wtx {
    pipe: Pipe,
    plain: Rc<RefCell<Vector<u8>>>,
}

impl Library for Wtx {
    fn name(&self) -> &'static str {
        "wtx"
    }

    fn open(&self, setup: Setup) -> Option<Box<dyn Server>> {
        let config = match setup {
            Setup::Level1 { takeover: true } => return None,
            Setup::Level1 { takeover: false } => DeflateConfig {
                client_max_window_bits: WindowBits::Fifteen,
                compression_level: CompressionLevel::One,
                server_max_window_bits: WindowBits::Fifteen,
            },
            Setup::Defaults => DeflateConfig::default(),
        };
        let offer: [&[u8]; 2] = [b"sec-websocket-extensions", b"permessage-deflate"];
        let agreed = Compression::<false>::negotiate(Flate2::from(config), [offer].into_iter()).expect("it is right");
        let ws = WebSocketOwned::new(
            agreed.expect("it is offered"),
            false,
            Xorshift64::new(7),
            Stream(self.pipe.clone()),
            WebSocketBuffer::new(),
        );
        Some(Box::new(Open { ws, pipe: self.pipe.clone(), plain: Rc::clone(&self.plain) }))
    }
}

struct Open {
    ws: WebSocketOwned<NegotiatedFlate2, Xorshift64, Stream, false>,
    pipe: Pipe,
    plain: Rc<RefCell<Vector<u8>>>,
}

impl Server for Open {
    fn receive(&mut self, traffic: &Traffic, sink: &mut dyn FnMut(&[u8])) {
        self.pipe.fill(&traffic.octets);
        let plain = &mut *self.plain.borrow_mut();
        for _ in &traffic.payloads {
            let frame = now(self.ws.read_frame(plain, WebSocketPayloadOrigin::Adaptive)).expect("it is right");
            sink(frame.payload());
        }
    }

    fn send(&mut self, message: &mut Message, wire: &mut Vec<u8>) {
        self.pipe.swap(wire);
        now(self.ws.write_frame(&mut Frame::new_fin(OpCode::Text, &mut message.octets[..]))).expect("it is open");
        self.pipe.swap(wire);
    }
}

struct Stream(Pipe);

impl StreamReader for Stream {
    async fn read(&mut self, room: &mut [u8]) -> wtx::Result<usize> {
        Ok(self.0.read(room))
    }
}

impl StreamWriter for Stream {
    async fn write_all(&mut self, octets: &[u8]) -> wtx::Result<()> {
        self.0.write(octets);
        Ok(())
    }

    async fn write_all_vectored(&mut self, slices: &[&[u8]]) -> wtx::Result<()> {
        for slice in slices {
            self.0.write(slice);
        }
        Ok(())
    }
}
