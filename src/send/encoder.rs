//! RFC 6455 §5, §6.1: which octets make a frame, and may it be sent now?

use alloc::vec::Vec;

use super::Random;
use crate::config::{MessageKind, Role};
use crate::error::SendError;
use crate::wire::{FrameHeader, Mask, OpCode};

/// One direction of an open WebSocket: the frames that go.
#[derive(Debug)]
pub(crate) struct Encoder {
    /// A client's source of masking keys; a server has none, as it never masks (§5.1).
    keys: Option<Random>,
    /// The kind of the fragmented message under way.
    unfinished: Option<MessageKind>,
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
        Self { keys: None, unfinished: None }
    }

    pub(crate) const fn client(keys: Random) -> Self {
        Self { keys: Some(keys), unfinished: None }
    }

    pub(crate) const fn role(&self) -> Role {
        if self.keys.is_some() { Role::Client } else { Role::Server }
    }

    /// A message in one frame.
    #[inline]
    pub(crate) fn message(&mut self, kind: MessageKind, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        if self.unfinished.is_some() {
            return Err(SendError::MessageUnfinished);
        }
        self.frame(true, opcode(kind), payload, output);
        Ok(())
    }

    /// The header of a message in one frame, whose payload the caller sends.
    #[inline]
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
        output: &mut Vec<u8>,
    ) -> Result<(), SendError> {
        let (fin, opcode) = match (fragment, self.unfinished) {
            (Fragment::First, None) => (false, opcode(kind)),
            (Fragment::First, Some(_)) => return Err(SendError::MessageUnfinished),
            (Fragment::Middle, Some(unfinished)) if unfinished == kind => (false, OpCode::Continuation),
            (Fragment::Last, Some(unfinished)) if unfinished == kind => (true, OpCode::Continuation),
            (Fragment::Middle | Fragment::Last, _) => return Err(SendError::NothingToContinue),
        };
        self.unfinished = if fin { None } else { Some(kind) };
        self.frame(fin, opcode, payload, output);
        Ok(())
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
    #[inline]
    pub(crate) fn frame(&mut self, fin: bool, opcode: OpCode, payload: &[u8], output: &mut Vec<u8>) {
        output.reserve(FrameHeader::MAX_SIZE + payload.len());
        match self.header(fin, opcode, payload.len() as u64, output) {
            None if payload.len() <= BLOCK => output.extend_from_slice(payload),
            None => payload.chunks(BLOCK).for_each(|block| output.extend_from_slice(block)),
            Some(key) => {
                let mut mask = Mask::new(key);
                for block in payload.chunks(BLOCK) {
                    let begin = output.len();
                    output.extend_from_slice(block);
                    mask.apply(&mut output[begin..]);
                }
            }
        }
    }

    #[inline]
    fn header(&mut self, fin: bool, opcode: OpCode, payload_len: u64, output: &mut Vec<u8>) -> Option<[u8; 4]> {
        let mask = self.keys.as_mut().map(Random::key);
        FrameHeader { fin, reserved: 0, opcode, mask, payload_len }.encode_unchecked(output);
        mask
    }
}

const fn opcode(kind: MessageKind) -> OpCode {
    match kind {
        MessageKind::Text => OpCode::Text,
        MessageKind::Binary => OpCode::Binary,
    }
}

/// A payload is copied, and masked, by so many octets at a time: they are masked while they are in the nearest cache;
/// and a copy of more can be twenty times slower where its target lies just behind its source modulo a page (measured
/// with glibc on an AMD machine), as it does with a header in front.
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
        assert_eq!(encoder.fragment(Text, Middle, b"", &mut out), Err(SendError::NothingToContinue));
        encoder.fragment(Text, First, b"Hel", &mut out).unwrap();
        assert_eq!(encoder.fragment(Text, First, b"", &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(encoder.message(Text, b"", &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(encoder.message_header(Text, 0, &mut out), Err(SendError::MessageUnfinished));
        assert_eq!(encoder.fragment(Binary, Last, b"", &mut out), Err(SendError::NothingToContinue));
        encoder.control(OpCode::Ping, b"p", &mut out).unwrap();
        encoder.fragment(Text, Middle, b"l", &mut out).unwrap();
        encoder.fragment(Text, Last, b"o", &mut out).unwrap();
        assert_eq!(encoder.fragment(Text, Last, b"", &mut out), Err(SendError::NothingToContinue));
        encoder.message(Binary, b"b", &mut out).unwrap();
        assert_eq!(out, b"\x01\x03Hel\x89\x01p\x00\x01l\x80\x01o\x82\x01b");
    }

    #[test]
    fn s5_1_every_frame_of_a_client_is_masked() {
        // 6455-5.1-2, 6455-5.3-1
        let mut encoder = client();
        let mut out = Vec::new();
        encoder.control(OpCode::Pong, b"", &mut out).unwrap();
        encoder.fragment(MessageKind::Text, Fragment::First, b"", &mut out).unwrap();
        encoder.fragment(MessageKind::Text, Fragment::Last, b"Hello", &mut out).unwrap();
        let expected = b"\x8a\x80\x37\xfa\x21\x3d\x01\x80\x37\xfa\x21\x3d\x80\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
        assert_eq!(out, expected);
    }

    #[test]
    fn a_payload_of_many_blocks_is_masked_as_one() {
        // 6455-5.3-3
        let payload: Vec<u8> = (0..=255).cycle().take(3 * BLOCK + 5).collect();
        let mut out = Vec::new();
        client().message(MessageKind::Binary, &payload, &mut out).unwrap();
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
