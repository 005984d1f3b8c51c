//! How long does a message take, and how much memory?

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::judge::{Judge, traffic};
use super::library::{Library, Server, Setup, Traffic};
use super::payload::{Message, messages};
use crate::alloc::Counts;

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
#[derive(Debug)]
pub(crate) struct Figure {
    /// Of each round.
    times: Vec<u32>,
    /// Octets on the wire, without the frame's header.
    pub(crate) wire: usize,
    /// Of a hundred messages.
    pub(crate) allocations: u64,
    /// Octets.
    pub(crate) allocated: u64,
}

impl Figure {
    /// The median of the rounds.
    pub(crate) fn nanos(&self) -> u32 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// The median of what it took of the other's time in the same round.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        let ratios = self.times.iter().zip(&other.times).map(|(&own, &other)| f64::from(own) / f64::from(other));
        let mut ratios: Vec<_> = ratios.collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    pub(crate) passes: usize,
}

/// Takes turns: in each round each library has its passes, so that a noisy moment is everyone's.
///
/// Each time with a new connection, the one before it gone: a state of zlib is as large as a processor's second cache,
/// and takes up to twice the time where its pages lie badly. Thereby all have the same pages, or other ones each time.
pub(crate) fn measure(libraries: &[Box<dyn Library>], cell: Cell, effort: Effort) -> Vec<Option<Figure>> {
    let mut messages = messages(cell.len);
    let takeover = !matches!(cell.setup, Setup::Level1 { takeover: false });
    let traffic = traffic(&messages, takeover);
    let mut written = Vec::with_capacity(1 << 20);
    let mut judge = Judge::default();
    let mut figures: Vec<Option<Figure>> = libraries.iter().map(|_| None).collect();
    for round in 0..effort.rounds {
        for turn in 0..libraries.len() {
            // not always behind the same one
            let turn = (turn * (1 + round % (libraries.len() - 1)) + round) % libraries.len();
            let Some(server) = libraries[turn].open(cell.setup) else { continue };
            judge.begin(takeover);
            let mut run = Run::new(server, &mut judge, &mut written);
            let mut time = Duration::ZERO;
            // the first makes the buffers warm, and looks at what came
            for pass in 0..=effort.passes {
                let took = match cell.direction {
                    Direction::Inflate => run.receive(&traffic, &messages, pass == 0),
                    Direction::Deflate => run.send(&mut messages),
                };
                match pass {
                    0 => (run.allocations, run.allocated, run.wire) = (0, 0, 0),
                    _ => time += took,
                }
            }
            let count = effort.passes * messages.len();
            let time = (time / u32::try_from(count).expect("they are few")).as_nanos();
            let figure = figures[turn].get_or_insert_with(|| Figure {
                times: Vec::new(),
                wire: run.wire / count,
                allocations: 0,
                allocated: 0,
            });
            figure.times.push(u32::try_from(time).expect("a message takes no seconds"));
            figure.allocations = figure.allocations.max((run.allocations * 100).div_ceil(count as u64));
            figure.allocated = figure.allocated.max(run.allocated / count as u64);
        }
    }
    figures
}

struct Run<'m> {
    server: Box<dyn Server>,
    judge: &'m mut Judge,
    written: &'m mut Vec<u8>,
    wire: usize,
    allocations: u64,
    allocated: u64,
}

impl<'m> Run<'m> {
    fn new(server: Box<dyn Server>, judge: &'m mut Judge, written: &'m mut Vec<u8>) -> Self {
        Self { server, judge, written, wire: 0, allocations: 0, allocated: 0 }
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
        self.count(before);
        assert_eq!((count, octets), (messages.len(), messages.iter().map(|message| message.octets.len()).sum()));
        self.wire += traffic.payloads.iter().map(|payload| payload.len() - 4).sum::<usize>();
        time
    }

    fn send(&mut self, messages: &mut [Message]) -> Duration {
        self.written.clear();
        let before = Counts::now();
        let started = Instant::now();
        for message in &mut *messages {
            self.server.send(message, self.written);
        }
        let time = started.elapsed();
        self.count(before);
        self.wire += self.judge.check(self.written, messages);
        time
    }

    fn count(&mut self, before: Counts) {
        let now = Counts::now();
        self.allocations += now.allocations - before.allocations;
        self.allocated += now.octets - before.octets;
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
    /// Then, once the application has said that it is idle.
    pub(crate) idle: i64,
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
        server.idle();
        let idle = Counts::now().live - before;
        measured = Some(Memory { new, small: after[0], large: after[1], idle });
        kept.push(server);
    }
    measured
}
