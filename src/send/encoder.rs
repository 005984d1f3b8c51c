//! RFC 6455 §5, §6.1: which octets make a frame, and may it be sent now?

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::deflate::{Compression, Deflater};
use super::{Prepared, Random};
use crate::config::{MessageKind, Role};
#[cfg(feature = "deflate")]
use crate::deflate::{DeflateConfig, Direction};
use crate::error::SendError;
use crate::wire::{FrameHeader, Mask, OpCode, append_masked};

/// One direction of an open WebSocket: the frames that go.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// A client's source of masking keys; a server has none, as it never masks (§5.1).
    keys: Option<Random>,
    /// The fragmented message under way.
    unfinished: Option<Unfinished>,
    /// Where permessage-deflate was agreed.
    deflater: Option<Box<Deflater>>,
}

/// A fragmented message under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unfinished {
    kind: MessageKind,
    is_compressed: bool,
}

/// Which frame of a fragmented message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fragment {
    First,
    Middle,
    Last,
}

impl Encoder {
    pub(crate) const fn server() -> Self {
        Self { keys: None, unfinished: None, deflater: None }
    }

    pub(crate) const fn client(keys: Random) -> Self {
        Self { keys: Some(keys), unfinished: None, deflater: None }
    }

    /// One that frames messages for all who receive them.
    #[cfg(feature = "deflate")]
    pub(super) fn deflating(deflater: Deflater) -> Self {
        Self { deflater: Some(Box::new(deflater)), ..Self::server() }
    }

    pub(crate) const fn role(&self) -> Role {
        if self.keys.is_some() { Role::Client } else { Role::Server }
    }

