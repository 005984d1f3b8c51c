//! Clients that keep the rules, and hold the server to them.

use std::collections::VecDeque;
use std::io::Write;
use std::thread;
use std::time::Duration;

use websocket_proto::deflate::DeflateConfig;
use websocket_proto::{CloseCode, Config, Delivery, Event, MessageKind};

use crate::Plan;
use crate::client::{Client, Failure};
use crate::random::Random;
use crate::server::MAX_MESSAGE;
use crate::tally::add;

/// One connection after another, until the time is over; each fourth client keeps its connection for long.
pub(crate) fn run(plan: &Plan, number: u64, mut random: Random) {
    while !plan.is_over() {
        let rounds = if number.is_multiple_of(4) { usize::MAX } else { random.below(20) };
        if let Err(failure) = session(plan, rounds, &mut random) {
            plan.tally.fault(format_args!("honest client {number}: {failure}"));
            return;
        }
    }
}

/// One connection, from its handshake to the end of its stream.
fn session(plan: &Plan, rounds: usize, random: &mut Random) -> Result<(), Failure> {
    let mut config = Config::default();
    config.deflate = random.one_in(2).then(DeflateConfig::default);
    config.delivery = if random.one_in(3) { Delivery::Chunks } else { Delivery::Whole };
    let mut client = Client::open(plan, &config)?;
    let compresses = client.ws.deflate().is_some();
    for _ in 0..rounds {
        let messages = round(&mut client, plan, random)?;
        add(&plan.tally.messages, messages);
        add(&plan.tally.compressed, if compresses { messages } else { 0 });
        if plan.is_over() {
            break;
        }
        thread::sleep(Duration::from_millis(random.next() % 20));
    }
    let code = if random.one_in(2) { CloseCode::NORMAL } else { CloseCode(4000 + u16::try_from(random.below(1000))?) };
    client.ws.close(code, "that was all", &mut client.output)?;
    client.flush()?;
    let echoed = client.code_of_close()?;
    let clean = client.ws.close_outcome().is_some_and(|outcome| outcome.clean);
    if echoed != Some(code.0) || !clean {
        return Err(format!("closed with {code}, answered with {echoed:?}, clean: {clean}").into());
    }
    client.read()?; // the end of the stream
    add(&plan.tally.closed, 1);
    Ok(())
}

/// What the server has to send back, in order.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Message(MessageKind, Vec<u8>),
    Pong(Vec<u8>),
}

/// Sends some messages at once, and waits for the echoes: how many there were.
///
/// Of what is sent at once, no more than the system's buffers take: a client that does not read while it writes, and a
/// server that does not read while it writes, would wait for each other.
fn round(client: &mut Client, plan: &Plan, random: &mut Random) -> Result<usize, Failure> {
    let (mut expected, mut octets, mut messages) = (VecDeque::new(), 0, 0);
    for _ in 0..=random.below(12) {
        let len = match random.below(100) {
            // noise in fragments is compressed all the same, to a frame that is longer by an eighteenth
            0 if octets == 0 => random.below(MAX_MESSAGE / 16 * 15),
            1..5 => random.below(20_000),
            5..20 => random.below(2000),
            _ => random.below(200),
        };
        octets += len;
        messages += 1;
        send(client, message(len, random), random, &mut expected)?;
        if octets > 40_000 {
            break;
        }
    }
    let pings = expected.iter().filter(|expected| matches!(expected, Expected::Pong(_))).count();
    write(client, random)?;
    receive(client, expected)?;
    add(&plan.tally.octets, octets);
    add(&plan.tally.pings, pings);
    Ok(messages)
}

