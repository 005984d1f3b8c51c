//! A program of sends, written by us and read by tungstenite, and the other way round: all that was sent comes, in
//! order. Only what we let be sent is sent: tungstenite writes a Close of any code, and fragments in any order.
//!
//! One difference: it reports 1014, which it does not know, as 1002.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{CloseFrame as TheirClose, Message as Theirs};
use websocket_proto::{CloseCode, CloseFrame, Config, Delivery, Message, Role, SendError, State, Utf8Bytes};
use websocket_proto_fuzz::payload::{Payload, message, octets};
use websocket_proto_fuzz::{Door, Endpoint, cut, peer, receive};

#[derive(Arbitrary, Debug)]
struct Program {
    is_server: bool,
    in_chunks: bool,
    /// For what arrives.
    sizes: [u8; 3],
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Send(Payload),
    Begin(Payload),
    Continue(Payload),
    Finish(Payload),
    Ping(u8),
    Pong(u8),
    Close(u16, u8),
    CloseWithoutCode,
}

fuzz_target!(|program: Program| {
    let [writer, reader] = if program.is_server { [Role::Server, Role::Client] } else { [Role::Client, Role::Server] };
    let mut config = Config::default();
    let mut ours = Endpoint::new(writer, &config, Door::Borrowed);
    let mut theirs = peer::new(writer, &config.limits, &[]);
    let (mut sent, mut begun) = (Vec::new(), Vec::new());
    for step in &program.steps {
        if write(step, &mut ours, &mut begun, &mut sent).is_ok() {
            theirs.write(their(step)).expect("memory takes all");
        }
    }
    let _ = theirs.flush(); // a server says of this that the connection is closed

    let mut reading = peer::new(reader, &config.limits, &pieces(&ours.output, &program.sizes));
    let (messages, failure) = peer::read(&mut reading);
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(messages, sent.iter().cloned().map(peer::as_reported).collect::<Vec<_>>());

    if program.in_chunks {
        config.delivery = Delivery::Chunks;
    }
    let written = &theirs.get_ref().output;
    let seen = receive(reader, &config, Door::Owned, pieces(written, &program.sizes)).assembled();
    assert_eq!((seen.error, seen.events), (None, sent));
});

/// The beginning cut to these sizes, and the rest to larger ones, which take less time.
fn pieces<'d>(octets: &'d [u8], sizes: &[u8]) -> Vec<&'d [u8]> {
    let (front, back) = octets.split_at(octets.len().min(500));
    let mut pieces = cut(front, sizes);
    pieces.extend(back.chunks(4093));
    pieces
}

/// Sends it, and notes what is to come of it.
fn write(step: &Step, endpoint: &mut Endpoint, begun: &mut Vec<u8>, sent: &mut Vec<Message>) -> Result<(), SendError> {
    let Endpoint { ws, output, .. } = endpoint;
    match step {
        Step::Send(payload) => {
            let octets = payload.octets();
            match str::from_utf8(&octets) {
                Ok(text) if payload.is_text => ws.send_text(text, output)?,
                _ => ws.send_binary(&octets, output)?,
            }
            sent.push(message(payload.is_text, octets));
        }
        Step::Begin(payload) | Step::Continue(payload) | Step::Finish(payload) => {
            let octets = payload.octets();
            match (step, str::from_utf8(&octets)) {
                (Step::Begin(_), Ok(text)) if payload.is_text => ws.begin_text(text, output)?,
                (Step::Begin(_), _) => ws.begin_binary(&octets, output)?,
                (Step::Continue(_), Ok(text)) if payload.is_text => ws.continue_text(text, output)?,
                (Step::Continue(_), _) => ws.continue_binary(&octets, output)?,
                (_, Ok(text)) if payload.is_text => ws.finish_text(text, output)?,
                _ => ws.finish_binary(&octets, output)?,
            }
            begun.extend(octets);
            if let Step::Finish(_) = step {
                sent.push(message(payload.is_text, std::mem::take(begun)));
            }
        }
        Step::Ping(len) => {
            let payload = octets((*len).into());
            ws.send_ping(&payload, output)?;
            sent.push(Message::Ping(payload.into()));
        }
        Step::Pong(len) => {
            // tungstenite sends none behind its Close
            if ws.state() != State::Open {
                return Err(SendError::Closed);
            }
            let payload = octets((*len).into());
            ws.send_pong(&payload, output)?;
            sent.push(Message::Pong(payload.into()));
        }
        Step::Close(code, len) => {
            let frame = CloseFrame { code: CloseCode(*code), reason: Utf8Bytes::from("r".repeat((*len).into())) };
            ws.close(frame.code, &frame.reason, output)?;
            sent.push(Message::Close(Some(frame)));
        }
        Step::CloseWithoutCode => {
            ws.close_without_code(output)?;
            sent.push(Message::Close(None));
        }
    }
    Ok(())
}

/// The same, as tungstenite is told to.
fn their(step: &Step) -> Theirs {
    let frame = |payload: &Payload, is_first: bool, is_final| {
        let kind = if payload.is_text { Data::Text } else { Data::Binary };
        let opcode = OpCode::Data(if is_first { kind } else { Data::Continue });
        Theirs::Frame(Frame::message(payload.octets(), opcode, is_final))
    };
    match step {
        Step::Send(payload) if payload.is_text => {
            Theirs::text(String::from_utf8(payload.octets()).expect("it was sent as text"))
        }
        Step::Send(payload) => Theirs::binary(payload.octets()),
        Step::Begin(payload) => frame(payload, true, false),
        Step::Continue(payload) => frame(payload, false, false),
        Step::Finish(payload) => frame(payload, false, true),
        Step::Ping(len) => Theirs::Ping(octets((*len).into()).into()),
        Step::Pong(len) => Theirs::Pong(octets((*len).into()).into()),
        Step::Close(code, len) => {
            Theirs::Close(Some(TheirClose { code: (*code).into(), reason: "r".repeat((*len).into()).into() }))
        }
        Step::CloseWithoutCode => Theirs::Close(None),
    }
}
