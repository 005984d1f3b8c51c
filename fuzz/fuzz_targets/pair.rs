//! A program of what two applications, their clocks and their stream may do, on two connections joined by memory:
//! nothing is lost, nothing comes twice, the order is kept, and both end closed. Each step leads on in the closing
//! handshake, or not at all; it appends no more than was asked for, or than what came asks for; and a deadline appends
//! a Ping or a Close at most, and is not due again at once.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::deflate::Compression;
use websocket_proto::{
    CloseCode, CloseFrame, CloseOutcome, Connection, Delivery, Keepalive, Message, MessageKind, PongPolicy, Prepared,
    ProtocolError, Role, SendError, State, Utf8Bytes,
};
use websocket_proto_fuzz::clock::{Clock, Times, Turn};
use websocket_proto_fuzz::payload::{Payload, chunk, message, octets};
use websocket_proto_fuzz::{Door, Endpoint, Seen, config, deflate, frames};

#[derive(Arbitrary, Debug)]
struct Program {
    /// Of the client, then of the server.
    choices: [u8; 2],
    is_owned: [bool; 2],
    /// Of permessage-deflate, where it was agreed.
    deflate: Option<u8>,
    times: [Times; 2],
    steps: Vec<(End, Step)>,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
enum End {
    Client,
    Server,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Send(Payload),
    /// Compressed if it has the length, always, never.
    SendAs(u8, Payload),
    /// Framed and compressed before, by other choices.
    SendPrepared(Payload, u8),
    ResetCompression,
    /// Header and payload apart, as for a vectored write.
    SendHeader(Payload),
    Begin(Payload),
    Continue(Payload),
    Finish(Payload),
    Ping(u8),
    Pong(u8),
    Close(u16, u8),
    CloseWithoutCode,
    /// So many octets arrive at this end.
    Arrive(u16),
    /// Memory is given back.
    Shrink(u16),
    /// The stream to this end breaks.
    Break,
    /// The clock, which both have, is set; then this end looks whether a deadline has come.
    Turn(Turn),
    /// The stream takes nothing more of what this end writes; then it does again.
    Stall,
}

fuzz_target!(|program: Program| {
    let mut pair = Pair::new(&program);
    for (end, step) in &program.steps {
        pair.step(*end, step);
    }
    pair.finish();
});

/// One end, and the stream that leads to it.
struct Half {
    endpoint: Endpoint,
    delivery: Delivery,
    answers: bool,
    stream: Vec<u8>,
    is_broken: bool,
    keepalive: Keepalive,
    /// The stream takes nothing of what this end writes.
    is_stalled: bool,
    /// What the other end sent, in order; its Close is the last.
    expected: Vec<Message>,
    /// The message that the other end has begun: whether it is text, and what was sent of it.
    begun: Option<(bool, Vec<u8>)>,
}

struct Pair {
    ends: [Half; 2],
    clock: Clock,
}

impl Pair {
    fn new(program: &Program) -> Self {
        let half = |end: usize, role| {
            let mut config = config(program.choices[end] & 3);
            config.limits.message = 1 << 20;
            config.deflate = program.deflate.map(deflate);
            let door = if program.is_owned[end] { Door::Owned } else { Door::Borrowed };
            Half {
                endpoint: Endpoint::new(role, &config, door),
                delivery: config.delivery,
                answers: config.pong == PongPolicy::Automatic,
                stream: Vec::new(),
                is_broken: false,
                keepalive: program.times[end].keepalive(),
                is_stalled: false,
                expected: Vec::new(),
                begun: None,
            }
        };
        Self { ends: [half(0, Role::Client), half(1, Role::Server)], clock: Clock::default() }
    }

    fn halves(&mut self, end: End) -> (&mut Half, &mut Half) {
        let [client, server] = &mut self.ends;
        if end == End::Client { (client, server) } else { (server, client) }
    }

