//! An echo server on blocking sockets, a thread for each connection. Try `--help`.

mod common;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use common::args::Args;
use common::say::{self, say};
use common::{Failure, Socket};
use websocket_proto::handshake::ServerHandshake;
use websocket_proto::{CloseCode, CloseOutcome, Config, Event, State};

const USAGE: &str = concat!(
    "\
An echo server: sends back each text and binary message, and the code of a close.

usage: echo_server [FLAGS]

  --listen ADDRESS        where to listen (127.0.0.1:9001); port 0 takes any that is free
  --max-message BYTES     the longest message and frame to accept (16777216)
  --subprotocol NAME      a subprotocol to select if the client offers it; the first one given is preferred
  --help                  this text
",
    common::deflate::usage!(),
    "
Ctrl-C closes all connections with code 1001, and ends the program.
"
);

/// How long a write may wait for a peer that does not read.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the peers may take to answer our Close at the end.
const GOODBYE: Duration = Duration::from_secs(3);

struct Server {
    config: Config,
    subprotocols: Vec<String>,
    open: Mutex<Open>,
    one_less: Condvar,
}

/// The connections that are open, by their peers' addresses, with the paths that they asked for.
#[derive(Default)]
struct Open {
    sockets: HashMap<SocketAddr, (String, Arc<Socket>)>,
    is_ending: bool,
}

fn main() {
    let mut args = Args::new(USAGE);
    let listen = args.value("--listen", String::from("127.0.0.1:9001"));
    let mut config = Config::default();
    config.limits.message = args.value("--max-message", config.limits.message);
    config.limits.frame = config.limits.message;
    let subprotocols = args.values("--subprotocol");
    common::deflate::take(&mut args, &mut config);
    let [] = args.positional();
    if let Err(error) = serve(&listen, config, subprotocols) {
        eprintln!("cannot serve on {listen}: {error}");
        process::exit(1);
    }
}

fn serve(listen: &str, config: Config, subprotocols: Vec<String>) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen)?;
    let server = Arc::new(Server { config, subprotocols, open: Mutex::default(), one_less: Condvar::new() });
    let ending = Arc::clone(&server);
    ctrlc::set_handler(move || ending.end())?;
    say(format_args!("listening on ws://{}", listener.local_addr()?));
    loop {
        let server = Arc::clone(&server);
        let taken = listener
            .accept()
            .and_then(|(stream, peer)| thread::Builder::new().spawn(move || server.connection(stream, peer)));
        if let Err(error) = taken {
            // too many files or threads: those that are there go on, and this one may try again
            say(format_args!("a connection could not be taken: {error}"));
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Server {
    /// One connection, from its request to its end.
    fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        let mut path = String::from("-");
        match self.talk(stream, peer, &mut path) {
            Ok(Some(CloseOutcome { clean, sent, received, .. })) => {
                let how = if clean { "clean" } else { "not clean" };
                say(format_args!("closed {peer} {path} {how}, sent {sent}, received {received}"));
            }
            Ok(None) => say(format_args!("closed {peer} {path} as the server ends")),
            Err(failure) => say(format_args!("closed {peer} {path} failed: {failure}")),
        }
        self.leave(peer);
    }

    fn talk(&self, stream: TcpStream, peer: SocketAddr, path: &mut String) -> Result<Option<CloseOutcome>, Failure> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let handshake = ServerHandshake::new(&self.config);
        let accepted = common::accept(&stream, handshake, |request, output| {
            request.path().clone_into(path);
            let accept = match request.select_subprotocol(&self.subprotocols) {
                Some(name) => request.accept().subprotocol(name),
                None => request.accept(),
            };
            accept.send(output).map(Some)
        })?;
        let Some((ws, input, output)) = accepted else { return Ok(None) };
        match common::deflate::agreed(&ws) {
            Some(extension) => say(format_args!("opened {peer} {path} with {extension}")),
            None => say(format_args!("opened {peer} {path}")),
        }
        let socket = Arc::new(Socket::new(stream, ws, output));
        if !self.enter(peer, path, &socket) {
            return Ok(None);
        }
        let outcome = socket.receive(
            input,
            |event, ws, output| match event {
                // after our own Close, at the end of the server, nothing is echoed any more
                _ if ws.state() != State::Open => Ok(()),
                Event::Text(text) => Ok(ws.send_text(text, output)?),
                Event::Binary(data) => Ok(ws.send_binary(data, output)?),
                _ => Ok(()),
            },
            Socket::flush,
        );
        socket.finish();
        outcome.map(Some)
    }

    fn enter(&self, peer: SocketAddr, path: &str, socket: &Arc<Socket>) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.is_ending {
            open.sockets.insert(peer, (path.to_owned(), Arc::clone(socket)));
        }
        !open.is_ending
    }

    fn leave(&self, peer: SocketAddr) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).sockets.remove(&peer);
        self.one_less.notify_all();
    }

    /// Closes all connections with 1001, waits for the answers for a while, and ends the program.
    fn end(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_ending = true;
        let sockets: Vec<Arc<Socket>> = open.sockets.values().map(|(_, socket)| Arc::clone(socket)).collect();
        drop(open);
        for socket in &sockets {
            let closed = socket.update(|ws, output| ws.close(CloseCode::GOING_AWAY, "", output));
            if closed.is_ok() {
                let _ = socket.set_write_timeout(GOODBYE).and_then(|()| socket.flush());
            }
        }
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.one_less.wait_timeout_while(open, GOODBYE, |open| !open.sockets.is_empty());
        let (open, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for (peer, (path, _)) in &open.sockets {
            say(format_args!("closed {peer} {path} not clean: no answer as the server ends"));
        }
        say::flush();
        process::exit(0);
    }
}
