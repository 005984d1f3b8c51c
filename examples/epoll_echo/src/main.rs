//! An echo server on one thread and epoll, and a load of ten thousand connections for it. Try `--help`.

#[path = "../../common/args.rs"]
#[allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part
mod args;
mod client;
mod echo;
mod figures;
mod load;
mod options;
mod outbox;
mod pool;
mod server;
mod shared;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/timeouts.rs"]
mod timeouts;
mod timer;

use std::io::{self, Write};
use std::process::ExitCode;

use args::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use options::Options;
use server::Server;

use load::Load;

/// `--help`: one text for both, as each flag of the server is one of the load's.
const USAGE: &str = concat!(
    "\
An echo server on one thread and epoll; and ten thousand connections for it.

usage: epoll_echo [FLAGS]
       epoll_echo load [FLAGS]

  --listen ADDRESS        where to listen (127.0.0.1:9001); port 0 takes any that is free
  --stats                 the path /stats answers with one message: what the server has done, and what it holds
",
    options::flags!(),
    "  --help                  this text
",
    timeouts::usage!(),
    "
Ctrl-C and SIGTERM close all connections with code 1001, and end the program.

The load starts a server of its own, as another process, and finds out how it does: how many messages per second it
echoes, what an idle connection takes, and what becomes of peers that misbehave and of a restart amid all of it.
It ends with status 1 if anything is not as it should be.

",
    load::flags!(),
);

fn main() -> ExitCode {
    let mut args = Args::new(USAGE);
    let files = raise_files();
    if std::env::args().nth(1).is_some_and(|arg| arg == "load") {
        let load = Load::take(&mut args);
        let [_] = args.positional();
        return if load.run(files) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let options = Options::take(&mut args);
    let [] = args.positional();
    let listen = options.listen.clone();
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot serve on {listen}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> io::Result<()> {
    let server = Server::bind(options)?;
    let ending = server.ending()?;
    ctrlc::set_handler(move || drop(ending.wake())).map_err(io::Error::other)?;
    writeln!(io::stdout(), "listening on ws://{}", server.address()?)?;
    let figures = server.run()?;
    // it has ended, whether anybody reads that or not
    let _ = writeln!(io::stdout(), "ended: {figures}");
    Ok(())
}

/// Takes as many files as the system lets us have.
fn raise_files() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}
