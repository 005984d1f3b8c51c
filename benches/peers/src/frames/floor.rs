//! What is the least that framing can cost? Written by hand: the octets are read, unmasked where they lie and handed
//! out, and nothing is checked but UTF-8.
//!
//! Frames lie in a buffer of a fixed size; for those that do not fit in, it grows, and is read into no further than to
//! their end. Keys are drawn from the thread's CSPRNG, many at once.

#![allow(unsafe_code, reason = "nobody shall be below it: no bounds are checked")]
#![allow(clippy::inline_always, reason = "what is not inlined has no wide registers")]
#![allow(clippy::cast_possible_truncation, reason = "it was compared, or is in memory")]

use std::marker::PhantomData;

use rand::RngExt;

use super::codec::{BATCH, Codec, Flush, LARGE, Library, Payloads, Role, Standing, Tally};
use super::transport::{Source, Wire};
use super::xor::{Lane, Task, with_widest, xor};

/// Its reads are of so many octets.
#[derive(Debug)]
pub(crate) struct Floor {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
}

impl Library for Floor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn standing(&self) -> Standing {
        Standing::Floor
    }

    fn open(&self, role: Role) -> Box<dyn Codec> {
        Box::new(Open {
            role,
            size: self.size,
            input: vec![0; self.size + SLACK],
            output: Vec::new(),
            keys: Keys { block: [0; 256], left: 0 },
        })
    }
}

/// Behind the octets of a buffer: a header may be looked at that is not there in full.
const SLACK: usize = 64;

struct Open {
    role: Role,
    size: usize,
    input: Vec<u8>,
    output: Vec<u8>,
    keys: Keys,
}

impl Codec for Open {
    fn receive(&mut self, source: &mut Source) -> Option<Tally> {
        let role = self.role;
        let receive = Receive { open: self, source, deal: Count::default() };
        let Count(tally) = match role {
            Role::Server => with_widest(At::<Server, _>(receive, PhantomData)),
            Role::Client => with_widest(At::<Client, _>(receive, PhantomData)),
        };
        Some(tally)
    }

    fn receive_kept(&mut self, _: &mut Source) -> Option<Tally> {
        None
    }

    fn send(&mut self, payloads: &mut Payloads, flush: Flush, wire: &mut Wire) -> Option<()> {
        let Self { role, output, keys, .. } = self;
        let payloads = &payloads.octets[..];
        output.resize(BATCH + payloads[0].len() + SLACK, 0);
        match (role, flush) {
            (Role::Server, Flush::Each) => send_vectored(payloads, wire),
            (Role::Server, Flush::Batch) => {
                with_widest(At::<Server, _>(Send { output, keys, payloads, flush, wire }, PhantomData));
            }
            (Role::Client, _) => {
                with_widest(At::<Client, _>(Send { output, keys, payloads, flush, wire }, PhantomData));
            }
        }
        Some(())
    }

    fn echo(&mut self, source: &mut Source, wire: &mut Wire) -> Option<Tally> {
        let deal = Echo { tally: Tally::default(), wire, end: 0 };
        let receive = Receive { open: self, source, deal };
        Some(with_widest(At::<Server, _>(receive, PhantomData)).tally)
    }
}

/// Which end it is: octets of a key in the frames that come in, and in those that go out.
trait End {
    const KEY_IN: usize;
    const KEY_OUT: usize;
}

struct Server;
struct Client;

impl End for Server {
    const KEY_IN: usize = 4;
    const KEY_OUT: usize = 0;
}

impl End for Client {
    const KEY_IN: usize = 0;
    const KEY_OUT: usize = 4;
}

/// Where a frame lies.
#[derive(Clone, Copy)]
struct Frame {
    begin: *mut u8,
    /// Octets of its header.
    head: usize,
    len: usize,
    key: u32,
}

/// What is done with a message.
trait Deal {
    /// # Safety
    /// The frame lies there, in the buffer.
    unsafe fn frame<L: Lane>(&mut self, frame: Frame, buffer: *mut u8);

    /// All frames of a read were dealt with.
    fn end(&mut self, _: &[u8]) {}
}

#[derive(Default)]
struct Count(Tally);

impl Deal for Count {
    #[inline(always)]
    unsafe fn frame<L: Lane>(&mut self, Frame { begin, head, len, key }: Frame, _: *mut u8) {
        // SAFETY: it is all there, as the caller has promised
        let (first, payload) = unsafe {
            let payload = begin.add(head);
            if key != 0 {
                xor::<L>(payload, payload, len, key);
            }
            (begin.read(), std::slice::from_raw_parts(payload, len))
        };
        if first == 0x81 {
            assert!(simdutf8::basic::from_utf8(payload).is_ok(), "it is text");
        }
        self.0.add(payload);
    }
}

/// Slides the frames together, as those to the client are shorter: there is one slice to write.
struct Echo<'a> {
    tally: Tally,
    wire: &'a mut Wire,
    end: usize,
}

impl Deal for Echo<'_> {
    #[inline(always)]
    unsafe fn frame<L: Lane>(&mut self, Frame { begin, head, len, key }: Frame, buffer: *mut u8) {
        // SAFETY: it is all there, as the caller has promised, and what is written lies before what is yet to be read
        let payload = unsafe {
            let to = buffer.add(self.end);
            let written = header::<Server>(to, len);
            xor::<L>(begin.add(head), to.add(written), len, key);
            self.end += written + len;
            std::slice::from_raw_parts(to.add(written), len)
        };
        self.tally.add(payload);
    }

    #[inline(always)]
    fn end(&mut self, buffer: &[u8]) {
        if self.end > 0 {
            self.wire.write(&[&buffer[..self.end]]);
            self.end = 0;
        }
    }
}

