//! One end that is attacked, and what that costs it.

use websocket_proto::{Config, Connection, Event, Message, ProtocolError, ReadBuffer, Role, State};

use crate::common::connection;

/// Which door the events come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    Borrowed,
    Owned,
}

pub(crate) const DOORS: [Door; 2] = [Door::Borrowed, Door::Owned];

/// An end of a connection, with its buffers, and with counts of what was done to it.
pub(crate) struct Victim {
    pub(crate) ws: Connection,
    pub(crate) input: ReadBuffer,
    pub(crate) output: Vec<u8>,
    door: Door,
    /// Calls of `receive` or `receive_message`.
    pub(crate) calls: usize,
    pub(crate) events: usize,
    /// Octets of messages that were delivered.
    pub(crate) delivered: usize,
    /// Octets of memory that the input has taken at the most.
    pub(crate) most: usize,
    pub(crate) error: Option<ProtocolError>,
}

impl Victim {
    pub(crate) fn new(role: Role, config: &Config, door: Door) -> Self {
        Self::of(connection(role, config), door)
    }

    pub(crate) fn of(ws: Connection, door: Door) -> Self {
        let (input, output) = (ReadBuffer::default(), Vec::new());
        Self { ws, input, output, door, calls: 0, events: 0, delivered: 0, most: 0, error: None }
    }

    /// These octets come, and all that they mean is taken. Says whether the connection goes on.
    pub(crate) fn takes(&mut self, octets: &[u8]) -> bool {
        self.input.extend_from_slice(octets);
        self.most = self.most.max(self.input.capacity());
        while self.step() {}
        self.most = self.most.max(self.input.capacity());
        self.ws.state() != State::Closed
    }

    /// The same, octet by octet.
    pub(crate) fn takes_dribbled(&mut self, octets: &[u8]) -> bool {
        for octet in octets.chunks(1) {
            self.takes(octet);
        }
        self.ws.state() != State::Closed
    }

    /// One call; says whether there may be more. Each has to get on: it takes octets, or delivers some, or is the last.
    fn step(&mut self) -> bool {
        self.calls += 1;
        let before = self.input.len();
        let (input, output) = (&mut self.input, &mut self.output);
        let received = match self.door {
            Door::Borrowed => self.ws.receive(input, output).map(|event| event.as_ref().map(size_of_event)),
            Door::Owned => self.ws.receive_message(input, output).map(|message| message.as_ref().map(size_of_message)),
        };
        match received {
            Ok(Some((len, is_chunk))) => {
                assert!(self.input.len() < before || (is_chunk && len > 0), "a call that gets nowhere");
                self.events += 1;
                self.delivered += len;
                true
            }
            Ok(None) => false,
            Err(error) => {
                assert_eq!(self.error, None, "a connection fails once");
                assert_eq!(self.ws.state(), State::Closed);
                self.error = Some(error);
                true
            }
        }
    }
}

/// Octets of data in a message, and whether it is a piece of one.
fn size_of_event(event: &Event<'_>) -> (usize, bool) {
    match event {
        Event::Text(text) => (text.len(), false),
        Event::Binary(data) => (data.len(), false),
        Event::TextChunk { text, .. } => (text.len(), true),
        Event::BinaryChunk { data, .. } => (data.len(), true),
        _ => (0, false),
    }
}

/// The same of one that is owned.
fn size_of_message(message: &Message) -> (usize, bool) {
    match message {
        Message::Text(text) => (text.len(), false),
        Message::Binary(data) => (data.len(), false),
        Message::TextChunk { text, .. } => (text.len(), true),
        Message::BinaryChunk { data, .. } => (data.len(), true),
        _ => (0, false),
    }
}
