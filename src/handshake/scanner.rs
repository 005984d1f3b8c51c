//! RFC 9112 §2: where does a message head end?

use super::search::find_invisible;
use crate::config::Limits;
use crate::error::HandshakeError;

/// Looks for the end of a head as its octets come, at each octet once.
///
/// Strict on the way: a line ends in CR LF and in nothing else, and control characters are refused, so that there is
/// one reading of a head only (RFC 9112 §11.2).
#[derive(Debug, Default)]
pub(super) struct HeadScanner {
    /// Octets looked at, from the front of the head.
    looked_at: usize,
    /// Lines that have ended, without the empty ones in front of the head.
    lines: usize,
    /// Empty lines in front of the head.
    leading: usize,
    /// Where the line under way begins.
    line: usize,
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "line <= looked_at <= the length of what has come; lines and leading count those in it"
)]
impl HeadScanner {
    /// Looks at the octets that are new. At the end of the head: how long it is, with the empty line behind it.
    pub(super) fn scan(&mut self, octets: &[u8], limits: &Limits) -> Result<Option<usize>, HandshakeError> {
        // one more octet of a line: no search, where a head dribbles
        if let [.., b' '..=b'~', b' '..=b'~'] = octets
            && octets.len() == self.looked_at + 1
            && octets.len() <= limits.head
        {
            self.looked_at += 1;
            return Ok(None);
        }
        let within = octets.get(..limits.head).unwrap_or(octets);
        // of a line end that was cut, the rest may have come
        let cut = self.looked_at.checked_sub(1).filter(|last| within.get(*last) == Some(&b'\r'));
        let mut from = cut.unwrap_or(self.looked_at);
        while let Some(invisible) = within.get(from..).and_then(find_invisible) {
            let at = from + invisible;
            self.looked_at = within.len().min(at + 2);
            from = match within.get(at..) {
                Some([b'\t' | 0x80.., ..]) => at + 1,
                Some([b'\r', b'\n', ..]) if self.end_line(limits)? => return Ok(Some(self.looked_at)),
                Some([b'\r', b'\n', ..]) => at + 2,
                Some([b'\r']) => break,
                _ => return Err(HandshakeError::MalformedHead),
            };
        }
        self.looked_at = within.len();
        match within.len() < octets.len() {
            true if self.lines == 0 => Err(HandshakeError::TargetTooLong),
            true => Err(HandshakeError::HeadTooLarge),
            false => Ok(None),
        }
    }

    /// Ends a line; true if it was the empty one behind the fields.
    fn end_line(&mut self, limits: &Limits) -> Result<bool, HandshakeError> {
        let is_empty = self.looked_at - self.line == 2;
        self.line = self.looked_at;
        match (is_empty, self.lines) {
            (true, 0) if self.leading < LEADING_LINES => self.leading += 1,
            (true, 0) => return Err(HandshakeError::MalformedHead),
            (true, _) => return Ok(true),
            // the start line and the fields
            (false, lines) if lines > limits.header_fields => return Err(HandshakeError::TooManyHeaderFields),
            (false, _) => self.lines += 1,
        }
        Ok(false)
    }
}

