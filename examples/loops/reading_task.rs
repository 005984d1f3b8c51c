//! The half of a connection that reads: what comes from the peer, in which order, and who is told?
//!
//! [`Reading::run`] may be cancelled at each of its awaits and called again: at all of them, everything that came is in
//! the `ReadBuffer` or on the channel, and what is owed to the peer is in the `Receiver` or on the channel. A message
//! is taken off the buffer, and a debt off the receiver, only when there is a place on the channel, and then put there
//! before the next await.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc;
use websocket_proto::{Message, Owed, ReadBuffer, Receiver};

use crate::clock::{Clock, Heard};

/// Octets to ask the stream for at a time; and of memory that an idle connection keeps, for each direction.
pub(crate) const READ: usize = 8 * 1024;

/// What the reading task tells the writing task.
#[derive(Debug)]
pub(crate) enum Received {
    /// A text or binary message.
    Message(Message),
    /// A Pong or a Close that has to be sent, or that the stream has ended.
    Owed(Owed),
    /// The payload of a Pong.
    Pong(Bytes),
}

/// The half of a connection that reads.
#[derive(Debug)]
pub(crate) struct Reading<R> {
    pub(crate) reader: R,
    pub(crate) ws: Receiver,
    pub(crate) input: ReadBuffer,
    /// Bounded: when the writing task cannot go on, as its peer does not read, this half waits, and the peer in turn.
    pub(crate) to_writer: mpsc::Sender<Received>,
    pub(crate) heard: Heard,
    pub(crate) clock: Clock,
}

impl<R: AsyncRead + Unpin> Reading<R> {
    /// Reads until nothing that the peer says matters any more, or nobody is there to be told.
    pub(crate) async fn run(&mut self) {
        loop {
            // Cancelled here: we hold nothing but a place in the queue for a place on the channel.
            let Ok(place) = self.to_writer.reserve().await else { return };
            if let Some(received) = next(&mut self.ws, &mut self.input) {
                place.send(received);
                continue;
            }
            drop(place);
            if !self.ws.wants_read() {
                return;
            }
            if self.input.is_empty() {
                self.input.shrink(READ); // a long message is over
            }
            // Cancelled here: `read` puts octets into the room only in the poll that completes it, and between that
            // poll and `filled` there is no await. Room that was not filled is handed out again.
            match self.reader.read(self.input.room(READ)).await {
                Ok(n) if n > 0 => {
                    self.input.filled(n);
                    self.heard.note(self.clock.now());
                }
                // The end, or a reset, which for us is the same; the other half is told by what is then owed.
                _ => drop(self.ws.receive_eof()),
            }
        }
    }

    /// Reads on until the peer has ended its half of the stream, as octets that nobody reads would have our last ones
    /// lost to a reset. Cancelled: nothing of it matters.
    pub(crate) async fn drain(&mut self) {
        let mut discarded = [0; 1024];
        while matches!(self.reader.read(&mut discarded).await, Ok(n) if n > 0) {}
    }
}

/// The next that the writing task has to know, if it has come: what is owed goes first, so that there is never more
/// than one thing to hand over.
fn next(ws: &mut Receiver, input: &mut ReadBuffer) -> Option<Received> {
    loop {
        if let Some(owed) = ws.take_owed() {
            return Some(Received::Owed(owed));
        }
        match ws.receive_message(input) {
            Ok(Some(message @ (Message::Text(_) | Message::Binary(_)))) => return Some(Received::Message(message)),
            Ok(Some(Message::Pong(payload))) => return Some(Received::Pong(payload)),
            Ok(None) => return None,
            // A Ping, a Close, or a broken rule: what is to be done about it is owed.
            Ok(Some(_)) | Err(_) => {}
        }
    }
}
