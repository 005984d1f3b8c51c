//! Lines for whoever watches, which nobody has to wait for.

use std::fmt;
use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that may wait for the standard output to be read.
const BACKLOG: usize = 16 * 1024;

/// How long they may take at the program's end.
const LINGER: Duration = Duration::from_secs(1);

/// What the thread that prints is told.
enum Line {
    Text(String),
    /// Say so when all before it is printed.
    Flush(SyncSender<()>),
}

static LINES: LazyLock<SyncSender<Line>> = LazyLock::new(|| {
    let (lines, waiting) = sync_channel(BACKLOG);
    thread::spawn(move || {
        let mut out = io::stdout();
        while let Ok(line) = waiting.recv() {
            match line {
                // that nobody reads it is no reason to stop
                Line::Text(text) => drop(writeln!(out, "{text}").and_then(|()| out.flush())),
                Line::Flush(done) => drop(done.send(())),
            }
        }
    });
    lines
});

/// Prints a line, unless too many wait already for somebody to read them.
pub fn say(line: fmt::Arguments<'_>) {
    let _ = LINES.try_send(Line::Text(line.to_string()));
}

/// Waits, for a moment, until all lines are printed: before the program ends.
pub fn flush() {
    let (done, printed) = sync_channel(1);
    if LINES.try_send(Line::Flush(done)).is_ok() {
        let _ = printed.recv_timeout(LINGER);
    }
}
