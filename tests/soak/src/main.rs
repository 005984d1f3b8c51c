//! Keeps the echo server of `examples/` busy for minutes, with clients that are honest and clients that are hostile,
//! and judges what that does to it.
//!
//! ```sh
//! cargo build --release --examples && cargo run --release -p websocket-proto-soak              # ten minutes
//! cargo build --release --examples && cargo run --release -p websocket-proto-soak -- --seconds 20
//! ```
//!
//! Honest clients send short and long messages, whole and in fragments, compressed where that is agreed, with Pings in
//! between, and compare each echo and each Pong with what they sent; then they close. Hostile ones do one of the things
//! of [`hostile::KINDS`] over and over; where the server has to refuse what they do, the code of its Close is compared.
//! Linux only: the server's resident memory and open files are read from `/proc`. The program fails if
//!
//! * an echo is wrong or lost, or an honest close is not clean;
//! * the server dies, a thread of it panics, it cannot take a connection, or refuses one with a wrong code;
//! * the median of its resident memory in the last quarter is above that in the second by more than [`GROWTH`];
//! * it holds more files, or has more threads, once all clients have left, than before the first came.

#[path = "../../../examples/common/args.rs"]
#[allow(dead_code, unreachable_pub)] // a module of several programs
mod args;
mod client;
mod honest;
mod hostile;
mod random;
mod server;
mod tally;

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use args::Args;
use random::Random;
use server::{Holding, Server};
use tally::Tally;

const USAGE: &str = "\
Keeps the echo server busy with honest and hostile clients, and judges its memory and its files.

usage: websocket-proto-soak [FLAGS]

  --seconds N             how long (600)
  --honest N              honest clients at a time (24)
  --hostile N             hostile clients at a time (44)
  --server PATH           the echo server (examples/echo_server beside this program)
  --server-flag FLAG      a flag for it, may be repeated (--deflate)
  --help                  this text
";

/// KiB by which resident memory may grow from the second quarter to the last. It wavers by 1 MiB or less (measured); a
/// hundred octets that each connection leaves behind are 10 MiB in ten minutes, and a kilobyte is 3 MiB in 20 seconds.
const GROWTH: u64 = 2048;

/// How long all that clients left behind may take to go: the server waits 10 s for a request, and 1 s for an end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all clients are told.
struct Plan {
    uri: websocket_proto::handshake::Uri,
    tally: Tally,
    is_over: AtomicBool,
}

impl Plan {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

fn main() {
    let mut args = Args::new(USAGE);
    let seconds: u64 = args.value("--seconds", 600);
    let honest: u64 = args.value("--honest", 24);
    let hostile: u64 = args.value("--hostile", 44);
    let path = args.values("--server").pop();
    let mut flags = args.values("--server-flag");
    let [] = args.positional();
    if flags.is_empty() {
        flags.push(String::from("--deflate"));
    }
    let mut server = Server::start(path.map(Into::into), &flags);
    let idle = server.holding();
    println!("the server, before all: {idle}");

    let plan = Arc::new(Plan { uri: server.uri(), tally: Tally::default(), is_over: AtomicBool::new(false) });
    let clients: Vec<_> = (0..honest + hostile)
        .map(|number| {
            let (plan, random) = (Arc::clone(&plan), Random::new(number + 1));
            thread::spawn(move || match number.checked_sub(honest) {
                None => honest::run(&plan, number, random),
                Some(number) => hostile::run(&plan, number, random),
            })
        })
        .collect();
    let samples = watch(&mut server, &plan, Duration::from_secs(seconds));
    plan.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        if client.join().is_err() {
            plan.tally.fault(format_args!("a client panicked"));
        }
    }
    judge_memory(&samples, &plan.tally);
    judge_rest(&mut server, &idle, &plan.tally);
    server.judge(&plan.tally);
    println!("{}", plan.tally);
    let faults = plan.tally.faults();
    for fault in &faults {
        println!("FAULT {fault}");
    }
    process::exit(i32::from(!faults.is_empty()));
}

/// Looks at the server until the time is over, and prints what it sees now and then.
fn watch(server: &mut Server, plan: &Plan, time: Duration) -> Vec<Holding> {
    let (begin, mut samples) = (Instant::now(), Vec::new());
    let rows = (time.as_millis() / 120).max(2000);
    let mut row = 0;
    while begin.elapsed() < time {
        thread::sleep(Duration::from_millis(250));
        if !server.is_alive() {
            plan.tally.fault(format_args!("the server died"));
            break;
        }
        let holding = server.holding();
        if begin.elapsed().as_millis() >= row * rows {
            row += 1;
            println!("{:5.0} s  {holding}  {}", begin.elapsed().as_secs_f64(), plan.tally.short());
        }
        samples.push(holding);
    }
    samples
}

/// Whether resident memory is flat: the first quarter is warm-up.
fn judge_memory(samples: &[Holding], tally: &Tally) {
    let quarter = samples.len() / 4;
    if quarter < 4 {
        return tally.fault(format_args!("too short to judge memory"));
    }
    let median = |from: usize, to: usize| {
        let mut resident: Vec<u64> = samples[from..to].iter().map(|sample| sample.resident).collect();
        resident.sort_unstable();
        (resident[0], resident[resident.len() / 2], resident[resident.len() - 1])
    };
    for number in 0..4 {
        let (least, middle, most) = median(number * quarter, (number + 1) * quarter);
        println!("resident memory in quarter {}: {middle} KiB (median), {least} to {most}", number + 1);
    }
    let ((_, before, _), (_, after, _)) = (median(quarter, 2 * quarter), median(3 * quarter, samples.len()));
    println!("from the second quarter to the last: {:+} KiB", after.cast_signed() - before.cast_signed());
    if after > before + GROWTH {
        tally.fault(format_args!("resident memory grew from {before} to {after} KiB"));
    }
}

/// Whether all is given back once everybody has left.
fn judge_rest(server: &mut Server, idle: &Holding, tally: &Tally) {
    let begin = Instant::now();
    let mut rest = server.holding();
    while (rest.files, rest.threads) > (idle.files, idle.threads) && begin.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(100));
        rest = server.holding();
    }
    println!("the server, {:.1} s after all have left: {rest}", begin.elapsed().as_secs_f64());
    // one thread prints lines, from the first on
    if rest.files > idle.files || rest.threads > idle.threads + 1 {
        tally.fault(format_args!("the server does not rest: {rest}; before all it was {idle}"));
    }
}