/// Empty lines that may stand in front of a head; one comes from clients of old.
const LEADING_LINES: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(head: &[u8]) -> Result<Option<usize>, HandshakeError> {
        HeadScanner::default().scan(head, &Limits::default())
    }

    #[test]
    fn the_end_is_found_however_it_is_cut_and_no_octet_is_looked_at_twice() {
        // 6455-4.2.1-13
        let head = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let octets = [&head[..], b"\x82\x00"].concat();
        assert_eq!(scan(&octets), Ok(Some(head.len())));
        let mut scanner = HeadScanner::default();
        for come in 0..head.len() {
            assert_eq!(scanner.scan(&octets[..come], &Limits::default()), Ok(None));
            assert_eq!(scanner.looked_at, come);
        }
        assert_eq!(scanner.scan(&octets, &Limits::default()), Ok(Some(head.len())));
        assert_eq!(scanner.looked_at, head.len());
    }

    #[test]
    fn a_head_that_dribbles_costs_as_much_as_a_whole_one() {
        // 6455-4.2.1-13, 9110-5.4-1
        let limit = Limits::default().head;
        let lines = b"GET / HTTP/1.1\r\nHost: a\r\nX: ";
        let long = |len: usize| [&lines[..], &vec![b'a'; len - lines.len() - 4], b"\r\n\r\n"].concat();
        let (whole, mut bad) = (long(limit), long(limit));
        bad[limit - 1] = b'\r';
        for (octets, expected, work) in [
            (&whole[..], Ok(Some(limit)), limit),
            (&[&whole, &[0; 1000][..]].concat(), Ok(Some(limit)), limit),
            (&whole[..limit - 1], Ok(None), limit - 1),
            (&bad, Err(HandshakeError::MalformedHead), limit),
            (&long(limit + 1), Err(HandshakeError::HeadTooLarge), limit),
            (&long(1 << 20), Err(HandshakeError::HeadTooLarge), limit),
            (&vec![b'a'; 1 << 20], Err(HandshakeError::TargetTooLong), limit),
        ] {
            for size in [1, 2, 3, 1000, octets.len()] {
                let mut scanner = HeadScanner::default();
                let (mut come, mut looked_at, mut found) = (0, 0, Ok(None));
                for piece in octets.chunks(size) {
                    come += piece.len();
                    let before = scanner.looked_at;
                    found = scanner.scan(&octets[..come], &Limits::default());
                    looked_at += scanner.looked_at.checked_sub(before).expect("it does not begin anew");
                    if found != Ok(None) {
                        break;
                    }
                }
                assert_eq!((found, looked_at), (expected, work), "in pieces of {size}");
            }
        }
    }

    #[test]
    fn r9112_2_2_lines_end_in_one_way() {
        // 9112-2.2-2, 9112-2.2-3, 9110-5.5-1, 9110-5.5-2
        for head in [
            &b"GET / HTTP/1.1\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\n",
            b"GET / HTTP/1.1\r\nHost: a\rb",
            b"GET / HTTP/1.1\r\nHost: a\0",
            b"GET / HTTP/1.1\r\nX: \x7f",
            b"\x16\x03\x01\x02\x00",
            b"\r\n\r\n\r\n",
        ] {
            assert_eq!(scan(head), Err(HandshakeError::MalformedHead), "{}", head.escape_ascii());
        }
    }

    #[test]
    fn r9110_5_4_limits_are_exact() {
        // 9110-5.4-1, 9112-3-2
        let mut limits = Limits { header_fields: 2, ..Limits::default() };
        let scan = |head: &[u8]| HeadScanner::default().scan(head, &limits);
        assert_eq!(scan(b"GET / HTTP/1.1\r\na:\r\nb:\r\n\r\n"), Ok(Some(26)));
        assert_eq!(scan(b"GET / HTTP/1.1\r\na:\r\nb:\r\nc:\r\n"), Err(HandshakeError::TooManyHeaderFields));
        limits.head = 26;
        let scan = |head: &[u8]| HeadScanner::default().scan(head, &limits);
        assert_eq!(scan(b"GET / HTTP/1.1\r\na:\r\nb:\r\n\r\nmore"), Ok(Some(26)));
        assert_eq!(scan(b"GET / HTTP/1.1\r\na: \r\nb:\r\n\r"), Ok(None));
        assert_eq!(scan(b"GET / HTTP/1.1\r\na: \r\nb:\r\n\r\n"), Err(HandshakeError::HeadTooLarge));
        assert_eq!(scan(b"GET /0123456789 HTTP/1.1\r\n\r\n"), Err(HandshakeError::HeadTooLarge));
        assert_eq!(scan(b"GET /0123456789012345678901 HTTP/1.1\r\n\r\n"), Err(HandshakeError::TargetTooLong));
    }
}
