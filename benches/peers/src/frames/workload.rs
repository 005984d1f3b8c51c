//! What is sent and received in a measurement?

use std::rc::Rc;

use bytes::Bytes;

use super::codec::{Flush, KEPT, Payloads, Role, Tally};
use super::transport::{Reads, Source};

/// A table.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) title: &'static str,
    pub(crate) role: Role,
    pub(crate) job: Job,
    content: Content,
    pace: Pace,
    pub(crate) lens: &'static [usize],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Receive,
    Keep,
    Send(Flush),
    Echo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Binary,
    Ascii,
    /// Japanese, emoji and ASCII.
    Mixed,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    Full,
    Frames,
    Each(usize),
}

const LENS: &[usize] = &[16, 125, 1 << 10, 16 << 10, 64 << 10, 1 << 20];

const fn receive(title: &'static str, content: Content, pace: Pace, lens: &'static [usize]) -> Workload {
    Workload { title, role: Role::Server, job: Job::Receive, content, pace, lens }
}

const fn send(title: &'static str, role: Role, flush: Flush) -> Workload {
    Workload { title, role, job: Job::Send(flush), content: Content::Binary, pace: Pace::Full, lens: LENS }
}

/// All tables.
pub(crate) const WORKLOADS: &[Workload] = &[
    receive("A. Server receives masked binary", Content::Binary, Pace::Full, LENS),
    receive("A3. The same as A, one frame per read", Content::Binary, Pace::Frames, LENS),
    Workload {
        job: Job::Keep,
        ..receive("A64. The same as A, owned messages, 64 kept", Content::Binary, Pace::Full, LENS.split_at(5).0)
    },
    receive("B1. Server receives masked ASCII text", Content::Ascii, Pace::Full, LENS),
    receive("B2. Server receives masked mixed UTF-8 (Japanese, emoji, ASCII)", Content::Mixed, Pace::Full, LENS),
    send("C1. Server sends binary, flushed each (vectored where the library can)", Role::Server, Flush::Each),
    send("C2. Server sends binary, batched", Role::Server, Flush::Batch),
    send("D1. Client sends masked binary, flushed each", Role::Client, Flush::Each),
    send("D2. Client sends masked binary, batched", Role::Client, Flush::Batch),
    Workload { role: Role::Client, ..receive("E. Client receives binary", Content::Binary, Pace::Full, LENS) },
    Workload { job: Job::Echo, ..receive("F. Server echoes binary", Content::Binary, Pace::Full, LENS) },
    receive("G1. Server receives masked binary in reads of 1 octet", Content::Binary, Pace::Each(1), &[125]),
    receive("G2. Server receives masked binary in reads of 7 octets", Content::Binary, Pace::Each(7), &[125]),
    receive("G3. Server receives masked binary in reads of 1448 octets", Content::Binary, Pace::Each(1448), &[125]),
];

/// What goes over a connection in one pass.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) messages: Vec<Vec<u8>>,
    /// As many frames as there are ends, of the messages in turn.
    pub(crate) frames: Vec<u8>,
    /// Where each frame ends.
    pub(crate) ends: Vec<usize>,
    /// Of the frames.
    pub(crate) tally: Tally,
    reads: Pace,
}

impl Traffic {
    pub(crate) fn new(workload: &Workload, len: usize) -> Self {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let messages: Vec<_> =
            (0..((512 << 10) / len).clamp(4, 256)).map(|_| message(workload.content, len, &mut random)).collect();
        let mut traffic =
            Self { frames: Vec::new(), ends: Vec::new(), tally: Tally::default(), reads: workload.pace, messages };
        for index in 0..frames(workload, len) {
            let message = &traffic.messages[index % traffic.messages.len()];
            let key = (workload.role == Role::Server).then(|| random.key());
            frame(workload.content, message, key, &mut traffic.frames);
            traffic.ends.push(traffic.frames.len());
            traffic.tally.add(message);
        }
        traffic
    }

    /// One message in one frame, to a server.
    pub(crate) fn single(len: usize) -> Self {
        let mut traffic = Self::new(&WORKLOADS[0], len);
        traffic.frames.truncate(traffic.ends[0]);
        traffic.ends.truncate(1);
        traffic.tally = Tally::default();
        traffic.tally.add(&traffic.messages[0]);
        traffic
    }

