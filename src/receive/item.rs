//! RFC 6455 §6.2: what has been received, and where does it lie?

use core::ops::Range;

use super::ReadBuffer;
use crate::config::MessageKind;
use crate::wire::{InvalidUtf8, check_utf8};

/// What comes next, in ranges; the door of the connection turns it into a reference.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    /// Which part of the [`ReadBuffer`] the payload lies in, unmasked.
    pub(crate) place: Place,
    /// Where it lies there.
    pub(crate) range: Range<usize>,
}

impl Item {
    /// Whether something may have to be sent for it.
    pub(crate) fn asks(&self) -> bool {
        matches!(self.kind, ItemKind::Ping | ItemKind::Close)
    }

    /// The payload, as long as nothing more is received.
    pub(crate) fn payload<'i>(&self, input: &'i mut ReadBuffer) -> &'i [u8] {
        match self.place {
            Place::Come => input.at(self.range.clone()),
            Place::Inflated => input.inflating().1.at(self.range.clone()),
        }
    }

    /// The same as text.
    pub(crate) fn text<'i>(&self, input: &'i mut ReadBuffer) -> Result<&'i str, InvalidUtf8> {
        match self.place {
            Place::Come => input.text(self.range.clone()),
            Place::Inflated => check_utf8(self.payload(input)),
        }
    }
}

/// A part of the [`ReadBuffer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// What has come.
    Come,
    /// What it was inflated to.
    Inflated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Message(MessageKind),
    Chunk { kind: MessageKind, first: bool, last: bool },
    Ping,
    Pong,
    Close,
}

/// A message in one frame that has all come.
pub(crate) struct WholeMessage {
    pub(crate) kind: MessageKind,
    /// Octets of the header.
    pub(crate) header_len: usize,
    /// Octets of the payload behind it.
    pub(crate) len: usize,
    /// Of zeros, if it is not masked.
    pub(crate) key: [u8; 4],
}

/// Whether messages may be delivered by the short path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShortCut {
    Open,
    /// Each call has more to do than to decode.
    Watched,
    /// Nothing more is to be decoded.
    Closed,
}
