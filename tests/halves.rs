//! The two halves of a connection: what one owes, the other settles, and nothing is lost between them. That they do
//! with each stream what the whole connection does is part of every scenario (`common::run_with`).

mod common;

use std::sync::mpsc;
use std::thread;

use common::{binary, close, frame_from, frame_to, frames_in, frames_to, text};
use websocket_proto::wire::OpCode;
use websocket_proto::{
    CloseCode, Config, Connection, Event, Message, MessageKind, Owed, PongPolicy, Prepared, ProtocolError, ReadBuffer,
    Receiver, Role, SendError, Sender, Side, State,
};

const ROLES: [Role; 2] = [Role::Server, Role::Client];

fn halves(role: Role) -> (Receiver, Sender, ReadBuffer, Vec<u8>) {
    let (receiver, sender) = common::connection(role, &Config::default()).split();
    (receiver, sender, ReadBuffer::default(), Vec::new())
}

#[test]
fn what_is_owed_stays_until_it_is_taken() {
    for role in ROLES {
        let (mut receiver, mut sender, mut input, mut output) = halves(role);
        assert!(!receiver.owes() && receiver.take_owed().is_none());
        input.extend_from_slice(&frames_to(role, &[(0x89, b"1"), (0x82, b"data"), (0x89, b"2"), (0x8A, b"pong")]));
        let mut events = 0;
        while receiver.receive(&mut input).unwrap().is_some() {
            events += 1;
        }
        assert_eq!(events, 4);
        // a later Ping takes the place of an earlier one (§5.5.3)
        assert!(receiver.owes());
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert_eq!(output, frame_from(role, 0x8A, b"2"));
        assert!(!receiver.owes());

        // a Close takes the place of a Ping (§5.5.2)
        output.clear();
        input.extend_from_slice(&frames_to(role, &[(0x89, b"3"), (0x88, b"\x03\xe9bye")]));
        while receiver.receive(&mut input).unwrap().is_some() {}
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xe9"));
        let outcome = sender.close_outcome().unwrap();
        assert!(outcome.clean && outcome.began == Side::Remote);
        // then nothing is owed any more, and the end of the stream is no fault
        input.extend_from_slice(&frame_to(role, 0x89, b"4"));
        assert_eq!(receiver.receive(&mut input), Ok(None));
        assert!(input.is_empty() && !receiver.wants_read());
        assert_eq!(receiver.receive_eof(), Ok(()));
        assert!(!receiver.owes());
    }
}

#[test]
fn a_breach_and_an_end_are_told_to_the_half_that_sends() {
    for role in ROLES {
        let (mut receiver, mut sender, mut input, mut output) = halves(role);
        input.extend_from_slice(&frame_to(role, 0x83, b""));
        let error = receiver.receive(&mut input).unwrap_err();
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert_eq!(output, frame_from(role, 0x88, &error.close_code().0.to_be_bytes()));
        assert_eq!(sender.close_outcome().unwrap().error, Some(error));
        assert_eq!(sender.send_text("", &mut output), Err(SendError::Closed));
        assert_eq!(receiver.receive_eof(), Ok(()), "it is over already");

        // text that is not: found on the short path
        let (mut receiver, mut sender, mut input, mut output) = halves(role);
        input.extend_from_slice(&frame_to(role, 0x81, b"\xFF"));
        assert_eq!(receiver.receive(&mut input), Err(ProtocolError::InvalidUtf8));
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert_eq!(output, frame_from(role, 0x88, b"\x03\xef"));

        // the end of the stream: nothing to send, and nothing may be sent
        let (mut receiver, mut sender, _, mut output) = halves(role);
        assert_eq!(receiver.receive_eof(), Err(ProtocolError::UnexpectedEof));
        sender.settle(receiver.take_owed().unwrap(), &mut output);
        assert!(output.is_empty());
        assert_eq!(sender.state(), State::Closed);
        assert_eq!(sender.send_pong(b"", &mut output), Err(SendError::Closed));
        assert_eq!(sender.close_outcome().unwrap().error, Some(ProtocolError::UnexpectedEof));
    }
}