struct Receive<'a, D> {
    open: &'a mut Open,
    source: &'a mut Source,
    deal: D,
}

/// [`Receive`], at one end.
struct At<E, T>(T, PhantomData<E>);

impl<E: End, D: Deal> Task for At<E, Receive<'_, D>> {
    type Output = D;

    #[inline(always)]
    unsafe fn run<L: Lane>(self) -> D {
        let Receive { open: Open { input, size, .. }, source, mut deal } = self.0;
        let mut filled = 0;
        loop {
            match source.read(&mut input[filled..*size]) {
                0 => return deal,
                read => filled += read,
            }
            let (buffer, mut at) = (input.as_mut_ptr(), 0);
            let missing = loop {
                // SAFETY: there is slack behind what has come
                let frame = unsafe { look::<E>(buffer.add(at)) };
                let end = frame.head.saturating_add(frame.len).saturating_add(at);
                if end > filled {
                    break end;
                }
                // SAFETY: it has all come
                unsafe { deal.frame::<L>(frame, buffer) };
                at = end;
            };
            deal.end(input);
            let has_header = filled - at >= 2 + 8 + E::KEY_IN;
            if 0 < at && at < filled {
                input.copy_within(at..filled, 0);
            }
            (filled, at) = (filled - at, missing - at);
            if has_header && at > *size {
                input.resize(input.len().max(at + SLACK), 0);
                while filled < at {
                    filled += source.read(&mut input[filled..at]);
                }
                let buffer = input.as_mut_ptr();
                // SAFETY: it has all come
                unsafe { deal.frame::<L>(look::<E>(buffer), buffer) };
                deal.end(input);
                filled = 0;
            }
        }
    }
}

/// The frame that begins there, if its header is there; else one that is longer than what is.
///
/// # Safety
/// As many octets as the longest header has can be read.
#[inline(always)]
unsafe fn look<E: End>(begin: *mut u8) -> Frame {
    // SAFETY: as the caller has promised
    unsafe {
        let (head, len) = match begin.add(1).read() & 0x7F {
            126 => (4 + E::KEY_IN, usize::from(begin.add(2).cast::<u16>().read_unaligned().swap_bytes())),
            127 => (10 + E::KEY_IN, begin.add(2).cast::<u64>().read_unaligned().swap_bytes() as usize),
            len => (2 + E::KEY_IN, usize::from(len)),
        };
        let key = if E::KEY_IN == 0 { 0 } else { begin.add(head - 4).cast::<u32>().read_unaligned() };
        Frame { begin, head, len, key }
    }
}

/// Writes a header, but for its key; its length without the key.
///
/// # Safety
/// The header can be written there.
#[inline(always)]
unsafe fn header<E: End>(to: *mut u8, len: usize) -> usize {
    let masked = if E::KEY_OUT == 0 { 0x82_u16 } else { 0x8082 };
    // SAFETY: as the caller has promised
    unsafe {
        if len < 126 {
            to.cast::<u16>().write_unaligned((masked | (len as u16) << 8).to_le());
            2
        } else if len < 1 << 16 {
            to.cast::<u16>().write_unaligned((masked | 126 << 8).to_le());
            to.add(2).cast::<u16>().write_unaligned((len as u16).to_be());
            4
        } else {
            to.cast::<u16>().write_unaligned((masked | 127 << 8).to_le());
            to.add(2).cast::<u64>().write_unaligned((len as u64).to_be());
            10
        }
    }
}

fn send_vectored(payloads: &[Vec<u8>], wire: &mut Wire) {
    for payload in payloads {
        let mut head = [0; 10];
        // SAFETY: it has room for the longest one
        let len = unsafe { header::<Server>(head.as_mut_ptr(), payload.len()) };
        wire.write(&[&head[..len], payload]);
    }
}

struct Send<'a> {
    output: &'a mut [u8],
    keys: &'a mut Keys,
    payloads: &'a [Vec<u8>],
    flush: Flush,
    wire: &'a mut Wire,
}

impl<E: End> Task for At<E, Send<'_>> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lane>(self) {
        let Send { output, keys, payloads, flush, wire } = self.0;
        let mut end = 0;
        for payload in payloads {
            assert!(end + payload.len() + SLACK <= output.len(), "there is room");
            // SAFETY: there is
            unsafe {
                let to = output.as_mut_ptr().add(end);
                let head = header::<E>(to, payload.len());
                end += head + E::KEY_OUT;
                if E::KEY_OUT == 0 && payload.len() >= LARGE {
                    wire.write(&[&output[..end], payload]);
                    end = 0;
                    continue;
                }
                let key = if E::KEY_OUT == 0 { 0 } else { keys.next() };
                if E::KEY_OUT > 0 {
                    to.add(head).cast::<u32>().write_unaligned(key);
                }
                xor::<L>(payload.as_ptr(), to.add(head + E::KEY_OUT), payload.len(), key);
            }
            end += payload.len();
            if flush == Flush::Each || end >= BATCH {
                wire.write(&[&output[..end]]);
                end = 0;
            }
        }
        if end > 0 {
            wire.write(&[&output[..end]]);
        }
    }
}

/// Unpredictable ones, as a client needs.
struct Keys {
    block: [u32; 256],
    left: usize,
}

impl Keys {
    #[inline(always)]
    fn next(&mut self) -> u32 {
        if self.left == 0 {
            rand::rng().fill(&mut self.block);
            self.left = self.block.len();
        }
        self.left -= 1;
        self.block[self.left]
    }
}
