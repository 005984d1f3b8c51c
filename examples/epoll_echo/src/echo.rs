//! What is a peer answered?

use bytes::Bytes;
use websocket_proto::handshake::Request;
use websocket_proto::{CloseCode, Connection, MessageKind, State};

use crate::outbox::Outbox;
use crate::shared::Shared;

/// From how many octets on a payload is not copied behind its header, but written from where it lies.
const LARGE: usize = 16 << 10;

/// Accepts, or refuses for want of room; one who asks for the figures gets them.
pub(crate) fn answer(request: Request<'_>, output: &mut Vec<u8>, shared: &mut Shared) -> Option<Connection> {
    if shared.figures.connections > shared.options.max_connections {
        shared.figures.refused += 1;
        // nothing that could be wrong with it is in it
        let _ = request.reject(503).send(output);
        return None;
    }
    let wants_stats = shared.options.has_stats && request.path() == "/stats";
    let mut ws = request.accept().send(output).ok()?;
    shared.figures.opened += 1;
    if wants_stats {
        // it is open, and nothing was sent yet
        let _ = ws.send_text(&shared.figures.to_string(), output);
        let _ = ws.close(CloseCode::NORMAL, "", output);
    }
    Some(ws)
}

/// Sends a message back. A server's frames are not masked, so that a payload may stay where it is.
pub(crate) fn echo(ws: &mut Connection, kind: MessageKind, payload: Bytes, outbox: &mut Outbox, shared: &mut Shared) {
    // after our own Close, nothing is echoed any more
    if ws.state() != State::Open || ws.send_header(kind, payload.len() as u64, &mut outbox.frames).is_err() {
        return;
    }
    shared.figures.messages += 1;
    if payload.len() < LARGE {
        outbox.frames.extend_from_slice(&payload);
    } else {
        outbox.push(payload);
    }
}
