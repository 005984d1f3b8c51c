//! RFC 6455 §5.2, §5.4: where do the octets that have come lie, and how do the fragments of a message come together?

use core::{fmt, ops::Range};

use bytes::{Buf, BytesMut};

use super::inflate::Inflated;
use super::item::is_small;

/// The octets that have come from the peer and are not yet dealt with. It is yours; a [`Connection`](crate::Connection)
/// works on it in place.
///
/// Read into [`spare`](Self::spare) and say how much with [`filled`](Self::filled), or copy in what lies elsewhere with
/// [`extend_from_slice`](Self::extend_from_slice). When it [`is_empty`](Self::is_empty) it may serve another
/// connection; while it is not, it belongs to the connection that its octets are for.
///
/// It grows with what arrives, never with what a header announces. Room is cleared when it is first handed out and then
/// used again as it is: a read costs no clearing.
///
/// ```
/// use std::io::Read;
/// use websocket_proto::ReadBuffer;
///
/// let mut stream = &b"\x81\x05Hello"[..];
/// let mut input = ReadBuffer::default();
/// let n = stream.read(input.spare(4096))?;
/// input.filled(n);
/// assert_eq!(input.len(), 7);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// ```text
///          start        assembled     parsed            filled      data.len()
/// |  dealt   |   message    |  headers   |   octets not    |   spare,   |
/// |  with    |   under way  |  of frags  |   looked at yet |   cleared  |
/// ```
#[derive(Default)]
pub struct ReadBuffer {
    /// All of it cleared once or filled.
    data: BytesMut,
    /// The first octet that is still needed.
    start: usize,
    /// start <= assembled: the end of the unfinished message, unmasked and without headers.
    assembled: usize,
    /// assembled <= parsed, equal while no message is under way: the first octet that was not looked at.
    parsed: usize,
    /// parsed <= filled <= the length of `data`: the end of what has come.
    filled: usize,
    /// filled + offered <= the length of `data`: the room that was handed out last.
    offered: usize,
    /// The size of the memory that `data` lies in, of which messages that were taken out may hold a part.
    allocated: usize,
    /// The message under way, if it is compressed.
    inflated: Inflated,
}

impl ReadBuffer {
    /// Room for `len` octets behind those that have come; read into it, then call [`filled`](Self::filled).
    ///
    /// # Panics
    /// If the memory would be larger than a program can have, `isize::MAX` octets.
    pub fn spare(&mut self, len: usize) -> &mut [u8] {
        if self.is_empty() {
            self.clear();
        }
        if self.data.len() - self.filled < len {
            self.make_room(len);
        }
        self.offered = len;
        &mut self.data[self.filled..][..len]
    }

    /// Says that the first `len` octets of [`spare`](Self::spare) have been filled.
    ///
    /// # Panics
    /// If `len` is more than `spare` gave: a `Read` that returns more than it was asked for is broken.
    pub fn filled(&mut self, len: usize) {
        assert!(len <= self.offered, "more bytes were filled than were spare");
        self.offered -= len;
        self.filled += len;
    }

    /// Copies in octets that came another way.
    pub fn extend_from_slice(&mut self, octets: &[u8]) {
        self.spare(octets.len()).copy_from_slice(octets);
        self.filled(octets.len());
    }

    /// Gives memory back: keeps `capacity` octets of it, or what is still needed if that is more.
    pub fn shrink(&mut self, capacity: usize) {
        if self.allocated > capacity.max(self.len() - self.inflated.len()) {
            self.move_to_front();
            let mut data = BytesMut::with_capacity(capacity.max(self.filled));
            data.extend_from_slice(&self.data[..self.filled]);
            self.data = data;
            self.offered = 0;
            self.allocated = self.data.capacity();
        }
        self.inflated.shrink(capacity.saturating_sub(self.allocated));
    }

    /// Forgets all that has come. To be called before the buffer of a connection that is over serves another one.
    pub fn clear(&mut self) {
        self.start = 0;
        self.assembled = 0;
        self.parsed = 0;
        self.filled = 0;
        self.offered = 0;
        self.inflated.clear();
    }