#[test]
fn our_close_and_the_peers_may_cross() {
    for role in ROLES {
        let (mut receiver, mut sender, mut input, mut output) = halves(role);
        input.extend_from_slice(&frames_to(role, &[(0x89, b"p"), (0x81, b"last"), (0x88, b"\x03\xe8")]));
        sender.close(CloseCode::GOING_AWAY, "", &mut output).unwrap();
        let mut messages = Vec::new();
        while let Some(message) = receiver.receive_message(&mut input).unwrap() {
            messages.push(message);
            if let Some(owed) = receiver.take_owed() {
                sender.settle(owed, &mut output);
            }
        }
        assert_eq!(messages[1..], [text("last"), close(1000, "")]);
        let opcodes: Vec<_> = frames_in(&output).into_iter().map(|(header, _)| header.opcode).collect();
        assert_eq!(opcodes, [OpCode::Close, OpCode::Pong], "one Close, and a Pong until the peer's has come");
        let outcome = sender.close_outcome().unwrap();
        assert!(outcome.clean && outcome.began == Side::Local);
        // what is settled too late does nothing
        let (mut other, _, mut input, _) = halves(role);
        input.extend_from_slice(&frame_to(role, 0x89, b"p"));
        other.receive(&mut input).unwrap();
        let before = output.len();
        sender.settle(other.take_owed().unwrap(), &mut output);
        assert_eq!(output.len(), before);
    }
}

#[test]
fn the_halves_of_a_connection_that_is_under_way() {
    for role in ROLES {
        // amid a fragmented message of each direction
        let mut ws = common::connection(role, &Config::default());
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        ws.begin_text("a", &mut output).unwrap();
        input.extend_from_slice(&frame_to(role, 0x01, b"A"));
        assert_eq!(ws.receive(&mut input, &mut output), Ok(None));
        let (mut receiver, mut sender) = ws.split();
        assert_eq!((receiver.role(), sender.role()), (role, role));
        sender.finish_text("b", &mut output).unwrap();
        input.extend_from_slice(&frame_to(role, 0x80, b"B"));
        assert_eq!(receiver.receive(&mut input), Ok(Some(Event::Text("AB"))));
        assert_eq!(output, [frame_from(role, 0x01, b"a"), frame_from(role, 0x80, b"b")].concat());
        // and of one that is over
        let mut ws = common::connection(role, &Config::default());
        ws.receive_eof().unwrap_err();
        let (mut receiver, sender) = ws.split();
        assert_eq!((receiver.wants_read(), sender.state()), (false, State::Closed));
        assert_eq!((receiver.receive_eof(), receiver.owes()), (Ok(()), false));
    }
}

#[test]
fn manual_pongs_are_not_owed() {
    let mut config = Config::default();
    config.pong = PongPolicy::Manual;
    let (mut receiver, _) = Connection::server(&config).split();
    let mut input = ReadBuffer::default();
    input.extend_from_slice(&frame_to(Role::Server, 0x89, b"p"));
    assert_eq!(receiver.receive_message(&mut input), Ok(Some(common::ping(b"p"))));
    assert!(!receiver.owes());
}

#[test]
fn what_is_owed_is_small_and_moves_between_threads() {
    fn may_move<T: Send + Sync + 'static>() {}
    may_move::<Receiver>();
    may_move::<Sender>();
    may_move::<Owed>();
    assert!(size_of::<Owed>() <= 128, "{}", size_of::<Owed>());
    assert!(size_of::<Receiver>() + size_of::<Sender>() <= 416);
}

/// A server on two threads that echo, and a client on two threads that send and receive at the same time.
#[test]
fn two_threads_at_each_end_and_all_comes_once_and_in_order() {
    enum Told {
        Owed(Owed),
        Echo(Message),
    }

    /// The end that reads: tells the other what is owed, and what to echo.
    fn read(mut receiver: Receiver, octets: &mpsc::Receiver<Vec<u8>>, told: &mpsc::Sender<Told>) -> Vec<Message> {
        let (mut input, mut messages) = (ReadBuffer::default(), Vec::new());
        while receiver.wants_read() {
            input.extend_from_slice(&octets.recv().expect("the peer closes first"));
            while let Some(message) = receiver.receive_message(&mut input).expect("it keeps the rules") {
                if let Some(owed) = receiver.take_owed() {
                    told.send(Told::Owed(owed)).unwrap();
                }
                let _ = told.send(Told::Echo(message.clone()));
                messages.push(message);
            }
        }
        messages
    }

    const MESSAGES: usize = 3_000;
    let (client_reads, server_reads) = (Connection::client(&Config::default()), Connection::server(&Config::default()));
    let ((client, mut sending), (server, mut echoing)) = (client_reads.split(), server_reads.split());
    let (to_server, at_server) = mpsc::channel();
    let (to_client, at_client) = mpsc::channel();
    thread::scope(|scope| {
        let (told, tasks) = mpsc::channel();
        scope.spawn(move || read(server, &at_server, &told));
        scope.spawn(move || {
            while echoing.state() != State::Closed {
                let mut output = Vec::new();
                match tasks.recv().unwrap() {
                    Told::Owed(owed) => echoing.settle(owed, &mut output),
                    Told::Echo(Message::Binary(data)) => echoing.send_binary(&data, &mut output).unwrap(),
                    Told::Echo(_) => {}
                }
                to_client.send(output).unwrap();
            }
        });
        let (told, owed) = mpsc::channel();
        let receiving = scope.spawn(move || read(client, &at_client, &told));
        for number in 0..MESSAGES {
            let mut output = Vec::new();
            sending.send_binary(&number.to_be_bytes(), &mut output).unwrap();
            if number % 10 == 0 {
                sending.send_ping(&number.to_be_bytes(), &mut output).unwrap();
            }
            to_server.send(output).unwrap();
        }
        let mut output = Vec::new();
        sending.close(CloseCode::NORMAL, "", &mut output).unwrap();
        to_server.send(output).unwrap();
        let messages = receiving.join().unwrap();
        let data = messages.iter().filter(|message| matches!(message, Message::Binary(_)));
        assert!(data.cloned().eq((0..MESSAGES).map(|number| binary(&number.to_be_bytes()))));
        let pongs = messages.iter().filter(|message| matches!(message, Message::Pong(_))).count();
        assert_eq!(pongs, MESSAGES / 10);
        for told in owed {
            if let Told::Owed(owed) = told {
                sending.settle(owed, &mut Vec::new());
            }
        }
        assert!(sending.close_outcome().unwrap().clean);
    });
}

