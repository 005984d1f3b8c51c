//! Which header fields does the handshake itself look for, and what do they hold?

/// A header field that the handshake looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Host,
    Expect,
    Origin,
    Upgrade,
    Connection,
    ContentLength,
    TransferEncoding,
    Key,
    Accept,
    Version,
    Protocol,
    Extensions,
}

impl Name {
    /// As it is written, and as errors name it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "Host",
            Self::Expect => "Expect",
            Self::Origin => "Origin",
            Self::Upgrade => "Upgrade",
            Self::Connection => "Connection",
            Self::ContentLength => "Content-Length",
            Self::TransferEncoding => "Transfer-Encoding",
            Self::Key => "Sec-WebSocket-Key",
            Self::Accept => "Sec-WebSocket-Accept",
            Self::Version => "Sec-WebSocket-Version",
            Self::Protocol => "Sec-WebSocket-Protocol",
            Self::Extensions => "Sec-WebSocket-Extensions",
        }
    }

    /// By the length first, which few of them share.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let alike: &[Self] = match name.len() {
            4 => &[Self::Host],
            6 => &[Self::Origin, Self::Expect],
            7 => &[Self::Upgrade],
            10 => &[Self::Connection],
            14 => &[Self::ContentLength],
            17 => &[Self::Key, Self::TransferEncoding],
            20 => &[Self::Accept],
            21 => &[Self::Version],
            22 => &[Self::Protocol],
            24 => &[Self::Extensions],
            _ => return None,
        };
        alike.iter().copied().find(|known| {
            let known = known.as_str().as_bytes();
            known == name || known.eq_ignore_ascii_case(name) // most write it so, which is seen at less cost
        })
    }
}

/// What the known fields of a head hold.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownFields<'i> {
    /// The value of the first line, for each [`Name`].
    first: [Option<&'i [u8]>; NAMES],
    /// A bit for each name that has more lines.
    repeated: u16,
}

/// The lines of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines<'i> {
    None,
    One(&'i [u8]),
    /// The first of several.
    Many(&'i [u8]),
}

impl<'i> KnownFields<'i> {
    /// Takes note of a line.
    pub(super) fn note(&mut self, name: Name, value: &'i [u8]) {
        match &mut self.first[name as usize] {
            Some(_) => self.repeated |= 1 << name as u16,
            first => *first = Some(value),
        }
    }

    pub(super) fn lines(&self, name: Name) -> Lines<'i> {
        match self.first[name as usize] {
            None => Lines::None,
            Some(value) if self.repeated & (1 << name as u16) == 0 => Lines::One(value),
            Some(value) => Lines::Many(value),
        }
    }
}

const NAMES: usize = Name::Extensions as usize + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_known_in_any_case() {
        let names = [
            Name::Host,
            Name::Expect,
            Name::Origin,
            Name::Upgrade,
            Name::Connection,
            Name::ContentLength,
            Name::TransferEncoding,
            Name::Key,
            Name::Accept,
            Name::Version,
            Name::Protocol,
            Name::Extensions,
        ];
        assert_eq!(names.len(), NAMES);
        for (i, name) in names.into_iter().enumerate() {
            let text = name.as_str();
            for text in [text.to_owned(), text.to_ascii_lowercase(), text.to_ascii_uppercase()] {
                assert_eq!((Name::of(text.as_bytes()), name as usize), (Some(name), i), "{text}");
                assert_eq!(Name::of(&text.as_bytes()[1..]), None, "{text}");
                let other = [&text.as_bytes()[1..], b"x"].concat();
                assert_eq!(Name::of(&other), None, "{text}");
            }
        }
        assert_eq!(Name::of(b""), None);
    }

    #[test]
    fn the_first_line_counts_and_more_are_seen() {
        let mut known = KnownFields::default();
        for (name, value) in [(Name::Host, "a"), (Name::Upgrade, "b"), (Name::Upgrade, "c"), (Name::Upgrade, "d")] {
            known.note(name, value.as_bytes());
        }
        assert_eq!(known.lines(Name::Host), Lines::One(b"a"));
        assert_eq!(known.lines(Name::Upgrade), Lines::Many(b"b"));
        assert_eq!(known.lines(Name::Key), Lines::None);
    }
}
