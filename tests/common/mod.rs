//! What the tests share: frames by hand, and the helper that runs a scenario in every way that it may arrive.

#![allow(dead_code, unreachable_pub)] // a module of several test programs, each of which uses its part

#[cfg(feature = "deflate")]
pub mod deflate;
pub mod handshake;
#[cfg(feature = "deflate")]
pub mod negotiation;
pub mod puff;
pub mod reference;

use bytes::Bytes;
use websocket_proto::wire::FrameHeader;
use websocket_proto::{
    CloseCode, CloseFrame, CloseOutcome, Config, Connection, Delivery, Event, Message, PongPolicy, ProtocolError,
    Random, ReadBuffer, Receiver, Role, Sender, Side, State, Utf8Bytes,
};

/// The masking key of the examples in RFC 6455 §5.7.
pub const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// All that an endpoint did with what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    pub messages: Vec<Message>,
    /// Of a message that did not end: what was delivered of it in chunks.
    pub unfinished: Option<Vec<u8>>,
    pub error: Option<ProtocolError>,
    pub output: Vec<u8>,
    pub state: State,
    pub outcome: Option<CloseOutcome>,
}

/// Which door the events come through.
#[derive(Clone, Copy, Debug)]
enum Door {
    Borrowed,
    Owned,
    /// That of the half that receives; the other settles at once what is owed.
    Split,
}

/// An endpoint, behind one of its doors.
enum Endpoint {
    Whole(Connection),
    Owning(Connection),
    Halves(Receiver, Sender),
}

impl Endpoint {
    fn new(ws: Connection, door: Door) -> Self {
        match door {
            Door::Borrowed => Self::Whole(ws),
            Door::Owned => Self::Owning(ws),
            Door::Split => {
                let halves = ws.split();
                Self::Halves(halves.0, halves.1)
            }
        }
    }

    fn receive(&mut self, input: &mut ReadBuffer, output: &mut Vec<u8>) -> Result<Option<Message>, ProtocolError> {
        match self {
            Self::Whole(ws) => ws.receive(input, output).map(|event| event.map(Message::from)),
            Self::Owning(ws) => ws.receive_message(input, output),
            Self::Halves(receiver, sender) => {
                let event = receiver.receive(input).map(|event| event.map(Message::from));
                if let Some(owed) = receiver.take_owed() {
                    sender.settle(owed, output);
                }
                assert_eq!(receiver.wants_read(), sender.state() != State::Closed);
                event
            }
        }
    }

    fn sender(&self) -> &Sender {
        match self {
            Self::Whole(ws) | Self::Owning(ws) => ws.as_ref(),
            Self::Halves(_, sender) => sender,
        }
    }
}

/// A connection with a fixed masking key; with permessage-deflate, as two ends agree on it that both want it so.
pub fn connection(role: Role, config: &Config) -> Connection {
    let ws = match role {
        Role::Server => Connection::server(config),
        Role::Client => Connection::client_with_random(config, fixed_random()),
    };
    #[cfg(feature = "deflate")]
    if let Some(deflate) = &config.deflate {
        return ws.with_deflate(deflate, deflate::agreed(deflate));
    }
    ws
}

pub fn fixed_random() -> Random {
    Random::from_fn(|octets| {
        for (octet, key) in octets.iter_mut().zip(KEY.iter().cycle()) {
            *octet = *key;
        }
    })
}

/// The same configuration, with permessage-deflate if the crate has it.
pub fn with_deflate(config: Config) -> Config {
    #[cfg(feature = "deflate")]
    let config = {
        let mut config = config;
        config.deflate = Some(websocket_proto::deflate::DeflateConfig::default());
        config
    };
    config
}

/// The same with the states of a pool.
pub fn with_shared_deflate(config: Config) -> Config {
    let config = with_deflate(config);
    #[cfg(feature = "deflate")]
    let config = {
        let mut config = config;
        let shared = websocket_proto::deflate::DeflateMemory::Shared(websocket_proto::deflate::DeflatePool::default());
        config.deflate.as_mut().unwrap().memory = shared;
        config
    };
    config
}

/// What so many octets of text are compressed to, if the crate has permessage-deflate.
pub fn compressed_text(len: usize) -> Vec<u8> {
    #[cfg(feature = "deflate")]
    return deflate::compressed(&vec![b'a'; len]);
    #[cfg(not(feature = "deflate"))]
    vec![b'a'; len]
}

/// [`deflate::faults`], if the crate has permessage-deflate.
pub fn deflate_faults() -> Vec<(ProtocolError, u16, Vec<u8>)> {
    #[cfg(feature = "deflate")]
    return deflate::faults();
    #[cfg(not(feature = "deflate"))]
    Vec::new()
}