    fn step(&mut self, end: End, step: &Step) {
        let now = self.clock.now;
        let (half, peer) = self.halves(end);
        let Endpoint { ws, output, .. } = &mut half.endpoint;
        let (state, len) = (ws.state(), output.len());
        let sent = match step {
            Step::Send(payload) => send(ws, output, payload, peer),
            Step::SendAs(choice, payload) => send_as(ws, output, *choice, payload, peer),
            Step::SendPrepared(payload, choices) => send_prepared(ws, output, payload, *choices, peer),
            Step::ResetCompression => ws.reset_compression(),
            Step::SendHeader(payload) => send_header(ws, output, payload, peer),
            Step::Begin(payload) => begin(ws, output, payload, peer),
            Step::Continue(payload) => go_on(ws, output, payload, false, peer),
            Step::Finish(payload) => go_on(ws, output, payload, true, peer),
            Step::Ping(len) => {
                let payload = octets(usize::from(*len));
                ws.send_ping(&payload, output).map(|()| peer.expect(Message::Ping(payload.into())))
            }
            Step::Pong(len) => {
                let payload = octets(usize::from(*len));
                ws.send_pong(&payload, output).map(|()| peer.expect(Message::Pong(payload.into())))
            }
            Step::Close(code, len) => {
                let frame =
                    CloseFrame { code: CloseCode(*code), reason: Utf8Bytes::from("r".repeat(usize::from(*len))) };
                ws.close(frame.code, frame.reason.as_str(), output).map(|()| peer.expect(Message::Close(Some(frame))))
            }
            Step::CloseWithoutCode => ws.close_without_code(output).map(|()| peer.expect(Message::Close(None))),
            Step::Arrive(len) => return self.arrive(end, usize::from(*len)),
            Step::Shrink(capacity) => return half.endpoint.input.shrink(usize::from(*capacity)),
            Step::Break => return half.break_off(),
            Step::Turn(turn) => return self.turn(end, turn),
            Step::Stall => {
                half.is_stalled = !half.is_stalled;
                return half.write(now, peer);
            }
        };
        let Endpoint { ws, output, .. } = &mut half.endpoint;
        if sent.is_err() {
            assert_eq!((ws.state(), output.len()), (state, len), "nothing was done");
        }
        let closes = matches!(step, Step::Close(..) | Step::CloseWithoutCode) && sent.is_ok();
        assert_eq!(ws.state(), if closes { State::Closing } else { state });
        let may_follow_a_close = matches!(step, Step::Pong(_) | Step::ResetCompression);
        assert!(state == State::Open || sent.is_err() || may_follow_a_close);
        let asked = match step {
            // zlib has 5 octets for each block that it stores, and for the empty one behind them
            Step::Send(payload)
            | Step::SendAs(_, payload)
            | Step::SendPrepared(payload, _)
            | Step::SendHeader(payload)
            | Step::Begin(payload)
            | Step::Continue(payload)
            | Step::Finish(payload) => payload.octets().len() * 17 / 16 + 14 + 16,
            Step::Ping(len) | Step::Pong(len) => 6 + usize::from(*len),
            Step::Close(_, len) => 8 + usize::from(*len),
            _ => 6,
        };
        assert!(output.len() - len <= asked, "{step:?} appended {}", output.len() - len);
        if sent.is_ok() && !matches!(step, Step::Ping(_) | Step::Pong(_) | Step::ResetCompression) {
            half.keepalive.active(now);
        }
        half.write(now, peer);
    }

    /// The clock goes on, or back, and this end looks whether a deadline has come.
    fn turn(&mut self, end: End, turn: &Turn) {
        let latest = self.clock.latest;
        let (half, _) = self.halves(end);
        let deadline = half.keepalive.next_deadline(latest, &half.endpoint.ws);
        let now = self.clock.set(turn, deadline);
        let latest = self.clock.latest;
        let (half, peer) = self.halves(end);
        let Endpoint { ws, output, .. } = &mut half.endpoint;
        let (state, len) = (ws.state(), output.len());
        let due = half.keepalive.handle_timeout(now, ws, output);
        if deadline.is_none_or(|deadline| deadline > latest) {
            assert_eq!((due, ws.state(), output.len()), (Ok(()), state, len), "nothing was due");
            return;
        }
        let appended = frames(&output[len..]);
        assert!(!appended.is_empty() || due.is_err(), "something was due");
        assert!(appended.len() <= 2 && output.len() - len <= 10 + 32);
        for (first, payload) in appended {
            let is_ping = first == 0x89;
            assert_eq!(state, State::Open, "no frame follows a Close");
            peer.expect(if is_ping {
                Message::Ping(payload.into())
            } else {
                Message::Close(CloseFrame::decode(&payload).expect("right").map(CloseFrame::into_owned))
            });
            assert!(is_ping || first == 0x88 && ws.state() == State::Closing);
        }
        match due {
            Ok(()) => {
                let next = half.keepalive.next_deadline(now, ws);
                assert!(next.is_none_or(|next| next > latest), "{next:?}, and it is {latest:?}");
                half.write(now, peer);
            }
            // the stream is dropped
            Err(reason) => {
                assert!(half.keepalive.timed_out().is_some(), "{reason:?}");
                half.break_off();
                peer.break_off();
            }
        }
    }

