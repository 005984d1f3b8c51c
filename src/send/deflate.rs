//! RFC 7692 §7.2.1: which octets is a message compressed to?

use alloc::boxed::Box;
use alloc::vec::Vec;

pub(crate) use crate::deflate::Compression;
use crate::deflate::{Compressor, DeflateConfig, DeflatePool, Direction, Settings, TAIL, Then, Window};

/// permessage-deflate in one direction: the messages that go.
#[derive(Debug)]
pub(crate) struct Deflater {
    /// The window is kept from one message to the next.
    takeover: bool,
    settings: Settings,
    threshold: usize,
    /// Where the state comes from and goes to; `None`: it stays here.
    pool: Option<DeflatePool>,
    /// There while a message is under way, and longer if there is no pool.
    state: Option<Box<Compressor>>,
    /// What went, for the next state that is lent; empty where none is, and without takeover.
    window: Window,
}

impl Deflater {
    /// None, where the peer wants a window that no compressor has: then all that we send is plain.
    pub(crate) fn new(config: &DeflateConfig, agreed: Direction) -> Option<Self> {
        let settings = Settings {
            level: config.level.min(9),
            mem_level: config.mem_level.clamp(1, 9),
            window_bits: config.window_bits.clamp(9, 15).min(agreed.window_bits),
        };
        (settings.window_bits >= 9).then(|| Self {
            takeover: agreed.takeover && config.takeover,
            settings,
            threshold: config.threshold,
            pool: config.memory.pool(),
            state: None,
            window: Window::new(settings.window_bits),
        })
    }

    /// One whose messages anybody can read next who has its window, whatever their length.
    pub(super) fn for_all(config: &DeflateConfig) -> Option<Self> {
        let alone = Direction { takeover: false, window_bits: 15 };
        let mut deflater = Self::new(config, alone)?;
        deflater.threshold = 0;
        Some(deflater)
    }

    /// Whether a message of so many octets is to be compressed.
    pub(crate) fn wants(&self, len: usize, compression: Compression) -> bool {
        match compression {
            Compression::Auto => len >= self.threshold,
            Compression::Always => true,
            Compression::Never => false,
        }
    }

    /// Appends the compressed form of a whole message. False, where that is no shorter, and nothing has it that the
    /// next message refers to: then it is better sent plain, unless it is always to be compressed. What a compressor
    /// keeps has to be sent as it was compressed.
    #[expect(clippy::arithmetic_side_effects, reason = "the output only grows")]
    pub(crate) fn message(&mut self, plain: &[u8], compression: Compression, output: &mut Vec<u8>) -> bool {
        let begin = output.len();
        self.begin();
        self.put(plain, true, output);
        let is_shorter = output.len() - begin < plain.len();
        let is_sent = self.keeps_state() || is_shorter || compression == Compression::Always;
        if is_sent {
            self.keep(plain);
        }
        self.release();
        is_sent
    }

    /// The window that is needed to read what it makes.
    pub(super) fn window_bits(&self) -> u8 {
        self.settings.window_bits
    }

    /// Whether the peer can read, next, a compressed message that was made elsewhere, with a window of its own. If so,
    /// it is what comes next: the messages that follow may refer to it.
    pub(super) fn takes(&mut self, plain: &[u8], window_bits: u8) -> bool {
        let ours = self.settings.window_bits;
        let takes = (window_bits <= ours || plain.len() <= 1 << ours) && !self.keeps_state();
        if takes {
            self.keep(plain);
        }
        takes
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self) {
        let Self { state, pool, settings, .. } = self;
        let is_new = state.is_none();
        let state = state.get_or_insert_with(|| match pool {
            Some(pool) => pool.take_compressor(*settings),
            None => Box::new(Compressor::new(*settings)),
        });
        if is_new || !self.takeover {
            state.reset();
        }
        if is_new && self.takeover {
            self.window.parts().into_iter().for_each(|part| state.prime(part));
        }
    }

    /// Appends the payload of one frame of a fragmented message.
    pub(crate) fn fragment(&mut self, plain: &[u8], last: bool, output: &mut Vec<u8>) {
        self.put(plain, last, output);
        self.keep(plain);
        if last {
            self.release();
        }
    }

    /// Forgets what went: the next message refers to nothing before it.
    pub(crate) fn reset(&mut self) {
        if let Some(state) = &mut self.state {
            state.reset();
        }
        self.window.clear();
    }

    /// The compressor itself holds the window, which nothing else can be put to.
    fn keeps_state(&self) -> bool {
        self.takeover && self.pool.is_none()
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the output only grows, and what zlib makes of something ends with TAIL"
    )]
    fn put(&mut self, plain: &[u8], last: bool, output: &mut Vec<u8>) {
        let begin = output.len();
        let then = if last && !self.keeps_state() { Then::Forget } else { Then::GoOn };
        if let (Some(state), false) = (&mut self.state, plain.is_empty()) {
            state.compress(plain, then, output);
        }
        match (last, output.len() - begin) {
            // an empty block, without its end: of nothing, zlib makes nothing (§7.2.3.6)
            (true, 0) => output.push(0),
            (true, len) => output.truncate(begin + len - TAIL.len()),
            (false, _) => {}
        }
    }

    /// Keeps what went, where the state that has it does not stay.
    fn keep(&mut self, plain: &[u8]) {
        if self.takeover && self.pool.is_some() {
            self.window.push(plain);
        }
    }

    fn release(&mut self) {
        if let Some(pool) = &self.pool {
            self.state.take().into_iter().for_each(|state| pool.give_compressor(state));
        }
    }

    /// Octets of memory that it takes.
    #[expect(clippy::arithmetic_side_effects, reason = "all of it lies in memory, and none of it twice")]
    pub(crate) fn memory_used(&self) -> usize {
        let state = self.state.as_ref().map_or(0, |state| state.memory_used());
        size_of::<Self>() + state + self.window.capacity()
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        self.release();
    }
}
