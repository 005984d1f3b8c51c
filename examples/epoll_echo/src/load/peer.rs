//! One of the connections of the load: does each message come back as it went, and in order?

use std::io::{ErrorKind, Read};

use mio::net::TcpStream;
use websocket_proto::handshake::{Answer, ClientHandshake, ClientRequest, Uri};
use websocket_proto::{CloseCode, Config, Connection, Event, ReadBuffer};

use super::Failure;
use super::message::Messages;
use crate::outbox::Outbox;
use crate::pool::{self, Pool, READ};

/// A client of the server under load.
#[derive(Default)]
pub(super) struct Peer {
    course: Course,
    link: Option<Link>,
}

/// How far a client is. Its messages are numbered, over all connections that it has had, and what a number stands for
/// is known again when its echo comes: nothing is kept of what is under way.
#[derive(Default)]
struct Course {
    id: usize,
    /// How many messages may be unanswered while the load drives; 0: this one is idle.
    window: u64,
    /// The number of the next message to send.
    sent: u64,
    /// The number of the next echo to come.
    came: u64,
}

/// A connection that there is.
struct Link {
    stream: TcpStream,
    phase: Phase,
    outbox: Outbox,
    input: Option<Box<ReadBuffer>>,
}

#[allow(clippy::large_enum_variant)] // almost all are open
enum Phase {
    Handshake(Box<ClientHandshake>),
    Open(Connection),
}

/// What all clients share.
#[derive(Default)]
pub(super) struct Common {
    pub(super) pool: Pool,
    pub(super) messages: Messages,
    /// An echo is followed by the next message.
    pub(super) is_driving: bool,
    /// Connections whose handshake is over.
    pub(super) open: usize,
    /// Connections that the server has closed with 1001, properly.
    pub(super) went_away: usize,
    /// Messages that were sent and have not come back.
    pub(super) waiting: u64,
    /// Messages that have come back.
    pub(super) echoed: u64,
}

impl Peer {
    pub(super) fn new(id: usize, window: u64) -> Self {
        Self { course: Course { id, window, ..Course::default() }, link: None }
    }

    /// Begins to connect; what was sent on an earlier connection and did not come back is sent again.
    pub(super) fn connect(&mut self, stream: TcpStream, uri: &Uri) -> Result<&mut TcpStream, Failure> {
        stream.set_nodelay(true)?;
        let mut outbox = Outbox::default();
        let handshake = ClientRequest::new(uri).send(&Config::default(), &mut outbox.frames)?;
        self.course.sent = self.course.came;
        let phase = Phase::Handshake(Box::new(handshake));
        Ok(&mut self.link.insert(Link { stream, phase, outbox, input: None }).stream)
    }

    /// Sends, reads and judges what there is, as far as to the stream's end if that is known to be there. Fails where
    /// the server does not do as it should.
    pub(super) fn turn(&mut self, is_ending: bool, common: &mut Common) -> Result<(), Failure> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let mut input = link.input.take().map_or_else(|| common.pool.take(), |input| *input);
        let goes_on = link.work(is_ending, &mut self.course, &mut input, common);
        if input.is_empty() {
            common.pool.give(input);
        } else {
            pool::trim(&mut input);
            link.input = Some(Box::new(input));
        }
        if !matches!(goes_on, Ok(true)) {
            let Course { id, sent, came, .. } = self.course;
            common.open -= usize::from(matches!(link.phase, Phase::Open(_)));
            common.waiting -= sent - came;
            self.link = None;
            goes_on.map_err(|failure| format!("client {id}, after {came} echoes: {failure}"))?;
        }
        Ok(())
    }
}

impl Link {
    /// Until there is nothing more to be read for now, or the connection has ended as it should.
    fn work(
        &mut self,
        is_ending: bool,
        course: &mut Course,
        input: &mut ReadBuffer,
        common: &mut Common,
    ) -> Result<bool, Failure> {
        let mut has_more = true;
        loop {
            self.receive(course, input, common)?;
            self.send(course, common);
            self.flush()?;
            if !has_more {
                return Ok(true);
            }
            let room = input.room(READ);
            let len = room.len();
            match self.stream.read(room) {
                Ok(0) => return self.end(common),
                Ok(n) => {
                    input.filled(n);
                    // to ask once more would be to wait for what is answered meanwhile, and never to leave this one
                    has_more = n == len || is_ending;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn receive(&mut self, course: &mut Course, input: &mut ReadBuffer, common: &mut Common) -> Result<(), Failure> {
        if let Phase::Handshake(handshake) = &mut self.phase {
            match handshake.receive(input)? {
                None => return Ok(()),
                Some(Answer::Accepted { connection, .. }) => self.phase = Phase::Open(connection),
                Some(Answer::Rejected { response, .. }) => return Err(format!("status {}", response.status()).into()),
            }
            common.open += 1;
        }
        let Phase::Open(ws) = &mut self.phase else { return Ok(()) };
        while let Some(event) = ws.receive(input, &mut self.outbox.frames)? {
            if matches!(event, Event::Ping(_) | Event::Close(_)) {
                continue; // it is answered, and at the end its code is known
            }
            if course.came == course.sent || !common.messages.is_echo(course.id, course.came, &event) {
                return Err("what came back is not what was sent".into());
            }
            course.came += 1;
            common.waiting -= 1;
            common.echoed += 1;
        }
        Ok(())
    }

    /// Sends as many messages as may be unanswered; and the very first, unasked.
    fn send(&mut self, course: &mut Course, common: &mut Common) {
        let Phase::Open(ws) = &mut self.phase else { return };
        let until = if common.is_driving { course.came + course.window } else { course.sent };
        while course.sent < until.max(1) {
            if common.messages.send(course.id, course.sent, ws, &mut self.outbox.frames).is_err() {
                return; // it is being closed
            }
            course.sent += 1;
            common.waiting += 1;
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        while !self.outbox.is_empty() {
            match self.outbox.write_to(&mut self.stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.outbox = Outbox::default();
        Ok(())
    }

    /// The server has ended the stream: as it should, if it has said with 1001 why.
    fn end(&mut self, common: &mut Common) -> Result<bool, Failure> {
        let Phase::Open(ws) = &mut self.phase else { return Err("the stream has ended amid the handshake".into()) };
        ws.receive_eof()?;
        match ws.close_outcome() {
            Some(outcome) if outcome.clean && outcome.received == CloseCode::GOING_AWAY => {
                common.went_away += 1;
                Ok(false)
            }
            outcome => Err(format!("closed by {outcome:?}").into()),
        }
    }
}