/// A connection and the half of another, which are made to send the same.
struct Twins {
    ws: Connection,
    sender: Sender,
    expected: Vec<u8>,
    output: Vec<u8>,
}

impl Twins {
    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        whole: impl FnOnce(&mut Connection, &mut Vec<u8>) -> T,
        half: impl FnOnce(&mut Sender, &mut Vec<u8>) -> T,
    ) {
        let done = whole(&mut self.ws, &mut self.expected);
        assert_eq!(half(&mut self.sender, &mut self.output), done);
        assert_eq!(self.output, self.expected);
        assert_eq!((self.sender.state(), self.sender.close_outcome()), (self.ws.state(), self.ws.close_outcome()));
    }
}

#[test]
fn both_doors_send_the_same_frames() {
    let prepared = Prepared::text("news");
    for role in ROLES {
        let (_, sender, _, output) = halves(role);
        let ws = common::connection(role, &Config::default());
        let mut twins = Twins { ws, sender, expected: Vec::new(), output };
        twins.both(|ws, out| ws.send_text("text", out), |ws, out| ws.send_text("text", out));
        twins.both(|ws, out| ws.send_binary(b"binary", out), |ws, out| ws.send_binary(b"binary", out));
        twins.both(|ws, out| ws.send_prepared(&prepared, out), |ws, out| ws.send_prepared(&prepared, out));
        twins.both(|ws, _| ws.send_shared(&prepared), |ws, _| ws.send_shared(&prepared));
        let binary = MessageKind::Binary;
        twins.both(|ws, out| ws.send_header(binary, 7, out).is_ok(), |ws, out| ws.send_header(binary, 7, out).is_ok());
        twins.both(|ws, out| ws.begin_text("a", out), |ws, out| ws.begin_text("a", out));
        twins.both(|ws, out| ws.send_text("too early", out), |ws, out| ws.send_text("too early", out));
        twins.both(|ws, out| ws.continue_text("b", out), |ws, out| ws.continue_text("b", out));
        twins.both(|ws, out| ws.send_ping(b"ping", out), |ws, out| ws.send_ping(b"ping", out));
        twins.both(|ws, out| ws.send_pong(&[0; 126], out), |ws, out| ws.send_pong(&[0; 126], out));
        twins.both(|ws, out| ws.finish_text("c", out), |ws, out| ws.finish_text("c", out));
        twins.both(|ws, out| ws.begin_binary(b"a", out), |ws, out| ws.begin_binary(b"a", out));
        twins.both(|ws, out| ws.continue_binary(b"b", out), |ws, out| ws.continue_binary(b"b", out));
        twins.both(|ws, out| ws.finish_binary(b"c", out), |ws, out| ws.finish_binary(b"c", out));
        twins.both(|ws, out| ws.finish_binary(b"none", out), |ws, out| ws.finish_binary(b"none", out));
        let no_status = CloseCode::NO_STATUS;
        twins.both(|ws, out| ws.close(no_status, "", out), |ws, out| ws.close(no_status, "", out));
        if role == Role::Server {
            let away = CloseCode::GOING_AWAY;
            twins.both(|ws, out| ws.close(away, "bye", out), |ws, out| ws.close(away, "bye", out));
        } else {
            twins.both(Connection::close_without_code, Sender::close_without_code);
        }
        twins.both(|ws, out| ws.send_text("too late", out), |ws, out| ws.send_text("too late", out));
        twins.both(|ws, out| ws.send_pong(b"in time", out), |ws, out| ws.send_pong(b"in time", out));
        twins.both(|ws, _| ws.send_shared(&prepared), |ws, _| ws.send_shared(&prepared));
    }
}
