//! A WebSocket client for the terminal and for pipes. Try `--help`.

mod common;

use std::collections::VecDeque;
use std::io::{self, BufRead, Write};
use std::net::TcpStream;
use std::process::{self, ExitCode};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use common::args::Args;
use common::{Failure, Socket};
use websocket_proto::handshake::{Answer, Body, ClientRequest, Response, Uri, UriError};
use websocket_proto::{
    CloseCode, Config, Connection, Event, HandshakeError, HeadError, ProtocolError, ReadBuffer, State,
};

const USAGE: &str = concat!(
    "\
A WebSocket client: sends the lines of its standard input as text messages, and prints what arrives.

usage: client URL [FLAGS]

  URL                     such as ws://127.0.0.1:9001/chat
  --subprotocol NAME      a subprotocol to offer; the best one first
  --header 'Name: value'  a header field for the request
  --origin URL            the Origin header, as a browser sends it
  --wait SECONDS          at the end of the input, how long to wait for what was sent to be echoed (3)
  --help                  this text
",
    common::deflate::usage!(),
    "
Lines that begin with a slash are commands:
  /ping [TEXT]             sends a ping
  /binary HEX              sends a binary message
  /close [CODE [REASON]]   closes the connection
  //TEXT                   sends /TEXT

Status: 0 when the connection was closed cleanly, 1 when it was refused, could not be made or was given up, 2 when the
server broke the protocol, 64 for wrong arguments.
"
);

/// How much may wait to be written before the input has to wait.
const BACKLOG: usize = 64 * 1024;

/// The longest body of a refusal to print.
const LONGEST_BODY: usize = 64 * 1024;

/// How long the body of a refusal may take.
const PAGE: Duration = Duration::from_secs(3);

/// How many messages that were sent before it a message may be the echo of.
const OUT_OF_ORDER: usize = 16;

/// Bytes of pongs that may wait to be written.
const MOST_OWED: usize = 1 << 20;

fn main() -> ExitCode {
    let mut args = Args::new(USAGE);
    let subprotocols = args.values("--subprotocol");
    let headers = args.values("--header");
    let origins = args.values("--origin");
    let wait: u64 = args.value("--wait", 3);
    let mut config = Config::default();
    common::deflate::take(&mut args, &mut config);
    let [url] = args.positional();
    match run(&url, &config, &subprotocols, &headers, &origins, Duration::from_secs(wait)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            let is_rule = failure.is::<ProtocolError>() || failure.is::<HandshakeError>();
            let is_argument = failure.is::<UriError>() || failure.is::<HeadError>();
            ExitCode::from(if is_rule {
                2
            } else if is_argument {
                64
            } else {
                1
            })
        }
    }
}

fn run(
    url: &str,
    config: &Config,
    subprotocols: &[String],
    headers: &[String],
    origins: &[String],
    wait: Duration,
) -> Result<ExitCode, Failure> {
    let uri = Uri::parse(url)?;
    if uri.is_secure() {
        eprintln!("this example has no TLS; use a ws:// URL");
        return Ok(ExitCode::from(64));
    }
    let mut request = ClientRequest::new(&uri);
    for name in subprotocols {
        request = request.subprotocol(name);
    }
    for origin in origins {
        request = request.origin(origin);
    }
    for header in headers {
        let (name, value) = header.split_once(':').ok_or(HeadError::InvalidHeaderName)?;
        request = request.header(name, value);
    }
    let mut output = Vec::new();
    let handshake = request.send(config, &mut output)?;

    let stream = TcpStream::connect((uri.host(), uri.port()))?;
    stream.set_nodelay(true)?;
    (&stream).write_all(&output)?;
    let (answer, mut input) = common::connect(&stream, handshake, |answer| match answer {
        Answer::Accepted { connection, response, .. } => {
            if let Some(name) = response.subprotocol() {
                eprintln!("subprotocol {name}");
            }
            if let Some(extension) = common::deflate::agreed(&connection) {
                eprintln!("{extension}");
            }
            Ok(connection)
        }
        Answer::Rejected { response, body, .. } => {
            print_head(&response);
            Err(body)
        }
    })?;
    match answer {
        Ok(ws) => talk(Socket::new(stream, ws, Vec::new()), input, wait),
        Err(body) => {
            print_body(&stream, body, &mut input);
            Ok(ExitCode::from(1))
        }
    }
}

/// What was sent and may come back, in capitals; a server may echo it in capitals, or with somebody's name before it.
#[derive(Default)]
struct Sent {
    outstanding: Mutex<VecDeque<String>>,
    arrived: Condvar,
}

impl Sent {
    fn sent(&self, payload: &[u8]) {
        let mut outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        outstanding.push_back(upper(payload));
    }

    /// Takes off what this is an echo of; echoes come in order, or nearly so.
    fn came(&self, payload: &[u8]) {
        let payload = upper(payload);
        let mut outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = outstanding.iter().take(OUT_OF_ORDER).position(|sent| payload.contains(sent.as_str())) {
            outstanding.remove(at);
        }
        self.arrived.notify_all();
    }

    fn wait(&self, timeout: Duration) {
        let outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.arrived.wait_timeout_while(outstanding, timeout, |outstanding| !outstanding.is_empty()));
    }
}

fn upper(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).to_uppercase()
}

