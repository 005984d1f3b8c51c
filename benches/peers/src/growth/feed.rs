//! What does the peer send, and has all of it come?
//!
//! A long payload repeats itself, so that it is read from the nearest caches however long it is: there a kernel has
//! it that has just received it.

use std::ops::Range;

use websocket_proto::wire::{FrameHeader, OpCode};
use websocket_proto::{Connection, Event, ReadBuffer};

use crate::frames::codec::Tally;
use crate::frames::workload::{Content, Random, message};

/// After so many octets a payload repeats itself: a multiple of the mask's length, and of no character's end.
pub(crate) const PERIOD: usize = 64 << 10;

/// A message of any length.
#[derive(Debug)]
pub(crate) struct Payload {
    content: Content,
    /// All of it, or a period.
    octets: Vec<u8>,
    len: usize,
}

impl Payload {
    pub(crate) fn new(content: Content, len: usize) -> Self {
        assert!(len <= PERIOD || len.is_multiple_of(PERIOD), "it is cut nowhere");
        let octets = message(content, len.min(PERIOD), &mut Random(0x9E37_79B9_7F4A_7C15));
        Self { content, octets, len }
    }

    pub(crate) fn whole(&self) -> Vec<u8> {
        self.octets.iter().copied().cycle().take(self.len).collect()
    }
}

fn opcode(content: Content) -> OpCode {
    if content == Content::Binary { OpCode::Binary } else { OpCode::Text }
}

/// Masked frames, as they come to a server, and what is in them.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    octets: Vec<u8>,
    /// What is read, one behind the other.
    pieces: Vec<Range<usize>>,
    pub(crate) seen: Seen,
}

/// What was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) tally: Tally,
    /// Of all octets, where they were looked at.
    checksum: u64,
}

/// How much of a message is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Ends,
    All,
}

impl Feed {
    /// So many messages, each in one frame.
    pub(crate) fn messages(payload: &Payload, count: usize) -> Self {
        let (mut feed, mut random) = (Self::default(), Random(0x5851_F42D_4C95_7F2D));
        for _ in 0..count {
            let (begin, key) = (feed.octets.len(), random.key());
            feed.header(true, opcode(payload.content), payload.len, key);
            let behind = feed.octets.len();
            feed.masked(&payload.octets, key);
            let end = feed.octets.len();
            feed.pieces.push(begin..end);
            feed.pieces.extend((1..payload.len.div_ceil(PERIOD)).map(|_| behind..end));
            feed.seen.add(&payload.whole(), Look::All);
        }
        if payload.len <= PERIOD {
            feed.join();
        }
        feed
    }

    /// One message in so many frames, whose lengths differ by an octet at most.
    pub(crate) fn fragments(content: Content, octets: &[u8], count: usize) -> Self {
        let (mut feed, mut random) = (Self::default(), Random(0x5851_F42D_4C95_7F2D));
        for (index, part) in parts(octets, count).enumerate() {
            let opcode = if index == 0 { opcode(content) } else { OpCode::Continuation };
            let key = random.key();
            feed.header(index + 1 == count, opcode, part.len(), key);
            feed.masked(part, key);
        }
        feed.join();
        feed.seen.add(octets, Look::All);
        feed
    }

    /// Makes one piece of all.
    fn join(&mut self) {
        self.pieces.clear();
        self.pieces.push(0..self.octets.len());
    }

    fn header(&mut self, fin: bool, opcode: OpCode, len: usize, key: [u8; 4]) {
        let header = FrameHeader { fin, reserved: 0, opcode, mask: Some(key), payload_len: len as u64 };
        header.encode(&mut self.octets).expect("it is no control frame");
    }

    fn masked(&mut self, payload: &[u8], key: [u8; 4]) {
        self.octets.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
    }

    /// All of it, if no payload is long.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.octets
    }

    fn reader(&self) -> Reader<'_> {
        Reader { feed: self, piece: 0, read: 0 }
    }

    /// Receives all of it, with room for so many octets to each read.
    #[inline]
    pub(crate) fn receive(&self, ws: &mut Connection, input: &mut ReadBuffer, room: usize, look: Look) {
        let (mut reader, mut seen) = (self.reader(), Seen::default());
        loop {
            let len = reader.read(input.room(room));
            input.filled(len);
            if len == 0 {
                break;
            }
            while let Some(event) = ws.receive(input, &mut Vec::new()).expect("it is right") {
                match event {
                    Event::Text(text) => seen.add(text.as_bytes(), look),
                    Event::Binary(data) => seen.add(data, look),
                    _ => {}
                }
            }
        }
        assert!(input.is_empty(), "all was whole");
        self.check(seen, look);
    }

    /// All that was sent has come.
    fn check(&self, seen: Seen, look: Look) {
        assert_eq!(seen.tally, self.seen.tally, "all was received, and unmasked");
        assert!(look == Look::Ends || seen.checksum == self.seen.checksum, "each octet is right");
    }
}

impl Seen {
    #[inline]
    pub(crate) fn add(&mut self, payload: &[u8], look: Look) {
        self.tally.add(payload);
        if look == Look::All {
            // where an octet stands counts, too
            let weighed = payload.iter().zip(0_u64..).map(|(octet, at)| u64::from(*octet) * (at % 251 + 1));
            self.checksum = self.checksum.wrapping_add(weighed.sum());
        }
    }
}

/// Octets, in so many parts.
pub(crate) fn parts(octets: &[u8], count: usize) -> impl Iterator<Item = &[u8]> {
    (0..count).map(move |index| &octets[octets.len() * index / count..octets.len() * (index + 1) / count])
}

/// Goes through a feed once.
#[derive(Debug)]
struct Reader<'f> {
    feed: &'f Feed,
    piece: usize,
    /// Octets of the piece.
    read: usize,
}

impl Reader<'_> {
    /// A read, which is as long as the room. 0: there is nothing left.
    #[inline]
    fn read(&mut self, room: &mut [u8]) -> usize {
        let mut len = 0;
        while let Some(piece) = self.feed.pieces.get(self.piece) {
            let rest = &self.feed.octets[piece.start + self.read..piece.end];
            let part = rest.len().min(room.len() - len);
            room[len..][..part].copy_from_slice(&rest[..part]);
            len += part;
            if part < rest.len() {
                self.read += part;
                break;
            }
            (self.piece, self.read) = (self.piece + 1, 0);
        }
        len
    }
}
