//! RFC 6455 §5, §6.2: which payload comes next, and does the peer keep the rules of framing?

use core::ops::Range;

use super::ReadBuffer;
use crate::config::{Config, Delivery, Limits, MessageKind, Role};
use crate::error::ProtocolError;
use crate::wire::{FrameHeader, Mask, OpCode, split_utf8, unfinished_len};

/// What comes next, in ranges; a door of the connection turns it into a reference or takes it out.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) kind: ItemKind,
    /// Where the payload lies in the [`ReadBuffer`], unmasked.
    pub(crate) range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    Message(MessageKind),
    Chunk { kind: MessageKind, first: bool, last: bool },
    Ping,
    Pong,
    Close,
}

/// One direction of an open WebSocket: the frames that come.
#[derive(Debug)]
pub(crate) struct Decoder {
    limits: Limits,
    role: Role,
    delivery: Delivery,
    message: Option<Incoming>,
    frame: Option<IncomingFrame>,
    /// What is wrong with the octets behind the last item.
    doom: Option<ProtocolError>,
}

/// The message under way.
#[derive(Debug)]
struct Incoming {
    kind: MessageKind,
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
    remaining: u64,
    mask: Mask,
}

impl Decoder {
    pub(crate) fn new(role: Role, config: &Config) -> Self {
        Self { limits: config.limits, role, delivery: config.delivery, message: None, frame: None, doom: None }
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
        self.frame.as_ref().map_or(0, |frame| frame.remaining)
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
        if input.unparsed().is_empty() {
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
        if first & 0x70 != 0 {
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

    /// Takes up a data frame, within the limits.
    fn begin_frame(&mut self, header: FrameHeader) -> Result<(), ProtocolError> {
        let kind = if header.opcode == OpCode::Text { MessageKind::Text } else { MessageKind::Binary };
        let message = self.message.get_or_insert(Incoming { kind, len: 0, fragments: 0, first: true, unfinished: 0 });
        if header.payload_len > self.limits.frame {
            return Err(ProtocolError::FrameTooBig);
        }
        message.len = message.len.saturating_add(header.payload_len);
        if message.len > self.limits.message {
            return Err(ProtocolError::MessageTooBig);
        }
        message.fragments = message.fragments.saturating_add(1);
        if message.fragments > self.limits.fragments {
            return Err(ProtocolError::TooManyFragments);
        }
        let mask = Mask::new(header.mask.unwrap_or_default());
        self.frame = Some(IncomingFrame { fin: header.fin, remaining: header.payload_len, mask });
        Ok(())
    }

    /// Unmasks what has come of the frame under way and adds it to the message under way. The frame is taken off when
    /// its end is reached.
    fn continue_frame(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else { return Ok(None) };
        let come = input.unparsed().len();
        let len = usize::try_from(frame.remaining).map_or(come, |remaining| remaining.min(come));
        let (payload, _) = input.unparsed_mut().split_at_mut(len);
        if self.role == Role::Server {
            frame.mask.apply(payload);
        }
        input.assemble(len);
        frame.remaining -= len as u64;
        let frame_ended = frame.remaining == 0;
        let last = frame_ended && frame.fin;
        if frame_ended {
            self.frame = None;
        }
        let item = match self.delivery {
            Delivery::Whole => message.whole(len, last, input)?,
            Delivery::Chunks => message.chunk(last, input),
        };
        if last {
            self.message = None;
        }
        Ok(item)
    }
}

impl Incoming {
    /// The message, at its end, where the door checks it as one; until then its text is checked as it comes.
    fn whole(&mut self, new: usize, last: bool, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        let octets = input.message();
        if self.kind == MessageKind::Text && !last {
            let unchecked = new.saturating_add(self.unfinished).min(octets.len());
            let (_, tail) = split_utf8(&octets[octets.len() - unchecked..])?;
            self.unfinished = tail.len();
        }
        if !last {
            return Ok(None);
        }
        let range = input.release(input.message().len());
        Ok(Some(Item { kind: ItemKind::Message(self.kind), range }))
    }

    /// As much of the message as can be delivered: of text, whole characters, except at its end.
    fn chunk(&mut self, last: bool, input: &mut ReadBuffer) -> Option<Item> {
        let octets = input.message();
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
        Some(Item { kind, range: input.release(len) })
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
    Some(Item { kind, range })
}