    /// Nothing is held, neither octets that were not looked at nor a part of a message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets held: those not looked at yet, and those of the message under way.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.assembled - self.start) + (self.filled - self.parsed) + self.inflated.len()
    }

    /// Octets of memory owned. Messages that were taken out of it may hold on to it too; [`shrink`](Self::shrink)
    /// leaves it to them.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.allocated + self.inflated.capacity()
    }

    /// The octets that were not looked at yet: behind a rejection, those that another parser may want.
    #[inline]
    #[must_use]
    pub fn unparsed(&self) -> &[u8] {
        &self.data[self.parsed..self.filled]
    }

    /// The octets not looked at yet, to be unmasked or unfolded in place.
    #[inline]
    pub(crate) fn unparsed_mut(&mut self) -> &mut [u8] {
        &mut self.data[self.parsed..self.filled]
    }

    /// Passes over `len` octets: a header, or a payload that is delivered where it lies. They stay readable at the
    /// returned range until the buffer is next written to.
    #[inline]
    pub(crate) fn skip(&mut self, len: usize) -> Range<usize> {
        let begin = self.parsed;
        self.parsed = self.filled.min(begin + len);
        if self.start == self.assembled {
            self.start = self.parsed;
            self.assembled = self.parsed;
        }
        begin..self.parsed
    }

    /// The octets not looked at yet, and where they are inflated to.
    pub(crate) fn inflating(&mut self) -> (&mut [u8], &mut Inflated) {
        (&mut self.data[self.parsed..self.filled], &mut self.inflated)
    }

    /// Adds the next `len` octets to the message under way, sliding them over the headers in between:
    ///
    /// ```text
    /// start    assembled   parsed             filled
    ///   |  Hel  | 80 02 ..  | l o ..............|
    ///   |  Hel     lo    |  ..  |  .............|
    /// start       assembled   parsed          filled
    /// ```
    pub(crate) fn assemble(&mut self, len: usize) {
        let end = self.filled.min(self.parsed + len);
        if self.assembled != self.parsed {
            self.data.copy_within(self.parsed..end, self.assembled);
        }
        self.assembled += end - self.parsed;
        self.parsed = end;
    }

    /// The message under way, as far as it has come.
    pub(crate) fn message(&self) -> &[u8] {
        &self.data[self.start..self.assembled]
    }

    /// Takes the first `len` octets off the message under way. They stay readable at the returned range until the
    /// buffer is next written to.
    pub(crate) fn release(&mut self, len: usize) -> Range<usize> {
        let begin = self.start;
        self.start = self.assembled.min(begin + len);
        let end = self.start;
        if self.start == self.assembled {
            self.start = self.parsed;
            self.assembled = self.parsed;
        }
        begin..end
    }

    /// The octets at a range that [`skip`](Self::skip) or [`release`](Self::release) returned.
    #[inline]
    pub(crate) fn at(&mut self, range: Range<usize>) -> &mut [u8] {
        &mut self.data[range]
    }

    /// The octets at such a range, to be kept. Many are split off with their memory; few, or a small part of it, are
    /// copied, and so are those that something still needed lies in front of.
    pub(crate) fn take(&mut self, range: Range<usize>) -> BytesMut {
        if is_small(range.len(), self.allocated) || self.start < range.end {
            return BytesMut::from(&self.data[range]);
        }
        let mut octets = self.data.split_to(range.end);
        octets.advance(range.start);
        self.start -= range.end;
        self.assembled -= range.end;
        self.parsed -= range.end;
        self.filled -= range.end;
        octets
    }

    /// Moves what is held over what is not needed, where that frees at least as much as it moves, so that the cost for
    /// an octet does not depend on how the stream is cut; then grows, if it must.
    #[cold]
    fn make_room(&mut self, len: usize) {
        if self.start >= self.len() - self.inflated.len() {
            self.move_to_front();
        } else if self.parsed - self.assembled >= self.filled - self.parsed {
            self.close_gap();
        }
        let needed = self.filled.saturating_add(len);
        if self.data.capacity() < needed {
            self.data.truncate(self.filled); // or what lies behind would be copied along
            self.data.reserve(needed - self.filled);
            self.allocated = self.data.capacity();
        }
        if self.data.len() < needed {
            self.data.resize(needed, 0);
        }
    }

    /// Moves all that is held to the front.
    fn move_to_front(&mut self) {
        self.close_gap();
        self.data.copy_within(self.start..self.filled, 0);
        self.assembled -= self.start;
        self.parsed -= self.start;
        self.filled -= self.start;
        self.start = 0;
    }

    /// Moves the octets not looked at next to the message under way.
    fn close_gap(&mut self) {
        let gap = self.parsed - self.assembled;
        self.data.copy_within(self.parsed..self.filled, self.assembled);
        self.parsed = self.assembled;
        self.filled -= gap;
    }
}

