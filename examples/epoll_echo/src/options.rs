//! What may the one who starts the server choose?

use websocket_proto::{Config, Timeouts};

use crate::args::Args;
use crate::timeouts;

/// The flags that the server and the load understand.
macro_rules! flags {
    () => {
        "  --max-connections N     beyond it, a request is answered with 503 (20000)
  --max-message BYTES     the longest message and frame to accept (16777216)
  --max-memory BYTES      what all connections together may hold: beyond it, one that holds much is dropped (1073741824)
"
    };
}
pub(crate) use flags;

/// What the flags say.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) config: Config,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_connections: usize,
    pub(crate) max_memory: usize,
    /// Whether the path `/stats` gives the figures.
    pub(crate) has_stats: bool,
}

impl Options {
    pub(crate) fn take(args: &mut Args) -> Self {
        let mut config = Config::default();
        config.limits.message = args.value("--max-message", config.limits.message);
        config.limits.frame = config.limits.message;
        Self {
            listen: args.value("--listen", String::from("127.0.0.1:9001")),
            config,
            timeouts: timeouts::take(args),
            max_connections: args.value("--max-connections", 20_000),
            max_memory: args.value("--max-memory", 1 << 30),
            has_stats: args.flag("--stats"),
        }
    }
}