/// Octets that come to an endpoint with the default configuration: see [`run_with`].
pub fn run(role: Role, octets: &[u8]) -> Transcript {
    run_with(role, &Config::default(), octets)
}

/// Runs a scenario whole, octet by octet, and cut at every position (at a thousand and more, if it is longer than
/// 2 KiB), through all doors, and with messages whole and in chunks; all of it must come to the same.
pub fn run_with(role: Role, config: &Config, octets: &[u8]) -> Transcript {
    run_after(role, config, |_, _| {}, octets)
}

/// [`run_with`] after the application has done something first, whose output is in the transcript.
pub fn run_after(
    role: Role,
    config: &Config,
    before: impl Fn(&mut Connection, &mut Vec<u8>),
    octets: &[u8],
) -> Transcript {
    let before = &before;
    let expected = once(role, config, before, Door::Borrowed, [octets]);
    let mut in_chunks = config.clone();
    in_chunks.delivery = Delivery::Chunks;
    let mut expected_in_chunks = once(role, &in_chunks, before, Door::Borrowed, [octets]);
    for config in [config, &in_chunks] {
        let expected = if config.delivery == Delivery::Chunks { &expected_in_chunks } else { &expected };
        for door in [Door::Borrowed, Door::Owned, Door::Split] {
            let check = |how: &str, transcript: Transcript| {
                assert_eq!(&transcript, expected, "{role:?} {door:?} {:?} {how}", config.delivery);
            };
            check("whole", once(role, config, before, door, [octets]));
            check("octet by octet", once(role, config, before, door, octets.chunks(1)));
            check("by three", once(role, config, before, door, octets.chunks(3)));
            for cut in (0..octets.len()).step_by(1 + octets.len() / 2048) {
                let (a, b) = octets.split_at(cut);
                check(&format!("cut at {cut}"), once(role, config, before, door, [a, b]));
            }
        }
    }
    expected_in_chunks.unfinished = None;
    assert_eq!(expected_in_chunks, expected, "{role:?} in chunks");
    expected
}

fn once<'o>(
    role: Role,
    config: &Config,
    before: &impl Fn(&mut Connection, &mut Vec<u8>),
    door: Door,
    cuts: impl IntoIterator<Item = &'o [u8]>,
) -> Transcript {
    let mut ws = connection(role, config);
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    before(&mut ws, &mut output);
    let mut endpoint = Endpoint::new(ws, door);
    let (mut messages, mut error) = (Joined::default(), None);
    for octets in cuts {
        input.extend_from_slice(octets);
        loop {
            match endpoint.receive(&mut input, &mut output) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(failure) => {
                    assert_eq!(error, None, "a connection fails once");
                    error = Some(failure);
                }
            }
        }
        let is_over = endpoint.sender().state() == State::Closed;
        assert!(!is_over || input.is_empty(), "a connection that is over holds nothing");
    }
    let Joined { messages, unfinished } = messages;
    let (state, outcome) = (endpoint.sender().state(), endpoint.sender().close_outcome());
    Transcript { messages, unfinished, error, output, state, outcome }
}

/// All that comes of a stream that is cut as told, over and over: the messages, with chunks put together again, what is
/// wrong with it, and the output.
pub fn receive_cut(
    mut ws: Connection,
    octets: &[u8],
    cuts: &[usize],
) -> (Vec<Message>, Option<ProtocolError>, Vec<u8>) {
    let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    let (mut messages, mut error) = (Joined::default(), None);
    let mut rest = octets;
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(cuts.next().map_or(rest.len(), |cut| (*cut).min(rest.len())));
        rest = later;
        input.extend_from_slice(now);
        loop {
            match ws.receive(&mut input, &mut output) {
                Ok(Some(event)) => messages.push(Message::from(event)),
                Ok(None) => break,
                Err(failure) => error = Some(failure),
            }
        }
    }
    (messages.messages, error, output)
}

/// Messages, with chunks put together again.
#[derive(Default)]
pub struct Joined {
    pub messages: Vec<Message>,
    pub unfinished: Option<Vec<u8>>,
}

impl Joined {
    pub fn push(&mut self, message: Message) {
        let (data, first, last) = match &message {
            Message::TextChunk { text, first, last } => (text.as_bytes(), *first, *last),
            Message::BinaryChunk { data, first, last } => (&data[..], *first, *last),
            _ => return self.messages.push(message),
        };
        assert!(last || !data.is_empty(), "an empty chunk that is not the last");
        assert_eq!(self.unfinished.is_none(), first, "a message begins with its first chunk");
        let joined = self.unfinished.get_or_insert_default();
        joined.extend_from_slice(data);
        if last {
            let data = Bytes::from(std::mem::take(joined));
            self.unfinished = None;
            self.messages.push(match message {
                Message::TextChunk { .. } => Message::Text(Utf8Bytes::try_from(data).expect("whole characters")),
                _ => Message::Binary(data),
            });
        }
    }
}

