//! One connection on a blocking socket: for the figures, and for those who misbehave.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use websocket_proto::handshake::{Answer, ClientRequest, Uri};
use websocket_proto::{Config, Connection, Event, ReadBuffer};

use super::{Failure, url};

/// How long anything may take that should take no time.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open WebSocket.
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
}

impl Socket {
    pub(super) fn open(address: SocketAddr, path: &str) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
        let uri = Uri::parse(&url(address, path))?;
        let mut handshake = ClientRequest::new(&uri).send(&Config::default(), &mut output)?;
        stream.write_all(&output)?;
        output.clear();
        let ws = loop {
            match handshake.receive(&mut input)? {
                Some(Answer::Accepted { connection, .. }) => break connection,
                Some(Answer::Rejected { response, .. }) => return Err(format!("status {}", response.status()).into()),
                None => {}
            }
            let n = stream.read(input.room(4096))?;
            input.filled(n);
            if n == 0 {
                handshake.receive_eof()?;
            }
        };
        Ok(Self { stream, ws, input, output })
    }

    /// Waits for the next event, and answers what it owes; `None`: there will be none.
    pub(super) fn receive(&mut self, on_event: impl FnOnce(Event<'_>)) -> Result<Option<()>, Failure> {
        loop {
            if let Some(event) = self.ws.receive(&mut self.input, &mut self.output)? {
                on_event(event);
                self.flush()?;
                return Ok(Some(()));
            }
            if !self.ws.wants_read() {
                return Ok(None);
            }
            let n = self.stream.read(self.input.room(4096))?;
            self.input.filled(n);
            if n == 0 {
                self.ws.receive_eof()?;
            }
        }
    }

    /// Sends a text, and waits for its echo.
    pub(super) fn echo(&mut self, text: &str) -> Result<(), Failure> {
        self.ws.send_text(text, &mut self.output)?;
        self.flush()?;
        let mut is_same = false;
        let mut has_come = false;
        while !has_come {
            let next = self.receive(|event| {
                has_come = !matches!(event, Event::Ping(_));
                is_same = event == Event::Text(text);
            })?;
            has_come |= next.is_none();
        }
        if is_same { Ok(()) } else { Err(format!("{text:?} was not echoed").into()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }
}

/// Calls `step` until it says that the stream is at its end.
pub(super) fn until_closed(mut step: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if step()? {
            return Ok(());
        }
    }
    Err(format!("not closed within {PATIENCE:?}").into())
}

/// Whether a read or write says that the peer is gone; a wait that was in vain says nothing.
pub(super) fn is_gone(done: std::io::Result<usize>) -> Result<bool, Failure> {
    match done.map_err(|error| (error.kind(), error)) {
        Ok(n) => Ok(n == 0),
        Err((ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted, _)) => Ok(false),
        Err((ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted, _)) => Ok(true),
        Err((_, error)) => Err(error.into()),
    }
}
