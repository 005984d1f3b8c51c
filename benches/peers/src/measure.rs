//! How long does a message take, and how much memory?

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::alloc::Counts;
use crate::judge::{Judge, traffic};
use crate::library::{Library, Server, Setup, Traffic};
use crate::payload::{Message, messages};

/// One figure for each library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    pub(crate) direction: Direction,
    pub(crate) setup: Setup,
    pub(crate) len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Inflate,
    Deflate,
}

/// Of one message, once the buffers are warm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    /// The median of the rounds.
    pub(crate) nanos: u32,
    /// Octets on the wire, without the frame's header.
    pub(crate) wire: usize,
    /// Of a hundred messages.
    pub(crate) allocations: u64,
    /// Octets.
    pub(crate) allocated: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) passes: usize,
}

/// Takes turns: in each round each library has its passes, so that a noisy moment is everyone's.
pub(crate) fn measure(libraries: &[Box<dyn Library>], cell: Cell, effort: Effort) -> Vec<Option<Figure>> {
    let mut messages = messages(cell.len);
    let takeover = !matches!(cell.setup, Setup::Level1 { takeover: false });
    let traffic = traffic(&messages, takeover);
    let mut runs: Vec<_> = libraries
        .iter()
        .map(|library| library.open(cell.setup).map(|server| Run::new(server, Judge::new(cell.setup))))
        .collect();
    for round in 0..=effort.rounds {
        for run in runs.iter_mut().flatten() {
            // the first makes the buffers warm, and looks at what came
            let passes = if round == 0 { 2 } else { effort.passes };
            let mut time = Duration::ZERO;
            for _ in 0..passes {
                time += match cell.direction {
                    Direction::Inflate => run.receive(&traffic, &messages, round == 0),
                    Direction::Deflate => run.send(&mut messages),
                };
            }
            if round == 0 {
                (run.allocations, run.allocated, run.messages, run.wire) = (0, 0, 0, 0);
            } else {
                run.times.push(time / u32::try_from(passes * messages.len()).expect("they are few"));
            }
        }
    }
    runs.into_iter().map(|run| run.map(Run::figure)).collect()
}

struct Run {
    server: Box<dyn Server>,
    judge: Judge,
    written: Vec<u8>,
    times: Vec<Duration>,
    messages: usize,
    wire: usize,
    allocations: u64,
    allocated: u64,
}

impl Run {
    fn new(server: Box<dyn Server>, judge: Judge) -> Self {
        let written = Vec::with_capacity(1 << 20);
        Self { server, judge, written, times: Vec::new(), messages: 0, wire: 0, allocations: 0, allocated: 0 }
    }

    fn receive(&mut self, traffic: &Traffic, messages: &[Message], looks: bool) -> Duration {
        let (mut count, mut octets) = (0, 0);
        let before = Counts::now();
        let started = Instant::now();
        if looks {
            self.server.receive(traffic, &mut |plain| {
                assert!(plain == messages[count].octets, "it is what was sent");
                (count, octets) = (count + 1, octets + plain.len());
            });
        } else {
            self.server.receive(traffic, &mut |plain| {
                // one octet of each page, so that no one gets away with a promise
                let sum = plain.iter().step_by(1 << 12).fold(0, |sum, octet| sum ^ octet);
                black_box((plain, sum));
                (count, octets) = (count + 1, octets + plain.len());
            });
        }
        let time = started.elapsed();
        self.count(before, messages.len());
        assert_eq!((count, octets), (messages.len(), messages.iter().map(|message| message.octets.len()).sum()));
        self.wire += traffic.payloads.iter().map(|payload| payload.len() - 4).sum::<usize>();
        time
    }

    fn send(&mut self, messages: &mut [Message]) -> Duration {
        self.written.clear();
        let before = Counts::now();
        let started = Instant::now();
        for message in &mut *messages {
            self.server.send(message, &mut self.written);
        }
        let time = started.elapsed();
        self.count(before, messages.len());
        self.wire += self.judge.check(&self.written, messages);
        time
    }

    fn count(&mut self, before: Counts, messages: usize) {
        let now = Counts::now();
        self.allocations += now.allocations - before.allocations;
        self.allocated += now.octets - before.octets;
        self.messages += messages;
    }

    fn figure(mut self) -> Figure {
        self.times.sort_unstable();
        let median = self.times[self.times.len() / 2];
        let messages = self.messages as u64;
        Figure {
            nanos: u32::try_from(median.as_nanos()).expect("a message takes no seconds"),
            wire: self.wire / self.messages,
            allocations: (self.allocations * 100).div_ceil(messages),
            allocated: self.allocated / messages,
        }
    }
}

/// Heap octets that a connection holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) new: i64,
    /// After one message of 16 octets each way.
    pub(crate) small: i64,
    /// After one more of 64 KiB each way.
    pub(crate) large: i64,
}

/// The third connection's: what is shared by all is there by then.
pub(crate) fn memory(library: &dyn Library, setup: Setup) -> Option<Memory> {
    let takeover = !matches!(setup, Setup::Level1 { takeover: false });
    let mut lengths = [16, 64 << 10].map(|len| {
        let mut messages = messages(len);
        messages.truncate(1);
        (traffic(&messages, takeover), messages)
    });
    let mut written = Vec::with_capacity(1 << 20);
    let mut measured = None;
    let mut kept = Vec::new();
    for _ in 0..3 {
        let before = Counts::now().live;
        let mut server = library.open(setup)?;
        let new = Counts::now().live - before;
        let after = lengths.each_mut().map(|(traffic, messages)| {
            written.clear();
            server.receive(traffic, &mut |plain| assert!(plain == messages[0].octets, "it is what was sent"));
            server.send(&mut messages[0], &mut written);
            Counts::now().live - before
        });
        measured = Some(Memory { new, small: after[0], large: after[1] });
        kept.push(server);
    }
    measured
}
