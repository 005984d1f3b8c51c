//! What the fuzz targets share: an endpoint that is fed octets and keeps all that comes of them.

#[path = "../../tests/common/puff.rs"]
pub mod puff;
#[path = "../../tests/common/reference.rs"]
pub mod reference;

pub mod clock;
pub mod payload;
pub mod peer;

use websocket_proto::deflate::{DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::wire::extension;
use websocket_proto::wire::{FrameHeader, Mask};
use websocket_proto::{
    CloseOutcome, Config, Connection, Delivery, Message, PongPolicy, ProtocolError, Random, ReadBuffer, Role, Utf8Bytes,
};

/// The door that events are taken through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Borrowed,
    Owned,
}

/// A connection, its buffers, and what it said.
#[derive(Debug)]
pub struct Endpoint {
    pub ws: Connection,
    pub input: ReadBuffer,
    pub output: Vec<u8>,
    pub events: Vec<Message>,
    pub error: Option<ProtocolError>,
    door: Door,
}

/// All that can be seen of an endpoint when its stream has ended.
#[derive(Debug, PartialEq)]
pub struct Seen {
    pub events: Vec<Message>,
    pub output: Vec<u8>,
    pub error: Option<ProtocolError>,
    pub eof: Result<(), ProtocolError>,
    pub outcome: Option<CloseOutcome>,
}

impl Endpoint {
    pub fn new(role: Role, config: &Config, door: Door) -> Self {
        let ws = match role {
            Role::Server => Connection::server(config),
            Role::Client => Connection::client_with_random(config, keys()),
        };
        let ws = match &config.deflate {
            Some(deflate) => {
                let offer = deflate.offer();
                let offer = extension::parse([offer.as_bytes()]).expect("right");
                let (agreed, _) = deflate.accept(&offer).expect("what both want");
                ws.with_deflate(deflate, agreed)
            }
            None => ws,
        };
        Self::open(ws, ReadBuffer::default(), door)
    }

    /// An endpoint whose connection a handshake made; the input is the handshake's.
    pub fn open(ws: Connection, input: ReadBuffer, door: Door) -> Self {
        Self { ws, input, output: Vec::new(), events: Vec::new(), error: None, door }
    }

    /// Reads octets, into room that is larger, and takes all that comes of them.
    pub fn feed(&mut self, octets: &[u8]) {
        fill(&mut self.input, octets);
        self.drain();
    }

    /// Takes all that comes of what has been read. Nothing comes after an error, and nothing is written.
    pub fn drain(&mut self) {
        loop {
            let before = (self.input.len(), self.output.len());
            let next = match self.door {
                Door::Borrowed => {
                    self.ws.receive(&mut self.input, &mut self.output).map(|event| event.map(Message::from))
                }
                Door::Owned => self.ws.receive_message(&mut self.input, &mut self.output),
            };
            assert_eq!(self.ws.wants_read(), self.ws.close_outcome().is_none());
            match next {
                Ok(None) => {
                    assert!(self.ws.wants_read() || self.input.is_empty(), "it is over, and holds {:?}", self.input);
                    return;
                }
                Ok(Some(event)) => {
                    assert!(self.error.is_none(), "{event:?} after an error");
                    // what is inflated may be more than a chunk of one octet
                    let is_inflated = self.ws.deflate().is_some();
                    assert!(self.input.len() < before.0 || is_inflated, "{event:?} of nothing");
                    self.events.push(event);
                }
                Err(error) => {
                    assert!(self.error.is_none(), "a second error");
                    assert!(!self.ws.wants_read());
                    self.error = Some(error);
                }
            }
            assert!(self.output.len() >= before.1);
        }
    }

    /// Ends the stream.
    pub fn finish(mut self) -> Seen {
        let eof = self.ws.receive_eof();
        let outcome = self.ws.close_outcome();
        assert!(outcome.is_some() && !self.ws.wants_read());
        Seen { events: self.events, output: self.output, error: self.error, eof, outcome }
    }
}

/// What comes of octets that are read in these pieces.
pub fn receive<'p>(role: Role, config: &Config, door: Door, pieces: impl IntoIterator<Item = &'p [u8]>) -> Seen {
    let mut endpoint = Endpoint::new(role, config, door);
    let mut come = 0;
    for piece in pieces {
        endpoint.feed(piece);
        come += piece.len();
        // nothing is inflated beyond the limit, or in chunks beyond 16 KiB
        let inflated = match config.deflate {
            Some(_) => usize::try_from(config.limits.message.max(16 << 10)).expect("it is small"),
            None => 0,
        };
        assert!(endpoint.input.len() <= come + inflated);
        // `fill` asks for 7 more than come; the buffer may at most double
        assert!(endpoint.input.capacity() <= 4 * come + 64 + inflated, "{:?} for {come} octets", endpoint.input);
    }
    endpoint.finish()
}

/// The same through the two halves of a connection, of which one settles at once what the other owes.
pub fn receive_by_halves<'p>(role: Role, config: &Config, pieces: impl IntoIterator<Item = &'p [u8]>) -> Seen {
    let Endpoint { ws, mut input, mut output, .. } = Endpoint::new(role, config, Door::Borrowed);
    let (mut receiver, mut sender) = ws.split();
    let (mut events, mut error) = (Vec::new(), None);
    for piece in pieces {
        fill(&mut input, piece);
        loop {
            let next = receiver.receive(&mut input).map(|event| event.map(Message::from));
            if let Some(owed) = receiver.take_owed() {
                sender.settle(owed, &mut output);
            }
            assert_eq!(receiver.wants_read(), sender.close_outcome().is_none());
            match next {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(failure) => assert!(error.replace(failure).is_none(), "a second error"),
            }
        }
    }
    let eof = receiver.receive_eof();
    if let Some(owed) = receiver.take_owed() {
        sender.settle(owed, &mut output);
    }
    Seen { events, output, error, eof, outcome: sender.close_outcome() }
}

