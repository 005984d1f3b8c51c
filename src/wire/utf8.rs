//! RFC 3629, RFC 6455 §8.1: is this text, and if it is cut in a character, can it still become text?

use thiserror::Error;

/// Octets that are not UTF-8, whatever may follow them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
#[error("not valid UTF-8")]
pub struct InvalidUtf8;

/// Splits octets that may end inside a character into the whole characters, and the 0 to 3 octets of the last one.
///
/// ```
/// use websocket_proto::wire::split_utf8;
///
/// assert_eq!(split_utf8(b"caf\xc3"), Ok(("caf", &b"\xc3"[..])));
/// assert!(split_utf8(b"\xf4\x90").is_err(), "nothing can follow that makes it a character");
/// ```
///
/// # Errors
/// [`InvalidUtf8`] as soon as the octets can no longer become UTF-8.
#[inline]
pub fn split_utf8(octets: &[u8]) -> Result<(&str, &[u8]), InvalidUtf8> {
    let (whole, tail) = octets.split_at(octets.len().saturating_sub(unfinished_len(octets)));
    Ok((simdutf8::basic::from_utf8(whole).map_err(|_| InvalidUtf8)?, tail))
}

/// How many octets at the end are a character's beginning, and can become a whole one: 0 to 3.
#[inline]
pub(crate) fn unfinished_len(octets: &[u8]) -> usize {
    match octets.last() {
        None | Some(0..=0x7F) => 0,
        Some(_) => unfinished_tail(octets),
    }
}

/// Looks for a lead octet among the last three, and whether what follows it may go on.
fn unfinished_tail(octets: &[u8]) -> usize {
    let tail = octets.last_chunk::<3>().map_or(octets, |tail| tail);
    let Some(lead) = tail.iter().rposition(|octet| octet & 0xC0 == 0xC0) else { return 0 };
    let (_, character) = tail.split_at(lead);
    match core::str::from_utf8(character) {
        Err(error) if error.error_len().is_none() => character.len(),
        _ => 0,
    }
}

/// A whole payload as text.
pub(crate) fn check(payload: &[u8]) -> Result<&str, InvalidUtf8> {
    simdutf8::basic::from_utf8(payload).map_err(|_| InvalidUtf8)
}

/// Checks text that comes in pieces, cut anywhere; it keeps the 0 to 3 octets of a character that was cut.
///
/// ```
/// use websocket_proto::wire::Utf8Validator;
///
/// let mut text = Utf8Validator::default();
/// text.push(b"\xe2\x82")?;
/// text.push(b"\xac")?;
/// text.finish()?;
/// # Ok::<(), websocket_proto::wire::InvalidUtf8>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utf8Validator {
    character: [u8; 4],
    /// 0 <= len <= 3: how many octets of `character` have come.
    len: usize,
}

impl Utf8Validator {
    /// Checks the next octets.
    ///
    /// # Errors
    /// [`InvalidUtf8`] as soon as the octets so far can no longer become UTF-8. The validator is of no use then.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), InvalidUtf8> {
        let mut rest = octets;
        while self.len > 0 {
            let Some((&octet, after)) = rest.split_first() else { return Ok(()) };
            rest = after;
            self.push_octet(octet)?;
        }
        let (_, tail) = split_utf8(rest)?;
        for (slot, octet) in self.character.iter_mut().zip(tail) {
            *slot = *octet;
        }
        self.len = tail.len();
        Ok(())
    }

    /// Ends the text.
    ///
    /// # Errors
    /// [`InvalidUtf8`] if it ends inside a character.
    pub const fn finish(self) -> Result<(), InvalidUtf8> {
        if self.len == 0 { Ok(()) } else { Err(InvalidUtf8) }
    }

    /// One octet more of the character that was cut.
    fn push_octet(&mut self, octet: u8) -> Result<(), InvalidUtf8> {
        let character = self.character.get_mut(..=self.len).ok_or(InvalidUtf8)?;
        if let Some(last) = character.last_mut() {
            *last = octet;
        }
        self.len = match core::str::from_utf8(character) {
            Ok(_) => 0,
            Err(error) if error.error_len().is_none() => character.len(),
            Err(_) => return Err(InvalidUtf8),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the standard library says: valid, can become valid, or neither.
    fn reference(octets: &[u8]) -> Option<usize> {
        match core::str::from_utf8(octets) {
            Ok(_) => Some(0),
            Err(error) if error.error_len().is_none() => Some(octets.len() - error.valid_up_to()),
            Err(_) => None,
        }
    }

    fn compare(octets: &[u8]) {
        let expected = reference(octets);
        assert_eq!(split_utf8(octets).ok().map(|(_, tail)| tail.len()), expected, "{octets:02x?}");
        for cut in 0..=octets.len() {
            let (a, b) = octets.split_at(cut);
            let mut text = Utf8Validator::default();
            let pushed = text.push(a).and_then(|()| text.push(b));
            assert_eq!(pushed.is_ok(), expected.is_some(), "{octets:02x?} cut at {cut}");
            assert_eq!(pushed.is_ok() && text.finish().is_ok(), expected == Some(0), "{octets:02x?} cut at {cut}");
        }
    }

    /// The octets at which a rule for the second to fourth octet of a character may change.
    const BOUNDS: [u8; 10] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF];

    #[test]
    fn rfc3629_s4_1_all_sequences_of_up_to_two_octets_and_heads_of_three() {
        // 3629-4-1, 3629-3-1, 3629-3-2, 3629-3-4
        for a in 0..=255 {
            compare(&[a]);
            for b in 0..=255 {
                compare(&[a, b]);
                if a >= 0xC0 || matches!(a, 0x00 | 0x41 | 0x7F | 0x80 | 0xBF) {
                    for c in [0, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE2, 0xFF] {
                        compare(&[a, b, c]);
                    }
                }
            }
        }
    }

    #[test]
    fn rfc3629_s4_1_all_sequences_of_three_octets_that_a_lead_octet_begins() {
        // 3629-4-1, 3629-3-1, 3629-3-2, 3629-3-4
        // what begins otherwise is one octet, and a sequence of two
        for a in 0xC0..=255 {
            for b in 0..=255 {
                for c in 0..=255 {
                    let octets = [a, b, c];
                    let expected = reference(&octets);
                    let mut text = Utf8Validator::default();
                    let pushed = text.push(&octets);
                    assert_eq!(pushed.is_ok(), expected.is_some(), "{octets:02x?}");
                    assert_eq!(pushed.is_ok() && text.finish().is_ok(), expected == Some(0), "{octets:02x?}");
                }
            }
        }
    }

    #[test]
    fn rfc3629_s4_1_all_heads_of_four_octets() {
        // 3629-4-1, 3629-3-1, 3629-3-3, 3629-3-4
        for a in 0xE0..=255 {
            for b in BOUNDS {
                for c in BOUNDS {
                    for d in [0x41, 0x7F, 0x80, 0xBF, 0xC0] {
                        compare(&[a, b, c, d]);
                        compare(&[b'x', a, b, c, d, b'y']);
                    }
                }
            }
        }
    }
}
