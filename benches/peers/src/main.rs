//! This crate beside other crates: what do framing and permessage-deflate cost, and how does that grow?
//!
//! `cargo run --release -p websocket-proto-peers`: all of it. With `-- --short`, in a minute; with `-- --check`, it
//! fails where a peer is faster in framing; with `-- A B1 I1`, the parts whose titles begin so. Compare within a table
//! only; the ratios are medians of those of each round.

mod alloc;
mod deflate;
mod frames;
mod growth;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let wanted = Wanted::parse(env::args().skip(1));
    let framing = frames::run(&wanted);
    deflate::run(&wanted);
    growth::run(&wanted);
    let lost = framing.print();
    if wanted.has_to_win && lost > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What to measure, and how well.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// How titles begin; none: all are wanted.
    parts: Vec<String>,
    pub(crate) effort: Effort,
    /// Whether a peer that is faster is a failure.
    pub(crate) has_to_win: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    Full,
    Short,
}

impl Wanted {
    fn parse(arguments: impl Iterator<Item = String>) -> Self {
        let (flags, parts): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.starts_with("--"));
        let has = |name| flags.iter().any(|flag| flag == name);
        let effort = if has("--short") { Effort::Short } else { Effort::Full };
        Self { parts, effort, has_to_win: has("--check") }
    }

    pub(crate) fn has(&self, title: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|part| title.starts_with(part.as_str()))
    }
}

impl Effort {
    pub(crate) fn choose<T>(self, full: T, short: T) -> T {
        match self {
            Self::Full => full,
            Self::Short => short,
        }
    }
}
