//! RFC 6455 §5.2: where do the octets that have come lie, and where is room for more?

mod message;

use alloc::vec::Vec;
use core::{fmt, ops::Range};

use super::inflate::Inflated;
use crate::wire::unmask_binary;

/// The octets that have come from the peer and are not yet dealt with. It is yours; a [`Connection`](crate::Connection)
/// works on it in place.
///
/// Read into [`room`](Self::room) or [`spare`](Self::spare) and say how much with [`filled`](Self::filled), or copy in
/// what lies elsewhere with [`extend_from_slice`](Self::extend_from_slice). When it [`is_empty`](Self::is_empty) it may
/// serve another connection; while it is not, it belongs to the connection that its octets are for.
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
/// let n = stream.read(input.room(4096))?;
/// input.filled(n);
/// assert_eq!(input.len(), 7);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// ```text
///          start    start + assembled   parsed            filled      data.len()
/// |  dealt   |   message    |  headers   |   octets not    |   spare,   |
/// |  with    |   under way  |  of frags  |   looked at yet |   cleared  |
/// ```
#[derive(Default)]
pub struct ReadBuffer {
    /// All of it cleared once or filled.
    data: Vec<u8>,
    /// Where the message under way begins; of no meaning while nothing of it is held.
    start: usize,
    /// Octets of the message under way, unmasked and without headers.
    assembled: usize,
    /// checked <= assembled: octets of those, at their front, that are UTF-8.
    checked: usize,
    /// text.end <= parsed: what was released last, if it was checked; its octets have not changed since.
    text: Range<usize>,
    /// start + assembled <= parsed, while anything is assembled: the first octet that was not looked at.
    parsed: usize,
    /// parsed <= filled <= the length of `data`: the end of what has come.
    filled: usize,
    /// filled + offered <= the length of `data`: the room that was handed out last.
    offered: usize,
    /// Octets of the frame under way that have not come: a hint, and the peer's word.
    missing: u64,
    /// Octets of that frame, with its header.
    frame: u64,
    /// The message under way, if it is compressed.
    inflated: Inflated,
}

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the positions keep an order, which `holds_together` says and debug builds assert"
)]
impl ReadBuffer {
    /// Room for `len` octets behind those that have come; read into it, then call [`filled`](Self::filled).
    ///
    /// # Panics
    /// If the memory would be larger than a program can have, `isize::MAX` octets.
    #[inline]
    pub fn spare(&mut self, len: usize) -> &mut [u8] {
        if self.parsed == self.filled && self.assembled == 0 {
            self.text = 0..0;
            self.parsed = 0;
            self.filled = 0;
        }
        if self.data.len() - self.filled < len {
            self.make_room(len);
        }
        self.offered = len;
        &mut self.data[self.filled..][..len]
    }

    /// Room for the next read: `usual` octets; but amid a frame that is longer, what is missing of it, or a part of
    /// that: about as much as has come of its message already, or as there is memory for. Then call
    /// [`filled`](Self::filled).
    ///
    /// To read on behind a large frame would only mean to move what was read; and where it is read in pieces that
    /// double, memory grows with what has come, and not because a header announced it.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, ReadBuffer};
    ///
    /// let mut ws = Connection::client(&Config::default());
    /// let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
    /// assert_eq!(input.room(1024).len(), 1024);
    /// input.extend_from_slice(b"\x82\x7e\xff\xff 3000 octets of 65,535 ...");
    /// # input.extend_from_slice(&[0; 3000 - 26]);
    /// ws.receive(&mut input, &mut output)?;
    /// assert_eq!(input.room(1024).len(), 3000);
    /// # Ok::<(), websocket_proto::ProtocolError>(())
    /// ```
    ///
    /// # Panics
    /// As [`spare`](Self::spare).
    #[inline]
    pub fn room(&mut self, usual: usize) -> &mut [u8] {
        if self.missing == 0 || self.frame <= usual as u64 {
            return self.spare(usual);
        }
        let most = usual.max(self.held());
        // without growing: behind what has come, or once that is moved to the front
        let kept = if self.first() >= self.held() { self.held() } else { self.filled };
        let free = self.data.capacity() - kept;
        let missing = usize::try_from(self.missing).unwrap_or(usize::MAX);
        // all of it, rather than to leave a small rest, for which to grow once more; but not for what merely fits nearly
        self.spare(if missing <= most.saturating_add(most / 2) { missing } else { missing.min(most.max(free)) })
    }

    /// Says how many octets of the frame under way have not come, and how long it is, with its header.
    pub(crate) fn expect(&mut self, missing: u64, frame: u64) {
        self.missing = missing;
        self.frame = frame;
    }

    /// Says that the first `len` octets of [`spare`](Self::spare) have been filled.
    ///
    /// # Panics
    /// If `len` is more than `spare` gave: a `Read` that returns more than it was asked for is broken.
    #[inline]
    pub fn filled(&mut self, len: usize) {
        assert!(len <= self.offered, "more bytes were filled than were spare");
        self.offered -= len;
        self.filled += len;
        self.missing = self.missing.saturating_sub(len as u64);
        debug_assert!(self.holds_together());
    }

    /// Copies in octets that came another way.
    #[inline]
    pub fn extend_from_slice(&mut self, octets: &[u8]) {
        self.spare(octets.len()).copy_from_slice(octets);
        self.filled(octets.len());
    }

