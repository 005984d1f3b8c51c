//! The echo server program under a thousand connections at once.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use websocket_proto::handshake::{Answer, ClientRequest, Uri};
use websocket_proto::{CloseCode, Config, Connection, Event, ReadBuffer};

/// A program of `examples/`, ended with the test.
struct Program(Child);

impl Program {
    /// `cargo test` builds the examples beside the tests.
    fn start(name: &str, args: &[&str]) -> Self {
        let test = env::current_exe().expect("a test is a file");
        let built = test.parent().and_then(|deps| deps.parent()).expect("target/PROFILE/deps").join("examples");
        let path = built.join(format!("{name}{}", env::consts::EXE_SUFFIX));
        let child = Command::new(&path).args(args).stdout(Stdio::piped()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{} ({error}); run `cargo build --examples`", path.display())))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Client {
    stream: TcpStream,
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
}

impl Client {
    fn connect(uri: &Uri) -> Self {
        let mut stream = TcpStream::connect((uri.host(), uri.port())).expect("it listens");
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let mut handshake = ClientRequest::new(uri).send(&Config::default(), &mut output).expect("a request");
        stream.write_all(&output).expect("the request goes out");
        output.clear();
        let ws = loop {
            match handshake.receive(&mut input).expect("a right response") {
                Some(Answer::Accepted { connection, .. }) => break connection,
                Some(answer) => panic!("{answer:?}"),
                None => read(&mut stream, &mut input),
            }
        };
        Self { stream, ws, input, output }
    }

    fn flush(&mut self) {
        self.stream.write_all(&self.output).expect("the server reads");
        self.output.clear();
    }
}

fn read(stream: &mut TcpStream, input: &mut ReadBuffer) {
    let n = stream.read(input.spare(4096)).expect("the server writes");
    assert_ne!(n, 0, "the server ended the stream");
    input.filled(n);
}

#[test]
fn a_thousand_connections_echo_a_hundred_messages_each() {
    const CONNECTIONS: usize = 1000;
    const ROUNDS: usize = 10;
    const AT_ONCE: usize = 10;

    let mut server = Program::start("echo_server", &["--listen", "127.0.0.1:0"]);
    let mut lines = BufReader::new(server.0.stdout.take().expect("piped")).lines();
    let first = lines.next().expect("it says where it listens").expect("a line");
    let uri = Uri::parse(first.strip_prefix("listening on ").expect("an address")).expect("a URI");
    let clean = std::thread::spawn(move || {
        lines.map_while(Result::ok).filter(|line| line.contains(" clean, sent 1000,")).take(CONNECTIONS).count()
    });

    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| Client::connect(&uri)).collect();
    let message = |client: usize, n: usize| format!("message {n} of {client}");
    for round in 0..ROUNDS {
        let numbers = round * AT_ONCE..(round + 1) * AT_ONCE;
        for (i, client) in clients.iter_mut().enumerate() {
            for n in numbers.clone() {
                client.ws.send_text(&message(i, n), &mut client.output).expect("it is open");
            }
            client.flush();
        }
        for (i, client) in clients.iter_mut().enumerate() {
            let mut expected = numbers.clone();
            while !expected.is_empty() {
                match client.ws.receive(&mut client.input, &mut client.output).expect("the rules are kept") {
                    Some(event) => assert_eq!(event, Event::Text(&message(i, expected.next().expect("not yet all")))),
                    None => read(&mut client.stream, &mut client.input),
                }
            }
        }
    }
    for client in &mut clients {
        client.ws.close(CloseCode::NORMAL, "", &mut client.output).expect("it is open");
        client.flush();
    }
    for client in &mut clients {
        while client.ws.wants_read() {
            match client.ws.receive(&mut client.input, &mut client.output).expect("the rules are kept") {
                Some(event) => assert!(matches!(event, Event::Close(Some(_))), "{event:?}"),
                None => read(&mut client.stream, &mut client.input),
            }
        }
        assert!(client.ws.close_outcome().expect("it is over").clean);
        // the server ends the stream behind its Close
        assert_eq!(client.stream.read(&mut [0]).expect("no reset"), 0);
    }
    drop(clients);
    assert_eq!(clean.join().expect("it counts"), CONNECTIONS, "the server saw each of them end");
}
