//! Clients that break the rules, each in a way of its own.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use websocket_proto::deflate::{Compression, DeflateConfig};
use websocket_proto::handshake::ClientRequest;
use websocket_proto::{Config, wire::FrameHeader, wire::OpCode};

use crate::Plan;
use crate::client::{Client, Failure, connect};
use crate::random::Random;
use crate::server::MAX_MESSAGE;
use crate::tally::End;

/// What one of them does, once.
type Attack = fn(&Plan, &mut Random) -> Result<End, Failure>;

/// What they do, by name.
pub(crate) const KINDS: [(&str, Attack); 22] = [
    ("connects and leaves", connects_and_leaves),
    ("half a handshake", half_a_handshake),
    ("garbage", garbage),
    ("a head without end", a_head_without_end),
    ("a handshake by octets", a_handshake_by_octets),
    ("frames by octets", frames_by_octets),
    ("reset amid a frame", reset_amid_a_frame),
    ("gone amid a frame", gone_amid_a_frame),
    ("announces much, is silent", announces_much),
    ("announces too much", |plan, _| refused(plan, 1009, &header(0x82, (1 << 63) - 1))),
    ("sends too much", sends_too_much),
    ("bomb", bomb),
    ("broken deflate", |plan, _| refused(plan, 1007, &frame(0xC1, &[0x06]))),
    ("never reads", never_reads),
    ("pings, never reads", pings_never_reads),
    ("empty fragments", empty_fragments),
    ("invalid UTF-8", invalid_utf8),
    ("not masked", |plan, _| refused(plan, 1002, b"\x81\x02hi")),
    ("reserved opcode", |plan, random| refused(plan, 1002, &frame(0x83 + random.octets(1)[0] % 5, b""))),
    ("reserved bits", |plan, _| refused(plan, 1002, &frame(0xA1, b"hi"))),
    ("close with a wrong code", |plan, _| refused(plan, 1002, &frame(0x88, &[0x03, 0xED]))),
    ("close, and goes on", close_and_goes_on),
];

/// One attack after another, all of one kind, until the time is over.
pub(crate) fn run(plan: &Plan, number: u64, mut random: Random) {
    let (kind, attack) = KINDS[usize::try_from(number).unwrap_or(0) % KINDS.len()];
    while !plan.is_over() {
        match attack(plan, &mut random) {
            Ok(end) => plan.tally.hostile(kind, end),
            Err(failure) => match failure.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                // a reset may overtake what the server said
                Some(kind_of_error) if !matches!(kind_of_error, std::io::ErrorKind::ConnectionRefused) => {
                    plan.tally.hostile(kind, End::CutOff);
                }
                _ => return plan.tally.fault(format_args!("hostile client, {kind}: {failure}")),
            },
        }
        thread::sleep(Duration::from_millis(50 + random.next() % 200));
    }
}

/// An open WebSocket, permessage-deflate agreed where the server has it.
fn open(plan: &Plan) -> Result<Client, Failure> {
    let mut config = Config::default();
    config.deflate = Some(DeflateConfig::default());
    Client::open(plan, &config)
}

/// A header from a client whose mask changes nothing.
fn header(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..=125 => header.push(0x80 | len.to_le_bytes()[0]),
        126..=0xFFFF => {
            header.push(0xFE);
            header.extend_from_slice(&len.to_be_bytes()[6..]);
        }
        _ => {
            header.push(0xFF);
            header.extend_from_slice(&len.to_be_bytes());
        }
    }
    header.extend_from_slice(&[0; 4]);
    header
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len() as u64);
    frame.extend_from_slice(payload);
    frame
}

/// Sends this, and has to be closed with that code.
fn refused(plan: &Plan, code: u16, octets: &[u8]) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.write_all(octets)?;
    is_refused(&mut client, code)
}

fn is_refused(client: &mut Client, code: u16) -> Result<End, Failure> {
    match client.code_of_close()? {
        Some(came) if came == code => Ok(End::Refused),
        came => Err(format!("closed with {came:?} instead of {code}").into()),
    }
}

