//! Connections that come and go leave nothing behind: opening handshake, an echo, closing handshake, over and over,
//! with two ends that are joined by memory.

mod common;
#[path = "common/counting.rs"]
mod counting;

use counting::live;
use websocket_proto::handshake::{Answer, ClientRequest, ServerHandshake, Uri};
use websocket_proto::{CloseCode, Config, Connection, Delivery, Event, ReadBuffer, State};

/// Connections that come and go: a million, where the tests are compiled for speed.
const CYCLES: usize = if cfg!(debug_assertions) { 12_000 } else { 1_000_000 };

/// What both ends of all connections use, one after another.
struct Wire {
    uri: Uri,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    server_input: ReadBuffer,
    client_input: ReadBuffer,
    seen: String,
}

/// Moves what one end has sent to the other.
fn pass(output: &mut Vec<u8>, input: &mut ReadBuffer) {
    input.extend_from_slice(output);
    output.clear();
}

impl Wire {
    fn new() -> Self {
        let uri = Uri::parse("ws://server.example.com/chat").unwrap();
        let (to_server, to_client) = (Vec::new(), Vec::new());
        let (server_input, client_input) = (ReadBuffer::default(), ReadBuffer::default());
        Self { uri, to_server, to_client, server_input, client_input, seen: String::new() }
    }

    fn open(&mut self, config: &Config) -> (Connection, Connection) {
        let request = ClientRequest::new(&self.uri).subprotocol("chat").header("X-Room", "7");
        let mut client = request.send_with_random(config, common::fixed_random(), &mut self.to_server).unwrap();
        let mut server = ServerHandshake::new(config);
        pass(&mut self.to_server, &mut self.server_input);
        let request = server.receive(&mut self.server_input, &mut self.to_client).unwrap().expect("all of it");
        let server = request.accept().subprotocol("chat").send(&mut self.to_client).unwrap();
        pass(&mut self.to_client, &mut self.client_input);
        match client.receive(&mut self.client_input).unwrap() {
            Some(Answer::Accepted { connection, .. }) => (connection, server),
            other => panic!("{other:?}"),
        }
    }

    /// One connection, from its first octet to its last.
    fn cycle(&mut self, config: &Config, way: Way, message: &str) {
        let (mut client, server) = self.open(config);
        client.send_text(message, &mut self.to_server).unwrap();
        pass(&mut self.to_server, &mut self.server_input);
        self.seen.clear();
        match way {
            Way::Whole => self.serve(server, &mut client),
            Way::Split => self.serve_split(server, &mut client),
            Way::Gone => {
                // the client has gone amid a message, and both ends are dropped as they are
                client.begin_text(message, &mut self.to_server).unwrap();
                pass(&mut self.to_server, &mut self.server_input);
                let mut server = server;
                while server.receive(&mut self.server_input, &mut self.to_client).unwrap().is_some() {}
                server.receive_eof().unwrap_err();
                self.server_input.clear();
                self.to_client.clear();
                return;
            }
        }
        assert_eq!((client.state(), &self.seen[..]), (State::Closed, message));
        assert!(client.close_outcome().unwrap().clean);
        assert!(self.server_input.is_empty() && self.client_input.is_empty());
        assert!(self.to_client.is_empty() && self.to_server.is_empty());
    }

    fn serve(&mut self, mut server: Connection, client: &mut Connection) {
        while let Some(event) = server.receive(&mut self.server_input, &mut self.to_client).unwrap() {
            note(&event, &mut self.seen);
        }
        server.send_text(&self.seen, &mut self.to_client).unwrap();
        server.close(CloseCode::NORMAL, "bye", &mut self.to_client).unwrap();
        self.finish(client);
        while server.receive(&mut self.server_input, &mut self.to_client).unwrap().is_some() {}
        assert!(server.close_outcome().unwrap().clean);
    }

    fn serve_split(&mut self, server: Connection, client: &mut Connection) {
        let (mut receiver, mut sender) = server.split();
        while let Some(event) = receiver.receive(&mut self.server_input).unwrap() {
            note(&event, &mut self.seen);
        }
        sender.send_text(&self.seen, &mut self.to_client).unwrap();
        sender.close(CloseCode::NORMAL, "bye", &mut self.to_client).unwrap();
        self.finish(client);
        while receiver.receive(&mut self.server_input).unwrap().is_some() {}
        sender.settle(receiver.take_owed().expect("the answer to the close"), &mut self.to_client);
        assert!(sender.close_outcome().unwrap().clean);
    }

    /// The client gets its echo, owned, and the Close, which it answers.
    fn finish(&mut self, client: &mut Connection) {
        self.seen.clear();
        pass(&mut self.to_client, &mut self.client_input);
        while let Some(message) = client.receive_message(&mut self.client_input, &mut self.to_server).unwrap() {
            match message {
                websocket_proto::Message::Text(text) | websocket_proto::Message::TextChunk { text, .. } => {
                    self.seen.push_str(&text);
                }
                _ => {}
            }
        }
        pass(&mut self.to_server, &mut self.server_input);
    }
}

fn note(event: &Event<'_>, seen: &mut String) {
    if let Event::Text(text) | Event::TextChunk { text, .. } = event {
        seen.push_str(text);
    }
}

/// How a connection is used, and how it ends.
#[derive(Clone, Copy, Debug)]
enum Way {
    Whole,
    Split,
    Gone,
}

/// Plain and compressed, with states of its own and of a pool, whole and in chunks, each in every way.
fn cases() -> Vec<(Config, Way)> {
    let plain = Config::default();
    let configs = [plain.clone(), common::with_deflate(plain.clone()), common::with_shared_deflate(plain)];
    let mut cases = Vec::new();
    for way in [Way::Whole, Way::Split, Way::Gone] {
        for config in &configs {
            for delivery in [Delivery::Whole, Delivery::Chunks] {
                let mut config = config.clone();
                config.delivery = delivery;
                cases.push((config, way));
            }
        }
    }
    cases
}

#[test]
fn a_million_connections_leave_nothing_behind() {
    let (cases, mut wire) = (cases(), Wire::new());
    let message = "it rains, it pours, the old man is snoring; ".repeat(5);
    // a state of zlib is made anew for each connection that does not share: of those, fewer
    let (costly, cheap): (Vec<_>, Vec<_>) = cases.iter().partition(|(config, _)| is_dedicated(config));
    let mut run = |cycles: usize| {
        for cycle in 0..cycles {
            let (config, way) = match cycle % 50 {
                0 if !costly.is_empty() => costly[cycle / 50 % costly.len()],
                _ => cheap[cycle % cheap.len()],
            };
            wire.cycle(config, *way, &message);
        }
    };
    // what stays warm: the buffers, and the states of the pool
    run(1000);
    let before = live();
    run(CYCLES);
    assert_eq!(live(), before, "octets that {CYCLES} connections left");
}

#[cfg(feature = "deflate")]
fn is_dedicated(config: &Config) -> bool {
    config.deflate.as_ref().is_some_and(|deflate| deflate.memory == websocket_proto::deflate::DeflateMemory::Dedicated)
}

#[cfg(not(feature = "deflate"))]
fn is_dedicated(_: &Config) -> bool {
    false
}