fn message(len: usize, random: &mut Random) -> (MessageKind, Vec<u8>) {
    if random.one_in(3) {
        return (MessageKind::Binary, random.octets(len));
    }
    let words = ["hello ", "there ", "κόσμε ", "日本 ", "fine ", "\"thanks\" ", "0123456789 ", "how are you\n"];
    let mut text = String::new();
    while text.len() < len {
        text.push_str(words[random.below(words.len())]);
    }
    text.truncate(text.floor_char_boundary(len));
    (MessageKind::Text, text.into_bytes())
}

/// Appends a message, in one frame or in fragments with a Ping between them.
fn send(
    client: &mut Client,
    (kind, payload): (MessageKind, Vec<u8>),
    random: &mut Random,
    expected: &mut VecDeque<Expected>,
) -> Result<(), Failure> {
    let Client { ws, output, .. } = client;
    let text = str::from_utf8(&payload);
    match (kind, text) {
        (MessageKind::Text, Ok(text)) if random.one_in(2) => ws.send_text(text, output)?,
        (MessageKind::Text, Ok(text)) => {
            let (first, last) = text.split_at(text.floor_char_boundary(random.below(text.len() + 1)));
            ws.begin_text(first, output)?;
            ping(client, random, expected)?;
            client.ws.continue_text("", &mut client.output)?;
            client.ws.finish_text(last, &mut client.output)?;
        }
        _ if random.one_in(2) => ws.send_binary(&payload, output)?,
        _ => {
            let mut pieces = payload.chunks(1 + payload.len() / (1 + random.below(5)));
            ws.begin_binary(pieces.next().unwrap_or_default(), output)?;
            for piece in pieces {
                ping(client, random, expected)?;
                client.ws.continue_binary(piece, &mut client.output)?;
            }
            client.ws.finish_binary(b"", &mut client.output)?;
        }
    }
    expected.push_back(Expected::Message(kind, payload));
    Ok(())
}

fn ping(client: &mut Client, random: &mut Random, expected: &mut VecDeque<Expected>) -> Result<(), Failure> {
    let len = random.below(126);
    let payload = random.octets(len);
    client.ws.send_ping(&payload, &mut client.output)?;
    expected.push_back(Expected::Pong(payload));
    Ok(())
}

/// Writes the output, now and then in small pieces.
fn write(client: &mut Client, random: &mut Random) -> Result<(), Failure> {
    if random.one_in(8) {
        let (pieces, rest) = client.output.split_at(client.output.len().min(300));
        for piece in pieces.chunks(1 + random.below(40)) {
            client.stream.write_all(piece)?;
        }
        client.stream.write_all(rest)?;
        client.output.clear();
    }
    Ok(client.flush()?)
}

/// Waits for all that is expected, each at its turn.
fn receive(client: &mut Client, mut expected: VecDeque<Expected>) -> Result<(), Failure> {
    let mut chunks = Vec::new();
    while let Some(next) = expected.front() {
        let Some(event) = client.ws.receive(&mut client.input, &mut client.output)? else {
            client.read()?;
            continue;
        };
        let came = match event {
            Event::Text(text) => Expected::Message(MessageKind::Text, text.into()),
            Event::Binary(data) => Expected::Message(MessageKind::Binary, data.into()),
            Event::TextChunk { text, last, .. } => {
                chunks.extend_from_slice(text.as_bytes());
                if !last {
                    continue;
                }
                Expected::Message(MessageKind::Text, std::mem::take(&mut chunks))
            }
            Event::BinaryChunk { data, last, .. } => {
                chunks.extend_from_slice(data);
                if !last {
                    continue;
                }
                Expected::Message(MessageKind::Binary, std::mem::take(&mut chunks))
            }
            Event::Pong(payload) => Expected::Pong(payload.into()),
            event => {
                let (Expected::Message(_, payload) | Expected::Pong(payload)) = next;
                return Err(format!("came {event:.100?} for {} octets: {next:.60?}", payload.len()).into());
            }
        };
        if came != *next {
            return Err(format!("came {came:.60?} for {next:.60?}").into());
        }
        expected.pop_front();
    }
    Ok(())
}
