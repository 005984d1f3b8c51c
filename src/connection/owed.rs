//! RFC 6455 §5.5: what has to be sent for what came.

use crate::config::PongPolicy;
use crate::error::ProtocolError;
use crate::receive::{Item, ItemKind, ReadBuffer};
use crate::wire::{CloseCode, CloseFrame};

/// What the half of a connection that receives leaves for the half that sends: a Pong, a Close, or the news that the
/// peer has gone. A small value, to be sent from a thread or task to another; see
/// [`Connection::split`](crate::Connection::split).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the peer waits for it"]
pub struct Owed(pub(super) Debt);

/// What is owed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Debt {
    /// The answer to a Ping.
    Pong(ControlPayload),
    /// The answer to the peer's Close, whose code this is; 1005 for none.
    Close(CloseCode),
    /// A Close that says which rule the peer broke.
    Fail(ProtocolError),
    /// Nothing: the stream has ended.
    Eof,
}

impl Debt {
    /// What an item asks for.
    pub(super) fn of(item: &Item, input: &mut ReadBuffer, pong: PongPolicy) -> Result<Option<Self>, ProtocolError> {
        Ok(match item.kind {
            ItemKind::Ping if pong == PongPolicy::Automatic => {
                Some(Self::Pong(ControlPayload::new(item.payload(input))))
            }
            ItemKind::Close => {
                let frame = CloseFrame::decode(item.payload(input))?;
                Some(Self::Close(frame.map_or(CloseCode::NO_STATUS, |frame| frame.code)))
            }
            _ => None,
        })
    }
}

/// The payload of a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ControlPayload {
    len: u8,
    octets: [u8; 125],
}

impl ControlPayload {
    /// Of at most 125 octets; what is more is cut off, which the decoder has ruled out.
    fn new(payload: &[u8]) -> Self {
        let mut octets = [0; 125];
        let len = payload.len().min(octets.len());
        if let (Some(octets), Some(payload)) = (octets.get_mut(..len), payload.get(..len)) {
            octets.copy_from_slice(payload);
        }
        Self { len: u8::try_from(len).unwrap_or(125), octets }
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.octets.get(..self.len.into()).unwrap_or(&self.octets)
    }
}
