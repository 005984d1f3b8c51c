//! RFC 6455 §5, §6.2: which payload comes next, and does the peer keep the rules of framing?

use alloc::boxed::Box;
use core::ops::Range;

use super::ReadBuffer;
use super::inflate::{Bounds, Inflater};
use super::item::{Item, ItemKind, Place};
use crate::config::{Config, Delivery, Limits, MessageKind, Role};
#[cfg(feature = "deflate")]
use crate::deflate::{DeflateConfig, Direction};
use crate::error::ProtocolError;
use crate::wire::{FrameHeader, Mask, OpCode, split_utf8, unfinished_len};

/// One direction of an open WebSocket: the frames that come.
#[derive(Debug)]
pub(crate) struct Decoder {
    limits: Limits,
    role: Role,
    delivery: Delivery,
    message: Option<Incoming>,
    frame: Option<IncomingFrame>,
    /// Where permessage-deflate was agreed.
    inflater: Option<Box<Inflater>>,
    /// What is wrong with the octets behind the last item.
    doom: Option<ProtocolError>,
}

/// The message under way.
#[derive(Debug)]
struct Incoming {
    kind: MessageKind,
    is_compressed: bool,
    /// Octets that its frames have announced.
    len: u64,
    /// Frames, the empty ones too.
    fragments: u32,
    /// No chunk of it was delivered yet.
    first: bool,
    /// 0 <= unfinished <= 3: octets at the end that are the beginning of a character.
    unfinished: usize,
}

/// The data frame under way: its header has been dealt with, its payload has not all come.
#[derive(Debug)]
struct IncomingFrame {
    fin: bool,
    /// Octets of payload that are not dealt with.
    remaining: u64,
    mask: Mask,
    /// come <= remaining: octets of those, at their front, that have come and are unmasked.
    come: usize,
    /// It is to be inflated as a whole.
    is_gathered: bool,
}

impl Decoder {
    pub(crate) fn new(role: Role, config: &Config) -> Self {
        Self {
            limits: config.limits,
            role,
            delivery: config.delivery,
            message: None,
            frame: None,
            inflater: None,
            doom: None,
        }
    }

