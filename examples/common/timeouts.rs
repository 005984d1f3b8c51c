//! The flags for deadlines, in seconds: `--ping 30`, `--idle 0.5`.

use std::time::Duration;

use websocket_proto::Timeouts;

use super::args::Args;

/// What a program's usage says of these flags.
macro_rules! usage {
    () => {
        "
Deadlines, in seconds, for which 0.5 will do, or never:
  --handshake SECONDS     for the opening handshake (10)
  --ping SECONDS          a peer that is silent for so long is pinged (30)
  --pong SECONDS          and closed, if it is silent for so long after that (20)
  --close SECONDS         for the end of the stream after a close, then it is dropped (10)
  --write SECONDS         a peer that reads nothing of what waits for it is dropped (30)
  --idle SECONDS          without a message in any direction, it is closed (never)
  --lifetime SECONDS      after so long, it is closed in any case (never)
"
    };
}
pub(crate) use usage;

/// What the flags say.
pub fn take(args: &mut Args) -> Timeouts {
    let mut timeouts = Timeouts::default();
    for (flag, timeout) in [
        ("--handshake", &mut timeouts.handshake),
        ("--ping", &mut timeouts.ping),
        ("--pong", &mut timeouts.pong),
        ("--close", &mut timeouts.close),
        ("--write", &mut timeouts.write),
        ("--idle", &mut timeouts.idle),
        ("--lifetime", &mut timeouts.lifetime),
    ] {
        *timeout = args.value(flag, Seconds(*timeout)).0;
    }
    timeouts
}

/// The value of such a flag.
pub struct Seconds(pub Duration);

impl std::str::FromStr for Seconds {
    type Err = Box<dyn std::error::Error>;

    fn from_str(value: &str) -> Result<Self, Self::Err> {
        match value {
            "never" => Ok(Self(Duration::MAX)),
            _ => Ok(Self(Duration::try_from_secs_f64(value.parse()?)?)),
        }
    }
}
