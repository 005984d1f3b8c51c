//! RFC 7692 §7.2.1: which plain octets may the next message refer to?

use alloc::vec::Vec;
use core::fmt;

/// The last 2^bits octets that went by, in as much memory as has gone by, and no more.
pub(crate) struct Window {
    /// At most `size` octets; in a ring once there are so many.
    octets: Vec<u8>,
    /// Where the oldest octet is: 0 until the ring is full.
    oldest: usize,
    size: usize,
}

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "oldest < size, and the ring is never longer than size: at most 2^15"
)]
impl Window {
    pub(crate) const fn new(bits: u8) -> Self {
        Self { octets: Vec::new(), oldest: 0, size: 1 << bits }
    }

    /// Takes in the next octets.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        let octets = &octets[octets.len().saturating_sub(self.size)..];
        let (first, rest) = octets.split_at(octets.len().min(self.size - self.octets.len()));
        self.grow(first.len());
        self.octets.extend_from_slice(first);
        let (first, rest) = rest.split_at(rest.len().min(self.size - self.oldest));
        self.octets[self.oldest..][..first.len()].copy_from_slice(first);
        self.octets[..rest.len()].copy_from_slice(rest);
        self.oldest = if rest.is_empty() { (self.oldest + first.len()) % self.size } else { rest.len() };
    }

    /// What is in it, the oldest first.
    pub(crate) fn parts(&self) -> [&[u8]; 2] {
        let (newer, older) = self.octets.split_at(self.oldest);
        [older, newer]
    }

    /// Forgets all, and gives its memory back.
    pub(crate) fn clear(&mut self) {
        self.octets = Vec::new();
        self.oldest = 0;
    }

    /// Octets of memory that it takes.
    pub(crate) fn capacity(&self) -> usize {
        self.octets.capacity()
    }

    /// Doubles, up to the size exactly.
    fn grow(&mut self, len: usize) {
        let needed = self.octets.len() + len;
        if needed > self.octets.capacity() {
            let capacity = needed.max(2 * self.octets.capacity()).min(self.size);
            self.octets.reserve_exact(capacity - self.octets.len());
        }
    }
}

impl fmt::Debug for Window {
    /// What is in it is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("len", &self.octets.len()).field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_last_octets_in_their_order() {
        let octets: Vec<u8> = (0..=255).cycle().take(5000).collect();
        for bits in [8, 9] {
            for step in [1, 3, 100, 255, 256, 257, 511, 512, 513, 1000] {
                let mut window = Window::new(bits);
                let mut gone = 0;
                for piece in octets.chunks(step) {
                    window.push(piece);
                    gone += piece.len();
                    let expected = &octets[gone.saturating_sub(1 << bits)..gone];
                    assert_eq!(window.parts().concat(), expected, "2^{bits}, {step} at a time, {gone} gone");
                    assert!(window.capacity() <= 1 << bits);
                }
                window.clear();
                assert_eq!((window.parts().concat(), window.capacity()), (Vec::new(), 0));
                window.push(b"abc");
                assert_eq!(window.parts().concat(), b"abc");
            }
        }
    }

    #[test]
    fn it_takes_no_more_memory_than_has_gone_by() {
        let mut window = Window::new(15);
        assert_eq!(window.capacity(), 0);
        window.push(&[7; 100]);
        assert_eq!(window.capacity(), 100);
        window.push(&vec![7; 100_000]);
        assert_eq!(window.capacity(), 1 << 15);
    }
}