/// Three threads: this one receives, one writes, one reads the standard input; so none waits for another.
fn talk(socket: Socket, input: ReadBuffer, wait: Duration) -> Result<ExitCode, Failure> {
    let socket = Arc::new(socket);
    let sent = Arc::new(Sent::default());

    let writing = Arc::clone(&socket);
    thread::spawn(move || {
        while writing.wait_for_output(|len| len > 0) {
            let _ = writing.flush(); // that it failed, the next wait says, and the receiving end finds out why
        }
    });
    let (asking, answers) = (Arc::clone(&socket), Arc::clone(&sent));
    thread::spawn(move || {
        read_commands(&asking, &answers, wait);
        // whoever does not answer our Close in time is left
        thread::sleep(wait.max(Duration::from_secs(1)));
        asking.give_up();
    });

    let mut owed = 0;
    let on_event = |event: Event<'_>, _: &mut Connection, output: &mut Vec<u8>| {
        if let Event::Ping(payload) = event {
            // its Pong waits in the output, or will; if it is alone there, those before it were taken to be written
            let pong = payload.len() + 6;
            owed = if output.len() <= pong { pong } else { owed + pong };
            if owed > MOST_OWED {
                return Err("the server sends pings, and does not read the pongs".into());
            }
        }
        print_event(event, &sent);
        Ok(())
    };
    let outcome = socket.receive(input, on_event, |_| Ok(()));
    socket.finish();
    Ok(if outcome?.clean { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn print_event(event: Event<'_>, sent: &Sent) {
    let mut out = io::stdout().lock();
    let printed = match event {
        Event::Text(text) => {
            sent.came(text.as_bytes());
            writeln!(out, "{text}")
        }
        Event::Binary(data) => {
            sent.came(data);
            let digits: Vec<String> = data.iter().map(|octet| format!("{octet:02x}")).collect();
            writeln!(out, "binary {}", digits.concat())
        }
        Event::Pong(payload) => {
            sent.came(payload);
            writeln!(out, "pong {}", String::from_utf8_lossy(payload))
        }
        Event::Close(Some(frame)) => {
            eprintln!("closed {} {}", frame.code, printable(frame.reason.as_bytes()));
            Ok(())
        }
        Event::Close(None) => {
            eprintln!("closed without a code");
            Ok(())
        }
        _ => Ok(()),
    };
    if printed.and_then(|()| out.flush()).is_err() {
        process::exit(0); // nobody reads it any more
    }
}

/// Does what the standard input says, until it ends or the connection is closed; then closes it.
fn read_commands(socket: &Socket, sent: &Sent, wait: Duration) {
    for line in io::stdin().lock().split(b'\n') {
        let Ok(line) = line else { break };
        let Ok(line) = String::from_utf8(line) else {
            eprintln!("a line that is not UTF-8 is not sent");
            continue;
        };
        if !socket.wait_for_output(|len| len < BACKLOG) {
            return;
        }
        let done = socket.update(|ws, output| command(line.strip_suffix('\r').unwrap_or(&line), ws, output, sent));
        if socket.update(|ws, _| ws.state()) != State::Open {
            return; // the receiving end says why
        }
        if let Err(error) = done {
            eprintln!("{error}");
        }
    }
    sent.wait(wait);
    // it may be closed already, and then that is that
    let _ = socket.update(|ws, output| ws.close(CloseCode::NORMAL, "", output));
}

/// Does what a line says.
fn command(line: &str, ws: &mut Connection, output: &mut Vec<u8>, sent: &Sent) -> Result<(), Failure> {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let payload = match name {
        "/ping" => {
            ws.send_ping(rest.as_bytes(), output)?;
            rest.as_bytes().to_vec()
        }
        "/binary" => {
            let data = hex(rest).ok_or("/binary wants an even number of hexadecimal digits")?;
            ws.send_binary(&data, output)?;
            data
        }
        "/close" if rest.is_empty() => return Ok(ws.close_without_code(output)?),
        "/close" => {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let code = code.parse().map_err(|_| "/close wants a number")?;
            return Ok(ws.close(CloseCode(code), reason, output)?);
        }
        _ if name.starts_with('/') && !name.starts_with("//") => return Err(format!("no command {name}").into()),
        _ => {
            let text = if line.starts_with("//") { &line[1..] } else { line };
            ws.send_text(text, output)?;
            text.as_bytes().to_vec()
        }
    };
    sent.sent(&payload);
    Ok(())
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_hex = digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
    if is_hex { digits.chunks(2).map(octet).collect() } else { None }
}

fn print_head(response: &Response<'_>) {
    eprintln!("refused: {} {}", response.status(), printable(response.reason()));
    for (name, value) in response.headers().iter() {
        eprintln!("{name}: {}", printable(value));
    }
    if let (300..=399, Some(location)) = (response.status(), response.headers().get("Location")) {
        eprintln!("redirected to {}, which this client does not follow", printable(location));
    }
}

fn print_body(stream: &TcpStream, mut body: Body, input: &mut ReadBuffer) {
    let mut page = Vec::new();
    let deadline = Instant::now() + PAGE;
    let ended = loop {
        match body.receive(input) {
            Ok(Some(piece)) => page.extend_from_slice(piece),
            Ok(None) if body.is_complete() || page.len() >= LONGEST_BODY => break Ok(()),
            Ok(None) => match common::read_until(deadline, stream, input) {
                Ok(0) => break body.receive_eof().map_err(|error| error.to_string()),
                Ok(_) => {}
                Err(error) => break Err(error.to_string()),
            },
            Err(error) => break Err(error.to_string()),
        }
    };
    page.truncate(LONGEST_BODY);
    eprintln!("\n{}", printable(&page));
    if let Err(why) = ended {
        eprintln!("({why})");
    }
}

/// Text from a stranger, without what a terminal would obey.
fn printable(octets: &[u8]) -> String {
    let is_plain = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    String::from_utf8_lossy(octets).chars().filter(is_plain).collect()
}
