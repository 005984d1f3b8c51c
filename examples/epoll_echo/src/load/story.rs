//! What is done to the server, one thing after another, and what has to come of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use websocket_proto::wire::OpCode;

use super::child::{Child, Figures, figures};
use super::swarm::Swarm;
use super::{Failure, Load, Report, attack};

/// Deadlines that a load has the time to wait for.
const FLAGS: [&str; 9] = [
    "--handshake=4",
    "--ping=2",
    "--pong=3",
    "--write=2",
    "--idle=never",
    "--max-message=1048576",
    "--max-connections=30000",
    "--max-memory=268435456",
    "--stats",
];
const HANDSHAKE: Duration = Duration::from_secs(4);
const SILENCE: Duration = Duration::from_secs(2 + 3);
const WRITE: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(1);

/// Peers that reset their connection amid a frame.
const RESETS: u64 = 20;

/// The most that an idle connection may take.
const TARGET: u64 = 1024;

/// The most that peers who read nothing may have the server hold.
const HELD: u64 = 16 << 20;

/// What may be left over when all is quiet again: spare buffers, and pages that the allocator keeps.
const REST: u64 = 8 << 20;

/// The load, with the server that it is put on.
struct Story<'l> {
    load: &'l Load,
    report: &'l mut Report,
    server: Child,
    /// How long the server waits for the answers to its Closes: many take their time.
    close: Duration,
    swarm: Swarm,
    /// The server's figures when all connections were open and idle.
    idle: Figures,
}

/// All of it.
pub(super) fn tell(load: &Load, report: &mut Report) -> Result<(), Failure> {
    let close = Duration::from_secs(2 + load.connections as u64 / 2000);
    let server = serve(0, close)?;
    let swarm = Swarm::new(server.address, load.connections, load.busy)?;
    let mut story = Story { load, report, server, close, swarm, idle: Figures::default() };
    story.open()?;
    story.measure()?;
    story.attack()?;
    story.restart()
}

