//! Ten thousand connections, and the peers that a server should survive: what does the server do with them?

mod attack;
mod blocking;
mod child;
mod message;
mod peer;
mod story;
mod swarm;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::args::Args;

/// What the flags of the load say.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) busy: usize,
    pub(crate) drive: Duration,
}

/// The flags of the load.
macro_rules! flags {
    () => {
        "  --connections N         how many to open, at least 100 (10000)
  --busy N                how many of them to send messages on; the others are idle (a tenth)
  --seconds N             for how long to measure (3)
"
    };
}
pub(crate) use flags;

impl Load {
    pub(crate) fn take(args: &mut Args) -> Self {
        let connections = args.value("--connections", 10_000);
        if connections < FEWEST {
            args.fail(&format!("of fewer than {FEWEST} connections, none can be weighed"));
        }
        let busy = args.value("--busy", usize::max(connections / 10, 1)).clamp(1, connections);
        Self { connections, busy, drive: Duration::from_secs(args.value("--seconds", 3)) }
    }

    /// Runs all of it against a server that it starts, if it may have so many files; whether all was well.
    pub(crate) fn run(&self, files: u64) -> bool {
        let mut report = Report { is_well: true };
        let needed = self.connections as u64 + FILES;
        if files < needed {
            report.say(false, format_args!("{needed} files are needed, and the system allows {files}: see ulimit -n"));
        } else if let Err(failure) = story::tell(self, &mut report) {
            report.say(false, format_args!("the load could not go on: {failure}"));
        }
        report.is_well
    }
}

/// Connections that outweigh what the server takes otherwise.
const FEWEST: usize = 100;

/// Files besides those of the connections.
const FILES: u64 = 200;

/// What ends the load.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Prints what is found.
struct Report {
    is_well: bool,
}

impl Report {
    fn say(&mut self, is_well: bool, what: std::fmt::Arguments<'_>) {
        self.is_well &= is_well;
        // whether anybody reads it or not, the status says as much
        let _ = writeln!(io::stdout(), "{}  {what}", if is_well { "ok  " } else { "FAIL" });
    }
}

/// Where a child listens.
fn url(address: SocketAddr, path: &str) -> String {
    format!("ws://{address}{path}")
}