    /// The same, at another place in memory: some places are slow to copy from, or to.
    pub(crate) fn place(&self, round: usize) -> Placed {
        let begin = round * 1328 % 4096;
        let mut octets = vec![0; begin];
        octets.extend_from_slice(&self.frames);
        let reads = match self.reads {
            Pace::Full => Reads::Full,
            Pace::Frames => Reads::Frames(self.ends.iter().map(|end| begin + end).collect()),
            Pace::Each(most) => Reads::Each(most),
        };
        let mut payloads = Payloads { octets: Vec::new(), shared: Vec::new() };
        for (index, message) in self.messages.iter().enumerate() {
            // what comes behind begins elsewhere within its page
            let mut octets = Vec::with_capacity(message.len() + (index * 1040 + round * 272) % 4096);
            octets.extend_from_slice(message);
            payloads.shared.push(Bytes::copy_from_slice(&octets));
            payloads.octets.push(octets);
        }
        Placed { source: Source::new(&Rc::from(octets), reads).behind(begin), payloads }
    }

    /// Messages of a pass.
    pub(crate) fn count(&self, job: Job) -> usize {
        match job {
            Job::Receive | Job::Keep | Job::Echo => self.ends.len(),
            Job::Send(_) => self.messages.len(),
        }
    }
}

/// How many there are in a pass.
fn frames(workload: &Workload, len: usize) -> usize {
    let least = if workload.job == Job::Keep { 4 * KEPT } else { 4 };
    let most = match workload.pace {
        Pace::Each(octets) => 2048 * octets / len,
        Pace::Full | Pace::Frames => 4096,
    };
    ((256 << 10) / len).max(least).min(most)
}

/// [`Traffic`], ready to be received or sent.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) source: Source,
    pub(crate) payloads: Payloads,
}

/// A final frame, masked if there is a key.
fn frame(content: Content, payload: &[u8], key: Option<[u8; 4]>, octets: &mut Vec<u8>) {
    octets.push(if content == Content::Binary { 0x82 } else { 0x81 });
    let masked: u8 = if key.is_some() { 0x80 } else { 0 };
    match payload.len() {
        len @ ..126 => octets.push(masked + u8::try_from(len).expect("it is small")),
        len @ ..0x1_0000 => {
            octets.push(masked + 126);
            octets.extend(u16::try_from(len).expect("it is small").to_be_bytes());
        }
        len => {
            octets.push(masked + 127);
            octets.extend((len as u64).to_be_bytes());
        }
    }
    match key {
        None => octets.extend(payload),
        Some(key) => {
            octets.extend(key);
            octets.extend(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key));
        }
    }
}

/// The payloads of final frames, one behind the other.
pub(crate) fn payloads(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    while let [0x81 | 0x82, second, rest @ ..] = octets {
        let (len, rest) = match second & 0x7F {
            126 => (u64::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().expect("they are eight")), &rest[8..]),
            len => (u64::from(len), rest),
        };
        let (key, rest) = if second & 0x80 == 0 { (&[0; 4][..], rest) } else { rest.split_at(4) };
        let (payload, rest) = rest.split_at(usize::try_from(len).expect("it is in memory"));
        payloads.push(payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key).collect());
        octets = rest;
    }
    assert!(octets.is_empty(), "they are whole frames");
    payloads
}

pub(crate) fn message(content: Content, len: usize, random: &mut Random) -> Vec<u8> {
    let mut payload = Vec::with_capacity(len);
    match content {
        Content::Binary => payload.extend((0..len).map(|_| random.key()[0])),
        Content::Ascii => payload.extend((0..len).map(|_| b' ' + random.key()[0] % 95)),
        Content::Mixed => {
            let mut buffer = [0; 4];
            while payload.len() < len {
                let rest = len - payload.len();
                let octets = &*random.character().encode_utf8(&mut buffer);
                payload.extend_from_slice(if octets.len() > rest { &b"..."[..rest] } else { octets.as_bytes() });
            }
        }
    }
    assert_eq!(payload.len(), len);
    payload
}

/// Xorshift.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn key(&mut self) -> [u8; 4] {
        let [.., a, b, c, d] = self.next().to_be_bytes();
        [a, b, c, d]
    }

    fn character(&mut self) -> char {
        let octet = u32::from(self.key()[0]);
        let code = match self.next() % 16 {
            0..8 => 0x3041 + octet % 83,
            8..10 => 0x1_F600 + octet % 64,
            _ => 0x20 + octet % 95,
        };
        char::from_u32(code).expect("it is a character")
    }
}
