//! The client that the fuzzing server of the Autobahn testsuite examines. Try `--help`.

mod common;

use std::env;
use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::process;
use std::time::Duration;

use common::args::Args;
use common::{Failure, Socket};
use websocket_proto::handshake::{Answer, ClientRequest, Uri};
use websocket_proto::{CloseOutcome, Config, Connection, Event, ReadBuffer, State};

const USAGE: &str = concat!(
    "\
Goes through all cases of an Autobahn fuzzing server: echoes what each of them sends, then has the reports written.

usage: autobahn_client [FLAGS]

  --url URL               the fuzzing server ($WSTEST_URL, or else ws://127.0.0.1:9001)
  --agent NAME            the name in its reports ($WSTEST_AGENT, or else websocket-proto)
  --help                  this text
",
    common::deflate::usage!(),
    "
Status: 0 when all cases were run and the reports are written, whatever is in them; 1 when the server could not be
reached, refused a connection, sent no count of its cases or went silent; 64 for wrong arguments.
"
);

/// How long the server may send nothing, or read nothing.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let mut args = Args::new(USAGE);
    let from_environment = |name, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let url = args.value("--url", from_environment("WSTEST_URL", "ws://127.0.0.1:9001"));
    let agent = args.value("--agent", from_environment("WSTEST_AGENT", "websocket-proto"));
    let mut config = Config::default();
    common::deflate::take(&mut args, &mut config);
    let [] = args.positional();
    if let Err(failure) = run_all(url.trim_end_matches('/'), &agent, &config) {
        eprintln!("{failure}");
        process::exit(1);
    }
}

fn run_all(url: &str, agent: &str, config: &Config) -> Result<(), Failure> {
    let count = case_count(&format!("{url}/getCaseCount"), config)?;
    for case in 1..=count {
        match run_case(&format!("{url}/runCase?case={case}&agent={agent}"), config)? {
            Ok(CloseOutcome { clean, sent, received, .. }) => {
                let how = if clean { "clean" } else { "not clean" };
                println!("case {case} of {count}: {how}, sent {sent}, received {received}");
            }
            // that a case breaks the protocol, or the connection, may be its very point
            Err(failure) if !is_silence(&failure) => println!("case {case} of {count}: {failure}"),
            Err(_) => return Err(format!("case {case} of {count}: the server went silent").into()),
        }
    }
    let (socket, input) = open(&format!("{url}/updateReports?agent={agent}"), config)?;
    talk(&socket, input, |_, _, _| Ok(()))?;
    Ok(())
}

fn case_count(url: &str, config: &Config) -> Result<u32, Failure> {
    let (socket, input) = open(url, config)?;
    let mut count = None;
    talk(&socket, input, |event, _, _| {
        if let Event::Text(text) = event {
            count = Some(text.parse().map_err(|_| format!("{text:?} is no count of cases"))?);
        }
        Ok(())
    })?;
    count.ok_or_else(|| "the server sent no count of its cases".into())
}

/// Echoes all messages of a case; the inner result is how its connection ended.
fn run_case(url: &str, config: &Config) -> Result<Result<CloseOutcome, Failure>, Failure> {
    let (socket, input) = open(url, config)?;
    Ok(talk(&socket, input, |event, ws, output| match event {
        Event::Text(text) if ws.state() == State::Open => Ok(ws.send_text(text, output)?),
        Event::Binary(data) if ws.state() == State::Open => Ok(ws.send_binary(data, output)?),
        _ => Ok(()),
    }))
}

fn open(url: &str, config: &Config) -> Result<(Socket, ReadBuffer), Failure> {
    let uri = Uri::parse(url)?;
    if uri.is_secure() {
        return Err("this example has no TLS; use a ws:// URL".into());
    }
    let mut output = Vec::new();
    let handshake = ClientRequest::new(&uri).send(config, &mut output)?;

    let stream = TcpStream::connect((uri.host(), uri.port())).map_err(|error| format!("{url}: {error}"))?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    (&stream).write_all(&output)?;
    let (answer, input) = common::connect(&stream, handshake, |answer| match answer {
        Answer::Accepted { connection, .. } => Ok(connection),
        Answer::Rejected { response, .. } => Err(format!("{url} was refused with status {}", response.status())),
    })?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok((Socket::new(stream, answer?, Vec::new()), input))
}

/// Gives all events to `on_event`, and ends the stream when the connection is over.
fn talk(
    socket: &Socket,
    input: ReadBuffer,
    on_event: impl FnMut(Event<'_>, &mut Connection, &mut Vec<u8>) -> Result<(), Failure>,
) -> Result<CloseOutcome, Failure> {
    let outcome = socket.receive(input, on_event, Socket::flush);
    socket.finish();
    outcome
}

/// Whether a read or a write has waited for too long.
fn is_silence(failure: &Failure) -> bool {
    let error = failure.downcast_ref::<io::Error>();
    error.is_some_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}
