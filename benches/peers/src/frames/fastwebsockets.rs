//! fastwebsockets.
//!
//! Its `FragmentCollector`, which gives messages, and its `WebSocket` in it: the future of each frame is polled once.
//! One that has to wait is let go of, which loses nothing between two frames, and a source ends there. It has no buffer
//! that frames could be collected in, so it writes each: up to 1 KiB as a copy, above as a vector.

use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocket};

use super::async_pipe::{Kept, LIMIT, Pipe, now};
use super::codec::{Codec, Flush, Library, Payloads, Role, Tally};
use super::transport::{Source, Wire};

#[derive(Debug, Default)]
pub(crate) struct FastWebSockets;

impl Library for FastWebSockets {
    fn name(&self) -> &'static str {
        "fastwebsockets"
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        let pipe = Pipe::default();
        let mut ws = WebSocket::after_handshake(
            pipe.clone(),
            match role {
                Role::Server => fastwebsockets::Role::Server,
                Role::Client => fastwebsockets::Role::Client,
            },
        );
        ws.set_auto_apply_mask(true);
        ws.set_writev(true);
        ws.set_max_message_size(LIMIT);
        Box::new(Open { ws: FragmentCollector::new(ws), role, pipe })
    }
}

struct Open {
    ws: FragmentCollector<Pipe>,
    role: Role,
    pipe: Pipe,
}

impl Open {
    /// `None`: it would have to read more.
    #[inline]
    fn next(&mut self) -> Option<Frame<'static>> {
        now(self.ws.read_frame()).map(|frame| frame.expect("it is right"))
    }
}

#[inline]
fn add(tally: &mut Tally, frame: &Frame<'_>) {
    if let OpCode::Text | OpCode::Binary = frame.opcode {
        tally.add(&frame.payload);
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
        if flush == Flush::Batch {
            return None;
        }
        self.pipe.swap_wire(wire);
        for payload in &mut payloads.octets {
            let payload = match self.role {
                Role::Server => Payload::Borrowed(payload),
                // it masks them where they are
                Role::Client => Payload::BorrowedMut(payload),
            };
            now(self.ws.write_frame(Frame::binary(payload))).expect("it does not wait").expect("it is open");
        }
        self.pipe.swap_wire(wire);
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        self.pipe.swap_source(source);
        self.pipe.swap_wire(wire);
        let mut tally = Tally::default();
        while let Some(frame) = self.next() {
            add(&mut tally, &frame);
            if frame.opcode == OpCode::Binary {
                let frame = Frame::binary(frame.payload);
                now(self.ws.write_frame(frame)).expect("it does not wait").expect("it is open");
            }
        }
        self.pipe.swap_wire(wire);
        self.pipe.swap_source(source);
        Some(tally)
    }
}
