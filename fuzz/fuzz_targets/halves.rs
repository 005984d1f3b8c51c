//! A program on two connections joined by memory, of which one is split: what the half that receives owes is handed
//! over at once or late, or given back and replaced. Nothing that was sent is lost, nothing comes twice, the order is
//! kept; of what is owed, the latest is; and both ends agree on how it ended.
#![no_main]

use std::collections::VecDeque;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{
    CloseCode, CloseFrame, Config, Keepalive, Message, Owed, ProtocolError, ReadBuffer, Receiver, Role, SendError,
    Sender, State,
};
use websocket_proto_fuzz::clock::{Clock, Times, Turn};
use websocket_proto_fuzz::payload::{Payload, message, octets};
use websocket_proto_fuzz::{Door, Endpoint, deflate, fill, frames};

#[derive(Arbitrary, Debug)]
struct Program {
    is_server: bool,
    deflate: Option<u8>,
    times: Times,
    /// What is owed is handed over at once, if nothing waits to be settled.
    hands_over: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Send(Payload),
    Ping(u8),
    Pong(u8),
    Close(u16),
    PeerSends(Payload),
    PeerPings(u8),
    PeerCloses(u16),
    /// So many octets arrive at the half that receives, and at the peer.
    Arrive(u16),
    PeerArrives(u16),
    HandOver,
    /// What is owed is taken, octets arrive, it is given back.
    GiveBack(u16),
    Settle,
    Turn(Turn),
    /// The stream ends that leads to the half that receives.
    End,
}

fuzz_target!(|program: Program| {
    let mut halves = Halves::new(&program);
    for step in &program.steps {
        halves.step(step);
    }
    halves.finish();
});

/// What is owed, as it ought to be.
#[derive(Debug)]
enum Debt {
    Pong(Vec<u8>),
    Close(CloseCode),
    Eof,
}

struct Halves {
    receiver: Receiver,
    sender: Sender,
    input: ReadBuffer,
    output: Vec<u8>,
    events: Vec<Message>,
    /// What the peer sent.
    expected: Vec<Message>,
    owed: Option<Debt>,
    /// What was handed over, and is not yet settled.
    channel: VecDeque<(Owed, Debt)>,
    hands_over: bool,
    has_ended: bool,
    is_dropped: bool,
    keepalive: Keepalive,
    clock: Clock,
    peer: Endpoint,
    /// What the half that sends has sent.
    peer_expected: Vec<Message>,
    /// The streams to the half that receives, and to the peer.
    stream: Vec<u8>,
    peer_stream: Vec<u8>,
}