impl Story<'_> {
    /// Connects all, echoes on all, and weighs them.
    fn open(&mut self) -> Result<(), Failure> {
        let len = self.load.connections as u64;
        let empty = figures(self.server.address)?;
        let start = Instant::now();
        let is_well = self.swarm.open_all()?;
        let took = start.elapsed();
        self.judge(is_well, &format!("{len} connections opened, and a message echoed on each, in {took:.1?}"));
        self.idle = self.server.figures_when(|now| now.get("connections") == len + 1 && now.get("held") == 0)?;
        for (name, what) in [("heap", "of heap"), ("rss", "resident")] {
            let each = self.idle.get(name).saturating_sub(empty.get(name)) / len;
            let what = format!("{what}, of {TARGET} at most");
            self.report.say(each < TARGET, format_args!("an idle connection takes {each} bytes {what}"));
        }
        Ok(())
    }

    /// Sends on some, and counts.
    fn measure(&mut self) -> Result<(), Failure> {
        let (idle, busy) = (self.load.connections - self.load.busy, self.load.busy);
        self.swarm.drive();
        let (start, before) = (Instant::now(), self.swarm.common.echoed);
        self.swarm.rest(self.load.drive)?;
        let (count, took) = (self.swarm.common.echoed - before, start.elapsed());
        let is_well = self.swarm.settle()?;
        let rate = count * 1000 / u64::try_from(took.as_millis())?.max(1);
        self.judge(is_well && count > 0, &format!("{rate} messages per second on {busy}, while {idle} are idle"));
        Ok(())
    }

    /// Has peers misbehave, while the others go on.
    fn attack(&mut self) -> Result<(), Failure> {
        let address = self.server.address;
        let before = figures(address)?;
        // one that ends what is of no use; so it is not for those who are idle
        let strict = Child::start(0, &["--idle=1", "--close=1"])?;
        let elsewhere = strict.address;
        let attacks = [
            Attack::start("a slow handshake", HANDSHAKE, move || attack::slow_handshake(address)),
            Attack::start("a half-open peer", SILENCE + self.close, move || attack::half_open(address)),
            Attack::start("a peer that sends messages and reads nothing", WRITE, move || {
                attack::slow_reader(address, OpCode::Text, 1000)
            }),
            Attack::start("a peer that sends large messages and reads nothing", WRITE, move || {
                attack::slow_reader(address, OpCode::Binary, 1 << 20)
            }),
            Attack::start("a peer that sends pings and reads nothing", WRITE, move || {
                attack::slow_reader(address, OpCode::Ping, 125)
            }),
            Attack::start("a peer that sends an octet at a time", IDLE, move || attack::drip(elsewhere)),
        ];
        let is_over = Arc::new(AtomicBool::new(false));
        let watching = Arc::clone(&is_over);
        let watch = thread::spawn(move || most_held(address, &watching));
        self.swarm.drive();
        for _ in 0..RESETS {
            attack::reset(address)?;
            self.swarm.rest(Duration::from_millis(10))?;
        }
        self.swarm.until(|_| attacks.iter().all(|attack| attack.thread.is_finished()))?;
        for attack in attacks {
            attack.end(self.report);
        }
        is_over.store(true, Ordering::Relaxed);
        let held = watch.join().map_err(|_| "the watch panicked")??;
        self.report.say(held < HELD, format_args!("meanwhile all connections held {} KiB at most", held >> 10));

        let is_well = self.swarm.settle()?;
        self.judge(is_well, "the others' echoes were complete and in order all the time");
        let len = self.load.connections as u64;
        let after = self.server.figures_when(|now| now.get("connections") == len + 1 && now.get("held") == 0)?;
        let ends =
            ["slow_handshake", "silent", "slow_reader", "broken_off"].map(|end| after.get(end) - before.get(end));
        let is_well = after.get("connections") == len + 1 && ends == [1, 1, 3, RESETS];
        let what = format!("the server has dropped them, and {RESETS} that reset amid a frame, each for its fault");
        self.report.say(is_well, format_args!("{what}, and nobody else: {ends:?}"));
        for (name, what) in [("heap", "of heap"), ("rss", "resident")] {
            let more = after.get(name).saturating_sub(self.idle.get(name));
            self.report.say(more < REST, format_args!("memory is back: {} KiB {what} more than before", more >> 10));
        }
        Ok(())
    }

    /// Ends the server amid messages, and starts another one in its place.
    fn restart(&mut self) -> Result<(), Failure> {
        let len = self.load.connections;
        self.swarm.drive();
        self.swarm.rest(Duration::from_millis(500))?;
        let start = Instant::now();
        self.server.terminate()?;
        self.swarm.until(|swarm| swarm.common.open == 0)?;
        let took = start.elapsed();
        let went = self.swarm.common.went_away;
        self.judge(
            went == len,
            &format!("at SIGTERM under load, {went} of {len} were closed with 1001, in {took:.1?}"),
        );
        let status = self.server.wait()?;
        self.report.say(status.success(), format_args!("the server has ended: {status}"));

        self.server = serve(self.server.address.port(), self.close)?;
        let start = Instant::now();
        let is_open = self.swarm.open_all()?;
        let took = start.elapsed();
        self.judge(is_open, &format!("another one on the same port: all are connected again in {took:.1?}"));
        let before = self.swarm.common.echoed;
        self.swarm.drive();
        self.swarm.rest(Duration::from_secs(1))?;
        let is_well = self.swarm.settle()? && self.swarm.common.echoed > before;
        self.judge(is_well, "and their messages go on where they were");
        Ok(())
    }

    /// Says what was found; all clients must have found their echoes right, too.
    fn judge(&mut self, is_well: bool, what: &str) {
        match self.swarm.faults() {
            [] => self.report.say(is_well, format_args!("{what}")),
            [first, others @ ..] => {
                self.report.say(false, format_args!("{what}: {first} (and {} others)", others.len()));
            }
        }
    }
}

/// The server under load.
fn serve(port: u16, close: Duration) -> Result<Child, Failure> {
    let close = format!("--close={}", close.as_secs());
    let flags: Vec<&str> = FLAGS.into_iter().chain([&close[..]]).collect();
    Child::start(port, &flags)
}

/// A peer that misbehaves, on a thread of its own.
struct Attack {
    what: &'static str,
    /// What the server grants it.
    limit: Duration,
    thread: JoinHandle<Result<Duration, Failure>>,
}

impl Attack {
    fn start(
        what: &'static str,
        limit: Duration,
        attack: impl FnOnce() -> Result<(), Failure> + Send + 'static,
    ) -> Self {
        let thread = thread::spawn(move || {
            let start = Instant::now();
            attack().map(|()| start.elapsed())
        });
        Self { what, limit, thread }
    }

    fn end(self, report: &mut Report) {
        let Self { what, limit, thread } = self;
        match thread.join() {
            Ok(Ok(took)) => {
                // nor is anybody dropped too early
                report.say(took >= limit, format_args!("{what}: over after {took:.1?}; {limit:?} are granted"));
            }
            Ok(Err(failure)) => report.say(false, format_args!("{what}: {failure}")),
            Err(_) => report.say(false, format_args!("{what}: panicked")),
        }
    }
}

/// The most that all connections held together, as often as it can be asked.
fn most_held(address: SocketAddr, is_over: &AtomicBool) -> Result<u64, Failure> {
    let mut most = 0;
    while !is_over.load(Ordering::Relaxed) {
        most = most.max(figures(address)?.get("held"));
        thread::sleep(Duration::from_millis(50));
    }
    Ok(most)
}
