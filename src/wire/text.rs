//! RFC 6455 §5.6: text that may be kept, and octets that become text as they are unmasked.

use alloc::string::String;
use core::borrow::Borrow;
use core::hash::{Hash, Hasher};
use core::{fmt, ops::Deref};

use bytes::Bytes;

use super::{InvalidUtf8, mask, utf8};

/// Text over [`Bytes`]: to be kept, cloned and sent elsewhere without a copy.
///
/// ```
/// use websocket_proto::Utf8Bytes;
///
/// let text = Utf8Bytes::from_static("Hello");
/// assert_eq!(text.to_uppercase(), "HELLO");
/// assert_eq!(text, "Hello");
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Utf8Bytes(
    /// Always UTF-8: each constructor checks, or is given a `str`; and `Bytes` never changes.
    Bytes,
);

impl Utf8Bytes {
    /// Text that the program itself contains.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// A copy of the text.
    #[must_use]
    pub fn copy_from_str(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }

    /// The text.
    #[must_use]
    #[allow(unsafe_code)] // from_utf8_unchecked of what the constructors checked; else every look would scan it all
    pub fn as_str(&self) -> &str {
        // SAFETY: see the field.
        unsafe { core::str::from_utf8_unchecked(&self.0) }
    }
}

impl Deref for Utf8Bytes {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Utf8Bytes {
    fn borrow(&self) -> &str {
        self
    }
}

impl Hash for Utf8Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl AsRef<str> for Utf8Bytes {
    fn as_ref(&self) -> &str {
        self
    }
}

impl AsRef<[u8]> for Utf8Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<String> for Utf8Bytes {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Utf8Bytes {
    fn from(text: &str) -> Self {
        Self::copy_from_str(text)
    }
}

impl From<Utf8Bytes> for Bytes {
    fn from(text: Utf8Bytes) -> Self {
        text.0
    }
}

impl TryFrom<Bytes> for Utf8Bytes {
    type Error = InvalidUtf8;

    fn try_from(octets: Bytes) -> Result<Self, InvalidUtf8> {
        utf8::check(&octets)?;
        Ok(Self(octets))
    }
}

impl PartialEq<str> for Utf8Bytes {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Utf8Bytes {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Utf8Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_str(), f)
    }
}

/// Unmasks a whole payload in place, and checks that it is text; a key of zeros leaves it as it is.
///
/// The check for ASCII rides in the unmasking: only where a high bit was seen is the payload looked at again.
#[inline]
#[allow(unsafe_code)] // from_utf8_unchecked after a check of our own; a second look would double the cost of ASCII
pub(crate) fn unmask_text(payload: &mut [u8], key: [u8; 4]) -> Result<&str, InvalidUtf8> {
    let is_ascii = match key {
        [0, 0, 0, 0] => payload.len() < SHORT && payload.is_ascii(),
        _ => mask::apply_to_text(payload, key),
    };
    if !is_ascii {
        return utf8::check(payload);
    }
    debug_assert!(payload.is_ascii());
    // SAFETY: `is_ascii` or `apply_to_text` said that all octets of the payload, as they are now, are below 0x80; such
    // octets are UTF-8, one character each.
    Ok(unsafe { core::str::from_utf8_unchecked(payload) })
}

/// As much of a payload as is text, from its front: all of it, or what lies before the octets that are not UTF-8.
pub(crate) fn text_before_error(payload: &[u8]) -> (&str, Result<(), InvalidUtf8>) {
    if let Ok(text) = utf8::check(payload) {
        return (text, Ok(()));
    }
    let valid = core::str::from_utf8(payload).map_or_else(|error| error.valid_up_to(), str::len);
    let text = payload.get(..valid).and_then(|text| core::str::from_utf8(text).ok());
    (text.unwrap_or_default(), Err(InvalidUtf8))
}

/// Below so many octets, ASCII is seen sooner by a look for high bits; simdutf8 leaves few to the standard library.
const SHORT: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masked_text_of_every_length() {
        for key in [[0x37, 0xfa, 0x21, 0x3d], [0; 4]] {
            for sample in ["a", "κ", "日", "😀"] {
                for len in 0..200 {
                    let mut payload: Vec<u8> = sample.bytes().cycle().take(len).collect();
                    let plain = payload.clone();
                    mask::apply_to_text(&mut payload, key);
                    let expected = core::str::from_utf8(&plain).map_err(|_| InvalidUtf8);
                    assert_eq!(unmask_text(&mut payload, key), expected);
                }
            }
        }
    }

    #[test]
    fn kept_text_compares_and_hashes_as_text() {
        let text = Utf8Bytes::from("κόσμε");
        assert_eq!(text, "κόσμε");
        assert_eq!(format!("{text} {text:?}"), "κόσμε \"κόσμε\"");
        assert_eq!(Utf8Bytes::try_from(Bytes::from(text.clone())), Ok(text));
        assert_eq!(Utf8Bytes::try_from(Bytes::from_static(b"\xff")), Err(InvalidUtf8));
        let set: std::collections::HashSet<Utf8Bytes> = [Utf8Bytes::from_static("a"), String::from("a").into()].into();
        assert!(set.len() == 1 && set.contains("a"));
    }
}