    /// Octets arrive, and what they make the connection write goes out: soon enough for each Pong to have room.
    fn arrive(&mut self, end: End, len: usize) {
        let mut left = len.min(self.halves(end).0.stream.len());
        while left > 0 {
            // who does not get rid of its output does not read
            if self.halves(end).0.endpoint.output.len() > 4000 {
                return;
            }
            let some = left.min(4096);
            self.arrive_at_once(end, some);
            left -= some;
        }
    }

    fn arrive_at_once(&mut self, end: End, len: usize) {
        let now = self.clock.now;
        let (half, peer) = self.halves(end);
        let octets: Vec<u8> = half.stream.drain(..len).collect();
        let Endpoint { ws, output, .. } = &half.endpoint;
        let (seen, state, output_len) = (half.endpoint.events.len(), ws.state(), output.len());
        let was_open = state == State::Open;
        half.keepalive.heard(now);
        half.endpoint.feed(&octets);
        assert_eq!(half.endpoint.error, None);
        let Endpoint { ws, output, events, .. } = &half.endpoint;
        // an answer may be three times as long as what it answers; a Ping may have come for the most part before
        assert!(output.len() - output_len <= 3 * len + 131 + 8);
        let has_closed = matches!(events[seen..].last(), Some(Message::Close(_)));
        assert_eq!(ws.state(), if has_closed { State::Closed } else { state });
        for event in &half.endpoint.events[seen..] {
            match event {
                Message::Pong(payload) => half.keepalive.pong(now, payload),
                Message::Text(_) | Message::Binary(_) => half.keepalive.active(now),
                Message::TextChunk { last, .. } | Message::BinaryChunk { last, .. } if *last => {
                    half.keepalive.active(now);
                }
                _ => {}
            }
            match event {
                Message::Ping(payload) if half.answers => peer.expect(Message::Pong(payload.clone())),
                // the answer has the code, and no reason
                Message::Close(frame) if was_open => {
                    let frame = frame.as_ref().map(|frame| CloseFrame { code: frame.code, reason: "".into() });
                    peer.expect(Message::Close(frame));
                }
                _ => {}
            }
        }
        half.write(now, peer);
    }

    /// Whoever is still open closes, all arrives, the streams end.
    fn finish(mut self) {
        for end in [End::Client, End::Server] {
            if self.halves(end).0.is_stalled {
                self.step(end, &Step::Stall);
            }
        }
        self.step(End::Client, &Step::CloseWithoutCode);
        for end in [End::Server, End::Client, End::Server] {
            self.arrive(end, usize::MAX);
        }
        let is_whole = self.ends.iter().all(|half| !half.is_broken);
        let outcomes = self.ends.map(|half| half.finish(is_whole));
        if is_whole {
            let [client, server] = outcomes.map(|outcome| outcome.expect("it has ended"));
            assert!(client.clean && server.clean && client.sent == server.received && server.sent == client.received);
        }
    }
}

impl Half {
    /// Writes the output to the stream that leads to the other end, if it takes it.
    fn write(&mut self, now: Duration, peer: &mut Self) {
        let len = self.endpoint.output.len();
        if self.is_stalled {
            self.keepalive.wrote(now, 0, len);
            if len > 0 {
                self.keepalive.blocked(now);
            }
        } else {
            peer.carry(&mut self.endpoint.output);
            self.keepalive.wrote(now, len, 0);
        }
    }

    /// Nothing arrives here any more.
    fn break_off(&mut self) {
        self.stream.clear();
        self.is_broken = true;
    }

    /// Takes the octets that the other end wrote, unless nothing arrives here any more.
    fn carry(&mut self, output: &mut Vec<u8>) {
        if !self.is_broken {
            self.stream.extend_from_slice(output);
        }
        output.clear();
    }

    /// The other end sent this.
    fn expect(&mut self, message: Message) {
        if !matches!(self.expected.last(), Some(Message::Close(_))) {
            self.expected.push(message);
        }
    }

    /// The other end sent a fragment.
    fn expect_fragment(&mut self, is_text: bool, octets: Vec<u8>, last: bool) {
        let (_, whole) = self.begun.get_or_insert((is_text, Vec::new()));
        let first = whole.is_empty();
        whole.extend_from_slice(&octets);
        match self.delivery {
            Delivery::Chunks if last || !octets.is_empty() => self.expect(chunk(is_text, octets, first, last)),
            Delivery::Whole if last => {
                let whole = std::mem::take(whole);
                self.expect(message(is_text, whole));
            }
            _ => {}
        }
        self.begun.take_if(|_| last);
    }

