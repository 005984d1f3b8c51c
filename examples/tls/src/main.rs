//! A wss:// server and client on blocking sockets and rustls. Try `--help`.

#[allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part
#[path = "../../common/args.rs"]
mod args;
mod config;
mod connect;
mod converse;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/say.rs"]
mod say;
mod serve;
#[path = "../../loops/blocking.rs"]
mod session;
mod stream;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/timeouts.rs"]
mod timeouts;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use args::Args;
use websocket_proto::handshake::Uri;

const USAGE: &str = concat!(
    "\
WebSockets over TLS: an echo server, and a client that sends the lines of its standard input and prints what arrives.

usage: tls serve [FLAGS]
       tls connect URL --ca FILE [FLAGS]

serve:
  --listen ADDRESS      where to listen (127.0.0.1:9443); port 0 takes any that is free
  --name NAME           a name or address to certify, any number of times (localhost, 127.0.0.1, ::1)
  --write-cert FILE     where to write the certificate, which is made anew at each start, for the clients to trust

connect:
  URL                   such as wss://localhost:9443/
  --ca FILE             the certificates to trust, in PEM

  --help                this text
",
    timeouts::usage!(),
    "
The handshake is that of TLS and the request, together.
Ctrl-C closes with code 1001. The client's status: 0 when the connection was closed cleanly, 1 when it was refused,
could not be made or broke, 64 for wrong arguments.
"
);

/// What ends the work on a connection.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let command = env::args().nth(1);
    let mut args = Args::new(USAGE);
    let timeouts = timeouts::take(&mut args);
    let done = match command.as_deref() {
        Some("serve") => {
            let listen = args.value("--listen", String::from("127.0.0.1:9443"));
            let names = args.values("--name");
            let certificate = args.values("--write-cert").pop();
            let [_] = args.positional();
            serve::serve(&listen, names, certificate.as_deref(), timeouts)
        }
        Some("connect") => {
            let Some(ca) = args.values("--ca").pop() else { args.fail("whom to trust? --ca FILE") };
            let [_, url] = args.positional();
            match Uri::parse(&url) {
                Ok(uri) if uri.is_secure() => connect::connect(&uri, &ca, &timeouts),
                Ok(_) => Err("a ws:// URL is for the example `client`; this one wants wss://".into()),
                Err(error) => Err(error.into()),
            }
        }
        _ => args.fail("say first what to do: serve or connect"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
