//! What is asked of a library that is measured.

use std::rc::Rc;

use super::payload::Message;

/// What may be shared by all connections of an event loop is made once for all of them: the buffer that they encode
/// into, pools.
pub(crate) trait Library {
    fn name(&self) -> &'static str;

    /// Whether it is what the others are compared with.
    fn role(&self) -> Role {
        Role::Peer
    }

    /// The server's end of a connection. None: the library has no such setup.
    fn open(&self, setup: Setup) -> Option<Box<dyn Server>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// This crate.
    Ours,
    /// Someone else's.
    Peer,
    /// zlib alone: no framing, no UTF-8, no buffers. Nobody can be below it.
    Floor,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Setup {
    /// Level 1, windows of 32 KiB, memory level 8, no threshold.
    Level1 { takeover: bool },
    /// As the library has it if nothing is said.
    Defaults,
}

pub(crate) trait Server {
    /// Receives all of it, and hands out the messages.
    fn receive(&mut self, traffic: &Traffic, sink: &mut dyn FnMut(&[u8]));

    /// Sends a text message: appends its frame to `wire`, as a write does.
    fn send(&mut self, message: &mut Message, wire: &mut Vec<u8>);

    /// Gives back what an idle connection can do without, as far as the library lets an application say so.
    fn idle(&mut self) {}
}

/// What a client sent.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// The frames, compressed and masked.
    pub(crate) octets: Rc<[u8]>,
    /// For zlib alone: the payloads, each with its tail.
    pub(crate) payloads: Vec<Vec<u8>>,
}
