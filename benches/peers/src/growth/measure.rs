//! How long does a pass take?

use std::time::{Duration, Instant};

use crate::Effort;
use crate::alloc::vary_places;

use super::feed::Look;

/// What is measured: it opens a connection, whose passes it gives.
pub(crate) type Task<'t> = Box<dyn Fn() -> Pass<'t> + 't>;

/// What one connection does, again and again.
pub(crate) type Pass<'t> = Box<dyn FnMut(Look) + 't>;

/// Nanoseconds of a pass of each task.
///
/// Tasks take turns, those of all rows of a table, so that a noisy moment bends no curve; each time with a new
/// connection at other places in memory. Its first pass makes the buffers warm; the first one of all is looked at.
pub(crate) fn measure(tasks: &[Task<'_>], effort: Effort) -> Vec<f64> {
    let turn = Duration::from_micros(effort.choose(4000, 400));
    let mut times = vec![Vec::new(); tasks.len()];
    for round in 0..effort.choose(15, 3) {
        for turns in 0..tasks.len() {
            let index = (turns + round) % tasks.len();
            vary_places(round + 1);
            let mut pass = tasks[index]();
            pass(if round == 0 { Look::All } else { Look::Ends });
            let once = time(&mut pass, 1);
            let passes = turn.as_nanos() / once.as_nanos().max(1);
            let passes = u32::try_from(passes.clamp(1, 100_000)).expect("they are few");
            times[index].push(time(&mut pass, passes).as_secs_f64() * 1e9 / f64::from(passes));
        }
    }
    vary_places(0);
    times.into_iter().map(typical).collect()
}

fn time(pass: &mut Pass<'_>, passes: u32) -> Duration {
    let started = Instant::now();
    for _ in 0..passes {
        pass(Look::Ends);
    }
    started.elapsed()
}

/// Of rounds, the first quartile: who shares the machine only ever adds to a time.
pub(crate) fn typical(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 4]
}
