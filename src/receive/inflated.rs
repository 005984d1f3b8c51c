//! RFC 7692 §6.2: where do inflated octets lie until they are delivered?

use alloc::vec::Vec;
use core::ops::Range;

use crate::wire::{InvalidUtf8, split_utf8};

/// The part of a message that has been inflated and is not yet delivered; then, until the next octet is inflated, what
/// was delivered.
///
/// It grows with what is inflated, never beyond what may be: see [`room`](Self::room).
#[derive(Default)]
pub(crate) struct Inflated {
    /// All of it cleared once or filled.
    data: Vec<u8>,
    /// start <= end: the first octet that was not delivered.
    start: usize,
    /// end <= the length of `data`.
    end: usize,
    /// Octets behind `start` that are UTF-8, of text that is delivered whole.
    checked: usize,
}

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the positions keep an order, which `holds_together` says and debug builds assert"
)]
impl Inflated {
    /// Room for at least `len` octets behind those that are there, and for as many more up to `most` as need no memory;
    /// then call [`filled`](Self::filled). No more memory is taken than `most` octets behind those that are there need.
    pub(crate) fn room(&mut self, len: usize, most: usize) -> &mut [u8] {
        if self.start > 0 {
            self.move_to_front();
        }
        let needed = self.end.saturating_add(len.min(most));
        if self.data.capacity() < needed {
            let capacity = needed.max(2 * self.data.capacity()).min(self.end.saturating_add(most));
            self.data.reserve_exact(capacity - self.data.len());
        }
        if self.data.len() < needed {
            self.data.resize(self.data.capacity().min(self.end.saturating_add(most)), 0);
        }
        let end = self.data.len().min(self.end.saturating_add(most));
        &mut self.data[self.end..end]
    }

    /// The order of the positions, as the fields say it.
    fn holds_together(&self) -> bool {
        self.start.checked_add(self.checked).is_some_and(|checked| checked <= self.end) && self.end <= self.data.len()
    }

    fn move_to_front(&mut self) {
        self.data.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
    }

    /// Says that the first `len` octets of [`room`](Self::room) have been filled, and gives them.
    pub(crate) fn filled(&mut self, len: usize) -> &[u8] {
        let begin = self.end;
        self.end = self.data.len().min(begin + len);
        debug_assert!(self.holds_together());
        &self.data[begin..self.end]
    }

    /// The message under way, as far as it was not delivered.
    pub(crate) fn message(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    /// Checks what was inflated since it was last called, as far as it is whole characters.
    pub(crate) fn check_text(&mut self) -> Result<(), InvalidUtf8> {
        let (text, _) = split_utf8(&self.message()[self.checked..])?;
        self.checked += text.len();
        Ok(())
    }

    /// Takes the first `len` octets off the message under way. They stay readable at the returned range until room is
    /// next asked for.
    pub(crate) fn release(&mut self, len: usize) -> Range<usize> {
        let begin = self.start;
        self.start = self.end.min(begin + len);
        let end = self.start;
        self.checked = 0;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        debug_assert!(self.holds_together());
        begin..end
    }

    /// The octets at a range that [`release`](Self::release) returned.
    pub(crate) fn at(&self, range: Range<usize>) -> &[u8] {
        &self.data[range]
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn capacity(&self) -> usize {
        self.data.capacity()
    }

    pub(crate) fn clear(&mut self) {
        self.checked = 0;
        self.start = 0;
        self.end = 0;
    }

    /// Gives memory back: keeps `capacity` octets of it, or what is still needed if that is more.
    pub(crate) fn shrink(&mut self, capacity: usize) {
        if self.capacity() > capacity.max(self.len()) {
            self.move_to_front();
            self.data.truncate(self.end);
            self.data.shrink_to(capacity);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(inflated: &mut Inflated, octets: &[u8]) {
        inflated.room(octets.len(), 1000)[..octets.len()].copy_from_slice(octets);
        assert_eq!(inflated.filled(octets.len()), octets);
    }

    #[test]
    fn it_grows_to_what_may_be_and_no_further() {
        let mut inflated = Inflated::default();
        assert_eq!(inflated.room(100, 1000).len(), 100);
        inflated.filled(100);
        assert_eq!(inflated.room(1, 900).len(), 100, "it doubles");
        inflated.filled(100);
        assert_eq!(inflated.room(700, 100).len(), 100);
        inflated.filled(100);
        assert_eq!((inflated.len(), inflated.capacity()), (300, 300));
        assert_eq!(inflated.room(1, 0).len(), 0);
    }

    #[test]
    fn what_is_not_delivered_moves_to_the_front() {
        let mut inflated = Inflated::default();
        push(&mut inflated, b"Hello");
        let range = inflated.release(3);
        assert_eq!(inflated.at(range), b"Hel");
        push(&mut inflated, b"!");
        assert_eq!(inflated.message(), b"lo!");
        let range = inflated.release(3);
        assert_eq!(inflated.at(range), b"lo!");
        assert_eq!(inflated.len(), 0);
        push(&mut inflated, b"next");
        assert_eq!(inflated.message(), b"next");
        inflated.shrink(0);
        assert_eq!((inflated.message(), inflated.capacity()), (&b"next"[..], 4));
        inflated.clear();
        inflated.shrink(0);
        assert_eq!(inflated.capacity(), 0);
    }
}
