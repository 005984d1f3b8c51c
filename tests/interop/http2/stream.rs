//! The whole adapter between `websocket_proto` and a stream of `h2`: octets of DATA frames in, and out.

use std::future::poll_fn;
use std::mem;
use std::time::Duration;

use bytes::Bytes;
use h2::{RecvStream, SendStream};
use tokio::time::timeout;
use websocket_proto::handshake::ErrorCode;
use websocket_proto::{Connection, Message, ReadBuffer};

use crate::Failure;

/// How long to wait for a peer to end its half of the stream.
const LINGER: Duration = Duration::from_secs(3);

/// An open WebSocket on a stream.
pub(crate) struct Stream {
    pub(crate) ws: Connection,
    /// What `ws` appends here is sent by the next [`receive`](Self::receive).
    pub(crate) output: Vec<u8>,
    input: ReadBuffer,
    receiver: RecvStream,
    sender: SendStream<Bytes>,
}

impl Stream {
    pub(crate) fn new(ws: Connection, receiver: RecvStream, sender: SendStream<Bytes>) -> Self {
        Self { ws, output: Vec::new(), input: ReadBuffer::default(), receiver, sender }
    }

    /// Sends the output, and waits for the next message; `None` if the connection is over.
    pub(crate) async fn receive(&mut self) -> Result<Option<Message>, Failure> {
        loop {
            let received = self.ws.receive_message(&mut self.input, &mut self.output);
            self.flush().await?; // also on failure: the output holds the Close frame that says why
            match received? {
                None if self.ws.wants_read() => self.read().await?,
                message => return Ok(message),
            }
        }
    }

    /// Ends the stream. Where the connection is over, our half ends (`END_STREAM`), and the peer has a moment to end
    /// its own; a stream that is given up before, or that the peer does not end, is reset.
    pub(crate) async fn end(mut self) {
        let is_over = !self.ws.wants_read();
        if !is_over || self.sender.send_data(Bytes::new(), true).is_err() || !self.peer_ends().await {
            self.sender.send_reset(ErrorCode::Cancel.http2().into());
        }
    }

    /// Sends the output, at most as much at a time as the peer's windows have room for.
    async fn flush(&mut self) -> Result<(), Failure> {
        let mut output = Bytes::from(mem::take(&mut self.output));
        while !output.is_empty() {
            self.sender.reserve_capacity(output.len());
            let capacity = poll_fn(|cx| self.sender.poll_capacity(cx)).await.ok_or("the stream was reset")??;
            self.sender.send_data(output.split_to(capacity.min(output.len())), false)?;
        }
        Ok(())
    }

    /// Takes in the octets of the next DATA frame, however the WebSocket's frames are cut, or the end of the stream.
    async fn read(&mut self) -> Result<(), Failure> {
        match self.receiver.data().await.transpose() {
            Ok(Some(data)) => {
                self.input.extend_from_slice(&data);
                self.receiver.flow_control().release_capacity(data.len())?; // the peer may send as much again
            }
            end => {
                let owed = self.ws.receive_eof();
                end?; // a reset, with its code
                owed?;
            }
        }
        Ok(())
    }

    /// Whether the peer ends its half in time. What still comes is nothing to us.
    async fn peer_ends(&mut self) -> bool {
        let end = async {
            while let Some(data) = self.receiver.data().await.transpose()? {
                self.receiver.flow_control().release_capacity(data.len())?;
            }
            Ok::<_, h2::Error>(())
        };
        matches!(timeout(LINGER, end).await, Ok(Ok(())))
    }
}