    /// Has messages compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn with_deflate(&mut self, config: &DeflateConfig, agreed: Direction) {
        self.deflater = Deflater::new(config, agreed).map(Box::new);
    }

    /// The compressor's side, and whether a message is under way in it.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflater(&mut self) -> Result<Option<&mut Deflater>, SendError> {
        match self.unfinished {
            Some(_) => Err(SendError::MessageUnfinished),
            None => Ok(self.deflater.as_deref_mut()),
        }
    }

    /// Gives back what it holds: no message is to be sent any more.
    pub(crate) fn end(&mut self) {
        self.deflater = None;
    }

    /// Octets of memory that compressing takes.
    pub(crate) fn memory_used(&self) -> usize {
        self.deflater.as_ref().map_or(0, |deflater| deflater.memory_used())
    }

    /// A message in one frame.
    #[inline]
    pub(crate) fn message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        compression: Compression,
        output: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        if self.unfinished.is_some() {
            return Err(SendError::MessageUnfinished);
        }
        if self.deflater.is_none() || !self.compressed_message(kind, payload, compression, output) {
            self.put(true, opcode(kind), payload, output);
        }
        Ok(())
    }

    /// The same, compressed, if it is to be, and unless it is better sent plain. False: nothing was appended.
    #[inline(never)]
    pub(super) fn compressed_message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        compression: Compression,
        output: &mut Vec<u8>,
    ) -> bool {
        let Some(deflater) = self.deflater.as_mut().filter(|deflater| deflater.wants(payload.len(), compression))
        else {
            return false;
        };
        let key = self.keys.as_mut().map(Random::key);
        let put = |output: &mut _| deflater.message(payload, compression, output);
        put_behind_header(true, COMPRESSED, opcode(kind), key, output, put)
    }

    /// A message that was framed before.
    pub(crate) fn prepared(&mut self, prepared: &Prepared, output: &mut Vec<u8>) -> Result<(), SendError> {
        match self.ready(prepared)? {
            Some(frame) => append(frame, output),
            None => self.unprepared(prepared, output)?,
        }
        Ok(())
    }

    /// The same, as octets that are shared with all who get the same frame.
    pub(crate) fn shared(&mut self, prepared: &Prepared) -> Result<Bytes, SendError> {
        if let Some(frame) = self.ready(prepared)? {
            return Ok(frame.clone());
        }
        let mut frame = Vec::new();
        self.unprepared(prepared, &mut frame)?;
        Ok(frame.into())
    }

    /// The frame of a server that fits, if one does.
    fn ready<'p>(&mut self, prepared: &'p Prepared) -> Result<Option<&'p Bytes>, SendError> {
        if self.unfinished.is_some() {
            return Err(SendError::MessageUnfinished);
        }
        Ok(match (&mut self.deflater, prepared.compressed()) {
            _ if self.keys.is_some() => None,
            (Some(deflater), Some((compressed, window_bits))) => {
                deflater.takes(prepared.payload(), window_bits).then_some(compressed)
            }
            _ => Some(prepared.plain()),
        })
    }

    /// A message that was framed in vain.
    fn unprepared(&mut self, prepared: &Prepared, output: &mut Vec<u8>) -> Result<(), SendError> {
        let compression = if prepared.compressed().is_some() { Compression::Auto } else { Compression::Never };
        self.message(prepared.kind(), prepared.payload(), compression, output)
    }

    /// The header of a message in one frame, whose payload the caller sends.
    #[inline(always)]
    pub(crate) fn message_header(
        &mut self,
        kind: MessageKind,
        payload_len: u64,
        output: &mut Vec<u8>,
    ) -> Result<Mask, SendError> {
        if self.unfinished.is_some() {
            return Err(SendError::MessageUnfinished);
        }
        if payload_len > FrameHeader::MAX_PAYLOAD_LEN {
            return Err(SendError::FrameTooBig);
        }
        Ok(Mask::new(self.header(true, opcode(kind), payload_len, output).unwrap_or_default()))
    }

    /// One frame of a fragmented message (§5.4).
    pub(crate) fn fragment(
        &mut self,
        kind: MessageKind,
        fragment: Fragment,
        payload: &[u8],
        compression: Compression,
        output: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        let (fin, opcode, message) = match (fragment, self.unfinished) {
            (Fragment::First, None) => (false, opcode(kind), self.begin(kind, compression)),
            (Fragment::First, Some(_)) => return Err(SendError::MessageUnfinished),
            (Fragment::Middle, Some(message)) if message.kind == kind => (false, OpCode::Continuation, message),
            (Fragment::Last, Some(message)) if message.kind == kind => (true, OpCode::Continuation, message),
            (Fragment::Middle | Fragment::Last, _) => return Err(SendError::NothingToContinue),
        };
        self.unfinished = if fin { None } else { Some(message) };
        match &mut self.deflater {
            Some(deflater) if message.is_compressed => {
                let key = self.keys.as_mut().map(Random::key);
                let reserved = if fragment == Fragment::First { COMPRESSED } else { 0 };
                put_behind_header(fin, reserved, opcode, key, output, |output| {
                    deflater.fragment(payload, fin, output);
                    true
                });
            }
            _ => self.frame(fin, opcode, payload, output),
        }
        Ok(())
    }

    /// Begins a fragmented message, of a length that is not known.
    fn begin(&mut self, kind: MessageKind, compression: Compression) -> Unfinished {
        let deflater = self.deflater.as_mut().filter(|deflater| deflater.wants(usize::MAX - 1, compression));
        let is_compressed = deflater.is_some();
        if let Some(deflater) = deflater {
            deflater.begin();
        }
        Unfinished { kind, is_compressed }
    }

    /// A control frame; it may stand between the fragments of a message.
    pub(crate) fn control(&mut self, opcode: OpCode, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        if payload.len() > 125 {
            return Err(SendError::ControlTooLong);
        }
        self.frame(true, opcode, payload, output);
        Ok(())
    }

    /// A frame that is known to be allowed.
    #[inline(never)] // once for all that is not a message: it is long, for the many lengths that it knows
    pub(crate) fn frame(&mut self, fin: bool, opcode: OpCode, payload: &[u8], output: &mut Vec<u8>) {
        self.put(fin, opcode, payload, output);
    }

    /// [`frame`](Self::frame), for the short path.
    #[inline(always)]
    fn put(&mut self, fin: bool, opcode: OpCode, payload: &[u8], output: &mut Vec<u8>) {
        output.reserve(FrameHeader::MAX_SIZE.saturating_add(payload.len()));
        match self.header(fin, opcode, payload.len() as u64, output) {
            None => append(payload, output),
            Some(key) => append_masked(payload, key, output),
        }
    }

    #[inline(always)]
    fn header(&mut self, fin: bool, opcode: OpCode, payload_len: u64, output: &mut Vec<u8>) -> Option<[u8; 4]> {
        let mask = self.keys.as_mut().map(Random::key);
        FrameHeader { fin, reserved: 0, opcode, mask, payload_len }.encode_unchecked(output);
        mask
    }
}

/// Appends octets as they are.
#[inline(always)]
fn append(octets: &[u8], output: &mut Vec<u8>) {
    match octets.len() {
        0..FEW => append_masked(octets, [0; 4], output),
        FEW..=BLOCK => output.extend_from_slice(octets),
        _ => octets.chunks(BLOCK).for_each(|block| output.extend_from_slice(block)),
    }
}

