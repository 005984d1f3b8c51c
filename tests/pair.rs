//! Two endpoints joined by memory: whatever one sends, the other receives, once and in order.

mod common;

use proptest::collection::vec;
use proptest::prelude::*;
use websocket_proto::{
    CloseCode, Config, Connection, Message, MessageKind, PongPolicy, ReadBuffer, Role, SendError, State,
};

/// One end: its connection, what has come to it, and what it has to send.
struct End {
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
    /// What the application at this end was given.
    received: Vec<Message>,
    /// What the other end has to be given in the end.
    sent: Vec<Message>,
    fragments: Option<(MessageKind, Vec<u8>)>,
}

impl End {
    fn new(role: Role, config: &Config) -> Self {
        let ws = match role {
            Role::Server => Connection::server(config),
            Role::Client => Connection::client(config),
        };
        let (received, sent) = (Vec::new(), Vec::new());
        Self { ws, input: ReadBuffer::default(), output: Vec::new(), received, sent, fragments: None }
    }

    /// Takes up to `len` octets from the other end.
    fn take_from(&mut self, other: &mut Self, len: usize) {
        let len = len.min(other.output.len());
        self.input.extend_from_slice(&other.output[..len]);
        other.output.drain(..len);
        while let Some(message) =
            self.ws.receive_message(&mut self.input, &mut self.output).expect("both keep the rules")
        {
            self.received.push(message);
        }
    }

    /// Does a step, and notes what the other end is thereby owed.
    fn act(&mut self, step: &Step) {
        let out = &mut self.output;
        let done = match step {
            Step::Text(text) => self.ws.send_text(text, out).map(|()| Some(common::text(text))),
            Step::Binary(data) => self.ws.send_binary(data, out).map(|()| Some(common::binary(data))),
            Step::Ping(payload) => self.ws.send_ping(payload, out).map(|()| Some(common::ping(payload))),
            // behind our Close, the other end discards it
            Step::Pong(_) if self.ws.state() == State::Closing => Ok(None),
            Step::Pong(payload) => self.ws.send_pong(payload, out).map(|()| Some(common::pong(payload))),
            Step::Close(code) => self.ws.close(CloseCode(*code), "", out).map(|()| {
                let frame = websocket_proto::CloseFrame { code: CloseCode(*code), reason: "".into() };
                Some(Message::Close(Some(frame)))
            }),
            Step::Fragment(text, is_last) => self.fragment(text, *is_last),
            Step::Deliver(_) => Ok(None),
        };
        match done {
            Ok(message) => self.sent.extend(message),
            Err(SendError::Closed) => assert_ne!(self.ws.state(), State::Open),
            Err(SendError::MessageUnfinished) => assert!(self.fragments.is_some()),
            Err(error) => panic!("{error}"),
        }
    }

    fn fragment(&mut self, text: &str, is_last: bool) -> Result<Option<Message>, SendError> {
        let out = &mut self.output;
        match (&mut self.fragments, is_last) {
            (None, _) => {
                self.ws.begin_text(text, out)?;
                self.fragments = Some((MessageKind::Text, text.as_bytes().to_vec()));
                Ok(None)
            }
            (Some((_, so_far)), false) => {
                self.ws.continue_text(text, out)?;
                so_far.extend_from_slice(text.as_bytes());
                Ok(None)
            }
            (Some((_, so_far)), true) => {
                self.ws.finish_text(text, out)?;
                so_far.extend_from_slice(text.as_bytes());
                let whole = String::from_utf8(std::mem::take(so_far)).expect("made of text");
                self.fragments = None;
                Ok(Some(common::text(&whole)))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Text(String),
    Binary(Vec<u8>),
    Fragment(String, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16),
    Deliver(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => "[a-zé日]{0,12}".prop_map(Step::Text),
        2 => vec(any::<u8>(), 0..300).prop_map(Step::Binary),
        3 => ("[a-zé日]{0,12}", any::<bool>()).prop_map(|(text, is_last)| Step::Fragment(text, is_last)),
        1 => vec(any::<u8>(), 0..126).prop_map(Step::Ping),
        1 => vec(any::<u8>(), 0..126).prop_map(Step::Pong),
        1 => (3000..5000u16).prop_map(Step::Close),
        6 => (1..200usize).prop_map(Step::Deliver),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(program in vec((any::<bool>(), step()), 0..60)) {
        // 6455-6.1-6, 6455-6.2-2, 6455-6.1-2, WHATWG-3-6, 6455-7.1.4-1
        let mut config = Config::default();
        config.pong = PongPolicy::Manual; // or what is received is more than what was sent
        let (mut client, mut server) = (End::new(Role::Client, &config), End::new(Role::Server, &config));
        for (is_client, step) in &program {
            let (actor, other) = if *is_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
            actor.act(step);
            if let Step::Deliver(len) = step {
                actor.take_from(other, *len);
            }
        }
        client.act(&Step::Close(1000));
        while !(client.output.is_empty() && server.output.is_empty()) {
            server.take_from(&mut client, usize::MAX);
            client.take_from(&mut server, usize::MAX);
        }
        for (from, to) in [(&client, &server), (&server, &client)] {
            // what was sent in answer to a close is a close too, and the last
            let Some((Message::Close(_), received)) = to.received.split_last() else {
                panic!("no close came: {:?}", to.received)
            };
            let sent = match from.sent.split_last() {
                Some((Message::Close(_), before)) => before,
                _ => &from.sent[..],
            };
            prop_assert_eq!(received, sent);
            prop_assert_eq!(to.ws.state(), State::Closed);
            prop_assert!(to.ws.close_outcome().unwrap().clean);
            prop_assert!(to.input.is_empty());
        }
    }
}

#[test]
fn s5_5_1_9_both_close_at_once() {
    // 6455-5.5.1-9, 6455-7.1.5-2, 6455-5.5.1-10
    let (mut client, mut server) =
        (End::new(Role::Client, &Config::default()), End::new(Role::Server, &Config::default()));
    client.act(&Step::Close(4001));
    server.act(&Step::Close(4002));
    server.take_from(&mut client, usize::MAX);
    client.take_from(&mut server, usize::MAX);
    assert!(client.output.is_empty() && server.output.is_empty(), "each close is the answer to the other");
    let codes = |end: &End| end.ws.close_outcome().map(|end| (end.clean, end.sent.0, end.received.0)).unwrap();
    assert_eq!(codes(&client), (true, 4001, 4002));
    assert_eq!(codes(&server), (true, 4002, 4001));
}

#[test]
fn pings_are_ponged_by_the_other_end() {
    // 6455-5.5.2-1, 6455-5.5.3-1, WHATWG-5-1
    let (mut client, mut server) =
        (End::new(Role::Client, &Config::default()), End::new(Role::Server, &Config::default()));
    for payload in [&b""[..], b"a", &[0xFF; 125]] {
        client.act(&Step::Ping(payload.to_vec()));
        server.take_from(&mut client, usize::MAX);
        client.take_from(&mut server, usize::MAX);
        assert_eq!(server.received.pop(), Some(common::ping(payload)));
        assert_eq!(client.received.pop(), Some(common::pong(payload)));
    }
}
