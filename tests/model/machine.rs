//! An endpoint behind one of its doors, with the loop around it that the documentation asks for: a clock that a test
//! moves, and a stream that takes at once what is put out.

use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use websocket_proto::{
    CloseCode, CloseFrame, Config, Connection, Delivery, Event, Keepalive, Message, MessageKind, ProtocolError,
    ReadBuffer, Receiver, Role, SendError, Sender, Timeouts,
};

use super::spec::{Call, FRAMES, Frame, Gives, Input, Seen, come, sent};
use crate::common::{connection, frame_to};

/// Which door the events come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Borrowed,
    Owned,
    /// That of the half that receives; the other settles at once what is owed.
    Split,
}

/// How frames come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Nowhere,
    BehindEachOctet,
}

/// What is explored.
#[derive(Clone, Debug)]
pub struct Setup {
    pub role: Role,
    pub door: Door,
    pub delivery: Delivery,
    pub cut: Cut,
}

enum End {
    Whole(Connection),
    Owning(Connection),
    Halves(Receiver, Sender),
}

/// An endpoint, and the loop around it.
pub struct Machine {
    setup: Setup,
    config: Config,
    /// The frames of the peer.
    frames: Vec<Vec<u8>>,
    end: End,
    keepalive: Keepalive,
    now: Duration,
    deadline: Duration,
    input: ReadBuffer,
    output: Vec<u8>,
}

/// When a connection is opened; not 0, which is like no other time.
const BEGIN: Duration = Duration::from_secs(100);

impl Machine {
    pub fn new(setup: &Setup) -> Self {
        let mut config = Config::default();
        config.delivery = setup.delivery;
        let mut machine = Self {
            setup: setup.clone(),
            end: End::Whole(connection(setup.role, &config)),
            config,
            frames: FRAMES.iter().map(|frame| frame_to(setup.role, come(*frame).0, come(*frame).1)).collect(),
            keepalive: Keepalive::new(&Timeouts::default(), BEGIN),
            now: BEGIN,
            deadline: BEGIN,
            input: ReadBuffer::default(),
            output: Vec::new(),
        };
        machine.restart();
        machine
    }

    /// Begins again with a new connection; the buffers serve it as they served the last.
    pub fn restart(&mut self) {
        let ws = connection(self.setup.role, &self.config);
        self.end = match self.setup.door {
            Door::Borrowed => End::Whole(ws),
            Door::Owned => End::Owning(ws),
            Door::Split => {
                let halves = ws.split();
                End::Halves(halves.0, halves.1)
            }
        };
        self.now = BEGIN;
        self.keepalive = Keepalive::new(&Timeouts::default(), BEGIN);
        self.keepalive.opened(BEGIN);
        self.input.clear();
        self.output.clear();
        self.ask_for_deadline();
    }

    /// Has something happen.
    pub fn step(&mut self, input: Input, seen: &mut Seen) {
        seen.payload.clear();
        self.output.clear(); // it was written
        seen.gives = match input {
            Input::Send(call) => self.send(call).map_or_else(Gives::Refused, |()| Gives::Done),
            Input::Receive(frame) => self.receive(frame, &mut seen.payload),
            Input::Eof => self.eof().map_or_else(Gives::Error, |()| Gives::Done),
            Input::Deadline => self.deadline(),
        };
        self.ask_for_deadline();
    }

    /// Looks at all there is to see.
    pub fn look(&mut self, input: Input, seen: &mut Seen) {
        seen.output.clone_from(&self.output);
        seen.held = if matches!(input, Input::Receive(_)) { self.input.len() } else { 0 };
        let outcome = match &self.end {
            End::Whole(ws) | End::Owning(ws) => {
                (seen.state, seen.wants_read) = (ws.state(), ws.wants_read());
                ws.close_outcome()
            }
            End::Halves(receiver, sender) => {
                (seen.state, seen.wants_read) = (sender.state(), receiver.wants_read());
                sender.close_outcome()
            }
        };
        seen.outcome = outcome.map(|end| (end.clean, end.began, end.sent.0, end.received.0, end.error));
        seen.deadline = self.deadline.saturating_sub(self.now).as_secs();
        seen.timed_out = self.keepalive.timed_out();
    }

    /// What there is to know of the time, to be brought back.
    pub fn time(&self) -> (Keepalive, Duration, Duration) {
        (self.keepalive.clone(), self.now, self.deadline)
    }

    pub fn set_time(&mut self, time: &(Keepalive, Duration, Duration)) {
        self.keepalive.clone_from(&time.0);
        (self.now, self.deadline) = (time.1, time.2);
    }

    /// All that the connection shows of what it holds, and how much the read buffer does. What there is of deadlines is
    /// in the tables.
    pub fn show(&self, to: &mut impl fmt::Write) -> fmt::Result {
        match &self.end {
            End::Whole(ws) | End::Owning(ws) => write!(to, "{ws:?}")?,
            End::Halves(receiver, sender) => write!(to, "{receiver:?} {sender:?}")?,
        }
        write!(to, " {:?} {}", self.keepalive.timed_out(), self.input.len())
    }

    fn send(&mut self, call: Call) -> Result<(), SendError> {
        match &mut self.end {
            End::Whole(ws) | End::Owning(ws) => ws.send(call, &mut self.output),
            End::Halves(_, sender) => sender.send(call, &mut self.output),
        }
    }

