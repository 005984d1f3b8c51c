//! tungstenite, over memory.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use tungstenite::protocol::{self, WebSocketConfig};
use tungstenite::{Error, WebSocket};
use websocket_proto::{CloseCode, CloseFrame, Limits, Message, Role, Utf8Bytes};

/// Memory in which the pieces of a stream come one after another, and which takes all that is written.
#[derive(Debug, Default)]
pub struct Stream {
    pub pieces: VecDeque<Vec<u8>>,
    pub output: Vec<u8>,
}

impl Read for Stream {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.pieces.front_mut() else { return Ok(0) };
        let len = piece.len().min(room.len());
        room[..len].copy_from_slice(&piece[..len]);
        piece.drain(..len);
        if piece.is_empty() {
            self.pieces.pop_front();
        }
        Ok(len)
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.output.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Its end of a connection, to which these pieces come.
pub fn new(role: Role, limits: &Limits, pieces: &[&[u8]]) -> WebSocket<Stream> {
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec()).collect();
    let role = if role == Role::Server { protocol::Role::Server } else { protocol::Role::Client };
    let config = WebSocketConfig::default()
        .read_buffer_size(512)
        .max_frame_size(usize::try_from(limits.frame).ok())
        .max_message_size(usize::try_from(limits.message).ok());
    WebSocket::from_raw_socket(Stream { pieces, output: Vec::new() }, role, Some(config))
}

/// Reads until a fault, a Close, or the end, which is no fault; then writes what it has to answer.
pub fn read(ws: &mut WebSocket<Stream>) -> (Vec<Message>, Option<Error>) {
    let mut messages = Vec::new();
    let error = loop {
        match ws.read() {
            Ok(message) => {
                let is_close = message.is_close();
                messages.push(ours(message));
                if is_close {
                    break None;
                }
            }
            Err(Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => break None,
            Err(error) => break Some(error),
        }
    };
    let _ = ws.flush(); // a server says of this that the connection is closed
    (messages, error)
}

/// One of its messages as one of ours.
fn ours(message: tungstenite::Message) -> Message {
    match message {
        tungstenite::Message::Text(text) => Message::Text(Utf8Bytes::from(&*text)),
        tungstenite::Message::Binary(data) => Message::Binary(data),
        tungstenite::Message::Ping(payload) => Message::Ping(payload),
        tungstenite::Message::Pong(payload) => Message::Pong(payload),
        tungstenite::Message::Close(frame) => {
            Message::Close(frame.map(|frame| CloseFrame {
                code: CloseCode(frame.code.into()),
                reason: Utf8Bytes::from(&*frame.reason),
            }))
        }
        tungstenite::Message::Frame(frame) => panic!("{frame:?} was read"),
    }
}

/// A message of ours as tungstenite reports it: 1014, which it does not know, as 1002.
pub fn as_reported(message: Message) -> Message {
    match message {
        Message::Close(Some(CloseFrame { code: CloseCode::BAD_GATEWAY, .. })) => {
            Message::Close(Some(CloseFrame { code: CloseCode::PROTOCOL_ERROR, reason: "Protocol violation".into() }))
        }
        message => message,
    }
}
