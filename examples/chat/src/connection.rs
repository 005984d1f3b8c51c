//! How does one WebSocket go, on two threads that share no lock?
//!
//! One thread reads: it has the `Receiver`, and the stream's receiving side. The other one writes: it has the `Sender`,
//! the `Keepalive` and the output. Whatever is to be written goes through the queue between them: what the reader owes
//! for what has come, and what others say. Nobody who hands out a message waits for a peer: where the queue is full,
//! the peer is too slow and is dropped.

use std::io::{ErrorKind, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use websocket_proto::{CloseCode, Event, Keepalive, Owed, Prepared, ReadBuffer, Receiver, Sender};

use crate::http;
use crate::limits::Seat;
use crate::protocol::{self, Member, Refusal, Request};
use crate::{Failure, Server};

/// What may wait to be written to one peer: so many messages ...
const QUEUE: usize = 256;

/// ... and about so many octets of those before them, which one write takes.
const OUTPUT: usize = 64 * 1024;

/// How long a thread sleeps that has no deadline.
const NAP: Duration = Duration::from_hours(1);

/// What the thread that writes is told.
pub(crate) enum Command {
    /// What is owed for what has come.
    Owe(Box<Owed>),
    /// A Pong has come, and when.
    Pong(Duration, Vec<u8>),
    Send(Prepared),
    Close(CloseCode, &'static str),
    /// Nothing will come any more: write what is there, and end.
    End {
        owed: Option<Box<Owed>>,
    },
}

/// Where messages for a peer go in.
pub(crate) struct Outbox {
    commands: SyncSender<Command>,
    stream: TcpStream,
    /// When octets of the peer came last, in nanoseconds since the server was started; 0: the thread that writes knows.
    /// It is not in the queue, from which nothing is taken while a write waits.
    heard: AtomicU64,
}

impl Outbox {
    /// Hands over a message, or drops the peer.
    pub(crate) fn offer(&self, message: &Prepared) {
        self.put(Command::Send(message.clone()));
    }

    /// Closes, or drops the peer.
    pub(crate) fn close(&self, code: CloseCode, reason: &'static str) {
        self.put(Command::Close(code, reason));
    }

    fn heard(&self, now: Duration) {
        self.heard.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn take_heard(&self) -> Option<Duration> {
        Some(self.heard.swap(0, Ordering::Relaxed)).filter(|at| *at > 0).map(Duration::from_nanos)
    }

    fn put(&self, command: Command) {
        if let Err(mpsc::TrySendError::Full(_)) = self.commands.try_send(command) {
            let _ = self.stream.shutdown(Shutdown::Both); // both threads notice
        }
    }
}

/// One connection, from its request to its end.
pub(crate) fn serve(server: &Server, stream: TcpStream, mut seat: Seat) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    let mut keepalive = Keepalive::new(&server.timeouts, server.now());
    let opened = http::open(server, &stream, &mut seat, keepalive.handshake_deadline())?;
    let Some((ws, input, output)) = opened else { return Ok(()) };
    keepalive.opened(server.now());

    let (receiver, sender) = ws.split();
    let (commands, queue) = sync_channel(QUEUE);
    let outbox = Arc::new(Outbox { commands, stream, heard: AtomicU64::new(0) });
    let Some(number) = server.enter(&outbox) else { return Ok(()) };
    let guest = Guest::new(server, &seat, &outbox);
    let writer = Writer { server, outbox: &outbox, sender, keepalive, output, queue };
    let spawned = thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || writer.run())?;
        read(receiver, input, guest);
        Ok(())
    });
    http::finish(&outbox.stream);
    server.leave(number);
    spawned
}

/// The thread that reads.
fn read(mut receiver: Receiver, mut input: ReadBuffer, mut guest: Guest<'_>) {
    let commands = &guest.outbox.commands;
    loop {
        let (mut pong, came) = (None, guest.server.now());
        let goes_on = loop {
            match receiver.receive(&mut input) {
                Ok(Some(Event::Text(text))) => guest.asks(text),
                Ok(Some(Event::Binary(_))) => guest.close(CloseCode::UNSUPPORTED_DATA, "a chat is text"),
                Ok(Some(Event::Pong(payload))) => pong = Some(payload.to_vec()),
                Ok(Some(_)) => {}
                Ok(None) => break receiver.wants_read(),
                Err(_) => break false, // the Close that says why is owed
            }
        };
        // of several Pings between two reads, the last is answered (§5.5.3); while the queue is full, nothing is read
        let owed = receiver.take_owed().map(|owed| Command::Owe(Box::new(owed)));
        let mut told = pong.map(|payload| Command::Pong(came, payload)).into_iter().chain(owed);
        if told.any(|command| commands.send(command).is_err()) || !goes_on {
            break;
        }
        if input.is_empty() {
            input.shrink(http::READ);
        }
        if !matches!(http::read(&guest.outbox.stream, &mut input), Ok(n) if n > 0) {
            let _ = receiver.receive_eof();
            break;
        }
        guest.outbox.heard(guest.server.now());
    }
    guest.leave();
    let _ = commands.send(Command::End { owed: receiver.take_owed().map(Box::new) });
}

/// The thread that writes.
struct Writer<'s> {
    server: &'s Server,
    outbox: &'s Outbox,
    sender: Sender,
    keepalive: Keepalive,
    output: Vec<u8>,
    /// Dropped with the rest, so that nobody waits for a place in it.
    queue: mpsc::Receiver<Command>,
}

