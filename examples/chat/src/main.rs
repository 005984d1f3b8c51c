//! A chat for browsers, on threads: split halves, rooms, history, and Redis for more than one machine. Try `--help`.
//!
//! A connection begins in `http`: it is answered with a page, refused (`token`, `limits`), or becomes a WebSocket. Then
//! `connection` has it, with a thread that reads and one that writes. What a page asks for (`protocol`, `clean`) goes
//! to the `hub`, which lets it happen in a `room` with its `history`: at once, or by way of `redis`.

#[allow(dead_code, unreachable_pub)] // a module of several programs, each of which uses its part
#[path = "../../common/args.rs"]
mod args;
mod clean;
mod connection;
mod history;
mod http;
mod hub;
mod limits;
mod protocol;
mod redis;
mod room;
mod said;
#[allow(unreachable_pub)] // a module of several programs
#[path = "../../common/say.rs"]
mod say;
#[path = "../../common/timeouts.rs"]
#[allow(unreachable_pub)]
mod timeouts;
mod token;

use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use websocket_proto::handshake::OriginPolicy;
use websocket_proto::{CloseCode, Config, Timeouts};

use args::Args;
use connection::Outbox;
use hub::Hub;
use limits::{Limits, Seat};
use redis::Redis;
use say::say;
use token::Token;

const USAGE: &str = concat!(
    "\
A chat for browsers: open the address that it prints.

usage: chat [FLAGS]

  --listen ADDRESS    where to listen (127.0.0.1:9010); port 0 takes any that is free
  --token TOKEN       what one has to know to chat: letters, digits and -._~; without it, one is made
  --origin ORIGIN     pages of this origin may connect, such as https://chat.example; may be repeated;
                      without it, those that come from the host that they connect to
  --redis URL         share the rooms with all servers that use this Redis, such as redis://127.0.0.1/
  --connections N     WebSockets per address (50)
  --messages N        messages per address and second (5), and three times as many at once
  --help              this text
",
    timeouts::usage!(),
    "
Behind a proxy, all come from the address of the proxy: let it do the limits, and raise them here.
Ctrl-C closes all connections with code 1001, and ends the program.
"
);

/// Octets of a message of a page, beyond which it is closed with 1009: text that may be said fits, however escaped.
const MESSAGE: u64 = 32 * 1024;

/// How long the peers may take to answer our Close at the end.
const GOODBYE: Duration = Duration::from_secs(3);

/// What ends the work on a connection.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What all connections have in common.
struct Server {
    /// Different from those of all other servers, at any time.
    name: String,
    hub: Hub,
    token: Token,
    origins: Option<OriginPolicy>,
    limits: Arc<Limits>,
    config: Config,
    timeouts: Timeouts,
    started: Instant,
    numbers: AtomicU64,
    open: Mutex<Open>,
    one_less: Condvar,
}

/// Those connections that are open.
#[derive(Default)]
struct Open {
    outboxes: HashMap<u64, Arc<Outbox>>,
    is_ending: bool,
}

fn main() {
    let mut args = Args::new(USAGE);
    let listen = args.value("--listen", String::from("127.0.0.1:9010"));
    if let Err(error) = server(args).and_then(|server| serve(&listen, server)) {
        eprintln!("cannot serve on {listen}: {error}");
        process::exit(1);
    }
}

/// The server that the flags ask for.
fn server(mut args: Args) -> Result<Server, Failure> {
    let token = match args.value("--token", String::new()) {
        none if none.is_empty() => Token::random()?,
        token => Token::new(token).ok_or("a token has letters, digits and -._~")?,
    };
    let origins = match args.values("--origin") {
        none if none.is_empty() => None,
        listed => Some(OriginPolicy::new(listed)?.allow_absent()),
    };
    let limits = Limits::new(args.value("--connections", 50), args.value("--messages", 5));
    let (name, url) = (token::random()?, args.value("--redis", String::new()));
    let redis = if url.is_empty() { None } else { Some(Redis::new(&url, name.clone())?) };
    let timeouts = timeouts::take(&mut args);
    let [] = args.positional();
    let mut config = Config::default();
    (config.limits.message, config.limits.frame) = (MESSAGE, MESSAGE);
    Ok(Server {
        name,
        hub: Hub::new(redis),
        token,
        origins,
        limits: Arc::new(limits),
        config,
        timeouts,
        started: Instant::now(),
        numbers: AtomicU64::new(0),
        open: Mutex::default(),
        one_less: Condvar::new(),
    })
}

fn serve(listen: &str, server: Server) -> Result<(), Failure> {
    let listener = TcpListener::bind(listen)?;
    let (address, server) = (listener.local_addr()?, Arc::new(server));
    let ending = Arc::clone(&server);
    ctrlc::set_handler(move || ending.end())?;
    say(format_args!("listening on ws://{address}"));
    say(format_args!("open http://{address}/?token={}", server.token.as_str()));
    let (listening, beating) = (Arc::clone(&server), Arc::clone(&server));
    thread::spawn(move || listening.hub.listen());
    thread::spawn(move || beating.hub.beat());
    loop {
        let taken = listener.accept().and_then(|(stream, peer)| {
            // an address that has all that it may have is not even answered
            let Some(seat) = server.limits.admit(peer.ip(), server.now()) else { return Ok(()) };
            let server = Arc::clone(&server);
            thread::Builder::new().spawn(move || server.connection(stream, seat)).map(drop)
        });
        if let Err(error) = taken {
            // too many files or threads: those that are there go on, and this one may try again
            say(format_args!("a connection could not be taken: {error}"));
            thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Server {
    /// The time since the server was started.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// A number that was not there before.
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn connection(&self, stream: TcpStream, seat: Seat) {
        let _ = connection::serve(self, stream, seat); // what goes wrong with one peer is of no interest to others
    }

    /// Takes note of a WebSocket that is open; `None` if it is too late for that.
    fn enter(&self, outbox: &Arc<Outbox>) -> Option<u64> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_ending {
            return None;
        }
        let number = self.number();
        open.outboxes.insert(number, Arc::clone(outbox));
        Some(number)
    }

    fn leave(&self, number: u64) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).outboxes.remove(&number);
        self.one_less.notify_all();
    }

    /// Closes all connections with 1001, waits for the answers for a while, and ends the program.
    fn end(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.is_ending = true;
        for outbox in open.outboxes.values() {
            outbox.close(CloseCode::GOING_AWAY, "the server ends");
        }
        drop(self.one_less.wait_timeout_while(open, GOODBYE, |open| !open.outboxes.is_empty()));
        say::flush();
        process::exit(0);
    }
}
