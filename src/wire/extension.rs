//! RFC 6455 §9.1: which extensions and parameters does a `Sec-WebSocket-Extensions` field list?
//!
//! ```text
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" ( token | quoted-string ) ]
//! ```
//!
//! This file knows the grammar and no extension: whether a name or a parameter means anything is
//! for the caller to say. The RFC does not speak of case; callers compare names exactly, so that
//! `Permessage-Deflate` is an unknown extension.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Reads the values of all `Sec-WebSocket-Extensions` lines of one head as one list, in order.
///
/// Each item of `lines` is the raw value of one header line. No line gives an empty list.
///
/// Two liberties of the grammar are for the reader alone, a writer must not take them: empty
/// elements are passed over (RFC 9110 §5.6.1), and spaces and tabs may stand around `,`, `;` and
/// `=` (RFC 6455 §9.1 builds on the RFC 2616 rules).
///
/// The time taken is linear in the length of the lines; the memory has a bound, as no more than [`MOST_ENTRIES`]
/// are read.
///
/// # Errors
/// [`InvalidExtensions`] when a line breaks the grammar, when there are lines but no extension
/// in them, or more than [`MOST_ENTRIES`]. The handshake must then fail (§9.1): a server answers 400, a client does
/// not open the connection.
///
/// ```
/// use websocket_proto::wire::extension::{self, InvalidExtensions};
///
/// let lines: [&[u8]; 2] = [
///     b"permessage-deflate; server_max_window_bits=\"10\"",
///     b"foo, bar; baz",
/// ];
/// let extensions = extension::parse(lines)?;
///
/// assert_eq!(extensions.len(), 3);
/// assert_eq!(extensions[0].name, "permessage-deflate");
/// assert_eq!(extensions[0].params[0].name, "server_max_window_bits");
/// assert_eq!(extensions[0].params[0].value.as_deref(), Some("10"));
/// assert_eq!(extensions[2].params[0].value, None);
///
/// assert!(extension::parse([&b"foo; a="[..]]).is_err());
/// # Ok::<(), InvalidExtensions>(())
/// ```
pub fn parse<'a, I>(lines: I) -> Result<Vec<Extension<'a>>, InvalidExtensions>
where
    I: IntoIterator<Item = &'a [u8]>,
{
    let (mut extensions, mut is_missing) = (Vec::new(), true);
    let mut reader = Reader { rest: "", entries: 0 };
    for line in lines {
        is_missing = false;
        reader.rest = str::from_utf8(line).map_err(|_| InvalidExtensions)?; // once, rather than each token
        reader.line(&mut extensions)?;
    }
    if extensions.is_empty() && !is_missing {
        // RFC 9110 §5.6.1.2: a `1#element` list holds at least one element that is not empty.
        return Err(InvalidExtensions);
    }
    Ok(extensions)
}

/// Extensions and parameters, together, that one head may list. Browsers send two or three; a head that is full of
/// them would become sixty times its length.
pub const MOST_ENTRIES: usize = 128;

/// One element of the list: an offer in a request, an acceptance in a response (RFC 6455 §9.1). See
/// [`parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Extension<'a> {
    /// The extension's name, a token, as it was written.
    pub name: &'a str,
    /// The parameters in the order in which they were written; a name may come more than once.
    pub params: Vec<Param<'a>>,
}

/// One parameter of an [`Extension`] (RFC 6455 §9.1). See [`parse`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Param<'a> {
    /// The parameter's name, a token, as it was written.
    pub name: &'a str,
    /// The value, a token without its quotes, or `None` when there is no `=`. `a=10`, `a="10"` and
    /// `a="1\0"` are the same value; only the last of them is not borrowed.
    pub value: Option<Cow<'a, str>>,
}

/// The `Sec-WebSocket-Extensions` field breaks its grammar (RFC 6455 §9.1), or has no end. See [`parse`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
#[error("malformed Sec-WebSocket-Extensions field, or one that lists too much")]
pub struct InvalidExtensions;