impl Halves {
    fn new(program: &Program) -> Self {
        let mut config = Config::default();
        config.deflate = program.deflate.map(deflate);
        let [role, other] = if program.is_server { [Role::Server, Role::Client] } else { [Role::Client, Role::Server] };
        let Endpoint { ws, input, output, .. } = Endpoint::new(role, &config, Door::Borrowed);
        let (receiver, sender) = ws.split();
        Self {
            receiver,
            sender,
            input,
            output,
            events: Vec::new(),
            expected: Vec::new(),
            owed: None,
            channel: VecDeque::new(),
            hands_over: program.hands_over,
            has_ended: false,
            is_dropped: false,
            keepalive: program.times.keepalive(),
            clock: Clock::default(),
            peer: Endpoint::new(other, &config, Door::Owned),
            peer_expected: Vec::new(),
            stream: Vec::new(),
            peer_stream: Vec::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        let Self { sender, output, peer, .. } = self;
        match step {
            Step::Send(payload) => {
                let octets = payload.octets();
                let sent = match str::from_utf8(&octets) {
                    Ok(text) if payload.is_text => sender.send_text(text, output),
                    _ => sender.send_binary(&octets, output),
                };
                self.sent(sent, message(payload.is_text, octets));
            }
            Step::Ping(len) => {
                let payload = octets((*len).into());
                let sent = sender.send_ping(&payload, output);
                self.sent(sent, Message::Ping(payload.into()));
            }
            Step::Pong(len) => {
                let payload = octets((*len).into());
                let sent = sender.send_pong(&payload, output);
                self.sent(sent, Message::Pong(payload.into()));
            }
            Step::Close(code) => {
                let sent = sender.close(CloseCode(*code), "", output);
                self.sent(sent, Message::Close(Some(CloseFrame { code: CloseCode(*code), reason: "".into() })));
            }
            Step::PeerSends(payload) => {
                let octets = payload.octets();
                let sent = match str::from_utf8(&octets) {
                    Ok(text) if payload.is_text => peer.ws.send_text(text, &mut peer.output),
                    _ => peer.ws.send_binary(&octets, &mut peer.output),
                };
                self.peer_sent(sent, message(payload.is_text, octets));
            }
            Step::PeerPings(len) => {
                let payload = octets((*len).into());
                let sent = peer.ws.send_ping(&payload, &mut peer.output);
                self.peer_sent(sent, Message::Ping(payload.into()));
            }
            Step::PeerCloses(code) => {
                let sent = peer.ws.close(CloseCode(*code), "", &mut peer.output);
                self.peer_sent(sent, Message::Close(Some(CloseFrame { code: CloseCode(*code), reason: "".into() })));
            }
            Step::Arrive(len) => self.arrive((*len).into()),
            Step::PeerArrives(len) => self.peer_arrives((*len).into()),
            Step::HandOver => self.hand_over(),
            Step::GiveBack(len) => {
                let (owed, debt) = (self.receiver.take_owed(), self.owed.take());
                self.arrive((*len).into());
                if let (Some(owed), Some(debt)) = (owed, debt) {
                    self.receiver.give_back(owed);
                    self.owed.get_or_insert(debt);
                }
            }
            Step::Settle => self.settle(),
            Step::Turn(turn) => self.turn(turn),
            Step::End => self.end(),
        }
        assert_eq!(self.receiver.owes(), self.owed.is_some());
        assert_eq!(self.sender.close_outcome().is_some(), self.sender.state() == State::Closed);
    }

    /// The half that sends was told to send this.
    fn sent(&mut self, sent: Result<(), SendError>, message: Message) {
        if sent.is_ok() {
            self.peer_expects(message);
        }
        self.write();
    }

    fn peer_expects(&mut self, message: Message) {
        if !matches!(self.peer_expected.last(), Some(Message::Close(_))) {
            self.peer_expected.push(message);
        }
    }

    fn peer_sent(&mut self, sent: Result<(), SendError>, message: Message) {
        if sent.is_ok() {
            self.expects(message);
        }
        self.peer_writes();
    }

    fn expects(&mut self, message: Message) {
        if !matches!(self.expected.last(), Some(Message::Close(_))) {
            self.expected.push(message);
        }
    }

    fn write(&mut self) {
        self.keepalive.wrote(self.clock.now, self.output.len(), 0);
        self.peer_stream.append(&mut self.output);
    }

    fn peer_writes(&mut self) {
        if !self.has_ended {
            self.stream.extend_from_slice(&self.peer.output);
        }
        self.peer.output.clear();
    }

    fn arrive(&mut self, len: usize) {
        let len = len.min(self.stream.len());
        if len == 0 {
            return;
        }
        self.keepalive.heard(self.clock.now);
        let octets: Vec<u8> = self.stream.drain(..len).collect();
        fill(&mut self.input, &octets);
        loop {
            let next = self.receiver.receive(&mut self.input).map(|event| event.map(Message::from));
            let Some(event) = next.expect("the peer keeps the rules") else { break };
            assert!(self.expected.get(self.events.len()) == Some(&event), "{event:?}");
            match &event {
                Message::Ping(payload) => self.owed = Some(Debt::Pong(payload.to_vec())),
                Message::Pong(payload) => self.keepalive.pong(self.clock.now, payload),
                Message::Close(frame) => {
                    let code = frame.as_ref().map_or(CloseCode::NO_STATUS, |frame| frame.code);
                    self.owed = Some(Debt::Close(code));
                    assert!(!self.receiver.wants_read());
                }
                _ => self.keepalive.active(self.clock.now),
            }
            self.events.push(event);
            assert_eq!(self.receiver.owes(), self.owed.is_some());
            if self.hands_over && self.channel.is_empty() {
                self.hand_over();
            }
        }
        assert_eq!(self.receiver.wants_read(), !self.is_over(), "after {:?}", self.events.last());
    }

    fn is_over(&self) -> bool {
        self.has_ended || matches!(self.events.last(), Some(Message::Close(_)))
    }

    fn hand_over(&mut self) {
        match (self.receiver.take_owed(), self.owed.take()) {
            (Some(owed), Some(debt)) => self.channel.push_back((owed, debt)),
            (owed, debt) => assert!(owed.is_none() && debt.is_none(), "{owed:?}, not {debt:?}"),
        }
    }

    fn settle(&mut self) {
        let Some((owed, debt)) = self.channel.pop_front() else { return };
        let state = self.sender.state();
        self.sender.settle(owed, &mut self.output);
        let (after, frames) = (self.sender.state(), frames(&self.output));
        let expected = match debt {
            Debt::Pong(payload) if state != State::Closed => {
                self.peer_expects(Message::Pong(payload.clone().into()));
                Some((0x8A, payload))
            }
            Debt::Close(code) if state == State::Open => {
                let body = if code == CloseCode::NO_STATUS { Vec::new() } else { code.0.to_be_bytes().to_vec() };
                let frame = CloseFrame::decode(&body).expect("right").map(CloseFrame::into_owned);
                self.peer_expects(Message::Close(frame));
                Some((0x88, body))
            }
            Debt::Pong(_) => {
                assert_eq!(after, State::Closed);
                None
            }
            Debt::Close(_) | Debt::Eof => {
                assert_eq!(after, State::Closed);
                None
            }
        };
        assert_eq!(frames, Vec::from_iter(expected));
        self.write();
    }

    fn turn(&mut self, turn: &Turn) {
        let deadline = self.keepalive.next_deadline(self.clock.latest, &self.sender);
        let now = self.clock.set(turn, deadline);
        let state = self.sender.state();
        let due = self.keepalive.handle_timeout(now, &mut self.sender, &mut self.output);
        let is_due = deadline.is_some_and(|deadline| deadline <= self.clock.latest);
        let frames = frames(&self.output);
        assert_eq!(!frames.is_empty() || due.is_err(), is_due, "{deadline:?}");
        assert!(frames.len() <= 2 && self.output.len() <= 10 + 32);
        for (first, payload) in frames {
            assert_eq!(state, State::Open);
            self.peer_expects(match first {
                0x89 => Message::Ping(payload.into()),
                _ => Message::Close(CloseFrame::decode(&payload).expect("right").map(CloseFrame::into_owned)),
            });
        }
        self.write();
        if due.is_err() {
            // the stream is dropped; what the peer still sends is for nobody
            self.is_dropped = true;
            self.end();
        } else {
            let next = self.keepalive.next_deadline(Duration::ZERO, &self.sender);
            assert!(next.is_none_or(|next| next > self.clock.latest));
        }
    }

    fn end(&mut self) {
        if self.has_ended {
            return;
        }
        let was_over = self.is_over();
        self.stream.clear();
        self.has_ended = true;
        let eof = self.receiver.receive_eof();
        assert_eq!(eof, if was_over { Ok(()) } else { Err(ProtocolError::UnexpectedEof) });
        if !was_over {
            self.owed = Some(Debt::Eof);
        }
        assert!(!self.receiver.wants_read());
    }

    fn peer_arrives(&mut self, len: usize) {
        let mut left = len.min(self.peer_stream.len());
        // soon enough for each Pong to have room
        while left > 0 {
            let some = left.min(4096);
            left -= some;
            let octets: Vec<u8> = self.peer_stream.drain(..some).collect();
            let (seen, was_open) = (self.peer.events.len(), self.peer.ws.state() == State::Open);
            self.peer.feed(&octets);
            assert_eq!(self.peer.error, None);
            for i in seen..self.peer.events.len() {
                match self.peer.events[i].clone() {
                    Message::Ping(payload) => self.expects(Message::Pong(payload)),
                    Message::Close(frame) if was_open => {
                        let frame = frame.map(|frame| CloseFrame { code: frame.code, reason: "".into() });
                        self.expects(Message::Close(frame));
                    }
                    _ => {}
                }
            }
            self.peer_writes();
        }
    }

    /// Whoever is still open closes, all arrives and is settled.
    fn finish(mut self) {
        self.step(&Step::PeerCloses(1000));
        for _ in 0..3 {
            self.peer_arrives(usize::MAX);
            self.arrive(usize::MAX);
            self.step(&Step::HandOver);
            while !self.channel.is_empty() {
                self.step(&Step::Settle);
            }
        }
        assert_eq!(self.sender.state(), State::Closed);
        assert_eq!(self.peer.events, self.peer_expected);
        let ours = self.sender.close_outcome().expect("it is closed");
        if self.has_ended {
            // it ended at once, or after the Close
            assert!(self.expected.starts_with(&self.events));
            assert!(self.is_dropped || ours.clean == matches!(self.events.last(), Some(Message::Close(_))));
            return;
        }
        assert_eq!(self.events, self.expected);
        let theirs = self.peer.ws.close_outcome().expect("it is closed");
        assert!(ours.clean && theirs.clean && ours.sent == theirs.received && theirs.sent == ours.received);
    }
}
