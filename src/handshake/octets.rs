//! RFC 3986 §2, §3: which octets may a part of a URI be made of?

use super::uri::UriError;

/// `*( one of these / pct-encoded )`
pub(super) fn check_octets(text: &str, allowed: &[bool; 256]) -> Result<(), UriError> {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&octet| !allowed.get(usize::from(octet)).is_some_and(|is| *is)) {
        rest = match rest.get(at..) {
            Some([b'%', a, b, tail @ ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => tail,
            Some([b'%', ..]) => return Err(UriError::InvalidEscape),
            _ => return Err(UriError::InvalidCharacter),
        };
    }
    Ok(())
}

/// RFC 3986 §3.2.2: `unreserved / sub-delims`
pub(super) const HOST_OCTETS: [bool; 256] = letters_digits_and(b"-._~!$&'()*+,;=");

/// RFC 3986 §3.4: `pchar / "/" / "?"`, without pct-encoded
pub(super) const PATH_OR_QUERY_OCTETS: [bool; 256] = letters_digits_and(b"-._~!$&'()*+,;=:@/?");

#[expect(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "of constants, when this is compiled")]
const fn letters_digits_and(marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut octet = 0_u8;
    while octet < 0x80 {
        table[octet as usize] = octet.is_ascii_alphanumeric();
        octet += 1;
    }
    let mut i = 0;
    while i < marks.len() {
        table[marks[i] as usize] = true;
        i += 1;
    }
    table
}