    /// The end of the stream, after a closing handshake if both streams are whole.
    fn finish(self, is_whole: bool) -> Option<CloseOutcome> {
        let owed = self.endpoint.ws.state() != State::Closed;
        assert!(!is_whole || !owed && self.endpoint.input.is_empty());
        let seen = self.endpoint.finish();
        assert_eq!(seen.eof, if owed { Err(ProtocolError::UnexpectedEof) } else { Ok(()) });
        let (outcome, expected) = (seen.outcome, Seen { events: self.expected, ..empty() });
        if self.is_broken {
            let (seen, expected) = (seen.assembled().events, expected.assembled().events);
            assert!(expected.starts_with(&seen), "{seen:?} of {expected:?}");
        } else {
            assert_eq!(seen.merged().events, expected.merged().events);
        }
        outcome
    }
}

fn empty() -> Seen {
    Seen { events: Vec::new(), output: Vec::new(), error: None, eof: Ok(()), outcome: None }
}

fn send(ws: &mut Connection, output: &mut Vec<u8>, payload: &Payload, peer: &mut Half) -> Result<(), SendError> {
    let octets = payload.octets();
    match str::from_utf8(&octets) {
        Ok(text) if payload.is_text => ws.send_text(text, output)?,
        _ => ws.send_binary(&octets, output)?,
    }
    peer.expect_fragment(payload.is_text, octets, true);
    Ok(())
}

fn send_as(
    ws: &mut Connection,
    output: &mut Vec<u8>,
    choice: u8,
    payload: &Payload,
    peer: &mut Half,
) -> Result<(), SendError> {
    let octets = payload.octets();
    let choice = [Compression::Auto, Compression::Always, Compression::Never][usize::from(choice % 3)];
    match str::from_utf8(&octets) {
        Ok(text) if payload.is_text => ws.compressing(choice).send_text(text, output)?,
        _ => ws.compressing(choice).send_binary(&octets, output)?,
    }
    peer.expect_fragment(payload.is_text, octets, true);
    Ok(())
}

fn send_prepared(
    ws: &mut Connection,
    output: &mut Vec<u8>,
    payload: &Payload,
    choices: u8,
    peer: &mut Half,
) -> Result<(), SendError> {
    let octets = payload.octets();
    let prepared = match str::from_utf8(&octets) {
        Ok(text) if payload.is_text => Prepared::text(text),
        _ => Prepared::binary(&octets),
    };
    ws.send_prepared(&prepared.compress(&deflate(choices)), output)?;
    peer.expect_fragment(payload.is_text, octets, true);
    Ok(())
}

fn send_header(ws: &mut Connection, output: &mut Vec<u8>, payload: &Payload, peer: &mut Half) -> Result<(), SendError> {
    let octets = payload.octets();
    let kind = if payload.is_text { MessageKind::Text } else { MessageKind::Binary };
    let mut masked = octets.clone();
    let mut mask = ws.send_header(kind, octets.len() as u64, output)?;
    let (front, back) = masked.split_at_mut(octets.len() / 3);
    mask.apply(front);
    mask.apply(back);
    output.extend_from_slice(&masked);
    peer.expect_fragment(payload.is_text, octets, true);
    Ok(())
}

fn begin(ws: &mut Connection, output: &mut Vec<u8>, payload: &Payload, peer: &mut Half) -> Result<(), SendError> {
    let octets = payload.octets();
    match str::from_utf8(&octets) {
        Ok(text) if payload.is_text => ws.begin_text(text, output)?,
        _ => ws.begin_binary(&octets, output)?,
    }
    assert!(peer.begun.is_none());
    peer.expect_fragment(payload.is_text, octets, false);
    Ok(())
}

fn go_on(
    ws: &mut Connection,
    output: &mut Vec<u8>,
    payload: &Payload,
    last: bool,
    peer: &mut Half,
) -> Result<(), SendError> {
    let octets = payload.octets();
    match (str::from_utf8(&octets), last) {
        (Ok(text), false) if payload.is_text => ws.continue_text(text, output)?,
        (Ok(text), true) if payload.is_text => ws.finish_text(text, output)?,
        (_, false) => ws.continue_binary(&octets, output)?,
        (_, true) => ws.finish_binary(&octets, output)?,
    }
    assert_eq!(peer.begun.as_ref().map(|(is_text, _)| *is_text), Some(payload.is_text));
    peer.expect_fragment(payload.is_text, octets, last);
    Ok(())
}
