//! The flags for permessage-deflate, and what was agreed.

use std::fmt;

use websocket_proto::deflate::{DeflateConfig, DeflateMemory, DeflatePool};
use websocket_proto::{Config, Connection};

use super::args::Args;

/// What a program's usage says of these flags.
macro_rules! usage {
    () => {
        "
  --deflate               permessage-deflate, with what the library takes by default; with it:
  --no-takeover           our compressor does not keep its window from one message to the next
  --no-peer-takeover      the peer's shall not
  --window-bits N         the most that the window of our compressor may be, 9 to 15
  --peer-window-bits N    the most that the peer's may be, 8 to 15
  --fallback              rather without what is asked of the peer than without compression
  --threshold BYTES       shorter messages are sent plain
  --shared                all connections share a pool of states, which are lent for one message at a time
"
    };
}
pub(crate) use usage;

/// What the flags want of permessage-deflate.
pub fn take(args: &mut Args, config: &mut Config) {
    let is_wanted = args.flag("--deflate");
    let default = DeflateConfig::default();
    let mut deflate = default.clone();
    deflate.takeover = !args.flag("--no-takeover");
    deflate.peer_takeover = !args.flag("--no-peer-takeover");
    deflate.window_bits = args.value("--window-bits", default.window_bits);
    deflate.peer_window_bits = args.value("--peer-window-bits", default.peer_window_bits);
    deflate.fallback = args.flag("--fallback");
    deflate.threshold = args.value("--threshold", default.threshold);
    if args.flag("--shared") {
        deflate.memory = DeflateMemory::Shared(DeflatePool::default());
    }
    if !is_wanted && deflate != default {
        args.fail("what is to be compressed, and how, needs --deflate");
    }
    config.deflate = Some(deflate).filter(|_| is_wanted);
}

/// What was agreed with the peer, to be shown; `None` where all messages are plain.
pub fn agreed(ws: &Connection) -> Option<impl fmt::Display> {
    ws.deflate()
}