/// What is left of one line. Each method takes its part off the front and never looks back.
struct Reader<'a> {
    rest: &'a str,
    /// Extensions and parameters of this line and those before it.
    entries: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self, extensions: &mut Vec<Extension<'a>>) -> Result<(), InvalidExtensions> {
        loop {
            self.skip_whitespace();
            if self.rest.is_empty() {
                return Ok(());
            }
            if self.take(',') {
                continue;
            }
            extensions.push(self.extension()?);
            if !self.rest.is_empty() && !self.take(',') {
                return Err(InvalidExtensions);
            }
        }
    }

    /// Reads up to the `,` or the end of the line, whitespace before it included.
    fn extension(&mut self) -> Result<Extension<'a>, InvalidExtensions> {
        let name = self.entry()?;
        let mut params = Vec::new();
        self.skip_whitespace();
        while self.take(';') {
            self.skip_whitespace();
            params.push(self.param()?);
            self.skip_whitespace();
        }
        Ok(Extension { name, params })
    }

    fn param(&mut self) -> Result<Param<'a>, InvalidExtensions> {
        let name = self.entry()?;
        self.skip_whitespace();
        if !self.take('=') {
            return Ok(Param { name, value: None });
        }
        self.skip_whitespace();
        let value = if self.take('"') { Some(self.quoted()?) } else { Some(Cow::Borrowed(self.token()?)) };
        Ok(Param { name, value })
    }

    /// Reads the rest of a quoted-string, whose opening quote was taken.
    ///
    /// "When using the quoted-string syntax variant, the value after quoted-string unescaping MUST
    /// conform to the 'token' ABNF." So each octet, escaped or not, is a token octet.
    fn quoted(&mut self) -> Result<Cow<'a, str>, InvalidExtensions> {
        let plain = self.token_octets();
        if self.take('"') {
            return match plain {
                "" => Err(InvalidExtensions),
                value => Ok(Cow::Borrowed(value)),
            };
        }

        let mut value = String::from(plain);
        while self.take('\\') {
            match self.token_octets() {
                "" => return Err(InvalidExtensions),
                octets => value.push_str(octets),
            }
        }
        if self.take('"') { Ok(Cow::Owned(value)) } else { Err(InvalidExtensions) }
    }

    /// The name of an extension or a parameter.
    fn entry(&mut self) -> Result<&'a str, InvalidExtensions> {
        self.entries = self.entries.saturating_add(1);
        if self.entries > MOST_ENTRIES { Err(InvalidExtensions) } else { self.token() }
    }

    fn token(&mut self) -> Result<&'a str, InvalidExtensions> {
        match self.token_octets() {
            "" => Err(InvalidExtensions),
            token => Ok(token),
        }
    }

    /// Takes as many token octets as there are, perhaps none.
    fn token_octets(&mut self) -> &'a str {
        self.take_while(is_token_octet)
    }

    /// RFC 9110 §5.6.3: `OWS = *( SP / HTAB )`
    fn skip_whitespace(&mut self) {
        self.take_while(|octet| matches!(octet, b' ' | b'\t'));
    }

    /// Takes what belongs, which is ASCII.
    fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.bytes().position(|octet| !belongs(octet));
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Takes `character`, if it comes next, and says whether it did.
    fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// RFC 9110 §5.6.2: `token = 1*tchar`
pub(crate) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets.iter().all(|octet| is_token_octet(*octet))
}

/// RFC 9110 §5.6.2: is this octet a `tchar`, one of the 77 that a token is made of?
#[expect(clippy::indexing_slicing, reason = "there is a place for each octet")]
pub(crate) const fn is_token_octet(octet: u8) -> bool {
    TOKEN_OCTETS[octet as usize]
}

