//! RFC 6455 §5.2, §11.8: what does a frame carry?

use crate::error::ProtocolError;

/// The interpretation of a frame's payload: the low four bits of its first octet.
///
/// ```
/// use websocket_proto::wire::OpCode;
///
/// assert_eq!(OpCode::from_bits(0x9), Ok(OpCode::Ping));
/// assert!(OpCode::Ping.is_control());
/// assert!(OpCode::from_bits(0x3).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OpCode {
    /// A further fragment of the message that a text or binary frame began.
    Continuation = 0x0,
    /// A text message, or its first fragment.
    Text = 0x1,
    /// A binary message, or its first fragment.
    Binary = 0x2,
    /// The closing handshake (§5.5.1).
    Close = 0x8,
    /// To be answered by a Pong with the same payload (§5.5.2).
    Ping = 0x9,
    /// The answer to a Ping, or a one-way heartbeat (§5.5.3).
    Pong = 0xA,
}

impl OpCode {
    /// The opcode with this number, 0 to 15.
    ///
    /// # Errors
    /// [`ProtocolError::ReservedOpCode`] for 3 to 7, 11 to 15, and anything larger.
    pub const fn from_bits(bits: u8) -> Result<Self, ProtocolError> {
        match bits {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xA => Ok(Self::Pong),
            _ => Err(ProtocolError::ReservedOpCode),
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Close, Ping and Pong: never fragmented, at most 125 octets, allowed between the fragments of a message.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.bits() & 0x8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_an_opcode_or_reserved() {
        // 6455-5.2-3, 6455-5.5-3
        let known: Vec<u8> = (0..=255).filter(|&bits| OpCode::from_bits(bits).is_ok()).collect();
        assert_eq!(known, [0x0, 0x1, 0x2, 0x8, 0x9, 0xA]);
        for bits in known {
            let opcode = OpCode::from_bits(bits).unwrap();
            assert_eq!(opcode.bits(), bits);
            assert_eq!(opcode.is_control(), bits >= 8);
        }
    }

    #[test]
    fn iana_2_the_names_have_the_numbers_of_the_registry() {
        // IANA-2, erratum-4672
        for (opcode, bits, is_control) in [
            (OpCode::Continuation, 0x0, false),
            (OpCode::Text, 0x1, false),
            (OpCode::Binary, 0x2, false),
            (OpCode::Close, 0x8, true),
            (OpCode::Ping, 0x9, true),
            (OpCode::Pong, 0xA, true),
        ] {
            assert_eq!((opcode.bits(), opcode.is_control()), (bits, is_control));
            assert_eq!(OpCode::from_bits(bits), Ok(opcode));
        }
    }
}