    fn receive(&mut self, frame: Frame, payload: &mut Vec<u8>) -> Gives {
        let Self { end, input, output, .. } = self;
        let octets = &self.frames[frame as usize];
        let size = if self.setup.cut == Cut::Nowhere { octets.len() } else { 1 };
        let mut event = Gives::Nothing;
        self.keepalive.heard(self.now);
        for octets in octets.chunks(size) {
            input.extend_from_slice(octets);
            loop {
                let gives = match end {
                    End::Whole(ws) => ws.receive(input, output).map(|event| borrowed(event, payload)),
                    End::Owning(ws) => ws.receive_message(input, output).map(|message| owned(message, payload)),
                    End::Halves(receiver, sender) => {
                        let gives = receiver.receive(input).map(|event| borrowed(event, payload));
                        if let Some(owed) = receiver.take_owed() {
                            sender.settle(owed, output);
                        }
                        gives
                    }
                };
                let gives = gives.unwrap_or_else(Gives::Error);
                match (event, gives) {
                    (_, Gives::Nothing) => break,
                    (Gives::Nothing, gives) => event = gives,
                    _ => return Gives::TooMuch,
                }
            }
        }
        event
    }

    fn eof(&mut self) -> Result<(), ProtocolError> {
        match &mut self.end {
            End::Whole(ws) | End::Owning(ws) => ws.receive_eof(),
            End::Halves(receiver, sender) => {
                let eof = receiver.receive_eof();
                if let Some(owed) = receiver.take_owed() {
                    sender.settle(owed, &mut self.output);
                }
                eof
            }
        }
    }

    fn deadline(&mut self) -> Gives {
        self.now = self.now.max(self.deadline);
        let handled = match &mut self.end {
            End::Whole(ws) | End::Owning(ws) => self.keepalive.handle_timeout(self.now, ws, &mut self.output),
            End::Halves(_, sender) => self.keepalive.handle_timeout(self.now, sender, &mut self.output),
        };
        handled.map_or_else(Gives::TimedOut, |()| Gives::Done)
    }

    fn ask_for_deadline(&mut self) {
        let deadline = match &self.end {
            End::Whole(ws) | End::Owning(ws) => self.keepalive.next_deadline(self.now, ws),
            End::Halves(_, sender) => self.keepalive.next_deadline(self.now, sender),
        };
        self.deadline = deadline.expect("there is one at any time");
    }
}

/// The calls that a whole connection and its half have alike.
trait Sends {
    fn send(&mut self, call: Call, output: &mut Vec<u8>) -> Result<(), SendError>;
}

macro_rules! sends {
    ($type:ty) => {
        impl Sends for $type {
            fn send(&mut self, call: Call, out: &mut Vec<u8>) -> Result<(), SendError> {
                let data = sent(call).1;
                match call {
                    Call::Text => self.send_text(text(data), out),
                    Call::Binary => self.send_binary(data, out),
                    Call::Header => {
                        let mut mask = self.send_header(MessageKind::Binary, data.len() as u64, out)?;
                        let payload = out.len();
                        out.extend_from_slice(data);
                        mask.apply(&mut out[payload..]);
                        Ok(())
                    }
                    Call::BeginText => self.begin_text(text(data), out),
                    Call::BeginBinary => self.begin_binary(data, out),
                    Call::ContinueText => self.continue_text(text(data), out),
                    Call::ContinueBinary => self.continue_binary(data, out),
                    Call::FinishText => self.finish_text(text(data), out),
                    Call::FinishBinary => self.finish_binary(data, out),
                    Call::Ping => self.send_ping(data, out),
                    Call::Pong => self.send_pong(data, out),
                    Call::Close => self.close(CloseCode(1000), text(&data[2..]), out),
                    Call::CloseWithoutCode => self.close_without_code(out),
                }
            }
        }
    };
}

sends!(Connection);
sends!(Sender);

fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).expect("it is text")
}

fn borrowed(event: Option<Event<'_>>, payload: &mut Vec<u8>) -> Gives {
    let Some(event) = event else { return Gives::Nothing };
    let (gives, octets) = match event {
        Event::Text(text) => (Gives::Text, text.as_bytes()),
        Event::Binary(data) => (Gives::Binary, data),
        Event::TextChunk { text, first, last } => (Gives::TextChunk { first, last }, text.as_bytes()),
        Event::BinaryChunk { data, first, last } => (Gives::BinaryChunk { first, last }, data),
        Event::Ping(data) => (Gives::Ping, data),
        Event::Pong(data) => (Gives::Pong, data),
        Event::Close(None) => (Gives::Close(None), &[][..]),
        Event::Close(Some(CloseFrame { code, reason })) => (Gives::Close(Some(code)), reason.as_bytes()),
        other => panic!("not in the tables: {other:?}"),
    };
    payload.extend_from_slice(octets);
    gives
}

fn owned(message: Option<Message>, payload: &mut Vec<u8>) -> Gives {
    let Some(message) = message else { return Gives::Nothing };
    let (gives, octets) = match message {
        Message::Text(text) => (Gives::Text, Bytes::from(text)),
        Message::Binary(data) => (Gives::Binary, data),
        Message::TextChunk { text, first, last } => (Gives::TextChunk { first, last }, Bytes::from(text)),
        Message::BinaryChunk { data, first, last } => (Gives::BinaryChunk { first, last }, data),
        Message::Ping(data) => (Gives::Ping, data),
        Message::Pong(data) => (Gives::Pong, data),
        Message::Close(None) => (Gives::Close(None), Bytes::new()),
        Message::Close(Some(CloseFrame { code, reason })) => (Gives::Close(Some(code)), Bytes::from(reason)),
        other => panic!("not in the tables: {other:?}"),
    };
    payload.extend_from_slice(&octets);
    gives
}
