//! RFC 8441: a WebSocket for browsers on a stream of HTTP/2, by the crates h2 and rustls. Try `--help`.

#[allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part
#[path = "../../common/args.rs"]
mod args;
mod config;
mod request;
mod serve;
mod stream;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use std::{fmt, fs};

use args::Args;
use tokio::runtime::Runtime;
use websocket_proto::Timeouts;

const USAGE: &str = "\
A server that speaks HTTP/2 and nothing else: it has a page at /, and sends back each message of a WebSocket, which a
browser opens on the connection that it has already.

usage: h2 [FLAGS]

  --listen ADDRESS      where to listen (127.0.0.1:9444); port 0 takes any that is free
  --name NAME           a name or address to certify, any number of times (localhost, 127.0.0.1, ::1)
  --write-cert FILE     where to write the certificate, which is made anew at each start
  --handshake SECONDS   how long the handshakes of TLS and HTTP/2 may take, together (10)
  --ping SECONDS        how long a WebSocket's peer may be silent before it is pinged (30)
  --pong SECONDS        how long it may be silent then (20)
  --close SECONDS       how long it may take to close (10)
  --write SECONDS       how long it may read nothing of what waits for it (30)
  --idle SECONDS        how long there may be no whole message (for ever)
  --vacant SECONDS      how long a connection may be without a stream (60)
  --help                this text

Ctrl-C closes all WebSockets with code 1001 and all connections by GOAWAY, and ends the program.
";

/// What ends the work on a connection or a stream.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let mut args = Args::new(USAGE);
    let listen = args.value("--listen", String::from("127.0.0.1:9444"));
    let names = args.values("--name");
    let certificate = args.values("--write-cert").pop();
    let vacant = Duration::from_secs(args.value("--vacant", 60));
    let timeouts = timeouts(&mut args);
    let [] = args.positional();

    let served = config::tls(names).and_then(|(tls, pem)| {
        if let Some(file) = certificate {
            fs::write(&file, pem).map_err(|error| format!("{file}: {error}"))?;
        }
        Runtime::new()?.block_on(serve::serve(&listen, tls, timeouts, vacant))
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

/// The deadlines that the flags ask for.
fn timeouts(args: &mut Args) -> Timeouts {
    let mut timeouts = Timeouts::default();
    let flags = [
        ("--handshake", &mut timeouts.handshake),
        ("--ping", &mut timeouts.ping),
        ("--pong", &mut timeouts.pong),
        ("--close", &mut timeouts.close),
        ("--write", &mut timeouts.write),
        ("--idle", &mut timeouts.idle),
    ];
    for (flag, timeout) in flags {
        *timeout = Duration::from_secs(args.value(flag, timeout.as_secs()));
    }
    timeouts
}

/// Prints a line; that nobody reads it is no reason to stop.
fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout(), "{line}");
}