    /// Gives memory back: keeps `capacity` octets of it, or what is still needed if that is more.
    pub fn shrink(&mut self, capacity: usize) {
        if self.data.capacity() > capacity.max(self.held()) {
            self.move_to_front();
            self.data.truncate(self.filled);
            self.data.shrink_to(capacity);
            self.offered = 0;
        }
        debug_assert!(self.holds_together());
        self.inflated.shrink(capacity.saturating_sub(self.data.capacity()));
    }

    /// Forgets all that has come. To be called before the buffer of a connection that is over serves another one.
    pub fn clear(&mut self) {
        self.text = 0..0;
        self.checked = 0;
        self.assembled = 0;
        self.parsed = 0;
        self.filled = 0;
        self.offered = 0;
        self.missing = 0;
        self.inflated.clear();
    }

    /// Nothing is held, neither octets that were not looked at nor a part of a message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets held: those not dealt with yet, and those of the message under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held() + self.inflated.len()
    }

    /// Octets of memory owned.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.data.capacity() + self.inflated.capacity()
    }

    /// The octets that were not dealt with yet: behind a rejection, those that another parser may want.
    #[inline]
    #[must_use]
    pub fn unparsed(&self) -> &[u8] {
        &self.data[self.parsed..self.filled]
    }

    /// The octets not looked at yet, to be unfolded in place.
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
        debug_assert!(self.holds_together());
        begin..self.parsed
    }

    /// The octets not looked at yet, and where they are inflated to.
    pub(crate) fn inflating(&mut self) -> (&mut [u8], &mut Inflated) {
        (&mut self.data[self.parsed..self.filled], &mut self.inflated)
    }

    /// Passes over `size` octets of a header and the `len` of its payload, which have come; and gives them, to be
    /// unmasked.
    #[inline]
    pub(crate) fn skip_frame(&mut self, size: usize, len: usize) -> &mut [u8] {
        let begin = self.parsed + size;
        self.parsed = begin + len;
        debug_assert!(self.holds_together(), "it has come");
        &mut self.data[begin..self.parsed]
    }

    /// Passes over `len` octets, and unmasks them.
    pub(crate) fn skip_masked(&mut self, len: usize, key: [u8; 4]) -> Range<usize> {
        let range = self.skip(len);
        unmask_binary(&mut self.data[range.clone()], key);
        range
    }

    /// The order of the positions, as the fields say it.
    fn holds_together(&self) -> bool {
        let Self { start, assembled, parsed, filled, .. } = *self;
        (assembled == 0 || start.checked_add(assembled).is_some_and(|end| end <= parsed))
            && start <= self.data.len()
            && self.checked <= assembled
            && self.text.start <= self.text.end
            && self.text.end <= parsed
            && parsed <= filled
            && filled.checked_add(self.offered).is_some_and(|end| end <= self.data.len())
    }

    /// The first octet that is still needed.
    fn first(&self) -> usize {
        if self.assembled == 0 { self.parsed } else { self.start }
    }

    /// Octets that are still needed.
    fn held(&self) -> usize {
        self.assembled + (self.filled - self.parsed)
    }

    /// Moves what is held over what is not needed, where that frees at least as much as it moves, so that the cost for
    /// an octet does not depend on how the stream is cut; then grows, if it must.
    #[cold]
    fn make_room(&mut self, len: usize) {
        if self.first() >= self.held() {
            self.move_to_front();
        } else if self.gap() >= self.filled - self.parsed {
            self.close_gap();
        }
        let needed = self.filled.saturating_add(len);
        if self.data.capacity() < needed {
            self.data.truncate(self.filled); // or what lies behind would be copied along
            self.data.reserve_exact(needed.max(self.next_capacity()) - self.filled);
        }
        if self.data.len() < needed {
            self.data.resize(needed, 0);
        }
        debug_assert!(self.holds_together());
    }

    /// Twice the memory there is; but no more than the frame under way needs, if that is an eighth more at least: so
    /// that an octet is moved nine times at most however the stream is cut, and twice or so in fact.
    fn next_capacity(&self) -> usize {
        let capacity = self.data.capacity();
        let end_of_frame =
            usize::try_from(self.missing).map_or(usize::MAX, |missing| self.filled.saturating_add(missing));
        match end_of_frame >= capacity + capacity / 8 {
            true => end_of_frame.min(2 * capacity),
            false => 2 * capacity,
        }
    }

    /// Moves all that is held to the front.
    fn move_to_front(&mut self) {
        self.text = 0..0;
        self.close_gap();
        let first = self.first();
        self.data.copy_within(first..self.filled, 0);
        self.start = 0;
        self.parsed -= first;
        self.filled -= first;
    }

    /// Octets between the message under way and those not looked at.
    fn gap(&self) -> usize {
        self.parsed - (self.first() + self.assembled)
    }

    /// Moves the octets not looked at next to the message under way.
    fn close_gap(&mut self) {
        self.text = 0..0;
        let gap = self.gap();
        self.data.copy_within(self.parsed..self.filled, self.parsed - gap);
        self.parsed -= gap;
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
    use super::*;
    use crate::wire::Mask;

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
        input.assemble(3, &mut Mask::new([0; 4]));
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
