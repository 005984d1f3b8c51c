//! RFC 6455 §5.3: which octets does a masking key turn a payload into?

/// A masking key and how far it has been applied: octet `i` of a frame's payload is combined with octet `i % 4` of the
/// key by exclusive or.
///
/// The same operation masks and unmasks. A payload may come in pieces of any size.
///
/// ```
/// use websocket_proto::wire::Mask;
///
/// let mut payload = *b"\x7f\x9f\x4d\x51\x58";
/// let mut mask = Mask::new([0x37, 0xfa, 0x21, 0x3d]);
/// mask.apply(&mut payload[..3]);
/// mask.apply(&mut payload[3..]);
/// assert_eq!(&payload, b"Hello");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what a client sends has to be masked"]
pub struct Mask {
    /// The key, rotated so that its first octet is for the next octet of payload.
    key: [u8; 4],
}

impl Mask {
    /// The mask of a frame, before its first octet of payload. A key of zeros leaves it as it is.
    pub const fn new(key: [u8; 4]) -> Self {
        Self { key }
    }

    /// Masks or unmasks the next octets of payload in place.
    #[inline]
    pub fn apply(&mut self, payload: &mut [u8]) {
        unmask_binary(payload, self.key);
        // as a number, least significant octet first, the key turns in one instruction
        let bits = [0, 8, 16, 24][payload.len() % 4];
        self.key = u32::from_le_bytes(self.key).rotate_right(bits).to_le_bytes();
    }
}

/// Masks or unmasks a whole payload in place; a key of zeros leaves it as it is.
#[inline]
pub(crate) fn unmask_binary(payload: &mut [u8], key: [u8; 4]) -> &[u8] {
    if key != [0; 4] {
        apply(payload, key);
    }
    payload
}

/// Masks or unmasks a whole payload in place, and returns the OR of all its octets thereafter: below 0x80, it is all
/// ASCII.
///
/// Blocks of 64 octets, which the compiler turns into vector instructions; then words; then what is left.
#[inline]
pub(super) fn apply(payload: &mut [u8], key: [u8; 4]) -> u8 {
    let word = u64::from(u32::from_ne_bytes(key));
    let word = word << 32 | word;
    let mut seen = 0;
    let (blocks, rest) = payload.as_chunks_mut::<64>();
    for block in blocks {
        for octets in block.as_chunks_mut().0 {
            seen |= xor(octets, word);
        }
    }
    let (words, rest) = rest.as_chunks_mut();
    for octets in words {
        seen |= xor(octets, word);
    }
    let mut last = 0;
    for (octet, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *octet ^= key;
        last |= *octet;
    }
    seen.to_ne_bytes().iter().fold(last, |seen, octet| seen | octet)
}

#[inline]
fn xor(octets: &mut [u8; 8], word: u64) -> u64 {
    let unmasked = u64::from_ne_bytes(*octets) ^ word;
    *octets = unmasked.to_ne_bytes();
    unmasked
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of §5.3, octet by octet.
    fn reference(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
        payload.iter().enumerate().map(|(i, octet)| octet ^ key[i % 4]).collect()
    }

    #[test]
    fn s5_3_every_length_alignment_and_split() {
        // 6455-5.3-3, 6455-5.3-4
        let octets: Vec<u8> = (0..=255).cycle().take(300).collect();
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for start in 0..8 {
            for len in 0..200 {
                let plain = &octets[start..start + len];
                let expected = reference(plain, key);
                let mut whole = octets.clone();
                let seen = apply(&mut whole[start..start + len], key);
                assert_eq!(whole[start..start + len], expected);
                assert_eq!(seen, expected.iter().fold(0, |seen, octet| seen | octet));
                assert_eq!(whole[..start], octets[..start]);
                assert_eq!(whole[start + len..], octets[start + len..]);
                let splits = if len <= 70 { (0..=len).collect() } else { vec![len * start / 8] };
                for split in splits {
                    let mut parts = octets.clone();
                    let mut mask = Mask::new(key);
                    mask.apply(&mut parts[start..start + split]);
                    mask.apply(&mut parts[start + split..start + len]);
                    assert_eq!(parts[start..start + len], expected);
                }
            }
        }
    }
}
