//! tokio-websockets.
//!
//! Its `WebSocketStream`, polled as a stream and as a sink. It queues what it is to send, without a copy where it need
//! not mask, and writes the queue as vectors when it is flushed or holds 8 KiB. It also flushes before each read, so
//! that what is sent back is collected here until it would have to read more.

use std::mem;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio_websockets::{ClientBuilder, Limits, Message, ServerBuilder, WebSocketStream};

use super::async_pipe::{Kept, LIMIT, Pipe, context, ready};
use super::codec::{Codec, Flush, Library, Payloads, Role, Tally};
use super::transport::{Source, Wire};

#[derive(Debug, Default)]
pub(crate) struct TokioWebSockets;

impl Library for TokioWebSockets {
    fn name(&self) -> &'static str {
        "tokio-websockets"
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let pipe = Pipe::default();
        let limits = Limits::default().max_payload_len(Some(LIMIT));
        let ws = match role {
            Role::Server => ServerBuilder::new().limits(limits).serve(pipe.clone()),
            Role::Client => ClientBuilder::new().limits(limits).take_over(pipe.clone()),
        };
        Box::new(Open { ws, pipe, collected: Vec::new() })
    }
}

struct Open {
    ws: WebSocketStream<Pipe>,
    pipe: Pipe,
    collected: Vec<Message>,
}

impl Open {
    /// `None`: it would have to read more.
    #[inline]
    fn next(&mut self) -> Option<Message> {
        match Pin::new(&mut self.ws).poll_next(&mut context()) {
            Poll::Ready(message) => Some(message.expect("it is open").expect("it is right")),
            Poll::Pending => None,
        }
    }

    #[inline]
    fn feed(&mut self, message: Message) {
        let mut ws = Pin::new(&mut self.ws);
        ready(ws.as_mut().poll_ready(&mut context())).expect("it is open");
        ws.start_send(message).expect("it is open");
    }

    #[inline]
    fn flush(&mut self) {
        ready(Pin::new(&mut self.ws).poll_flush(&mut context())).expect("it is open");
    }
}

#[inline]
fn add(tally: &mut Tally, message: &Message) {
    if message.is_binary() || message.is_text() {
        tally.add(message.as_payload());
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
            self.feed(Message::binary(Bytes::clone(payload)));
            if flush == Flush::Each {
                self.flush();
            }
        }
        self.flush();
        self.pipe.swap_wire(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        self.pipe.swap_source(source);
        self.pipe.swap_wire(wire);
        self.pipe.pace();
        let mut tally = Tally::default();
        let mut collected = mem::take(&mut self.collected);
        loop {
            while let Some(message) = self.next() {
                add(&mut tally, &message);
                if message.is_binary() {
                    collected.push(message);
                }
            }
            for message in collected.drain(..) {
                self.feed(message);
            }
            self.flush();
            if !self.pipe.go_on() {
                break;
            }
        }
        self.collected = collected;
        self.pipe.open();
        self.pipe.swap_wire(wire);
        self.pipe.swap_source(source);
        Some(tally)
    }
}
