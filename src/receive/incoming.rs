//! RFC 6455 §5.4: how far has the message come that is under way?

use super::item::ItemKind;
use crate::config::{Delivery, Limits, MessageKind};
use crate::error::ProtocolError;
use crate::wire::{FrameHeader, Mask, OpCode, unfinished_len};

/// The message under way.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) kind: MessageKind,
    pub(super) is_compressed: bool,
    /// Octets that its frames have announced.
    pub(super) len: u64,
    /// Frames, the empty ones too.
    pub(super) fragments: u32,
    /// No chunk of it was delivered yet.
    first: bool,
}

/// The data frame under way: its header has been dealt with, its payload has not all come.
#[derive(Debug)]
pub(super) struct IncomingFrame {
    pub(super) fin: bool,
    /// Octets of it, with its header.
    pub(super) len: u64,
    /// Octets of payload that are not dealt with.
    pub(super) remaining: u64,
    pub(super) mask: Mask,
    /// come <= remaining: octets of those, at their front, that have come and are unmasked.
    pub(super) come: usize,
    /// It is to be inflated as a whole.
    pub(super) is_gathered: bool,
}

impl Incoming {
    pub(super) fn new(first: &FrameHeader) -> Self {
        let kind = if first.opcode == OpCode::Text { MessageKind::Text } else { MessageKind::Binary };
        Self { kind, is_compressed: first.reserved & COMPRESSED != 0, len: 0, fragments: 0, first: true }
    }

    /// Whether it is within the limits, its last frame among it. Of a compressed message, those count that it is
    /// inflated to.
    pub(super) fn check(&self, frame: u64, limits: &Limits) -> Result<(), ProtocolError> {
        let most = match self.is_compressed {
            true => limits.message.saturating_mul(2).saturating_add(GROWTH),
            false => limits.message,
        };
        if frame > limits.frame {
            return Err(ProtocolError::FrameTooBig);
        }
        if self.len > most {
            return Err(ProtocolError::MessageTooBig);
        }
        if self.fragments > limits.fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        Ok(())
    }

    /// What of the message under way can be delivered, if anything, and how many octets that is.
    pub(super) fn item(&mut self, delivery: Delivery, octets: &[u8], last: bool) -> Option<(ItemKind, usize)> {
        match delivery {
            Delivery::Whole => last.then_some((ItemKind::Message(self.kind), octets.len())),
            Delivery::Chunks => self.chunk(octets, last),
        }
    }

    /// As much of the message as can be delivered: of text, whole characters, except at its end.
    fn chunk(&mut self, octets: &[u8], last: bool) -> Option<(ItemKind, usize)> {
        let kept = match self.kind {
            MessageKind::Text if !last => unfinished_len(octets),
            _ => 0,
        };
        let len = octets.len().saturating_sub(kept);
        if len == 0 && !last {
            return None;
        }
        let kind = ItemKind::Chunk { kind: self.kind, first: self.first, last };
        self.first = false;
        Some((kind, len))
    }
}

impl IncomingFrame {
    pub(super) fn new(header: &FrameHeader, len: u64, is_gathered: bool) -> Self {
        let mask = Mask::new(header.mask.unwrap_or_default());
        Self { fin: header.fin, len, remaining: header.payload_len, mask, come: 0, is_gathered }
    }

    /// How many of the octets that have come are of its payload.
    pub(super) fn len_of(&self, octets: &[u8]) -> usize {
        usize::try_from(self.remaining).map_or(octets.len(), |remaining| remaining.min(octets.len()))
    }

    /// Unmasks those of the octets that have come that are of its payload, unless they were unmasked before.
    pub(super) fn unmask<'o>(&mut self, octets: &'o mut [u8]) -> &'o [u8] {
        let len = self.len_of(octets);
        let (octets, _) = octets.split_at_mut(len);
        if let Some(masked) = octets.get_mut(self.come..) {
            self.mask.apply(masked);
        }
        self.come = len;
        octets
    }

    /// Takes octets off the payload that are dealt with.
    pub(super) fn take(&mut self, len: usize) {
        self.remaining = self.remaining.saturating_sub(len as u64);
        self.come = self.come.saturating_sub(len);
    }
}

/// A message that does not compress may be sent in twice its octets, and these besides: no compressor makes it so long,
/// and who sends more has nothing to say.
const GROWTH: u64 = 64 * 1024;

/// RSV1, where permessage-deflate was agreed: the message that begins is compressed (RFC 7692 §6).
pub(super) const COMPRESSED: u8 = 0x40;
