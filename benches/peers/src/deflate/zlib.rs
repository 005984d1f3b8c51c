//! zlib-rs alone.
//!
//! One call for a message, into room that is large enough and there before; what it compresses is copied to the wire
//! without its tail, what it inflates has its tail already. No framing, no masking, no UTF-8. Without takeover, a full
//! flush ends each message: it forgets as a reset does, and the next message is compressed in less time.

use std::cell::RefCell;
use std::rc::Rc;

use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Inflate, InflateFlush, Method, Strategy};

use super::judge::TAIL;
use super::library::{Library, Role, Server, Setup, Traffic};
use super::payload::Message;

#[derive(Debug, Default)]
pub(crate) struct Zlib {
    room: Rc<RefCell<Vec<u8>>>,
}

impl Library for Zlib {
    fn name(&self) -> &'static str {
        "zlib-rs alone"
    }

    fn role(&self) -> Role {
        Role::Floor
    }

    fn open(&self, setup: Setup) -> Option<Box<dyn Server>> {
        self.room.borrow_mut().resize(1 << 17, 0);
        let (level, takeover) = match setup {
            Setup::Level1 { takeover } => (1, takeover),
            Setup::Defaults => (6, true),
        };
        Some(Box::new(Alone {
            deflate: Deflate::new_with_config(DeflateConfig {
                level,
                method: Method::Deflated,
                window_bits: -15,
                mem_level: 8,
                strategy: Strategy::Default,
            }),
            inflate: Inflate::new(false, 15),
            takeover,
            room: Rc::clone(&self.room),
        }))
    }
}

struct Alone {
    deflate: Deflate,
    inflate: Inflate,
    takeover: bool,
    room: Rc<RefCell<Vec<u8>>>,
}

impl Server for Alone {
    fn receive(&mut self, traffic: &Traffic, sink: &mut dyn FnMut(&[u8])) {
        let room = &mut *self.room.borrow_mut();
        for payload in &traffic.payloads {
            if !self.takeover {
                self.inflate.reset(false);
            }
            let before = self.inflate.total_out();
            self.inflate.decompress(payload, room, InflateFlush::SyncFlush).expect("it is DEFLATE data");
            sink(&room[..usize::try_from(self.inflate.total_out() - before).expect("it is in memory")]);
        }
    }

    fn send(&mut self, message: &mut Message, wire: &mut Vec<u8>) {
        let room = &mut *self.room.borrow_mut();
        let flush = if self.takeover { DeflateFlush::SyncFlush } else { DeflateFlush::FullFlush };
        let before = self.deflate.total_out();
        self.deflate.compress(&message.octets, room, flush).expect("it compresses all");
        let made = usize::try_from(self.deflate.total_out() - before).expect("it is in memory");
        let payload = &room[..made - TAIL.len()];
        // a header all the same, for who checks it
        wire.extend([0xC1, 127]);
        wire.extend((payload.len() as u64).to_be_bytes());
        wire.extend_from_slice(payload);
    }
}
