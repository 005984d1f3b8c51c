//! The echo server, and what the system says of it.

use std::env;
use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use websocket_proto::handshake::Uri;

use crate::tally::Tally;

pub(crate) struct Server {
    child: Child,
    uri: Uri,
    /// The lines that say that something is wrong with the server itself.
    printed: Option<JoinHandle<Vec<String>>>,
    errors: Option<JoinHandle<String>>,
}

/// What the server holds at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding {
    /// KiB of resident memory.
    pub(crate) resident: u64,
    pub(crate) files: usize,
    pub(crate) threads: u64,
}

impl Server {
    pub(crate) fn start(path: Option<PathBuf>, flags: &[String]) -> Self {
        let path = path.unwrap_or_else(|| {
            let this = env::current_exe().unwrap_or_default();
            this.with_file_name("examples").join(format!("echo_server{}", env::consts::EXE_SUFFIX))
        });
        let mut command = Command::new(&path);
        // has glibc's allocator give back what is freed, rather than keep it for each thread; others ignore it
        command.env("MALLOC_ARENA_MAX", "1").env("MALLOC_MMAP_THRESHOLD_", "65536");
        command.args(["--listen", "127.0.0.1:0", "--max-message", &MAX_MESSAGE.to_string()]).args(flags);
        let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started
            .unwrap_or_else(|error| fail(&format!("{}: {error}; `cargo build --release --examples`", path.display())));
        let (Some(out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) else { fail("no pipes") };
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let uri = lines.next().and_then(|line| Uri::parse(line.strip_prefix("listening on ")?).ok());
        let uri = uri.unwrap_or_else(|| fail("it does not say where it listens"));
        let printed =
            thread::spawn(move || lines.filter(|line| line.contains("could not be taken")).take(20).collect());
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text);
            text
        });
        Self { child, uri, printed: Some(printed), errors: Some(errors) }
    }

    pub(crate) fn uri(&self) -> Uri {
        self.uri.clone()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub(crate) fn holding(&self) -> Holding {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = fs::read_to_string(proc.join("status")).unwrap_or_default();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
        };
        let files = fs::read_dir(proc.join("fd")).map_or(0, Iterator::count);
        Holding { resident: number("VmRSS:"), files, threads: number("Threads:") }
    }

    /// Ends it, and reports what it said that it should not have to say.
    pub(crate) fn judge(&mut self, tally: &Tally) {
        if !self.is_alive() {
            tally.fault(format_args!("the server is not there any more"));
        }
        self.end();
        let printed = self.printed.take().and_then(|lines| lines.join().ok()).unwrap_or_default();
        let errors = self.errors.take().and_then(|errors| errors.join().ok()).unwrap_or_default();
        for line in printed.iter().map(String::as_str).chain(errors.lines()).take(5) {
            tally.fault(format_args!("the server says: {line}"));
        }
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6} KiB resident, {:>3} files, {:>3} threads", self.resident, self.files, self.threads)
    }
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    process::exit(1)
}

/// The longest message that the server accepts.
pub(crate) const MAX_MESSAGE: usize = 1 << 20;