/// Some time, or until all is over.
fn linger(plan: &Plan, millis: u64) {
    for _ in 0..millis / 50 {
        if plan.is_over() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn connects_and_leaves(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    drop(connect(plan)?);
    Ok(End::Left)
}

fn request(plan: &Plan) -> Result<Vec<u8>, Failure> {
    let mut output = Vec::new();
    ClientRequest::new(&plan.uri).send(&Config::default(), &mut output)?;
    Ok(output)
}

fn half_a_handshake(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let (mut stream, request) = (connect(plan)?, request(plan)?);
    stream.write_all(&request[..random.below(request.len())])?;
    // now and then, until the server has waited long enough
    linger(plan, if random.one_in(10) { 11_000 } else { random.next() % 2000 });
    Ok(End::Left)
}

fn garbage(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let mut stream = connect(plan)?;
    let mut octets = random.octets(2000);
    octets.insert(random.below(100), 0);
    stream.write_all(&octets)?;
    says(&mut stream, "HTTP/1.1 400 ")
}

fn a_head_without_end(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let mut stream = connect(plan)?;
    stream.write_all(b"GET / HTTP/1.1\r\n")?;
    stream.write_all(&b"X: y\r\n".repeat(1000))?;
    says(&mut stream, "HTTP/1.1 431 ")
}

/// The server's response, which has to begin so.
fn says(stream: &mut impl Read, begin: &str) -> Result<End, Failure> {
    let mut response = vec![0; begin.len()];
    stream.read_exact(&mut response)?;
    match response == begin.as_bytes() {
        true => Ok(End::Refused),
        false => Err(format!("answered with {}", response.escape_ascii()).into()),
    }
}

fn a_handshake_by_octets(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let (mut stream, request) = (connect(plan)?, request(plan)?);
    for octet in request {
        stream.write_all(&[octet])?;
        thread::sleep(Duration::from_millis(5));
    }
    says(&mut stream, "HTTP/1.1 101 ").map(|_| End::Left)
}

fn frames_by_octets(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    let mut octets = Vec::new();
    for first in [0x81, 0x01, 0x80, 0x89, 0x82] {
        let len = random.below(60);
        octets.extend(frame(first, &vec![b'a'; len]));
    }
    octets.extend(frame(0x88, &[0x03, 0xE8]));
    for octet in octets {
        client.stream.write_all(&[octet])?;
        thread::sleep(Duration::from_millis(2));
    }
    is_refused(&mut client, 1000).map(|_| End::Left)
}

/// A part of a frame that is within the limits, and of which nothing more comes.
fn part_of_a_frame(random: &mut Random) -> Vec<u8> {
    let mut octets = header(if random.one_in(2) { 0x82 } else { 0x01 }, MAX_MESSAGE as u64);
    octets.resize(14 + random.below(200_000), b'a');
    octets
}

fn reset_amid_a_frame(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let client = open(plan)?;
    (&client.stream).write_all(&frame(0x82, b"an echo that is not read"))?;
    // where a stream is closed with octets that were not read, the system resets it
    client.stream.peek(&mut [0])?;
    (&client.stream).write_all(&part_of_a_frame(random))?;
    Ok(End::Left)
}

fn gone_amid_a_frame(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.write_all(&part_of_a_frame(random))?;
    Ok(End::Left)
}

fn announces_much(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.write_all(&header(0x82, MAX_MESSAGE as u64))?;
    linger(plan, 500 + random.next() % 3000);
    Ok(End::Left)
}

fn sends_too_much(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.write_all(&frame(0x02, &vec![0; MAX_MESSAGE]))?;
    client.stream.write_all(&frame(0x80, b"."))?;
    is_refused(&mut client, 1009)
}

fn bomb(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    let zeros = vec![0; MAX_MESSAGE];
    let Client { ws, output, .. } = &mut client;
    ws.compressing(Compression::Always).begin_binary(&zeros, output)?;
    for _ in 0..8 {
        ws.continue_binary(&zeros, output)?;
    }
    client.flush()?;
    is_refused(&mut client, 1009)
}

fn never_reads(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.set_write_timeout(Some(Duration::from_millis(500)))?;
    let message = frame(0x82, &vec![7; 100_000]);
    while client.stream.write_all(&message).is_ok() {}
    linger(plan, 500);
    Ok(End::Left)
}

fn pings_never_reads(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.set_write_timeout(Some(Duration::from_millis(500)))?;
    let pings = frame(0x89, &[b'p'; 125]).repeat(500);
    // as many as the system takes, or 26 MB: the Pongs of those are more than any buffer
    let _ = (0..400).try_for_each(|_| client.stream.write_all(&pings));
    linger(plan, 500);
    Ok(End::Left)
}

fn empty_fragments(plan: &Plan, _: &mut Random) -> Result<End, Failure> {
    let mut client = open(plan)?;
    client.stream.write_all(&frame(0x02, b""))?;
    let fragments = frame(0x00, b"").repeat(4096);
    for _ in 0..32 {
        client.stream.write_all(&fragments)?;
    }
    is_refused(&mut client, 1008)
}

fn invalid_utf8(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let mut text = vec![b'a'; random.below(10_000)];
    text.extend_from_slice(b"\xed\xa0\x80"); // a surrogate
    refused(plan, 1007, &frame(0x81, &text))
}

fn close_and_goes_on(plan: &Plan, random: &mut Random) -> Result<End, Failure> {
    let mut octets = frame(0x88, &[0x03, 0xE8]);
    for _ in 0..20 {
        octets.extend(frame(0x81, &vec![b'a'; random.below(1000)]));
    }
    let mut client = open(plan)?;
    client.stream.write_all(&octets)?;
    is_refused(&mut client, 1000)?;
    match client.read() {
        Ok(()) if client.input.is_empty() => Ok(End::Refused),
        Ok(()) => {
            let first = FrameHeader::decode(client.input.unparsed()).ok().flatten();
            let kind = first.map(|(header, _)| header.opcode).filter(|opcode| *opcode != OpCode::Close);
            Err(format!("{kind:?} came behind the close").into())
        }
        Err(failure) => Err(failure),
    }
}