/// Appends a frame whose payload `put` appends, and whose length is known only then. Where `put` returns false, nothing
/// is appended.
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "what is appended lies in memory; a header is at most MAX_SIZE long"
)]
fn put_behind_header(
    fin: bool,
    reserved: u8,
    opcode: OpCode,
    mask: Option<[u8; 4]>,
    output: &mut Vec<u8>,
    put: impl FnOnce(&mut Vec<u8>) -> bool,
) -> bool {
    let begin = output.len();
    output.extend_from_slice(&[0; FrameHeader::MAX_SIZE]);
    let payload = output.len();
    if !put(output) {
        output.truncate(begin);
        return false;
    }
    let end = output.len();
    let header = FrameHeader { fin, reserved, opcode, mask, payload_len: (end - payload) as u64 };
    header.encode_unchecked(output);
    let size = output.len() - end;
    output.copy_within(end.., begin);
    output.truncate(end);
    output.copy_within(payload.., begin + size);
    output.truncate(end - (payload - begin - size));
    if let Some(key) = mask {
        Mask::new(key).apply(&mut output[begin + size..]);
    }
    true
}

pub(super) const fn opcode(kind: MessageKind) -> OpCode {
    match kind {
        MessageKind::Text => OpCode::Text,
        MessageKind::Binary => OpCode::Binary,
    }
}

/// RSV1: the message that begins is compressed (RFC 7692 §6).
const COMPRESSED: u8 = 0x40;

/// Fewer octets than these are copied as they are masked, by blocks of a known length: a call of `memcpy` takes longer.
const FEW: usize = 65;

/// A payload is copied by so many octets at a time: a copy of more can be twenty times slower where its target lies
/// just behind its source modulo a page (measured with glibc on an AMD machine), as it does with a header in front.
const BLOCK: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Encoder {
        Encoder::client(Random::from_fn(|octets| octets.copy_from_slice(&[0x37, 0xfa, 0x21, 0x3d])))
    }

    #[test]
    fn s5_4_a_fragmented_message_keeps_its_order() {
        // 6455-5.4-10, 6455-6.1-3
        use Fragment::{First, Last, Middle};
        use MessageKind::{Binary, Text};
        let mut encoder = Encoder::server();
        let mut out = Vec::new();
        assert_eq!(encoder.fragment(Text, Middle, b"", Compression::Auto, &mut out), Err(SendError::NothingToContinue));
        encoder.fragment(Text, First, b"Hel", Compression::Auto, &mut out).unwrap();
        assert_eq!(encoder.fragment(Text, First, b"", Compression::Auto, &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(encoder.message(Text, b"", Compression::Auto, &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(encoder.message_header(Text, 0, &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(encoder.fragment(Binary, Last, b"", Compression::Auto, &mut out), Err(SendError::NothingToContinue));
        encoder.control(OpCode::Ping, b"p", &mut out).unwrap();
        encoder.fragment(Text, Middle, b"l", Compression::Auto, &mut out).unwrap();
        encoder.fragment(Text, Last, b"o", Compression::Auto, &mut out).unwrap();
        assert_eq!(encoder.fragment(Text, Last, b"", Compression::Auto, &mut out), Err(SendError::NothingToContinue));
        encoder.message(Binary, b"b", Compression::Auto, &mut out).unwrap();
        assert_eq!(out, b"\x01\x03Hel\x89\x01p\x00\x01l\x80\x01o\x82\x01b");
    }

    #[test]
    fn s5_1_every_frame_of_a_client_is_masked() {
        // 6455-5.1-2, 6455-5.3-1
        let mut encoder = client();
        let mut out = Vec::new();
        encoder.control(OpCode::Pong, b"", &mut out).unwrap();
        encoder.fragment(MessageKind::Text, Fragment::First, b"", Compression::Auto, &mut out).unwrap();
        encoder.fragment(MessageKind::Text, Fragment::Last, b"Hello", Compression::Auto, &mut out).unwrap();
        let expected = b"\x8a\x80\x37\xfa\x21\x3d\x01\x80\x37\xfa\x21\x3d\x80\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(out, expected);
    }

    #[test]
    fn a_payload_of_many_blocks_is_masked_as_one() {
        // 6455-5.3-3
        let payload: Vec<u8> = (0..=255).cycle().take(3 * BLOCK + 5).collect();
        let mut out = Vec::new();
        client().message(MessageKind::Binary, &payload, Compression::Auto, &mut out).unwrap();
        let (header, size) = FrameHeader::decode(&out).unwrap().unwrap();
        let mut received = out.split_off(size);
        Mask::new(header.mask.unwrap()).apply(&mut received);
        assert_eq!(received, payload);
    }

    #[test]
    fn control_frames_are_short() {
        // 6455-5.5-4
        let mut out = Vec::new();
        assert_eq!(client().control(OpCode::Ping, &[0; 126], &mut out), Err(SendError::ControlTooLong));
        assert!(out.is_empty());
        client().control(OpCode::Ping, &[0; 125], &mut out).unwrap();
        assert_eq!(out.len(), 2 + 4 + 125);
    }
}
