//! RFC 6455 §5.2: where does a frame's payload begin, how long is it, and what is it?
//!
//! ```text
//!  octet 0               octet 1            0, 2 or 8 octets   0 or 4 octets
//! +-+-+-+-+-------+     +-+-------------+  +----------------+ +-------------+
//! |F|R|R|R| op    |     |M| length 0-125|  | length, if 126 | | masking key |
//! |I|S|S|S| code  |     |A|  126 -> u16 |  | or 127; most   | | if M is set |
//! |N|V|V|V|       |     |S|  127 -> u64 |  | significant    | |             |
//! | |1|2|3|       |     |K|             |  | octet first    | |             |
//! +-+-+-+-+-------+     +-+-------------+  +----------------+ +-------------+
//! ```

use alloc::vec::Vec;

use super::OpCode;
use crate::error::{ProtocolError, SendError};

/// A frame header: 2 to 14 octets.
///
/// [`decode`](Self::decode) and [`encode`](Self::encode) hold the rules that need neither the role nor what came
/// before: known opcodes, control frames that are short and whole, lengths in their shortest form and below 2^63.
/// Reserved bits and the presence of a mask are for the caller to judge.
///
/// ```
/// use websocket_proto::wire::{FrameHeader, OpCode};
///
/// let (header, size) = FrameHeader::decode(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f])?.expect("six octets suffice");
/// assert_eq!(size, 6);
/// assert_eq!(header.opcode, OpCode::Text);
/// assert_eq!(header.payload_len, 5);
/// assert_eq!(header.mask, Some([0x37, 0xfa, 0x21, 0x3d]));
/// # Ok::<(), websocket_proto::ProtocolError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameHeader {
    /// This is the last frame of its message.
    pub fin: bool,
    /// The reserved bits, where they stand in the first octet: any of `0x40` (RSV1), `0x20` (RSV2), `0x10` (RSV3);
    /// other bits are not written.
    pub reserved: u8,
    /// What the payload is.
    pub opcode: OpCode,
    /// The masking key, in frames from a client.
    pub mask: Option<[u8; 4]>,
    /// Octets of payload, at most [`MAX_PAYLOAD_LEN`](Self::MAX_PAYLOAD_LEN).
    pub payload_len: u64,
}

impl FrameHeader {
    /// The longest payload that a header can announce: 2^63 - 1 octets.
    pub const MAX_PAYLOAD_LEN: u64 = (1 << 63) - 1;

    /// Octets of the longest header.
    pub const MAX_SIZE: usize = 14;

    /// Reads the header at the front of `octets`; with it comes its own size, 2 to 14 octets. `None`: more octets are
    /// needed.
    ///
    /// # Errors
    /// The rule that the header breaks, as soon as the octets that show it are there.
    #[inline]
    #[expect(clippy::arithmetic_side_effects, reason = "the rest is a part of it")]
    pub fn decode(octets: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        let &[first, ref rest @ ..] = octets else { return Ok(None) };
        let (fin, opcode) = Self::decode_first(first)?;
        let &[second, ref rest @ ..] = rest else { return Ok(None) };
        let short_len = second & 0x7F;
        if opcode.is_control() && short_len > 125 {
            return Err(ProtocolError::ControlTooLong);
        }
        let Some((payload_len, rest)) = decode_len(short_len, rest)? else { return Ok(None) };
        let (mask, rest) = match second & 0x80 {
            0 => (None, rest),
            _ => match rest.split_first_chunk() {
                Some((&key, rest)) => (Some(key), rest),
                None => return Ok(None),
            },
        };
        let header = Self { fin, reserved: first & 0x70, opcode, mask, payload_len };
        Ok(Some((header, octets.len() - rest.len())))
    }

    /// FIN and opcode of a first octet.
    #[inline]
    pub(crate) fn decode_first(first: u8) -> Result<(bool, OpCode), ProtocolError> {
        let opcode = OpCode::from_bits(first & 0x0F)?;
        let fin = first & 0x80 != 0;
        match opcode.is_control() && !fin {
            true => Err(ProtocolError::ControlFragmented),
            false => Ok((fin, opcode)),
        }
    }

    /// Appends the header: 2 to 14 octets.
    ///
    /// # Errors
    /// [`SendError::ControlTooLong`] and [`SendError::ControlFragmented`] for a control frame above 125 octets or
    /// without FIN, [`SendError::FrameTooBig`] above [`MAX_PAYLOAD_LEN`](Self::MAX_PAYLOAD_LEN); nothing is appended
    /// then.
    pub fn encode(&self, output: &mut Vec<u8>) -> Result<(), SendError> {
        if self.payload_len > Self::MAX_PAYLOAD_LEN {
            return Err(SendError::FrameTooBig);
        }
        match self.opcode.is_control() {
            true if !self.fin => return Err(SendError::ControlFragmented),
            true if self.payload_len > 125 => return Err(SendError::ControlTooLong),
            _ => {}
        }
        self.encode_unchecked(output);
        Ok(())
    }

