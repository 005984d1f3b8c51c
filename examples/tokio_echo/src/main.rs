//! An echo server on tokio tasks, with split halves, also behind hyper. Try `--help`.
//!
//! Read [`serve`](serve::serve) first, then the two halves that it runs: [`reading`] and [`writing`]. The two doors,
//! [`raw`] and [`upgrade`], end in it; [`server`] has what is common to all connections.

#[allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part
#[path = "../../common/args.rs"]
mod args;
mod clock;
mod raw;
#[path = "../../loops/reading_task.rs"]
mod reading;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/say.rs"]
mod say;
mod serve;
mod server;
#[cfg(test)]
mod tests;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/timeouts.rs"]
mod timeouts;
mod upgrade;
#[path = "../../loops/writing_task.rs"]
mod writing;

use std::sync::Arc;
use std::{io, process};

use args::Args;
use say::say;
use server::{Door, Server};
use tokio::net::TcpListener;
use tokio::sync::watch;
use websocket_proto::{Config, Timeouts};

const USAGE: &str = concat!(
    "\
An echo server on tokio: hyper serves a line of text at / and WebSockets at /ws; a second door does without hyper.

usage: tokio_echo [FLAGS]

  --listen ADDRESS        where hyper listens (127.0.0.1:9004); port 0 takes any that is free
  --raw ADDRESS           where the handshake of the library listens, on any path (nowhere)
  --connections N         connections at a time (10000); who comes then waits for a place
  --max-message BYTES     the longest message to accept (8388608)
  --help                  this text
",
    timeouts::usage!(),
    "
Ctrl-C and SIGTERM close all connections with code 1001, and end the program.
"
);

/// What ends the work on a connection, or the program.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() {
    let mut args = Args::new(USAGE);
    let listen = args.value("--listen", String::from("127.0.0.1:9004"));
    let raw = args.values("--raw");
    let connections = args.value("--connections", 10_000);
    let mut config = Config::default();
    config.limits.message = args.value("--max-message", 8 << 20);
    config.limits.frame = config.limits.message;
    let timeouts = timeouts::take(&mut args);
    let [] = args.positional();
    let served = run(&listen, &raw, connections, config, timeouts);
    say::flush();
    if let Err(error) = served {
        eprintln!("cannot serve on {listen}: {error}");
        process::exit(1);
    }
}

/// Serves until a signal comes, and then until all connections are over.
#[tokio::main]
async fn run(
    listen: &str,
    raw: &[String],
    connections: u32,
    config: Config,
    timeouts: Timeouts,
) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen).await?;
    say(format_args!("listening on ws://{}/ws behind hyper", listener.local_addr()?));
    let (end, ending) = watch::channel(false);
    let server = Arc::new(Server::new(config, timeouts, connections, ending));
    tokio::spawn(Arc::clone(&server).accept(listener, Door::Hyper));
    for address in raw {
        let listener = TcpListener::bind(address).await?;
        say(format_args!("listening on ws://{} without hyper", listener.local_addr()?));
        tokio::spawn(Arc::clone(&server).accept(listener, Door::Raw));
    }
    signal().await?;
    end.send_replace(true);
    server.all_over().await;
    Ok(())
}

/// Waits to be told to end.
#[cfg(unix)]
async fn signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits to be told to end.
#[cfg(not(unix))]
async fn signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