    /// Has messages inflated that are compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn with_deflate(&mut self, config: &DeflateConfig, agreed: Direction) {
        self.inflater = Some(Box::new(Inflater::new(config, agreed, self.delivery)));
    }

    /// Gives back what it holds: nothing more is to be decoded.
    pub(crate) fn end(&mut self) {
        self.inflater = None;
    }

    /// Octets of memory that inflating takes.
    pub(crate) fn memory_used(&self) -> usize {
        self.inflater.as_ref().map_or(0, |inflater| inflater.memory_used())
    }

    /// Has the next item fail with what was found behind the last one, part of which could still be delivered.
    #[cold]
    pub(crate) fn set_doom(&mut self, error: ProtocolError) {
        self.doom = Some(error);
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Octets of the data frame under way that have not come.
    pub(crate) fn missing(&self) -> u64 {
        self.frame.as_ref().map_or(0, |frame| frame.remaining - frame.come as u64)
    }

    /// The short path: a message in one frame that has all come, and its masking key. Whatever else it is, the steps of
    /// [`next`](Self::next) find out.
    #[inline]
    pub(crate) fn whole_message(&self, input: &mut ReadBuffer) -> Option<(MessageKind, Range<usize>, [u8; 4])> {
        if self.message.is_some() || self.delivery != Delivery::Whole {
            return None; // chunks, which alone may be followed by doom, never come this way
        }
        let octets = input.unparsed();
        let kind = match octets.first()? {
            0x81 => MessageKind::Text,
            0x82 => MessageKind::Binary,
            _ => return None,
        };
        let (header, size) = FrameHeader::decode(octets).ok()??;
        let is_ours = header.mask.is_some() == (self.role == Role::Server);
        let len = usize::try_from(header.payload_len).ok()?;
        let is_allowed = header.payload_len <= self.limits.frame.min(self.limits.message) && self.limits.fragments > 0;
        if !is_ours || !is_allowed || octets.len() - size < len {
            return None;
        }
        input.skip(size);
        let range = input.skip(len);
        Some((kind, range, header.mask.unwrap_or_default()))
    }

    /// The next item, if it has come: every case, one frame or piece of a frame after another. `None`: more octets are
    /// needed.
    pub(crate) fn next(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        if let Some(error) = self.doom {
            return Err(error);
        }
        let is_blocked = self.inflater.as_ref().is_some_and(|inflater| inflater.is_blocked());
        if input.unparsed().is_empty() && !is_blocked {
            return Ok(None);
        }
        loop {
            if self.frame.is_some() {
                match self.continue_frame(input)? {
                    Some(item) => return Ok(Some(item)),
                    None if self.frame.is_some() => return Ok(None),
                    None => {}
                }
            }
            self.judge(input.unparsed())?;
            let Some((header, size)) = FrameHeader::decode(input.unparsed())? else { return Ok(None) };
            let kind = match header.opcode {
                OpCode::Ping => ItemKind::Ping,
                OpCode::Pong => ItemKind::Pong,
                OpCode::Close => ItemKind::Close,
                OpCode::Text | OpCode::Binary | OpCode::Continuation => {
                    self.begin_frame(header)?;
                    input.skip(size);
                    continue;
                }
            };
            return Ok(control_frame(kind, header, size, input));
        }
    }

    /// The rules on the first two octets of a header that depend on the role and on what came before, each as soon as
    /// its octet is there; in the order of the octets, so that the error does not depend on how the stream is cut.
    fn judge(&self, header: &[u8]) -> Result<(), ProtocolError> {
        let Some(&first) = header.first() else { return Ok(()) };
        let is_compressed = self.inflater.is_some() && matches!(first & 0x0F, 0x1 | 0x2) && first & COMPRESSED != 0;
        let known = if is_compressed { COMPRESSED } else { 0 };
        if first & 0x70 != known {
            return Err(ProtocolError::ReservedBits);
        }
        match (FrameHeader::decode_first(first)?, &self.message) {
            ((_, OpCode::Continuation), None) => return Err(ProtocolError::NothingToContinue),
            ((_, OpCode::Text | OpCode::Binary), Some(_)) => return Err(ProtocolError::MessageInterleaved),
            _ => {}
        }
        let Some(&second) = header.get(1) else { return Ok(()) };
        match (self.role, second & 0x80 != 0) {
            (Role::Server, false) => Err(ProtocolError::FrameNotMasked),
            (Role::Client, true) => Err(ProtocolError::FrameMasked),
            _ => Ok(()),
        }
    }

    /// Takes up a data frame, within the limits. Of a compressed message, those count that it is inflated to.
    fn begin_frame(&mut self, header: FrameHeader) -> Result<(), ProtocolError> {
        let message = match &mut self.message {
            Some(message) => message,
            none => none.insert(Incoming::new(&header)),
        };
        if header.payload_len > self.limits.frame {
            return Err(ProtocolError::FrameTooBig);
        }
        message.len = message.len.saturating_add(header.payload_len);
        let most = match message.is_compressed {
            true => self.limits.message.saturating_mul(2).saturating_add(GROWTH),
            false => self.limits.message,
        };
        if message.len > most {
            return Err(ProtocolError::MessageTooBig);
        }
        message.fragments = message.fragments.saturating_add(1);
        if message.fragments > self.limits.fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        self.frame = Some(IncomingFrame {
            fin: header.fin,
            remaining: header.payload_len,
            mask: Mask::new(header.mask.unwrap_or_default()),
            come: 0,
            is_gathered: self.delivery == Delivery::Whole && header.payload_len <= GATHERED.min(self.limits.message),
        });
        Ok(())
    }

    /// Goes on with the frame under way as far as it has come; it is taken off when its end is reached.
    fn continue_frame(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        match self.message.as_ref().is_some_and(|message| message.is_compressed) {
            true => self.inflate_frame(input),
            false => self.assemble_frame(input),
        }
    }

    /// Unmasks what has come of the frame under way and adds it to the message under way.
    fn assemble_frame(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else { return Ok(None) };
        let len = frame.unmask(input, self.role);
        input.assemble(len);
        frame.take(len);
        let frame_ended = frame.remaining == 0;
        let last = frame_ended && frame.fin;
        if frame_ended {
            self.frame = None;
        }
        let item = message.item(self.delivery, input.message(), len, last)?;
        if last {
            self.message = None;
        }
        Ok(item.map(|(kind, len)| Item { kind, place: Place::Come, range: input.release(len) }))
    }

    /// Unmasks what has come of the frame under way, and inflates it to the end of the message under way.
    ///
    /// Where that fails, chunks are delivered up to the fault, as they would be had it come later.
    fn inflate_frame(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        let (Some(message), Some(frame), Some(inflater)) = (&mut self.message, &mut self.frame, &mut self.inflater)
        else {
            return Ok(None);
        };
        let len = frame.unmask(input, self.role);
        if frame.is_gathered && (len as u64) < frame.remaining {
            return Ok(None);
        }
        let (octets, plain) = input.inflating();
        let before = plain.len();
        let (taken, mut outcome) = inflater.feed(&octets[..len], plain, Bounds::new(&self.limits, message.len));
        let made = plain.len() - before;
        input.skip(taken);
        frame.take(taken);
        let frame_ended = frame.remaining == 0 && !inflater.is_blocked();
        let mut last = frame_ended && frame.fin;
        if frame_ended {
            self.frame = None;
        }
        if last && outcome.is_ok() {
            outcome = inflater.finish();
        }
        last = last && outcome.is_ok();
        let (_, plain) = input.inflating();
        let item = message.item(self.delivery, plain.message(), made, last)?;
        if outcome.is_err() && self.delivery == Delivery::Whole {
            outcome?;
        }
        if last {
            self.message = None;
        }
        match (item, outcome) {
            (None, Err(error)) => Err(error),
            (item, outcome) => {
                self.doom = outcome.err();
                Ok(item.map(|(kind, len)| Item { kind, place: Place::Inflated, range: plain.release(len) }))
            }
        }
    }
}

