//! The loop of completions: octets come in memory of others, and what is written is given away, piece by piece. Here
//! a stream of `h2`, in one task that waits for all that may happen at once.

use std::future::poll_fn;
use std::mem;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use tokio::select;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use websocket_proto::handshake::ErrorCode;
use websocket_proto::{
    Backlog, CloseCode, CloseOutcome, Connection, Event, Flow, Keepalive, ReadBuffer, SendError, State,
};

use crate::Failure;

/// Octets of output from which on the client is not read.
const PAUSE: usize = 64 << 10;

/// Octets of memory that a stream keeps for the next ones.
const KEPT: usize = 16 << 10;

/// How long to wait for a client to end its half of the stream.
const LINGER: Duration = Duration::from_secs(3);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The time since the program's start.
pub(crate) fn now() -> Duration {
    START.elapsed()
}

/// An open WebSocket on a stream.
pub(crate) struct Stream {
    ws: Connection,
    input: ReadBuffer,
    output: Vec<u8>,
    /// The output of earlier turns; what follows it in `output` waits until it is sent.
    sending: Bytes,
    receiver: RecvStream,
    sender: SendStream<Bytes>,
    keepalive: Keepalive,
    backlog: Backlog,
}

impl Stream {
    pub(crate) fn new(
        ws: Connection,
        receiver: RecvStream,
        sender: SendStream<Bytes>,
        mut keepalive: Keepalive,
    ) -> Self {
        keepalive.opened(now());
        let backlog = Backlog::new(PAUSE, usize::MAX);
        let (input, output, sending) = (ReadBuffer::default(), Vec::new(), Bytes::new());
        Self { ws, input, output, sending, receiver, sender, keepalive, backlog }
    }

    /// Sends back each message until the WebSocket is over; then ends the stream. Fails unless both have closed.
    pub(crate) async fn echo(mut self, ending: watch::Receiver<()>) -> Result<CloseOutcome, Failure> {
        let outcome = self.run(ending).await;
        self.end().await;
        match outcome? {
            CloseOutcome { error: Some(error), .. } => Err(error.into()),
            outcome => Ok(outcome),
        }
    }

    async fn run(&mut self, mut ending: watch::Receiver<()>) -> Result<CloseOutcome, Failure> {
        let mut is_ending = false;
        loop {
            let flow = self.receive()?;
            self.send()?;
            if let Some(outcome) = self.ws.close_outcome().filter(|_| self.unsent() == 0) {
                return Ok(outcome);
            }
            if flow != Flow::Read && self.backlog.flow(self.unsent()) == Flow::Read {
                continue; // with what is left in the input
            }
            let deadline = self.keepalive.next_deadline(now(), &self.ws);
            let is_waiting = self.unsent() > 0;
            let Self { ws, input, output, receiver, sender, keepalive, .. } = self;
            // each of these may be dropped half-way, and nothing is lost
            select! {
                capacity = poll_fn(|cx| sender.poll_capacity(cx)), if is_waiting => {
                    capacity.ok_or("the stream was reset")??; // there is room for more, which the next turn sends
                }
                data = receiver.data(), if flow == Flow::Read && ws.wants_read() => match data.transpose() {
                    Ok(Some(data)) => {
                        keepalive.heard(now());
                        input.extend_from_slice(&data);
                        // the client may send as much again: octets are taken only while the output is short, and so
                        // the client is stopped by its window if it does not read
                        receiver.flow_control().release_capacity(data.len())?;
                    }
                    end => {
                        let owed = ws.receive_eof();
                        end?; // a reset, with its code
                        owed?;
                    }
                },
                () = sleep_until(*START + deadline.unwrap_or_default()), if deadline.is_some() => {
                    keepalive.handle_timeout(now(), ws, output)?;
                }
                _ = ending.changed(), if !is_ending => {
                    is_ending = true;
                    if ws.state() == State::Open {
                        ws.close(CloseCode::GOING_AWAY, "", output)?;
                    }
                }
            }
        }
    }

    /// Receives and answers what has come, as long as the client takes the answers.
    fn receive(&mut self) -> Result<Flow, SendError> {
        let Self { ws, input, output, sending, keepalive, backlog, .. } = self;
        loop {
            let flow = backlog.flow(sending.len() + output.len());
            if flow != Flow::Read {
                return Ok(flow);
            }
            // what is wrong is in the outcome, and the Close that says so is in the output
            let Ok(Some(event)) = ws.receive(input, output) else {
                if input.is_empty() {
                    input.shrink(KEPT);
                }
                return Ok(flow);
            };
            if matches!(event, Event::TextChunk { last: true, .. } | Event::BinaryChunk { last: true, .. }) {
                keepalive.active(now());
            }
            match event {
                Event::Pong(payload) => keepalive.pong(now(), payload),
                // after our own Close, at the end of the server, nothing is echoed any more
                _ if ws.state() != State::Open => {}
                Event::TextChunk { text, first, last } => match (first, last) {
                    (true, true) => ws.send_text(text, output)?,
                    (true, false) => ws.begin_text(text, output)?,
                    (false, false) => ws.continue_text(text, output)?,
                    (false, true) => ws.finish_text(text, output)?,
                },
                Event::BinaryChunk { data, first, last } => match (first, last) {
                    (true, true) => ws.send_binary(data, output)?,
                    (true, false) => ws.begin_binary(data, output)?,
                    (false, false) => ws.continue_binary(data, output)?,
                    (false, true) => ws.finish_binary(data, output)?,
                },
                _ => {}
            }
        }
    }

    /// Sends as much of the output as the client's windows have room for, and asks for room for the rest.
    fn send(&mut self) -> Result<(), h2::Error> {
        let mut sent = 0;
        loop {
            if self.sending.is_empty() {
                self.sending = Bytes::from(mem::take(&mut self.output));
            }
            self.sender.reserve_capacity(self.unsent());
            let len = self.sender.capacity().min(self.sending.len());
            if len == 0 {
                break;
            }
            self.sender.send_data(self.sending.split_to(len), false)?;
            sent += len;
        }
        self.keepalive.wrote(now(), sent, self.unsent());
        if self.unsent() > 0 {
            self.keepalive.blocked(now());
        }
        Ok(())
    }

    /// Octets of output that are not sent.
    fn unsent(&self) -> usize {
        self.sending.len() + self.output.len()
    }

    /// Ends the stream (RFC 8441 §5). Where the WebSocket is over, our half ends (`END_STREAM`), and the client has a
    /// moment to end its own; a stream that is given up before, or that the client does not end, is reset.
    async fn end(mut self) {
        let is_over = !self.ws.wants_read() && self.unsent() == 0;
        if !is_over || self.sender.send_data(Bytes::new(), true).is_err() || !self.client_ends().await {
            self.sender.send_reset(ErrorCode::Cancel.http2().into());
        }
    }

    /// Whether the client ends its half in time. What still comes is nothing to us.
    async fn client_ends(&mut self) -> bool {
        let end = async {
            while let Some(data) = self.receiver.data().await.transpose()? {
                self.receiver.flow_control().release_capacity(data.len())?;
            }
            Ok::<_, h2::Error>(())
        };
        matches!(timeout(LINGER, end).await, Ok(Ok(())))
    }
}
