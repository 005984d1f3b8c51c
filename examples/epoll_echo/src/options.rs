//! What may the one who starts the server choose?

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use websocket_proto::{Config, Timeouts};

use crate::args::Args;

/// The flags that the server and the load understand.
macro_rules! flags {
    () => {
        "  --max-connections N     beyond it, a request is answered with 503 (20000)
  --max-message BYTES     the longest message and frame to accept (16777216)
  --max-memory BYTES      what all connections together may hold: beyond it, one that holds much is dropped (1073741824)
  --handshake-within S    seconds, or `never`: how long a request may take (10)
  --ping-after S          silence of the peer after which it is pinged (30)
  --pong-within S         and how long it then may go on (20)
  --close-within S        how long a peer may take to answer a Close (10)
  --write-within S        how long a peer may read nothing of what waits for it (30)
  --idle S                how long no message may be exchanged (never)
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
        let mut timeouts = Timeouts::default();
        for (flag, timeout) in [
            ("--handshake-within", &mut timeouts.handshake),
            ("--ping-after", &mut timeouts.ping),
            ("--pong-within", &mut timeouts.pong),
            ("--close-within", &mut timeouts.close),
            ("--write-within", &mut timeouts.write),
            ("--idle", &mut timeouts.idle),
        ] {
            *timeout = args.value(flag, Seconds(*timeout)).0;
        }
        Self {
            listen: args.value("--listen", String::from("127.0.0.1:9001")),
            config,
            timeouts,
            max_connections: args.value("--max-connections", 20_000),
            max_memory: args.value("--max-memory", 1 << 30),
            has_stats: args.flag("--stats"),
        }
    }
}

/// Seconds, with a fraction or not, or `never`.
struct Seconds(Duration);

impl FromStr for Seconds {
    type Err = fmt::Error;

    fn from_str(text: &str) -> Result<Self, fmt::Error> {
        if text == "never" {
            return Ok(Self(Duration::MAX));
        }
        let seconds: f64 = text.parse().map_err(|_| fmt::Error)?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| fmt::Error)
    }
}