/// RFC 9110 §5.6.2: `tchar`, spelled out.
#[expect(clippy::indexing_slicing, reason = "of constants, when this is compiled")]
const TOKEN_OCTETS: [bool; 256] = {
    let tchars = b"!#$%&'*+-.^_`|~\
        0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut table = [false; 256];
    let mut i = 0;
    while i < tchars.len() {
        table[tchars[i] as usize] = true;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// Parses one line and writes it down again in the plainest form.
    fn plain(line: impl AsRef<[u8]>) -> Result<String, InvalidExtensions> {
        let mut plain = Vec::new();
        for extension in parse([line.as_ref()])? {
            let mut text = String::from(extension.name);
            for Param { name, value } in extension.params {
                text.extend(["; ", name]);
                text.extend(value.map(|value| format!("={value}")));
            }
            plain.push(text);
        }
        Ok(plain.join(", "))
    }

    #[test]
    fn valid_lists() {
        // 6455-9.1-1, 6455-9.1-3, 9110-5.6.1-2, 9110-5.6.6-1, 28-30, erratum-8491
        #[rustfmt::skip]
        let valid = [
            ("foo", "foo"),
            ("foo; bar", "foo; bar"),
            ("foo;bar=1;baz=\"2\"", "foo; bar=1; baz=2"),
            ("foo, bar; baz=2", "foo, bar; baz=2"),
            ("mux; max-channels=4; flow-control, a-b", "mux; max-channels=4; flow-control, a-b"),
            ("permessage-deflate ; max_bits = 10", "permessage-deflate; max_bits=10"),
            (" \t foo\t;\tbar \t= \t\"1\" \t,\tbaz ", "foo; bar=1, baz"),
            (", permessage-deflate,,", "permessage-deflate"),
            ("foo , , ,\t, bar", "foo, bar"),
            ("foo, foo; a; a=1; a", "foo, foo; a; a=1; a"),
            ("constructor; __proto__=toString", "constructor; __proto__=toString"),
            ("!#$%&'*+-.^_`|~; ~=~", "!#$%&'*+-.^_`|~; ~=~"),
        ];
        for (line, expected) in valid {
            assert_eq!(plain(line).as_deref(), Ok(expected), "{line:?}");
        }
    }

    #[test]
    fn a_list_has_an_end() {
        let pairs = "a;a,".repeat(MOST_ENTRIES / 2);
        assert_eq!(parse([pairs.as_bytes()]).map(|list| list.len()), Ok(MOST_ENTRIES / 2));
        let names = "a,".repeat(MOST_ENTRIES);
        assert_eq!(parse([names.as_bytes()]).map(|list| list.len()), Ok(MOST_ENTRIES));
        for more in ["a", "a;a", ",a"] {
            assert_eq!(parse([[&*names, more].concat().as_bytes()]), Err(InvalidExtensions), "{more}");
            assert_eq!(parse([pairs.as_bytes(), more.as_bytes()]), Err(InvalidExtensions), "{more}");
        }
        let params = |count: usize| [b"a", &b";a"[..].repeat(count)[..]].concat();
        assert!(parse([&params(MOST_ENTRIES - 1)[..]]).is_ok());
        assert_eq!(parse([&params(MOST_ENTRIES)[..]]), Err(InvalidExtensions));
    }

    #[test]
    fn malformed_lists() {
        // 6455-9.1-1, 9110-5.6.1-3, 9110-5.6.3-1
        #[rustfmt::skip]
        let malformed = [
            "", " ", ",", " , ,\t", ";", "foo;", "foo; ", "foo;,", "foo;;bar", "foo; bar;",
            "foo; =1", "foo; =", "foo; a=", "foo; a= ", "foo; a=,", "foo; a=;b", "foo; a==1",
            "foo; a=1=2", "foo; a=\"", "foo; a=\"b", "foo; a=\"b\"c", "foo; a=\"b\"\"c\"",
            "foo; a=b\"c\"", "foo; a=\"b\\", "foo; a=\"b\\\"", "foo bar", "foo; a b", "foo; a=b c",
            "foo=1", "=", "=1", "\"foo\"", "foo; \"a\"=1", "foo; \"a\"", "foo/bar", "foo; a/b",
            "foo; a=b/c", "foo, bar baz", "foo, ;", "f\0o", "foo\x0b, bar", "foo\x0c",
            "foo\r\n, bar", "foo\n", "\u{a0}foo", "é", "foo; é", "foo; a=é", "foo;\x0ba",
            "foo; a=1\x7f",
        ];
        for line in malformed {
            assert_eq!(plain(line), Err(InvalidExtensions), "{line:?}");
        }
        assert_eq!(plain(b"foo\xff"), Err(InvalidExtensions));
        assert_eq!(plain(b"foo; a=\"\xe9\""), Err(InvalidExtensions));
    }

    #[test]
    fn a_quoted_value_is_a_token_once_it_is_unescaped() {
        // 6455-9.1-2, 9110-5.6.4-1, 9110-5.6.6-1, erratum-6997
        for (quoted, expected) in
            [(r#""10""#, "10"), (r#""a\b""#, "ab"), (r#""1\0""#, "10"), (r#""\1\0""#, "10"), (r#""\n\r\t""#, "nrt")]
        {
            let expected = format!("foo; a={expected}, bar");
            assert_eq!(plain(format!("foo; a={quoted}, bar")), Ok(expected));
        }
        #[rustfmt::skip]
        let malformed = [
            r#""""#, r#"" ""#, r#"" b""#, r#""b ""#, r#""x y""#, r#""b,c""#, r#""b;c""#, r#""b=c""#,
            r#""\"""#, r#""b\"c""#, r#""b\\c""#, r#""b\,c""#, r#""b\ c""#, r#""é""#, r#""\é""#,
            "\"b\0\"", "\"b\\\0\"", "\"b\r\n\"", "\"b\x7f\"",
        ];
        for quoted in malformed {
            let line = format!("foo; a={quoted}, bar");
            assert_eq!(plain(&line), Err(InvalidExtensions), "{line:?}");
        }
    }

    #[test]
    fn only_an_escaped_value_is_copied() {
        let value = |line| parse([line]).unwrap()[0].params[0].value.clone();
        assert!(matches!(value(b"foo; a=10"), Some(Cow::Borrowed("10"))));
        assert!(matches!(value(b"foo; a=\"10\""), Some(Cow::Borrowed("10"))));
        assert!(matches!(value(b"foo; a=\"1\\0\""), Some(Cow::Owned(_))));
    }

    #[test]
    fn several_lines_are_one_list() {
        // 6455-9.1-4, 9110-5.6.1-3, 6455-11.3.2-1
        let lines = |lines: &[&'static str]| parse(lines.iter().map(|line| line.as_bytes()));
        let whole = lines(&["foo, bar; baz=2"]);
        assert_eq!(lines(&["foo", "bar; baz=2"]), whole);
        assert_eq!(lines(&["", "foo,", ", ,", ",bar;baz=2"]), whole);
        assert_eq!(lines(&[]), Ok(Vec::new()));

        assert_eq!(lines(&["", ","]), Err(InvalidExtensions));
        assert_eq!(lines(&["foo", "bar;"]), Err(InvalidExtensions));
        assert_eq!(lines(&["foo;", "bar"]), Err(InvalidExtensions));
        assert_eq!(lines(&["foo; a=\"b", "c\""]), Err(InvalidExtensions));
    }

    #[test]
    fn every_octet() {
        // 9110-5.6.2-1: exactly 77 of 256 octets make a token.
        let separators = b"\"(),/:;<=>?@[\\]{}";
        for octet in 0..=255u8 {
            let expected = (0x21..=0x7e).contains(&octet) && !separators.contains(&octet);
            assert_eq!(is_token_octet(octet), expected, "{octet:#04x}");
            assert_eq!(is_token(&[b'a', octet]), expected, "{octet:#04x}");
            assert_eq!(plain([octet]).is_ok(), expected, "{octet:#04x}");

            let escaped = [b"foo; a=\"\\", &[octet][..], b"\""].concat();
            assert_eq!(plain(escaped).is_ok(), expected, "{octet:#04x}");
        }
        assert_eq!((0..=255).filter(|octet| is_token_octet(*octet)).count(), 77);
        assert!(!is_token(b""));
    }

    #[test]
    fn long_input() {
        // SEC-1: 64 KiB of whatever repeats; quadratic time would show.
        let repeated = |unit: &str| unit.repeat(65_536 / unit.len());
        for unit in [",", " ", ";", "=", "\"", "\\", ", ", "a;", "a=\"", "é"] {
            assert_eq!(plain(repeated(unit)), Err(InvalidExtensions), "{unit:?}");
        }
        for unit in ["a", "\\a", "\\", ",", ", ;", "\""] {
            let unclosed = format!("foo; a=\"{}", repeated(unit));
            assert_eq!(plain(unclosed), Err(InvalidExtensions), "{unit:?}");
        }
        let foo = format!("{}foo{}", repeated(","), repeated(", "));
        assert_eq!(plain(foo).as_deref(), Ok("foo"));
        for unit in ["a,", "a;a,"] {
            assert_eq!(plain(repeated(unit)), Err(InvalidExtensions), "{unit:?}");
        }
    }
}
