//! Where is the next octet of a kind? Eight are looked at with each step.

/// The first octet that is neither a visible ASCII character nor a space.
pub(super) fn find_invisible(octets: &[u8]) -> Option<usize> {
    // below 0x20 there is a borrow, from 0x7F on the highest bit is set, or carried
    find(octets, |word| word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES), |octet| !matches!(octet, b' '..=b'~'))
}

/// What stands before the first octet that is this one, and what stands behind it.
pub(super) fn split_once(octets: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let pattern = ONES * u64::from(separator);
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let at = find(octets, |word| zeros(word ^ pattern), |octet| octet == separator)?;
    Some((octets.get(..at)?, octets.get(at.saturating_add(1)..)?))
}

/// Finds by words as long as there are whole ones. What `in_word` marks, by the high bit of each octet, is right up to
/// the first that is found; above it, a borrow or a carry may mark others.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "a place in the octets")]
fn find(octets: &[u8], in_word: impl Fn(u64) -> u64, is_found: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, rest) = octets.as_chunks();
    for (i, word) in words.iter().enumerate() {
        let marks = in_word(u64::from_le_bytes(*word)) & HIGH_BITS;
        if marks != 0 {
            return Some(8 * i + marks.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&octet| is_found(octet)).map(|i| 8 * words.len() + i)
}

/// 1 in each octet.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The highest bit of each octet.
const HIGH_BITS: u64 = ONES << 7;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Every two octets, side by side at every place of two words and of what is left of a third.
    #[test]
    fn the_first_one_is_found_wherever_it_is() {
        for at in 0..20 {
            for one in 0..=255 {
                for other in [0, 1, b'\t', b'\n', b'\r', 0x1F, b' ', b'!', b'~', 0x7F, 0x80, 0x81, 0x8A, 0xFF, one] {
                    let mut octets: Vec<u8> = vec![b'a'; 21];
                    (octets[at], octets[at + 1]) = (one, other);
                    let invisible = octets.iter().position(|octet| !(b' '..=b'~').contains(octet));
                    assert_eq!(find_invisible(&octets), invisible, "{one} {other}");
                    let parts =
                        octets.iter().position(|&octet| octet == other).map(|i| (&octets[..i], &octets[i + 1..]));
                    assert_eq!(split_once(&octets, other), parts, "{one} {other}");
                }
            }
        }
    }
}
