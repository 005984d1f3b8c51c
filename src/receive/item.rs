//! RFC 6455 §6.2: what has been received, and where does it lie?

use core::ops::Range;

use bytes::BytesMut;

use super::ReadBuffer;
use crate::config::MessageKind;
use crate::wire::{InvalidUtf8, Utf8Bytes, check_utf8};

/// What comes next, in ranges; a door of the connection turns it into a reference or takes it out.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    /// Which part of the [`ReadBuffer`] the payload lies in, unmasked.
    pub(crate) place: Place,
    /// Where it lies there.
    pub(crate) range: Range<usize>,
}

impl Item {
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

    /// The payload, to be kept.
    pub(crate) fn take(self, input: &mut ReadBuffer) -> BytesMut {
        match self.place {
            Place::Come => input.take(self.range),
            Place::Inflated => input.inflating().1.take(self.range),
        }
    }

    /// The same as text.
    pub(crate) fn take_text(self, input: &mut ReadBuffer) -> Result<Utf8Bytes, InvalidUtf8> {
        match self.place {
            Place::Come => input.take_text(self.range),
            Place::Inflated => self.take(input).freeze().try_into(),
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

/// Whether a payload that is kept is little of the memory that it lies in, and is therefore copied.
pub(super) const fn is_small(len: usize, memory: usize) -> bool {
    len <= COPIED || len < memory / PART
}

/// A payload of up to this many octets is kept as a copy: that costs no more than a reference count (measured).
pub(super) const COPIED: usize = 1024;

/// A payload of less than one part in so many of the memory that it lies in is kept as a copy: what is kept holds at
/// most so many times its own size.
const PART: usize = 4;
