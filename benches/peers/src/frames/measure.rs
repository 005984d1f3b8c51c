//! How long does a message take, and how often is memory asked for?

use std::time::{Duration, Instant};

use super::codec::{Codec, Library};
use super::transport::Wire;
use super::workload::{Job, Placed, Traffic, Workload, payloads};
use crate::Effort;
use crate::alloc::{Counts, vary_places};

/// Of one message, once the buffers are warm.
#[derive(Debug, Default)]
pub(crate) struct Figure {
    /// Nanoseconds, of each round.
    times: Vec<f64>,
    /// Of each round.
    allocations: Vec<f64>,
}

impl Figure {
    pub(crate) fn nanos(&self) -> f64 {
        median(self.times.iter().copied())
    }

    pub(crate) fn allocations(&self) -> f64 {
        median(self.allocations.iter().copied())
    }

    /// The median of what it took of the other's time in the same round.
    pub(crate) fn ratio(&self, other: &Self) -> f64 {
        median(self.times.iter().zip(&other.times).map(|(own, other)| own / other))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Takes turns: in each round each library has its passes, so that a noisy moment is everyone's.
///
/// Each time with a new connection, whose buffers and all that it reads and sends begin elsewhere within their pages
/// than in the round before: in some places copies are several times as slow.
pub(crate) fn measure(
    libraries: &[Box<dyn Library>],
    workload: &Workload,
    len: usize,
    effort: Effort,
) -> Vec<Option<Figure>> {
    let traffic = Traffic::new(workload, len);
    let turn = Duration::from_micros(effort.choose(1500, 700));
    let mut figures: Vec<Option<Figure>> = libraries.iter().map(|_| None).collect();
    for round in 0..effort.choose(25, 13) {
        let mut placed = traffic.place(round);
        for row in order(round, libraries.len()) {
            let mut run = Run { workload, traffic: &traffic, placed: &mut placed };
            vary_places(round + 1);
            let mut codec = libraries[row].open(workload.role);
            if run.is_right(&mut *codec).is_none() {
                continue;
            }
            let (once, _) = run.time(&mut *codec, 1);
            let passes = turn.as_nanos() / once.as_nanos().max(1);
            let passes = u32::try_from(passes.clamp(1, 10_000)).expect("they are few");
            let (time, allocations) = run.time(&mut *codec, passes);
            let messages = f64::from(passes) * f64::from(u32::try_from(traffic.count(workload.job)).expect("few"));
            let figure = figures[row].get_or_insert_default();
            figure.times.push(time.as_secs_f64() * 1e9 / messages);
            figure.allocations.push(f64::from(allocations) / messages);
        }
    }
    vary_places(0);
    figures
}

/// Each round has another order.
fn order(round: usize, count: usize) -> Vec<usize> {
    let mut rows: Vec<_> = (0..count).collect();
    let mut random = round as u64 + 1;
    for end in (1..count).rev() {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(end, usize::try_from(random >> 33).expect("it is small") % (end + 1));
    }
    rows
}

struct Run<'a> {
    workload: &'a Workload,
    traffic: &'a Traffic,
    placed: &'a mut Placed,
}

impl Run<'_> {
    /// Makes the buffers warm, and looks at all that is sent. `None`: the library cannot do it.
    fn is_right(&mut self, codec: &mut dyn Codec) -> Option<()> {
        for (payload, message) in self.placed.payloads.octets.iter_mut().zip(&self.traffic.messages) {
            payload.copy_from_slice(message);
        }
        let mut wire = Wire::keeping();
        self.pass(codec, &mut wire)?;
        let sent = payloads(&Wire::take());
        let messages = self.traffic.messages.iter();
        match self.workload.job {
            Job::Receive | Job::Keep => assert!(sent.is_empty(), "nothing is sent"),
            Job::Send(_) => assert!(messages.eq(&sent), "it is what was to be sent"),
            Job::Echo => assert!(messages.cycle().take(self.traffic.ends.len()).eq(&sent), "it is what came"),
        }
        Some(())
    }

    fn time(&mut self, codec: &mut dyn Codec, passes: u32) -> (Duration, u32) {
        let mut wire = Wire::default();
        let before = Counts::now().allocations;
        let started = Instant::now();
        for _ in 0..passes {
            self.pass(codec, &mut wire).expect("it could do it before");
        }
        let time = started.elapsed();
        let allocations = u32::try_from(Counts::now().allocations - before).expect("they are few");
        if !matches!(self.workload.job, Job::Receive | Job::Keep) {
            let octets = self.traffic.messages[0].len() * self.traffic.count(self.workload.job);
            assert!(wire.octets >= octets as u64 * u64::from(passes), "all was written");
        }
        (time, allocations)
    }

    fn pass(&mut self, codec: &mut dyn Codec, wire: &mut Wire) -> Option<()> {
        let mut source = self.placed.source.clone();
        let tally = match self.workload.job {
            Job::Receive => codec.receive(&mut source)?,
            Job::Keep => codec.receive_kept(&mut source)?,
            Job::Echo => codec.echo(&mut source, wire)?,
            Job::Send(flush) => return codec.send(&mut self.placed.payloads, flush, wire),
        };
        assert_eq!(tally, self.traffic.tally, "all was received, and unmasked");
        Some(())
    }
}
