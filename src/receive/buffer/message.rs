//! RFC 6455 §5.4: how do the fragments of a message come together, and how are they handed out?

use core::ops::Range;

use super::ReadBuffer;
use crate::wire::{InvalidUtf8, Mask, check_utf8, split_utf8};

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the positions keep an order, which `holds_together` says and debug builds assert"
)]
impl ReadBuffer {
    /// Unmasks the next `len` octets and adds them to the message under way, sliding them over the headers in between:
    ///
    /// ```text
    /// start  + assembled   parsed             filled
    ///   |  Hel  | 80 02 ..  | l o ..............|
    ///   |  Hel     lo    |  ..  |  .............|
    /// start     + assembled   parsed          filled
    /// ```
    pub(crate) fn assemble(&mut self, len: usize, mask: &mut Mask) {
        let next = self.skip(len);
        mask.apply(&mut self.data[next.clone()]);
        self.append(next);
    }

    /// The same for text, which is checked: each octet once.
    pub(crate) fn assemble_text(&mut self, len: usize, mask: &mut Mask) -> Result<(), InvalidUtf8> {
        let next = self.skip(len);
        let is_ascii = mask.apply_to_text(&mut self.data[next.clone()]);
        let is_checked = self.checked == self.assembled;
        self.append(next);
        if !is_ascii || !is_checked {
            let (text, _) = split_utf8(&self.message()[self.checked..])?;
            self.checked += text.len();
        } else {
            self.checked = self.assembled;
        }
        Ok(())
    }

    /// Adds octets behind the message under way to it.
    fn append(&mut self, next: Range<usize>) {
        if self.assembled == 0 {
            self.start = next.start;
        }
        let end = self.start + self.assembled;
        self.assembled += next.len();
        if end != next.start {
            self.data.copy_within(next, end);
        }
        debug_assert!(self.holds_together());
    }

    /// The message under way, as far as it has come.
    pub(crate) fn message(&self) -> &[u8] {
        &self.data[self.start..][..self.assembled]
    }

    /// Takes the first `len` octets off the message under way. They stay readable at the returned range until the
    /// buffer is next written to.
    pub(crate) fn release(&mut self, len: usize) -> Range<usize> {
        let begin = self.start;
        let is_text = len == self.assembled && self.checked == self.assembled;
        self.text = if is_text { begin..begin + len } else { 0..0 };
        self.checked = 0;
        let len = len.min(self.assembled);
        self.start += len;
        self.assembled -= len;
        debug_assert!(self.holds_together());
        begin..self.start
    }

    /// The octets at a range that [`skip`](Self::skip) or [`release`](Self::release) returned.
    pub(crate) fn at(&self, range: Range<usize>) -> &[u8] {
        &self.data[range]
    }

    /// The octets at such a range as text; those that were checked as they came are not checked again.
    #[allow(unsafe_code)] // from_utf8_unchecked of what was checked; a second look would cost ASCII a third (16 KiB)
    pub(crate) fn text(&self, range: Range<usize>) -> Result<&str, InvalidUtf8> {
        if range != self.text {
            return check_utf8(&self.data[range]);
        }
        debug_assert!(core::str::from_utf8(&self.data[range.clone()]).is_ok());
        // SAFETY: `text` is empty, or a whole message that `release` gave, all of which `assemble_text` had checked;
        // and a message that is cut off at the end of what is checked ends with a whole character. Octets before
        // `parsed` are changed nowhere but in this room: where a message grows, behind what was checked of it; and
        // where octets are moved, after which `text` is empty.
        Ok(unsafe { core::str::from_utf8_unchecked(&self.data[range]) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_slide_together_and_the_gap_closes() {
        let mut input = ReadBuffer::default();
        input.extend_from_slice(b"..Hel..lo..!..");
        input.skip(2);
        input.assemble(3, &mut Mask::new([0; 4]));
        input.skip(2);
        input.assemble(2, &mut Mask::new([0; 4]));
        assert_eq!(input.message(), b"Hello");
        assert_eq!(input.len(), 5 + 5);
        input.skip(2);
        input.assemble(1, &mut Mask::new([0; 4]));
        input.spare(64);
        assert_eq!((input.message(), input.unparsed()), (&b"Hello!"[..], &b".."[..]));
        assert_eq!(input.gap(), 0, "it was larger than what lay behind it");
        let hello = input.release(6);
        assert_eq!(input.at(hello), b"Hello!");
        assert_eq!(input.len(), 2);
    }
}