/// The connection failed by the first thing that came: nothing was delivered, and nothing but a Close that says why
/// went out.
pub fn assert_failed(transcript: &Transcript, role: Role, error: ProtocolError) {
    assert_failed_after(transcript, role, error, &[], &[]);
}

/// The connection failed after it had delivered these messages and sent what was owed for them; a Close that says why
/// went out, and nothing else.
pub fn assert_failed_after(transcript: &Transcript, role: Role, error: ProtocolError, before: &[Message], owed: &[u8]) {
    assert_eq!((transcript.error, &transcript.messages[..]), (Some(error), before));
    let close = frame_from(role, 0x88, &error.close_code().0.to_be_bytes());
    assert_eq!(transcript.output, [owed, &close].concat());
    assert_eq!(transcript.state, State::Closed);
    let outcome = transcript.outcome.expect("it is over");
    assert_eq!((outcome.clean, outcome.began, outcome.error), (false, Side::Remote, Some(error)));
    assert_eq!((outcome.sent, outcome.received), (error.close_code(), CloseCode::ABNORMAL));
}

/// A frame as it went over the wire: its header, and its payload, unmasked.
pub fn frames_in(mut octets: &[u8]) -> Vec<(FrameHeader, Vec<u8>)> {
    let mut frames = Vec::new();
    while !octets.is_empty() {
        let (header, size) = FrameHeader::decode(octets).expect("a header").expect("a whole one");
        let (frame, rest) = octets.split_at(size + usize::try_from(header.payload_len).unwrap());
        let key = header.mask.unwrap_or_default();
        let payload = frame[size..].iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]).collect();
        frames.push((header, payload));
        octets = rest;
    }
    frames
}

/// Octets from hexadecimal digits; whatever else is in the text is passed over.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(char::is_ascii_hexdigit).collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of digits");
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

/// A frame from the other side of `role`: its first octet, and its payload; masked, if it comes from a client.
pub fn frame_to(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let (mask_bit, key) = match role {
        Role::Server => (0x80, Some(KEY)),
        Role::Client => (0, None),
    };
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..=125 => frame.push(mask_bit + u8::try_from(len).unwrap()),
        len @ 126..=0xFFFF => {
            frame.push(mask_bit + 126);
            frame.extend_from_slice(&u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            frame.push(mask_bit + 127);
            frame.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    if let Some(key) = key {
        frame.extend_from_slice(&key);
        frame.extend(payload.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]));
    } else {
        frame.extend_from_slice(payload);
    }
    frame
}

/// Several frames, one after another.
pub fn frames_to(role: Role, frames: &[(u8, &[u8])]) -> Vec<u8> {
    frames.iter().flat_map(|(first, payload)| frame_to(role, *first, payload)).collect()
}

/// A frame that `role` itself sends.
pub fn frame_from(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    match role {
        Role::Server => frame_to(Role::Client, first, payload),
        Role::Client => frame_to(Role::Server, first, payload),
    }
}

/// A configuration that differs from the default in every part.
pub fn other_config() -> Config {
    let mut config = Config::default();
    config.limits.message = 5;
    config.delivery = Delivery::Chunks;
    config.pong = PongPolicy::Manual;
    config
}

/// The connection was made with [`other_config`].
pub fn assert_other_config(mut ws: Connection) {
    let (role, mut input, mut output) = (ws.role(), ReadBuffer::default(), Vec::new());
    assert_eq!(ws.limits(), other_config().limits);
    input.extend_from_slice(&frames_to(role, &[(0x89, b"p"), (0x01, b"abc"), (0x80, b"def")]));
    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(Event::Ping(b"p"))));
    assert!(output.is_empty(), "the Pong is ours to send");
    let chunk = Event::TextChunk { text: "abc", first: true, last: false };
    assert_eq!(ws.receive(&mut input, &mut output), Ok(Some(chunk)));
    assert_eq!(ws.receive(&mut input, &mut output), Err(ProtocolError::MessageTooBig));
}

pub const ROLES: [Role; 2] = [Role::Server, Role::Client];

pub fn text(text: &str) -> Message {
    Message::Text(text.into())
}

pub fn binary(data: &[u8]) -> Message {
    Message::Binary(Bytes::copy_from_slice(data))
}

pub fn ping(payload: &[u8]) -> Message {
    Message::Ping(Bytes::copy_from_slice(payload))
}

pub fn pong(payload: &[u8]) -> Message {
    Message::Pong(Bytes::copy_from_slice(payload))
}

pub fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code: CloseCode(code), reason: reason.into() }))
}
