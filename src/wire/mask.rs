//! RFC 6455 §5.3: which octets does a masking key turn a payload into?

use alloc::vec::Vec;

use super::words::{append_aligned, append_blocks, append_few, mask_few, mask_long, mask_two_blocks, turn};

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
        self.turn(payload.len());
    }

    /// The same; and says whether they are known to be ASCII thereafter.
    #[inline]
    pub(crate) fn apply_to_text(&mut self, payload: &mut [u8]) -> bool {
        let is_ascii = self.key != [0; 4] && apply_to_text(payload, self.key);
        self.turn(payload.len());
        is_ascii
    }

    #[inline]
    fn turn(&mut self, octets: usize) {
        self.key = turn(u32::from_le_bytes(self.key), octets).to_le_bytes();
    }
}

/// Masks or unmasks a whole payload in place; a key of zeros leaves it as it is.
#[inline]
pub(crate) fn unmask_binary(payload: &mut [u8], key: [u8; 4]) -> &[u8] {
    if key != [0; 4] {
        apply_to_binary(payload, key);
    }
    payload
}

/// [`apply`] compiled anew without the look at each octet. Thereby the compiler makes vector instructions of a few more
/// lengths without AVX2, and they are spared a call.
fn apply_to_binary(payload: &mut [u8], key: [u8; 4]) {
    match payload.len() {
        65..=128 => mask_two_blocks::<8>(payload, u32::from_le_bytes(key)),
        _ => apply(payload, key),
    };
}

/// [`apply`], to be called.
pub(super) fn apply_to_text(payload: &mut [u8], key: [u8; 4]) -> bool {
    apply(payload, key)
}

/// Masks or unmasks a whole payload in place, and says whether it is ASCII thereafter.
#[inline(always)]
fn apply(payload: &mut [u8], key: [u8; 4]) -> bool {
    let key = u32::from_le_bytes(key);
    match payload.len() {
        0..8 => mask_few(payload, key),
        8..=16 => mask_two_blocks::<1>(payload, key),
        17..=32 => mask_two_blocks::<2>(payload, key),
        33..=64 => mask_two_blocks::<4>(payload, key),
        _ => apply_long(payload, key),
    }
}

/// Appends a payload, masked: in one pass, which costs no more than a copy. A key of zeros leaves it as it is.
#[inline(always)]
pub(crate) fn append_masked(payload: &[u8], key: [u8; 4], output: &mut Vec<u8>) {
    let key = u32::from_le_bytes(key);
    match payload.len() {
        0..8 => append_few(payload, key, output),
        8..16 => append_blocks::<1>(payload, key, output),
        16..32 => append_blocks::<2>(payload, key, output),
        32..64 => append_blocks::<4>(payload, key, output),
        64..=255 => append_blocks::<8>(payload, key, output),
        _ => append_long(payload, key, output),
    }
}

#[allow(unsafe_code)] // a call of what is compiled for AVX2: two to three times as fast from 1 KiB on
fn apply_long(payload: &mut [u8], key: u32) -> bool {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the instructions that it needs, and the processor has them.
        return unsafe { apply_avx2(payload, key) };
    }
    mask_long(payload, key)
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
#[target_feature(enable = "avx2")]
fn apply_avx2(payload: &mut [u8], key: u32) -> bool {
    mask_long(payload, key)
}

#[allow(unsafe_code)] // as above
fn append_long(payload: &[u8], key: u32, output: &mut Vec<u8>) {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the instructions that it needs, and the processor has them.
        return unsafe { append_avx2(payload, key, output) };
    }
    append_aligned(payload, key, output);
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
#[target_feature(enable = "avx2")]
fn append_avx2(payload: &[u8], key: u32, output: &mut Vec<u8>) {
    append_aligned(payload, key, output);
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
        let octets: Vec<u8> = (0..=255).cycle().take(900).collect();
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for start in 0..8 {
            for len in 0..800 {
                let plain = &octets[start..start + len];
                let expected = reference(plain, key);
                let mut whole = octets.clone();
                let is_ascii = apply(&mut whole[start..start + len], key);
                assert_eq!(whole[start..start + len], expected);
                assert_eq!(is_ascii, expected.is_ascii());
                assert_eq!(whole[..start], octets[..start]);
                assert_eq!(whole[start + len..], octets[start + len..]);
                let mut appended = octets[..start].to_vec();
                append_masked(plain, key, &mut appended);
                assert_eq!(appended, [&octets[..start], &expected].concat());
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
