//! RFC 7692 §7.1, §8: what do we want of permessage-deflate, and how much memory may it cost?

use super::DeflatePool;

/// permessage-deflate as this end wants it. What is agreed with the peer is a [`DeflateParams`](super::DeflateParams).
///
/// Of these, the first five are negotiated in the [`handshake`](crate::handshake), and by [`offer`](Self::offer),
/// [`accept`](Self::accept) and [`settle`](Self::settle) outside of it; the others are nobody's business but ours.
///
/// ```
/// use websocket_proto::Config;
/// use websocket_proto::deflate::DeflateConfig;
///
/// let mut deflate = DeflateConfig::default();
/// deflate.window_bits = 12;
/// let mut config = Config::default();
/// config.deflate = Some(deflate);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeflateConfig {
    /// The most that the window of our compressor may be, as a power of two of octets: 9 to 15 (12). A smaller one
    /// takes less memory and finds less; and more time, as zlib goes through a table of 128 KiB each time that as much
    /// has gone by. What is beyond is taken for the nearest. A compressor with 8 does not exist (in no zlib): a client
    /// that wants one is declined, a server that wants one is sent plain messages.
    pub window_bits: u8,
    /// The most that the window of the peer's compressor may be, as a power of two of octets: 8 to 15 (15). It is what
    /// we have to keep of the messages that come.
    pub peer_window_bits: u8,
    /// Whether our compressor may keep its window from one message to the next (true).
    pub takeover: bool,
    /// Whether the peer's may (true).
    pub peer_takeover: bool,
    /// Whether we do without `peer_window_bits` and `peer_takeover` where the peer cannot keep to them (false: we do
    /// without compression). A client then makes a second offer without them; a server accepts an offer that does not
    /// let it limit the client's window. Every client can be told not to keep its window.
    pub fallback: bool,
    /// How hard our compressor tries, from 0 (not at all) to 9 (1).
    pub level: u8,
    /// How much memory our compressor takes besides its window, from 1 to 9 (5).
    pub mem_level: u8,
    /// Messages of fewer octets are sent plain, unless [`Compression::Always`] is asked for (128). A fragmented
    /// message, whose length is not known, is compressed; with `usize::MAX`, none is.
    pub threshold: usize,
    /// Who owns the states of zlib.
    pub memory: DeflateMemory,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            window_bits: 12,
            peer_window_bits: 15,
            takeover: true,
            peer_takeover: true,
            fallback: false,
            level: 1,
            mem_level: 5,
            threshold: 128,
            memory: DeflateMemory::Dedicated,
        }
    }
}

/// Who owns the states of zlib, which are large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeflateMemory {
    /// The connection does, each from the first message that needs it: the fastest.
    #[default]
    Dedicated,
    /// A pool does, and lends them for one message at a time. Between messages, the connection holds the windows of
    /// those directions that have context takeover agreed, as they are, and nothing else.
    Shared(DeflatePool),
}

impl DeflateMemory {
    /// Where states come from and go to; `None`: they stay with the connection.
    pub(crate) fn pool(&self) -> Option<DeflatePool> {
        match self {
            Self::Dedicated => None,
            Self::Shared(pool) => Some(pool.clone()),
        }
    }
}

/// Whether a message is sent compressed.
///
/// What is sent plain does not enter the window: no later message says by its length how much of it is repeated
/// (RFC 7692 §8). For secrets, choose [`Never`](Self::Never).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// If it has [`DeflateConfig::threshold`] octets or more.
    #[default]
    Auto,
    /// Whatever its length.
    Always,
    /// No: neither is it compressed, nor does it enter the window.
    Never,
}
