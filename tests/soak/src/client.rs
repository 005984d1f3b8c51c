//! A WebSocket on a blocking stream, from the client's side: what honest and hostile clients have in common.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use websocket_proto::handshake::{Answer, ClientRequest};
use websocket_proto::{Config, Connection, Event, ReadBuffer};

use crate::Plan;
use crate::tally::add;

/// Why a client could not do what it wanted.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    pub(crate) ws: Connection,
    pub(crate) input: ReadBuffer,
    pub(crate) output: Vec<u8>,
}

/// A stream to the server, counted. That this machine has no port left is not the server's fault.
pub(crate) fn connect(plan: &Plan) -> io::Result<TcpStream> {
    let address = (plan.uri.host(), plan.uri.port());
    let stream = loop {
        match TcpStream::connect(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => thread::sleep(Duration::from_millis(50)),
            connected => break connected?,
        }
    };
    add(&plan.tally.connections, 1);
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

impl Client {
    /// Opens a WebSocket.
    pub(crate) fn open(plan: &Plan, config: &Config) -> Result<Self, Failure> {
        let mut stream = connect(plan)?;
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let mut handshake = ClientRequest::new(&plan.uri).send(config, &mut output)?;
        stream.write_all(&output)?;
        output.clear();
        loop {
            match handshake.receive(&mut input)? {
                Some(Answer::Accepted { connection, .. }) => {
                    return Ok(Self { stream, ws: connection, input, output });
                }
                Some(answer) => return Err(format!("{answer:?}").into()),
                None => {}
            }
            if read(&mut stream, &mut input)? == 0 {
                handshake.receive_eof()?;
            }
        }
    }

    /// Writes the output.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    /// Reads once.
    pub(crate) fn read(&mut self) -> Result<(), Failure> {
        match read(&mut self.stream, &mut self.input)? {
            0 => Ok(self.ws.receive_eof()?),
            _ => Ok(()),
        }
    }

    /// Reads up to the server's Close, whatever comes before it, and gives its code.
    pub(crate) fn code_of_close(&mut self) -> Result<Option<u16>, Failure> {
        loop {
            match self.ws.receive(&mut self.input, &mut self.output)? {
                Some(Event::Close(frame)) => return Ok(frame.map(|frame| frame.code.0)),
                Some(_) => {}
                None => self.read()?,
            }
        }
    }
}

fn read(stream: &mut TcpStream, input: &mut ReadBuffer) -> io::Result<usize> {
    let n = stream.read(input.room(16 * 1024))?;
    input.filled(n);
    Ok(n)
}

/// What takes longer is lost.
const TIMEOUT: Duration = Duration::from_mins(1);
