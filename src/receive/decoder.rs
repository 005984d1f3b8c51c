//! RFC 6455 §5, §6.2: which payload comes next, and does the peer keep the rules of framing?

use alloc::boxed::Box;

use super::ReadBuffer;
use super::incoming::{COMPRESSED, Incoming, IncomingFrame};
use super::inflate::{Bounds, Inflater};
use super::item::{Item, ItemKind, Place, ShortCut, WholeMessage};
use crate::config::{Config, Delivery, Limits, MessageKind, Role};
#[cfg(feature = "deflate")]
use crate::deflate::{DeflateConfig, Direction};
use crate::error::ProtocolError;
use crate::wire::{FrameHeader, OpCode};

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
    /// So many octets have to be there before there is anything more to say.
    needed: usize,
    /// How many there were when there was nothing more to say.
    seen: usize,
    /// The length, with its header, of a frame within the limits that is left where it lies until all of it has come;
    /// 0: there is none.
    pending: usize,
    /// Binary messages in one frame are left so however long they are, and not only short ones.
    is_patient: bool,
    /// The short path takes payloads below this length.
    below: u64,
    /// Whether the short path may be taken at all.
    short_cut: ShortCut,
}

impl Decoder {
    pub(crate) fn new(role: Role, config: &Config) -> Self {
        let mut decoder = Self {
            limits: config.limits,
            role,
            delivery: config.delivery,
            message: None,
            frame: None,
            inflater: None,
            doom: None,
            needed: 1,
            seen: 0,
            pending: 0,
            is_patient: false,
            below: 0,
            short_cut: ShortCut::Open,
        };
        decoder.below = decoder.short_path();
        decoder
    }

