//! The formula of `SECURITY.md`, section Memory: what one connection may hold at the most.

#[cfg(feature = "deflate")]
use websocket_proto::deflate::DeflateConfig;
use websocket_proto::wire::extension::{Extension, MOST_ENTRIES, Param};
use websocket_proto::{Config, Connection, Delivery};

/// The settings that it is a function of.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// Octets that the loop has room for in one read.
    pub(crate) read: usize,
    /// Messages come through `receive_message`.
    pub(crate) is_owned: bool,
}

/// What one connection may hold at the most, in octets, by what holds it. Between two reads, all has been received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WorstCase {
    /// Of the `ReadBuffer`: what has come.
    pub(crate) input: usize,
    /// Of the `ReadBuffer`: what was inflated.
    pub(crate) inflated: usize,
    /// What zlib takes to inflate.
    pub(crate) inflater: usize,
    /// What the peer may refer to.
    pub(crate) window: usize,
    /// What zlib takes to compress, and what we may refer to: where we send compressed messages.
    pub(crate) deflater: usize,
    /// Of the output: the answers that the peer can ask for.
    pub(crate) answers: usize,
    /// The connection itself, and what is small.
    pub(crate) fixed: usize,
    /// The old memory of the one thing that grows; or the owned message that is handed out.
    pub(crate) moving: usize,
}

impl WorstCase {
    pub(crate) fn total(self) -> usize {
        let Self { input, inflated, inflater, window, deflater, answers, fixed, moving } = self;
        input + inflated + inflater + window + deflater + answers + fixed + moving
    }
}

/// One place in the lists that a handshake reads.
const NAME: usize = size_of::<&str>();
const PARAM: usize = size_of::<Param<'_>>();
const EXTENSION: usize = size_of::<Extension<'_>>();

/// The longest thing that is not a part of a message: a control frame but for its last octet, and the header of a data
/// frame that is left where it lies until its end has come.
const CONTROL: usize = 2 + 4 + 125 - 1;
const HEADER: usize = 14;

/// From the first octet of the opening handshake to the end, in one `ReadBuffer`.
pub(crate) fn worst_case(settings: &Settings) -> WorstCase {
    let (opening, open) = (opening(settings), open_behind(settings));
    if open.total() > opening.total() { open } else { opening }
}

/// Once it is open, in the `ReadBuffer` of its handshake.
pub(crate) fn open_behind(settings: &Settings) -> WorstCase {
    let mut open = open(settings);
    open.input = open.input.max(opening(settings).input);
    open.moving = open.moving.max(open.input / 2);
    open
}

/// Amid the opening handshake.
pub(crate) fn opening(settings: &Settings) -> WorstCase {
    let Settings { config, read, .. } = settings;
    let head = config.limits.head;
    // the memory of what has come doubles, up to twice the head and a read
    let input = 2 * (head + read);
    // names of subprotocols, and once more to sort them; of extensions, the first parameter of each takes the places of
    // four; and values with backslashes, which are not borrowed, and double
    let lists = MOST_ENTRIES * (2 * NAME + 2 * PARAM + EXTENSION) + 2 * head;
    let moving = input / 2;
    WorstCase { input, answers: ANSWER, fixed: lists + size_of::<Connection>() + FIXED, moving, ..WorstCase::default() }
}

/// Once it is open, with a `ReadBuffer` that is new.
pub(crate) fn open(settings: &Settings) -> WorstCase {
    let Settings { config, read, is_owned } = settings;
    let message = usize::try_from(config.limits.message).unwrap_or(usize::MAX);
    // what is not dealt with yet, when all was received that can be
    let held = CONTROL + HEADER + if config.delivery == Delivery::Whole { message } else { 0 };
    // it may lie behind as much that is dealt with; what is read comes behind it, half as much again where `room` sees
    // that a frame ends there, of which nothing is held; and memory doubles
    let input = 2 * (2 * held + read + if config.delivery == Delivery::Whole { 0 } else { read / 2 });
    // Pongs of 16 KiB, the one that began below, the one that was held back, a Close; and memory doubles
    let pong = 2 + 4 + 125;
    let answers = 2 * (16 * 1024 + 2 * pong + 2 + 4 + 2 + HEADER + 125);
    let fixed = size_of::<Connection>() + FIXED;
    let plain = WorstCase { input, answers, fixed, ..WorstCase::default() };
    let open = compressed(settings, message, plain);
    let owned = match (is_owned, config.delivery) {
        (false, _) => 0,
        (true, Delivery::Whole) => message,
        (true, _) => (read + held).max(open.inflated),
    };
    // of input and answers, the old memory is half of the new; of the others, it may be as large but for an octet
    let moving = (open.input / 2).max(open.inflated).max(open.window).max(open.answers / 2).max(owned);
    WorstCase { moving, ..open }
}

/// What permessage-deflate adds.
#[cfg(feature = "deflate")]
fn compressed(settings: &Settings, message: usize, plain: WorstCase) -> WorstCase {
    let Some(deflate) = &settings.config.deflate else { return plain };
    let is_whole = settings.config.delivery == Delivery::Whole;
    let inflated = if is_whole { message } else { message.min(16 * 1024) };
    let has_window = deflate.peer_takeover || !is_whole;
    let window = if has_window { 1 << deflate.peer_window_bits } else { 0 };
    // of a compressed message, too, nothing is held as it came
    let input = plain.input + if is_whole { settings.read } else { 0 };
    WorstCase { input, inflated, inflater: INFLATER, window, deflater: deflater(deflate), ..plain }
}

#[cfg(not(feature = "deflate"))]
fn compressed(_: &Settings, _: usize, plain: WorstCase) -> WorstCase {
    plain
}

/// A compressor, and, where it goes back to a pool, our window and the smaller one that it grew from.
#[cfg(feature = "deflate")]
fn deflater(deflate: &DeflateConfig) -> usize {
    let state = (4 << deflate.window_bits) + (7 << (deflate.mem_level + 6)) + 134_272;
    let is_shared = deflate.memory != websocket_proto::deflate::DeflateMemory::Dedicated;
    state + if deflate.takeover && is_shared { 2 << deflate.window_bits } else { 0 }
}

/// The state of a decompressor, as zlib takes it.
#[cfg(feature = "deflate")]
const INFLATER: usize = 47_552;

/// The Pong that is held back, the halves of permessage-deflate without their states, the parameters of a handshake.
const FIXED: usize = 1024;

/// A response to a request, refused or accepted, and what it doubled from.
const ANSWER: usize = 1024;