impl Writer<'_> {
    fn run(mut self) {
        if self.write().is_err() {
            let _ = self.outbox.stream.shutdown(Shutdown::Both); // the thread that reads notices
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let mut is_ending = false;
        loop {
            if self.output.is_empty() {
                if is_ending {
                    return Ok(());
                }
                let left = self.left();
                match self.queue.recv_timeout(left) {
                    Ok(command) => is_ending = self.take(command),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => is_ending = true,
                }
            }
            while !is_ending
                && self.output.len() < OUTPUT
                && let Ok(command) = self.queue.try_recv()
            {
                is_ending = self.take(command);
            }
            self.write_once()?;
            self.note_heard();
            self.keepalive.handle_timeout(self.server.now(), &mut self.sender, &mut self.output)?;
        }
    }

    /// Does what it is told; true if that is the last.
    fn take(&mut self, command: Command) -> bool {
        let now = self.server.now();
        match command {
            Command::Owe(owed) => self.settle(Some(owed)),
            Command::Pong(came, payload) => self.keepalive.pong(came, &payload),
            // after a Close, nothing is sent any more, and it is right so
            Command::Send(message) => {
                self.keepalive.active(now); // whatever a page says, it is answered
                let _ = self.sender.send_prepared(&message, &mut self.output);
            }
            Command::Close(code, reason) => drop(self.sender.close(code, reason, &mut self.output)),
            Command::End { owed } => {
                self.settle(owed);
                return true;
            }
        }
        false
    }

    fn settle(&mut self, owed: Option<Box<Owed>>) {
        if let Some(owed) = owed {
            self.sender.settle(*owed, &mut self.output);
        }
    }

    fn note_heard(&mut self) {
        if let Some(came) = self.outbox.take_heard() {
            self.keepalive.heard(came);
        }
    }

    /// The time to the next deadline.
    fn left(&mut self) -> Duration {
        self.note_heard();
        let now = self.server.now();
        let deadline = self.keepalive.next_deadline(now, &self.sender);
        deadline.map_or(NAP, |at| at.saturating_sub(now)).clamp(Duration::from_millis(1), NAP)
    }

    /// Writes what the stream takes, and waits no longer for that than to the next deadline.
    fn write_once(&mut self) -> Result<(), Failure> {
        if self.output.is_empty() {
            return Ok(());
        }
        let left = self.left();
        self.outbox.stream.set_write_timeout(Some(left))?;
        let written = match (&self.outbox.stream).write(&self.output) {
            Ok(0) => return Err("the stream takes nothing".into()),
            Ok(written) => written,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()), // the next turn comes at once
            Err(error) => return Err(error.into()),
        };
        self.output.drain(..written);
        if self.output.is_empty() {
            self.output.shrink_to(4096);
        }
        let now = self.server.now();
        self.keepalive.wrote(now, written, self.output.len());
        if !self.output.is_empty() {
            self.keepalive.blocked(now); // a write that waits takes less than all only when its time is over
        }
        Ok(())
    }
}

/// Who is at the other end.
struct Guest<'s> {
    server: &'s Server,
    seat: &'s Seat,
    outbox: &'s Arc<Outbox>,
    /// In which room, and as whom.
    place: Option<(String, Member)>,
    /// Has not asked for anything.
    is_new: bool,
    /// Has asked for too much just before.
    is_warned: bool,
    is_closing: bool,
}

impl<'s> Guest<'s> {
    fn new(server: &'s Server, seat: &'s Seat, outbox: &'s Arc<Outbox>) -> Self {
        Self { server, seat, outbox, place: None, is_new: true, is_warned: false, is_closing: false }
    }

    fn asks(&mut self, text: &str) {
        if self.is_closing {
            return;
        }
        let request = Request::parse(text);
        // to come in is free once: after a restart, all come at the same time
        if !mem::take(&mut self.is_new) && !self.seat.may_say(self.server.now()) {
            return self.asks_too_much(request);
        }
        self.is_warned = false;
        let done = match request {
            Ok(Request::Join { room, name }) => self.join(room, name),
            Ok(Request::Say { text, key }) => self.say(text, key),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = done {
            self.tell(&refusal.to_page());
        }
    }

    /// The first time, it may be others from the same address who have said so much.
    fn asks_too_much(&mut self, request: Result<Request, Refusal>) {
        if mem::replace(&mut self.is_warned, true) {
            self.tell(&protocol::notice("That was too much at once."));
            return self.close(CloseCode::POLICY_VIOLATION, "too many messages");
        }
        let key = match request {
            Ok(Request::Say { key, .. }) => Some(key),
            Ok(Request::Join { .. }) | Err(_) => None,
        };
        self.tell(&Refusal { key, try_again: true, ..Refusal::of("too much comes from your address") }.to_page());
    }

    fn join(&mut self, room: String, name: String) -> Result<(), Refusal> {
        self.leave();
        // who comes again is somebody else for those who are there
        let member = Member { id: format!("{}-{}", self.server.name, self.server.number()), name };
        self.server.hub.join(&room, &member, self.outbox)?;
        self.place = Some((room, member));
        Ok(())
    }

    fn say(&self, text: String, key: String) -> Result<(), Refusal> {
        let Some((room, member)) = &self.place else {
            return Err(Refusal { key: Some(key), ..Refusal::of("join a room first") });
        };
        if !self.server.hub.say(room, &member.name, text, key.clone())? {
            self.tell(&protocol::said(&key));
        }
        Ok(())
    }

    fn leave(&mut self) {
        if let Some((room, member)) = self.place.take() {
            self.server.hub.leave(&room, &member);
        }
    }

    fn tell(&self, news: &str) {
        self.outbox.offer(&Prepared::text(news));
    }

    fn close(&mut self, code: CloseCode, reason: &'static str) {
        self.is_closing = true;
        self.outbox.close(code, reason);
    }
}