    /// Has messages inflated that are compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn with_deflate(&mut self, config: &DeflateConfig, agreed: Direction) {
        self.inflater = Some(Box::new(Inflater::new(config, agreed, self.delivery)));
    }

    /// Gives back what it holds: nothing more is to be decoded.
    pub(crate) fn end(&mut self) {
        self.inflater = None;
        self.short_cut = ShortCut::Closed;
        self.needed = 0;
        self.below = 0;
    }

    /// Octets of memory that inflating takes.
    pub(crate) fn memory_used(&self) -> usize {
        self.inflater.as_ref().map_or(0, |inflater| inflater.memory_used())
    }

    /// Has the next item fail with what was found behind the last one, part of which could still be delivered.
    #[cold]
    pub(crate) fn set_doom(&mut self, error: ProtocolError) {
        self.doom = Some(error);
        self.needed = 0;
    }

    /// From now on, has binary messages wait where they lie however long they are: they will be unmasked elsewhere.
    pub(crate) fn wait_for_all(&mut self) {
        self.is_patient = true;
    }

    /// Has each call go through the steps, whatever has come: there is more to do than to decode.
    #[inline]
    pub(crate) fn look_each_time(&mut self, is_wanted: bool) {
        let short_cut = if is_wanted { ShortCut::Watched } else { ShortCut::Open };
        if self.short_cut != short_cut && self.short_cut != ShortCut::Closed {
            self.short_cut = short_cut;
            self.below = if self.pending == 0 { self.short_path() } else { 0 };
        }
        if is_wanted {
            self.needed = 0;
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        // a frame that is waited for takes the steps, which let it pass; then the new limits bind
        self.below = if self.pending == 0 { self.short_path() } else { 0 };
    }

    /// Octets of the data frame under way that had not come when there was nothing more to say.
    pub(crate) fn missing(&self) -> u64 {
        match &self.frame {
            Some(frame) => frame.remaining.saturating_sub(frame.come.max(self.seen) as u64),
            None => self.pending.saturating_sub(self.seen) as u64,
        }
    }

    /// Whether there is nothing to say before more octets have come.
    #[inline(always)]
    pub(crate) fn waits(&mut self, input: &ReadBuffer) -> bool {
        let waits = input.unparsed().len() < self.needed;
        if waits {
            self.seen = input.unparsed().len();
        }
        waits
    }

    /// The short path: a message in one frame that has all come, still masked. Whatever else it is, the steps of
    /// [`next`](Self::next) find out.
    ///
    /// It returns no [`Item`], and nothing joins it with the steps: to be moved through memory would cost it more than
    /// all else (measured).
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "the header is a part of the octets")]
    pub(crate) fn whole_message(&mut self, octets: &[u8]) -> Option<WholeMessage> {
        let kind = match octets.first()? {
            0x81 => MessageKind::Text,
            0x82 => MessageKind::Binary,
            _ => return None,
        };
        let (header, header_len) = FrameHeader::decode(octets).ok()??;
        let is_ours = header.mask.is_some() == (self.role == Role::Server);
        let len = usize::try_from(header.payload_len).ok()?;
        if !is_ours || header.payload_len >= self.below || octets.len() - header_len < len {
            return None;
        }
        self.needed = 1;
        self.pending = 0;
        Some(WholeMessage { kind, header_len, len, key: header.mask.unwrap_or_default() })
    }

    /// Below which length the short path takes payloads: none amid a message; and never chunks, which alone may be
    /// followed by doom.
    fn short_path(&self) -> u64 {
        match (self.delivery, &self.message) {
            (Delivery::Whole, None) if self.limits.fragments > 0 && self.short_cut == ShortCut::Open => {
                self.limits.frame.min(self.limits.message).saturating_add(1)
            }
            _ => 0,
        }
    }

    /// The next item, if it has come: every case, one frame or piece of a frame after another. `None`: more octets are
    /// needed.
    pub(crate) fn next(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        let item = self.step(input)?;
        if item.is_none() {
            self.seen = input.unparsed().len();
            let frame = self.frame.as_ref().map_or(self.pending as u64, |frame| frame.len);
            input.expect(self.missing(), frame);
        }
        Ok(item)
    }

    /// The same, before it is noted what was there when there was nothing to tell.
    fn step(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        if let Some(error) = self.doom {
            return Err(error);
        }
        self.needed = 1;
        self.seen = 0;
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
            let Some((header, size)) = FrameHeader::decode(input.unparsed())? else {
                self.needed = input.unparsed().len().saturating_add(1);
                return Ok(None);
            };
            let kind = match header.opcode {
                OpCode::Ping => ItemKind::Ping,
                OpCode::Pong => ItemKind::Pong,
                OpCode::Close => ItemKind::Close,
                OpCode::Text | OpCode::Binary | OpCode::Continuation => {
                    if self.is_waited_for(&header, size, input) {
                        return Ok(None);
                    }
                    self.begin_frame(&header, size)?;
                    input.skip(size);
                    continue;
                }
            };
            return Ok(self.control_frame(kind, &header, size, input));
        }
    }

    /// Whether a frame is left where it lies until all of it has come, for the short path: a short binary message in
    /// one frame, of which nothing can be told before. A stream that comes octet by octet costs no more thereby.
    fn is_waited_for(&mut self, header: &FrameHeader, size: usize, input: &ReadBuffer) -> bool {
        let is_message = header.fin && header.opcode == OpCode::Binary && header.reserved == 0;
        let Ok(len) = usize::try_from(header.payload_len) else { return false };
        let end = size.saturating_add(len);
        let has_come = end <= input.unparsed().len();
        if has_come || (len > PATIENCE && !self.is_patient) || !is_message || header.payload_len >= self.below {
            return false;
        }
        self.needed = end;
        self.pending = end;
        true
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

    /// Takes up a data frame, if it is within the limits, or was when it was first seen.
    fn begin_frame(&mut self, header: &FrameHeader, size: usize) -> Result<(), ProtocolError> {
        let len = header.payload_len.saturating_add(size as u64);
        let was_pending = len == self.pending as u64;
        self.pending = 0;
        self.below = 0;
        let message = match &mut self.message {
            Some(message) => message,
            none => none.insert(Incoming::new(header)),
        };
        message.len = message.len.saturating_add(header.payload_len);
        message.fragments = message.fragments.saturating_add(1);
        if !was_pending {
            message.check(header.payload_len, &self.limits)?;
        }
        let is_gathered = self.delivery == Delivery::Whole && header.payload_len <= GATHERED.min(self.limits.message);
        self.frame = Some(IncomingFrame::new(header, len, is_gathered));
        Ok(())
    }

    /// Goes on with the frame under way as far as it has come; it is taken off when its end is reached.
    fn continue_frame(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        match self.message.as_ref().is_some_and(|message| message.is_compressed) {
            true => self.inflate_frame(input),
            false => self.assemble_frame(input),
        }
    }

    /// Unmasks what has come of the frame under way and adds it to the message under way. Text that is delivered whole
    /// is checked as it comes.
    fn assemble_frame(&mut self, input: &mut ReadBuffer) -> Result<Option<Item>, ProtocolError> {
        let (Some(message), Some(frame)) = (&mut self.message, &mut self.frame) else { return Ok(None) };
        let len = frame.len_of(input.unparsed());
        match (message.kind, self.delivery) {
            (MessageKind::Text, Delivery::Whole) => input.assemble_text(len, &mut frame.mask)?,
            _ => input.assemble(len, &mut frame.mask),
        }
        frame.remaining = frame.remaining.saturating_sub(len as u64);
        let last = frame.remaining == 0 && frame.fin;
        match (frame.remaining, message.kind, self.delivery) {
            (0, ..) => self.frame = None,
            (missing, MessageKind::Binary, Delivery::Whole) => {
                self.needed = usize::try_from(missing).map_or(AT_ONCE, |missing| missing.min(AT_ONCE));
            }
            _ => {}
        }
        let item = message.item(self.delivery, input.message(), last);
        if last {
            self.end_message();
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
        let (octets, plain) = input.inflating();
        let octets = frame.unmask(octets);
        if frame.is_gathered && (octets.len() as u64) < frame.remaining {
            self.needed = octets.len().saturating_add(1);
            return Ok(None);
        }
        let (taken, mut outcome) = inflater.feed(octets, plain, Bounds::new(&self.limits, message.len));
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
        if (message.kind, self.delivery, last) == (MessageKind::Text, Delivery::Whole, false) {
            plain.check_text()?;
        }
        let item = message.item(self.delivery, plain.message(), last);
        self.needed = usize::from(!inflater.is_blocked());
        input.skip(taken);
        if outcome.is_err() && self.delivery == Delivery::Whole {
            outcome?;
        }
        if last {
            self.end_message();
        }
        match (item, outcome) {
            (None, Err(error)) => Err(error),
            (item, outcome) => {
                if let Err(error) = outcome {
                    self.set_doom(error);
                }
                let release =
                    |(kind, len)| Item { kind, place: Place::Inflated, range: input.inflating().1.release(len) };
                Ok(item.map(release))
            }
        }
    }

    /// A control frame, once all of it has come: it is short, and never delivered in part.
    fn control_frame(
        &mut self,
        kind: ItemKind,
        header: &FrameHeader,
        size: usize,
        input: &mut ReadBuffer,
    ) -> Option<Item> {
        let len = usize::try_from(header.payload_len).ok()?;
        let end = size.saturating_add(len);
        if input.unparsed().len() < end {
            self.needed = end;
            return None;
        }
        input.skip(size);
        let range = input.skip_masked(len, header.mask.unwrap_or_default());
        Some(Item { kind, place: Place::Come, range })
    }

    fn end_message(&mut self) {
        self.message = None;
        self.below = self.short_path();
    }
}

/// As many octets as lie in the nearest cache when the last of them comes.
const PATIENCE: usize = 16 * 1024;

/// Of a longer one, and of fragments, so many octets are unmasked at a time at least, if they come: while they are in
/// the nearest cache, and not one by one.
const AT_ONCE: usize = 4096;

/// Of a whole message, a frame with so many octets of payload is inflated once it has come: what is inflated in one
/// step does not go through zlib's window (measured: 6 % of 64 KiB of JSON that come in two reads).
const GATHERED: u64 = 64 * 1024;
