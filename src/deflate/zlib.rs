//! RFC 1951, RFC 7692 §7.2.1, §7.2.2: what does zlib make of these octets?
//!
//! All that the crate asks of zlib is here.

use alloc::vec::Vec;
use core::fmt;

use zlib_rs::{Deflate, DeflateFlush, Inflate, InflateFlush, Method, Status, Strategy};

/// What a compressor is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// 0 to 9.
    pub(crate) level: u8,
    /// 1 to 9.
    pub(crate) mem_level: u8,
    /// 9 to 15.
    pub(crate) window_bits: u8,
}

/// What a compressor does behind what it has compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It keeps its window.
    GoOn,
    /// It is as new: cheaper than a reset, which looks at more.
    Forget,
}

/// One direction's compressor.
pub(crate) struct Compressor {
    zlib: Deflate,
    settings: Settings,
    /// Something has gone through it since it was made or reset.
    is_used: bool,
}

impl Compressor {
    #[expect(clippy::arithmetic_side_effects, reason = "9 to 15")]
    pub(crate) fn new(settings: Settings) -> Self {
        let zlib = Deflate::new_with_config(zlib_rs::DeflateConfig {
            level: settings.level.into(),
            method: Method::Deflated,
            window_bits: -i32::from(settings.window_bits),
            mem_level: settings.mem_level.into(),
            strategy: Strategy::Default,
        });
        Self { zlib, settings, is_used: false }
    }

    pub(crate) fn settings(&self) -> Settings {
        self.settings
    }

    /// Octets of memory that it takes: those of zlib's window, of its tables of hashes, and of what it holds back.
    #[expect(clippy::arithmetic_side_effects, reason = "at most 15 bits, and a mem_level of 9")]
    pub(crate) fn memory_used(&self) -> usize {
        let Settings { mem_level, window_bits, .. } = self.settings;
        size_of::<Self>() + (4 << window_bits) + (7 << (mem_level + 6)) + 134_272
    }

    /// Forgets all that went through it.
    pub(crate) fn reset(&mut self) {
        if self.is_used {
            self.zlib.reset();
            self.is_used = false;
        }
    }

    /// Has the next octets refer to these, as if they had gone through it.
    pub(crate) fn prime(&mut self, plain: &[u8]) {
        if !plain.is_empty() {
            let primed = self.zlib.set_dictionary(plain);
            debug_assert!(primed.is_ok(), "between messages, a raw compressor takes a dictionary");
            self.is_used = true;
        }
    }

    /// Appends the compressed form of `plain`, in whole blocks that end with an empty one: with [`TAIL`]. There has to
    /// be something to compress: of nothing, zlib makes nothing the second time.
    pub(crate) fn compress(&mut self, plain: &[u8], then: Then, output: &mut Vec<u8>) {
        debug_assert!(!plain.is_empty());
        self.is_used = then == Then::GoOn;
        let flush = match then {
            Then::GoOn => DeflateFlush::SyncFlush,
            Then::Forget => DeflateFlush::FullFlush,
        };
        let mut rest = plain;
        loop {
            let begin = output.len();
            // most messages fit, and little is cleared for nothing
            let room = plain.len().saturating_sub(plain.len() / 4).saturating_add(64);
            output.resize(begin.saturating_add(room), 0);
            let (total_in, total_out) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self.zlib.compress(rest, output.get_mut(begin..).unwrap_or_default(), flush);
            debug_assert!(status.is_ok(), "zlib compresses whatever it is given");
            let taken = distance(total_in, self.zlib.total_in());
            let made = distance(total_out, self.zlib.total_out());
            rest = rest.get(taken..).unwrap_or_default();
            output.truncate(begin.saturating_add(made));
            // where room is left, nothing is held back; more than 4 GiB are taken in several steps
            if made < room && (rest.is_empty() || taken == 0) {
                return;
            }
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// One direction's decompressor. It goes back 32 KiB, whatever was agreed.
pub(crate) struct Decompressor {
    zlib: Inflate,
}

/// What a decompressor did in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Octets taken off the front of the input.
    pub(crate) taken: usize,
    /// Octets put to the front of the room.
    pub(crate) made: usize,
    pub(crate) stop: Stop,
}

/// Why a decompressor stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Input or room is at its end, or a block, if that was asked for.
    Pause,
    /// A final block has ended with the last octet that was taken.
    Final,
    /// What follows is no DEFLATE data. What was made before stands.
    Invalid,
}

/// Where a decompressor stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Where the input ends, or the room.
    Empty,
    /// Where a block ends, too.
    Block,
}

impl Decompressor {
    /// Octets of memory that it takes.
    pub(crate) const MEMORY: usize = size_of::<Self>() + 47_552;

    /// Forgets all that went through it.
    pub(crate) fn reset(&mut self) {
        self.zlib.reset(false);
    }

    /// Has the next octets refer to these, as if they had gone through it.
    pub(crate) fn prime(&mut self, plain: &[u8]) {
        if !plain.is_empty() {
            let primed = self.zlib.set_dictionary(plain);
            debug_assert!(primed.is_ok(), "a raw decompressor takes a dictionary");
        }
    }

    /// Inflates as much of `input` as there is room for. Behind a final block it goes on once it was reset.
    pub(crate) fn inflate(&mut self, input: &[u8], room: &mut [u8], until: Until) -> Step {
        let flush = match until {
            Until::Empty => InflateFlush::SyncFlush,
            Until::Block => InflateFlush::Block,
        };
        let (total_in, total_out) = (self.zlib.total_in(), self.zlib.total_out());
        let stop = match self.zlib.decompress(input, room, flush) {
            Ok(Status::Ok | Status::BufError) => Stop::Pause,
            Ok(Status::StreamEnd) => Stop::Final,
            Err(_) => Stop::Invalid,
        };
        let (taken, made) = (distance(total_in, self.zlib.total_in()), distance(total_out, self.zlib.total_out()));
        Step { taken, made, stop }
    }
}

impl Default for Decompressor {
    fn default() -> Self {
        Self { zlib: Inflate::new(false, 15) }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").finish_non_exhaustive()
    }
}

/// The end of the empty block that ends each message, which is not sent (RFC 7692 §7.2.1).
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// How far a counter of zlib went in one step, which is no more than there is in memory.
fn distance(before: u64, after: u64) -> usize {
    usize::try_from(after.wrapping_sub(before)).unwrap_or(usize::MAX)
}
