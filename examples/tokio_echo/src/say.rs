//! Lines for whoever watches.

use std::fmt;
use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Lines that may wait for the standard output to be read.
const BACKLOG: usize = 1024;

static LINES: LazyLock<SyncSender<String>> = LazyLock::new(|| {
    let (lines, waiting) = sync_channel::<String>(BACKLOG);
    thread::spawn(move || {
        for line in waiting {
            // that nobody reads it is no reason to stop
            let _ = writeln!(io::stdout(), "{line}");
        }
    });
    lines
});

/// Prints a line, unless too many wait already for somebody to read them: no task waits for that.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = LINES.try_send(line.to_string());
}
