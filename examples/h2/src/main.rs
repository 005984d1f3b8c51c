//! RFC 8441: a WebSocket for browsers on a stream of HTTP/2, by the crates h2 and rustls. Try `--help`.

#[allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part
#[path = "../../common/args.rs"]
mod args;
mod config;
mod request;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/say.rs"]
mod say;
mod serve;
#[path = "../../loops/completion.rs"]
mod stream;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/timeouts.rs"]
mod timeouts;

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use args::Args;
use timeouts::Seconds;
use tokio::runtime::Runtime;

const USAGE: &str = concat!(
    "\
A server that speaks HTTP/2 and nothing else: it has a page at /, and sends back each message of a WebSocket, which a
browser opens on the connection that it has already.

usage: h2 [FLAGS]

  --listen ADDRESS      where to listen (127.0.0.1:9444); port 0 takes any that is free
  --name NAME           a name or address to certify, any number of times (localhost, 127.0.0.1, ::1)
  --write-cert FILE     where to write the certificate, which is made anew at each start
  --vacant SECONDS      how long a connection may be without a stream (60)
  --help                this text
",
    timeouts::usage!(),
    "
The handshakes are those of TLS and HTTP/2, together.
Ctrl-C closes all WebSockets with code 1001 and all connections by GOAWAY, and ends the program.
"
);

/// What ends the work on a connection or a stream.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let mut args = Args::new(USAGE);
    let listen = args.value("--listen", String::from("127.0.0.1:9444"));
    let names = args.values("--name");
    let certificate = args.values("--write-cert").pop();
    let Seconds(vacant) = args.value("--vacant", Seconds(Duration::from_mins(1)));
    let timeouts = timeouts::take(&mut args);
    let [] = args.positional();

    let served = config::tls(names).and_then(|(tls, pem)| {
        if let Some(file) = certificate {
            fs::write(&file, pem).map_err(|error| format!("{file}: {error}"))?;
        }
        Runtime::new()?.block_on(serve::serve(&listen, tls, timeouts, vacant))
    });
    say::flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