impl fmt::Debug for ReadBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = self.capacity();
        f.debug_struct("ReadBuffer").field("len", &self.len()).field("capacity", &capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::COPIED;
    use super::*;

    #[test]
    fn room_is_used_again_and_not_cleared_again() {
        let mut input = ReadBuffer::default();
        input.spare(8).copy_from_slice(b"01234567");
        input.filled(4);
        assert_eq!(input.unparsed(), b"0123");
        input.skip(4);
        assert!(input.is_empty());
        assert_eq!(input.spare(8), b"01234567", "as it was left");
        assert_eq!(input.capacity(), 8);
    }

    #[test]
    fn amid_a_message_only_new_room_is_cleared() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(b"abc");
        input.assemble(3);
        input.spare(100);
        input.filled(1);
        input.spare(100).fill(7); // in memory that has doubled
        for _ in 0..50 {
            input.filled(1);
            let room = input.spare(100);
            assert_eq!(room[..50], [7; 50]);
            room[99] = 7;
        }
    }

    #[test]
    fn a_small_rest_moves_to_the_front_and_a_large_one_grows() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(b"0123456789");
        input.skip(8);
        input.spare(2);
        assert_eq!((input.unparsed(), input.filled), (&b"89"[..], 2));
        input.extend_from_slice(b"abcdefgh");
        input.skip(1);
        input.spare(4);
        assert_eq!((input.unparsed(), input.parsed), (&b"9abcdefgh"[..], 1));
    }

    #[test]
    fn fragments_slide_together_and_the_gap_closes() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(b"..Hel..lo..!..");
        input.skip(2);
        input.assemble(3);
        input.skip(2);
        input.assemble(2);
        assert_eq!(input.message(), b"Hello");
        assert_eq!(input.len(), 5 + 5);
        input.skip(2);
        input.assemble(1);
        input.spare(64);
        assert_eq!((input.message(), input.unparsed()), (&b"Hello!"[..], &b".."[..]));
        assert_eq!(input.parsed, input.assembled, "the gap was larger than what lay behind it");
        let hello = input.release(6);
        assert_eq!(input.at(hello), b"Hello!");
        assert_eq!(input.len(), 2);
    }

    #[test]
    fn large_payloads_are_split_off_and_small_ones_copied() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&[7; COPIED + 100]);
        let small = input.skip(10);
        assert_eq!(input.take(small)[..], [7; 10]);
        let large = input.skip(COPIED + 1);
        let address = input.at(large.clone()).as_ptr();
        let taken = input.take(large);
        assert_eq!((taken.as_ptr(), taken.len()), (address, COPIED + 1));
        assert_eq!(input.unparsed(), [7; 100 - 11]);
        assert!(input.capacity() > COPIED, "what was taken is still in the same memory");
        drop(taken);
        input.skip(89);
        input.shrink(0);
        assert_eq!((input.capacity(), input.spare(COPIED).len()), (0, COPIED));
    }

    #[test]
    fn a_small_part_of_the_memory_is_copied() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&[7; 16 * COPIED]);
        let part = input.skip(2 * COPIED);
        let address = input.at(part.clone()).as_ptr();
        assert_ne!(input.take(part).as_ptr(), address);
        let half = input.skip(8 * COPIED);
        let address = input.at(half.clone()).as_ptr();
        assert_eq!(input.take(half).as_ptr(), address);
        assert_eq!(input.len(), 6 * COPIED);
    }

    #[test]
    fn shrink_keeps_what_is_held() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(&[1; 1000]);
        input.skip(990);
        input.shrink(0);
        assert_eq!((input.unparsed(), input.capacity()), (&[1; 10][..], 10));
        input.shrink(10);
        assert_eq!(input.capacity(), 10);
        input.skip(10);
        input.shrink(4);
        assert_eq!(input.capacity(), 4);
        input.shrink(0);
        assert_eq!(input.capacity(), 0);
    }

    #[test]
    #[should_panic(expected = "more bytes were filled than were spare")]
    fn a_reader_that_lies_is_found_out() {
        let mut input = ReadBuffer::default();
        input.spare(100);
        input.spare(1);
        input.filled(2);
    }
}
