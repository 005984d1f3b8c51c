//! yawc.
//!
//! Its `WebSocket`, polled for frames and as a sink. What it is to send it copies to a buffer of its own, which it
//! writes when it is flushed or holds 8 KiB. It checks UTF-8 when asked to, and is, as all others do.

use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use futures_util::Sink;
use yawc::{Frame, OpCode, Options, WebSocket};

use super::async_pipe::{Kept, LIMIT, Pipe, context, ready};
use super::codec::{Codec, Flush, Library, Payloads, Role, Tally};
use super::transport::{Source, Wire};

#[derive(Debug, Default)]
pub(crate) struct Yawc;

impl Library for Yawc {
    fn name(&self) -> &'static str {
        "yawc"
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let role = match role {
            Role::Server => yawc::Role::Server,
            Role::Client => yawc::Role::Client,
        };
        let pipe = Pipe::default();
        // By default it refuses a message of 1 MiB. Its read buffer has 8 KiB by default, too; but only one that is
        // asked for is followed by another of 8 KiB when messages in it are held, and not by one of a few octets.
        let options = Options::default().with_utf8().with_limits(LIMIT, 2 * LIMIT).with_read_buffer_capacity(8 << 10);
        let ws = WebSocket::from_stream(pipe.clone(), role, options).expect("nothing is to be agreed");
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
    fn next(&mut self) -> Option<Frame> {
        match self.ws.poll_next_frame(&mut context()) {
            Poll::Ready(frame) => Some(frame.expect("it is right")),
            Poll::Pending => None,
        }
    }

    #[inline]
    fn feed(&mut self, frame: Frame) {
        let mut ws = Pin::new(&mut self.ws);
        ready(ws.as_mut().poll_ready(&mut context())).expect("it is open");
        ws.start_send(frame).expect("it is open");
    }

    #[inline]
    fn flush(&mut self) {
        ready(Pin::new(&mut self.ws).poll_flush(&mut context())).expect("it is open");
    }
}

#[inline]
fn add(tally: &mut Tally, frame: &Frame) {
    if let OpCode::Text | OpCode::Binary = frame.opcode() {
        tally.add(frame.payload());
    }
}

impl Codec for Open {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        self.pipe.swap_source(source);
        let mut tally = Tally::default();
        while let Some(frame) = self.next() {
            add(&mut tally, &frame);
        }
        self.pipe.swap_source(source);
        Some(tally)
    }

    fn receive_kept(&mut self, source: &mut Source) -> Option<Tally> {
        self.pipe.swap_source(source);
        let (mut tally, mut kept) = (Tally::default(), Kept::default());
        while let Some(frame) = self.next() {
            add(&mut tally, &frame);
            kept.push(frame);
        }
        self.pipe.swap_source(source);
        Some(tally)
    }

    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()> {
        self.pipe.swap_wire(wire);
        for payload in &payloads.shared {
            self.feed(Frame::binary(Bytes::clone(payload)));
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
        loop {
            while let Some(frame) = self.next() {
                add(&mut tally, &frame);
                if frame.opcode() == OpCode::Binary {
                    self.feed(frame);
                }
            }
            self.flush();
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
