//! What may a name, the name of a room, or a message consist of?

/// The longest name of a person or a room, in characters.
const NAME: usize = 32;

/// The longest message, in characters.
pub(crate) const TEXT: usize = 2000;

/// A name on one line without anything invisible; `None` if nothing of it is left, or too much.
pub(crate) fn name(name: &str) -> Option<String> {
    let visible: String =
        name.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_seen(*c)).collect();
    let clean = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(clean).filter(|clean| (1..=NAME).contains(&clean.chars().count()))
}

/// A message, which may have lines and tabs; `None` if nothing of it is left, or too much.
pub(crate) fn text(text: &str) -> Option<String> {
    let lines = text.replace("\r\n", "\n");
    let clean: String = lines.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    let clean = clean.trim_end().trim_start_matches('\n');
    Some(clean.to_owned()).filter(|clean| !clean.is_empty() && clean.chars().count() <= TEXT)
}

/// The page's own number of a message, by which a second copy of it is known.
pub(crate) fn key(key: &str) -> Option<String> {
    let is_key = (8..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_key.then(|| key.to_owned())
}

/// No control character, and none of those that are not seen but change the order or the look of what stands by them.
fn is_seen(c: char) -> bool {
    let is_hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || matches!(
            c,
            '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        );
    !c.is_control() && !is_hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_of_what_is_seen() {
        for (given, clean) in [
            ("Ada", Some("Ada")),
            ("  Ada \t\n Lovelace ", Some("Ada Lovelace")),
            ("A\u{0}d\u{7f}a\u{85}", Some("Ada")),
            ("\u{202e}adA\u{200b}", Some("adA")),
            ("Grüße 👋", Some("Grüße 👋")),
            ("<b>&", Some("<b>&")),
            (" \u{200b}\u{feff} ", None),
            ("\u{3164}\u{2800}\u{115f}\u{34f}", None),
            ("", None),
        ] {
            assert_eq!(name(given).as_deref(), clean, "{given:?}");
        }
        assert!(name(&"ä".repeat(32)).is_some());
        assert!(name(&"ä".repeat(33)).is_none());
    }

    #[test]
    fn texts_keep_their_lines() {
        assert_eq!(text("\n\none\r\n\ttwo\u{0}\u{1b}[0m \n").as_deref(), Some("one\n\ttwo[0m"));
        assert_eq!(text(" \r\n\t "), None);
        assert!(text(&"ä".repeat(TEXT)).is_some());
        assert!(text(&"ä".repeat(TEXT + 1)).is_none());
    }

    #[test]
    fn keys_are_short_and_plain() {
        assert!(key("0123-abcd").is_some());
        assert!(key("short").is_none());
        assert!(key("with space").is_none());
        assert!(key(&"k".repeat(65)).is_none());
    }
}