    /// [`encode`](Self::encode) for a header that is known to be one.
    ///
    /// Each of its forms is of a length that the compiler knows: that takes no call, and one look whether there is
    /// room.
    #[inline(always)]
    pub(crate) fn encode_unchecked(&self, output: &mut Vec<u8>) {
        let first = if self.fin { 0x80 } else { 0 } | (self.reserved & 0x70) | self.opcode.bits();
        let len = self.payload_len.to_be_bytes();
        let [.., high, low] = len;
        match (self.mask, self.payload_len) {
            (None, 0..=125) => output.extend_from_slice(&[first, low]),
            (None, 126..=0xFFFF) => output.extend_from_slice(&[first, 126, high, low]),
            (Some([a, b, c, d]), 0..=125) => output.extend_from_slice(&[first, 0x80 | low, a, b, c, d]),
            (Some([a, b, c, d]), 126..=0xFFFF) => {
                output.extend_from_slice(&[first, 0x80 + 126, high, low, a, b, c, d]);
            }
            (mask, _) => {
                output.extend_from_slice(&[first, if mask.is_some() { 0x80 + 127 } else { 127 }]);
                output.extend_from_slice(&len);
                output.extend_from_slice(mask.as_ref().map_or(&[], |key| key));
            }
        }
    }
}

/// The payload length that follows a length code, and the octets behind it.
#[inline]
fn decode_len(short_len: u8, octets: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolError> {
    match short_len {
        0..=125 => Ok(Some((u64::from(short_len), octets))),
        126 => match octets.split_first_chunk() {
            Some((&len, _)) if u16::from_be_bytes(len) < 126 => Err(ProtocolError::LengthNotMinimal),
            Some((&len, rest)) => Ok(Some((u64::from(u16::from_be_bytes(len)), rest))),
            None => Ok(None),
        },
        _ => {
            if octets.first().is_some_and(|octet| octet & 0x80 != 0) {
                return Err(ProtocolError::LengthTooLarge);
            }
            if octets.starts_with(&[0; 6]) {
                return Err(ProtocolError::LengthNotMinimal);
            }
            Ok(octets.split_first_chunk().map(|(&len, rest)| (u64::from_be_bytes(len), rest)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(octets: &[u8]) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
        FrameHeader::decode(octets)
    }

    #[test]
    fn round_trip_of_every_length_form() {
        // 6455-5.2-1, 6455-5.2-4, 6455-5.2-6, 6455-5.2-8
        for payload_len in
            [0, 1, 125, 126, 127, 0xFFFF, 0x1_0000, u64::from(u32::MAX) + 1, FrameHeader::MAX_PAYLOAD_LEN]
        {
            for mask in [None, Some([1, 2, 3, 4])] {
                let header = FrameHeader { fin: true, reserved: 0x40, opcode: OpCode::Binary, mask, payload_len };
                let mut octets = Vec::new();
                header.encode(&mut octets).unwrap();
                let form = match payload_len {
                    0..=125 => 0,
                    126..=0xFFFF => 2,
                    _ => 8,
                };
                assert_eq!(octets.len(), 2 + form + mask.map_or(0, |key| key.len()));
                assert_eq!(decode(&octets), Ok(Some((header, octets.len()))));
                for cut in 0..octets.len() {
                    assert_eq!(decode(&octets[..cut]), Ok(None), "{cut} of {octets:02x?}");
                }
            }
        }
    }

    #[test]
    fn a_violation_shows_with_the_octet_that_makes_it_certain() {
        // 6455-5.2-12, 6455-5.2-5, 6455-5.2-6, 6455-5.5-1
        use ProtocolError as E;
        for (octets, error) in [
            (&[0x83][..], E::ReservedOpCode),
            (&[0x09], E::ControlFragmented),
            (&[0x89, 0x7E], E::ControlTooLong),
            (&[0x8A, 0xFF], E::ControlTooLong),
            (&[0x82, 0x7E, 0, 0], E::LengthNotMinimal),
            (&[0x82, 0x7E, 0, 125], E::LengthNotMinimal),
            (&[0x82, 0x7F, 0x80], E::LengthTooLarge),
            (&[0x82, 0x7F, 0, 0, 0, 0, 0, 0], E::LengthNotMinimal),
        ] {
            assert_eq!(decode(octets), Err(error), "{octets:02x?}");
            assert_eq!(decode(&octets[..octets.len() - 1]), Ok(None), "{octets:02x?} less one");
        }
    }

    #[test]
    fn what_must_not_be_sent_is_refused() {
        // 6455-5.5-4, 6455-5.5-2, 6455-5.2-5
        let header = FrameHeader { fin: true, reserved: 0, opcode: OpCode::Ping, mask: None, payload_len: 126 };
        let mut output = Vec::new();
        assert_eq!(header.encode(&mut output), Err(SendError::ControlTooLong));
        let header = FrameHeader { opcode: OpCode::Binary, payload_len: 1 << 63, ..header };
        assert_eq!(header.encode(&mut output), Err(SendError::FrameTooBig));
        let header = FrameHeader { opcode: OpCode::Close, fin: false, payload_len: 0, ..header };
        assert_eq!(header.encode(&mut output), Err(SendError::ControlFragmented));
        assert!(output.is_empty());
    }
}
