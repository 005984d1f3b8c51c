//! yawc.
//!
//! It is async all through: its `WebSocket` over a pipe that never waits, each future polled once. Its messages are
//! `Bytes`, which it is given without a copy. It checks UTF-8 when asked to, and is, as all others do.

use bytes::Bytes;
use futures_util::SinkExt;
use yawc::{CompressionLevel, DeflatePool, Frame, Options, Role, WebSocket};

use super::library::{Library, Server, Setup, Traffic};
use super::payload::Message;
use super::pipe::{Pipe, now};

#[derive(Debug, Default)]
pub(crate) struct Yawc {
    pool: Option<DeflatePool>,
    pipe: Pipe,
}

impl Yawc {
    /// With the states of zlib in a pool, where there is no takeover.
    pub(crate) fn pooled() -> Self {
        Self { pool: Some(DeflatePool::new(16)), ..Self::default() }
    }
}

impl Library for Yawc {
    fn name(&self) -> &'static str {
        if self.pool.is_some() { "yawc, pool" } else { "yawc" }
    }

    fn open(&self, setup: Setup) -> Option<Box<dyn Server>> {
        let (level, agreed) = match setup {
            Setup::Level1 { takeover: true } => (CompressionLevel::fast(), "permessage-deflate"),
            Setup::Level1 { takeover: false } => {
                (CompressionLevel::fast(), "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
            }
            Setup::Defaults => (CompressionLevel::default(), "permessage-deflate"),
        };
        let mut options = Options::default().with_utf8().with_compression_level(level);
        if let Some(pool) = &self.pool {
            if !matches!(setup, Setup::Level1 { takeover: false }) {
                return None;
            }
            options = options.with_deflate_pool(pool.clone());
        }
        let ws = WebSocket::from_stream_with_extensions(self.pipe.clone(), Role::Server, Some(agreed), options);
        Some(Box::new(Open { ws: ws.expect("it is agreed"), pipe: self.pipe.clone() }))
    }
}

struct Open {
    ws: WebSocket<Pipe>,
    pipe: Pipe,
}

impl Server for Open {
    fn receive(&mut self, traffic: &Traffic, sink: &mut dyn FnMut(&[u8])) {
        self.pipe.fill(&traffic.octets);
        for _ in &traffic.payloads {
            let frame = now(self.ws.next_frame()).expect("it is right");
            sink(frame.payload());
        }
    }

    fn send(&mut self, message: &mut Message, wire: &mut Vec<u8>) {
        self.pipe.swap(wire);
        now(self.ws.send(Frame::text(Bytes::clone(&message.bytes)))).expect("it is open");
        self.pipe.swap(wire);
    }
}
