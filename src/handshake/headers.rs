//! RFC 9110 §5, RFC 9112 §5: which header fields does a head have?

use alloc::vec::Vec;
use core::fmt;

use super::search::split_once;

/// The header fields of a request or response, in order.
///
/// Names are compared without regard to case; values are octets, of which 0x80 to 0xFF have no meaning of their own
/// (RFC 9110 §5.5).
#[derive(Clone)]
pub struct Headers<'i> {
    /// The lines of an HTTP/1.1 head, found right. They are taken apart each time anew: that allocates nothing.
    lines: FieldLines<'i>,
    /// The fields of any other head.
    parsed: Vec<(&'i str, &'i [u8])>,
}

impl<'i> Headers<'i> {
    /// The lines behind a start line, the empty one at the end included; `httparse` has found them right.
    pub(super) const fn of_lines(lines: &'i [u8]) -> Self {
        Self { lines: FieldLines(lines), parsed: Vec::new() }
    }

    /// Fields that another HTTP stack has parsed.
    pub(super) const fn of_fields(parsed: Vec<(&'i str, &'i [u8])>) -> Self {
        Self { parsed, lines: FieldLines(b"") }
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'i str, &'i [u8])> + '_ {
        let lines = self.lines.clone().map(|(name, value)| (core::str::from_utf8(name).unwrap_or_default(), value));
        lines.chain(self.parsed.iter().copied())
    }

    /// The values of all lines with this name, in order.
    pub fn all<'n>(&'n self, name: &'n str) -> impl Iterator<Item = &'i [u8]> + 'n {
        let parsed = self.parsed.iter().map(|(name, value)| (name.as_bytes(), *value));
        let fields = self.lines.clone().chain(parsed);
        fields.filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The value of the first line with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'i [u8]> {
        self.all(name).next()
    }
}

impl PartialEq for Headers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers<'_> {}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            map.entry(&name, &format_args!("\"{}\"", value.escape_ascii()));
        }
        map.finish()
    }
}

/// The names and values of field lines that were found right.
#[derive(Clone)]
struct FieldLines<'i>(&'i [u8]);

impl<'i> Iterator for FieldLines<'i> {
    type Item = (&'i [u8], &'i [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = split_once(self.0, b':')?;
        let (value, rest) = split_once(rest, b'\r')?;
        self.0 = rest.strip_prefix(b"\n")?;
        Some((name, trim(value)))
    }
}

/// The elements of a comma-separated list over all lines that it has; empty ones are passed over (RFC 9110 §5.6.1). Not
/// for lists with quoted strings.
pub(super) fn elements<'i>(lines: impl Iterator<Item = &'i [u8]>) -> impl Iterator<Item = &'i [u8]> {
    lines.flat_map(|value| value.split(|&octet| octet == b',')).map(trim).filter(|element| !element.is_empty())
}

/// Whether both are the same without regard to case. Most are written alike, which is seen at less cost.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one == other || one.eq_ignore_ascii_case(other)
}

/// Takes SP and HTAB, and nothing else, off both ends (RFC 9110 §5.6.3).
pub(super) const fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn fields_are_the_same_however_they_were_written() {
        let headers = Headers::of_lines(b"Host:a\r\nX:\t b \r\nEmpty:\r\nx: c\r\n\r\n");
        let other = Headers::of_fields(vec![("Host", &b"a"[..]), ("X", b"b"), ("Empty", b""), ("x", b"c")]);
        assert_eq!(headers, other);
        for headers in [&headers, &other] {
            assert_eq!(headers.all("X").collect::<Vec<_>>(), [b"b", b"c"]);
            assert_eq!((headers.get("empty"), headers.get("y")), (Some(&b""[..]), None));
            assert_eq!(format!("{headers:?}"), r#"{"Host": "a", "X": "b", "Empty": "", "x": "c"}"#);
        }
        assert_ne!(headers, Headers::of_fields(vec![("Host", &b"a"[..])]));
    }
}