/// Reads octets into room that is larger than they are.
pub fn fill(input: &mut ReadBuffer, octets: &[u8]) {
    let (room, _) = input.spare(octets.len() + 7).split_at_mut(octets.len());
    room.copy_from_slice(octets);
    input.filled(octets.len());
}

/// An input of three parts: an octet of choices; how many sizes follow, and these, for pieces; the octets themselves.
pub fn parts(data: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&choices, data) = data.split_first()?;
    let (&count, data) = data.split_first()?;
    let (sizes, octets) = data.split_at_checked(usize::from(count))?;
    Some((choices, sizes, octets))
}

/// The octets cut to these sizes, over and over; by single octets, if there are none. A size of 0 is a read of nothing
/// and then one octet.
pub fn cut<'d>(octets: &'d [u8], sizes: &[u8]) -> Vec<&'d [u8]> {
    let mut rest = octets;
    let mut pieces = Vec::new();
    for &size in if sizes.is_empty() { &[1] } else { sizes }.iter().cycle() {
        if size == 0 {
            pieces.push(&rest[..0]);
        }
        let (piece, behind) = rest.split_at(rest.len().min(usize::from(size).max(1)));
        pieces.push(piece);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    pieces
}

/// The first octet and the payload of each frame that was written, all of them whole.
pub fn frames(mut output: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some(&first) = output.first() {
        let (header, size) = FrameHeader::decode(output).expect("right").expect("whole");
        let (mut payload, rest) = (output[size..].to_vec(), &output[size + header.payload_len as usize..]);
        payload.truncate(header.payload_len as usize);
        if let Some(key) = header.mask {
            Mask::new(key).apply(&mut payload);
        }
        frames.push((first, payload));
        output = rest;
    }
    frames
}

/// The configuration that an octet of choices stands for.
pub fn config(choices: u8) -> Config {
    let mut config = Config::default();
    if choices & 1 != 0 {
        config.delivery = Delivery::Chunks;
    }
    if choices & 2 != 0 {
        config.pong = PongPolicy::Manual;
    }
    if choices & 4 != 0 {
        (config.limits.frame, config.limits.message, config.limits.fragments) = (130, 140, 3);
        (config.limits.head, config.limits.header_fields) = (200, 6);
    }
    config
}

/// permessage-deflate as an octet of choices wants it.
pub fn deflate(choices: u8) -> DeflateConfig {
    let mut deflate = DeflateConfig::default();
    deflate.threshold = 0;
    deflate.takeover = choices & 1 == 0;
    deflate.peer_takeover = choices & 2 == 0;
    if choices & 4 != 0 {
        deflate.memory = DeflateMemory::Shared(DeflatePool::default());
    }
    deflate.window_bits = 9 + (choices >> 3) % 7;
    deflate.peer_window_bits = deflate.window_bits;
    deflate.level = [0, 1, 6, 9][usize::from(choices >> 6)];
    deflate
}

/// Keys and nonces that repeat themselves.
pub fn keys() -> Random {
    let mut next = 0x37_u8;
    Random::from_fn(move |octets| {
        for octet in octets {
            *octet = next;
            next = next.wrapping_mul(5).wrapping_add(0x6D);
        }
    })
}

impl Seen {
    /// The same, whatever the cut: chunks that lie next to each other are put together.
    pub fn merged(mut self) -> Self {
        let mut merged: Vec<Message> = Vec::new();
        for event in self.events {
            match (merged.last_mut(), event) {
                (
                    Some(Message::TextChunk { text, last: end @ false, .. }),
                    Message::TextChunk { text: more, first: false, last },
                ) => {
                    *text = Utf8Bytes::from([&**text, &*more].concat());
                    *end = last;
                }
                (
                    Some(Message::BinaryChunk { data, last: end @ false, .. }),
                    Message::BinaryChunk { data: more, first: false, last },
                ) => {
                    *data = [&data[..], &more].concat().into();
                    *end = last;
                }
                (_, event) => merged.push(event),
            }
        }
        self.events = merged;
        self
    }

    /// The same, whatever the delivery: chunks make a message, where the last of them came.
    pub fn assembled(mut self) -> Self {
        let (mut is_first, mut whole) = (true, Vec::new());
        let mut add = |octets: &[u8], first, last| {
            assert_eq!(is_first, first, "the marks are wrong");
            assert!(last || !octets.is_empty(), "an empty chunk");
            is_first = last;
            whole.extend_from_slice(octets);
            last.then(|| std::mem::take(&mut whole))
        };
        let assemble = |event| match event {
            Message::TextChunk { text, first, last } => {
                let text = String::from_utf8(add(text.as_bytes(), first, last)?).expect("chunks of whole characters");
                Some(Message::Text(text.into()))
            }
            Message::BinaryChunk { data, first, last } => Some(Message::Binary(add(&data, first, last)?.into())),
            event => Some(event),
        };
        self.events = self.events.into_iter().filter_map(assemble).collect();
        self
    }
}