impl IncomingFrame {
    /// Unmasks what has come of the payload, and says how much that is.
    fn unmask(&mut self, input: &mut ReadBuffer, role: Role) -> usize {
        let octets = input.unparsed_mut();
        let len = usize::try_from(self.remaining).map_or(octets.len(), |remaining| remaining.min(octets.len()));
        if let (Role::Server, Some(masked)) = (role, octets.get_mut(self.come..len)) {
            self.mask.apply(masked);
        }
        self.come = len;
        len
    }

    /// Takes octets off the payload that are dealt with.
    fn take(&mut self, len: usize) {
        self.remaining -= len as u64;
        self.come -= len;
    }
}

impl Incoming {
    fn new(first: &FrameHeader) -> Self {
        let kind = if first.opcode == OpCode::Text { MessageKind::Text } else { MessageKind::Binary };
        let is_compressed = first.reserved & COMPRESSED != 0;
        Self { kind, is_compressed, len: 0, fragments: 0, first: true, unfinished: 0 }
    }

    /// What of the message under way can be delivered, if anything, and how many octets that is. `new` are those at
    /// its end that were not looked at.
    fn item(
        &mut self,
        delivery: Delivery,
        octets: &[u8],
        new: usize,
        last: bool,
    ) -> Result<Option<(ItemKind, usize)>, ProtocolError> {
        match delivery {
            Delivery::Whole => self.whole(octets, new, last),
            Delivery::Chunks => Ok(self.chunk(octets, last)),
        }
    }

    /// The message, at its end, where the door checks it as one; until then its text is checked as it comes.
    fn whole(&mut self, octets: &[u8], new: usize, last: bool) -> Result<Option<(ItemKind, usize)>, ProtocolError> {
        if self.kind == MessageKind::Text && !last {
            let unchecked = new.saturating_add(self.unfinished).min(octets.len());
            let (_, tail) = split_utf8(&octets[octets.len() - unchecked..])?;
            self.unfinished = tail.len();
        }
        Ok(last.then_some((ItemKind::Message(self.kind), octets.len())))
    }

    /// As much of the message as can be delivered: of text, whole characters, except at its end.
    fn chunk(&mut self, octets: &[u8], last: bool) -> Option<(ItemKind, usize)> {
        let kept = match self.kind {
            MessageKind::Text if !last => unfinished_len(octets),
            _ => 0,
        };
        let len = octets.len() - kept;
        if len == 0 && !last {
            return None;
        }
        let kind = ItemKind::Chunk { kind: self.kind, first: self.first, last };
        self.first = false;
        Some((kind, len))
    }
}

/// A control frame, once all of it has come: it is short, and never delivered in part.
fn control_frame(kind: ItemKind, header: FrameHeader, size: usize, input: &mut ReadBuffer) -> Option<Item> {
    let len = usize::try_from(header.payload_len).ok()?;
    if input.unparsed().len() - size < len {
        return None;
    }
    input.skip(size);
    let range = input.skip(len);
    if let Some(key) = header.mask {
        Mask::new(key).apply(input.at(range.clone()));
    }
    Some(Item { kind, place: Place::Come, range })
}

/// Of a whole message, a frame with so many octets of payload is inflated once it has come: what is inflated in one
/// step does not go through zlib's window (measured: 6 % of 64 KiB of JSON that come in two reads).
const GATHERED: u64 = 64 * 1024;

/// A message that does not compress may be sent in twice its octets, and these besides: no compressor makes it so long,
/// and who sends more has nothing to say.
const GROWTH: u64 = 64 * 1024;

/// RSV1, where permessage-deflate was agreed: the message that begins is compressed (RFC 7692 §6).
const COMPRESSED: u8 = 0x40;
