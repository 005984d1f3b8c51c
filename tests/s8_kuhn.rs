//! RFC 3629, RFC 6455 §8.1: the stress table of Markus Kuhn (`UTF-8-test.txt`), as octets.

mod common;

use common::{ROLES, assert_failed, frame_to, frames_to, hex, ping, run, text};
use websocket_proto::{ProtocolError, Role};

/// What is UTF-8, by the sections of the table.
const VALID: [(&str, &str); 14] = [
    ("1 correct text", "ce ba e1 bd b9 cf 83 ce bc ce b5"),
    ("2.1.1 first of one", "00"),
    ("2.1.2 first of two", "c2 80"),
    ("2.1.3 first of three", "e0 a0 80"),
    ("2.1.4 first of four", "f0 90 80 80"),
    ("2.2.1 last of one", "7f"),
    ("2.2.2 last of two", "df bf"),
    ("2.2.3 last of three", "ef bf bf"),
    ("2.3.1 below the surrogates", "ed 9f bf"),
    ("2.3.2 above the surrogates", "ee 80 80"),
    ("2.3.3 the replacement", "ef bf bd"),
    ("2.3.4 the last character", "f4 8f bf bf"),
    ("5.3.1 U+FFFE", "ef bf be"),
    ("5.3.2 U+FFFF", "ef bf bf"),
];

/// What is not.
const INVALID: [(&str, &str); 58] = [
    ("2.1.5 first of five", "f8 88 80 80 80"),
    ("2.1.6 first of six", "fc 84 80 80 80 80"),
    ("2.2.4 last of four bits", "f7 bf bf bf"),
    ("2.2.5 last of five", "fb bf bf bf bf"),
    ("2.2.6 last of six", "fd bf bf bf bf bf"),
    ("2.3.5 above the last character", "f4 90 80 80"),
    ("3.1.1 first continuation", "80"),
    ("3.1.2 last continuation", "bf"),
    ("3.1.3 two continuations", "80 bf"),
    ("3.1.4 three", "80 bf 80"),
    ("3.1.5 four", "80 bf 80 bf"),
    ("3.1.6 five", "80 bf 80 bf 80"),
    ("3.1.7 six", "80 bf 80 bf 80 bf"),
    ("3.1.8 seven", "80 bf 80 bf 80 bf 80"),
    ("3.3.1 last of two missing", "c0"),
    ("3.3.2 last of three missing", "e0 80"),
    ("3.3.3 last of four missing", "f0 80 80"),
    ("3.3.4 last of five missing", "f8 80 80 80"),
    ("3.3.5 last of six missing", "fc 80 80 80 80"),
    ("3.3.6 last of two missing", "df"),
    ("3.3.7 last of three missing", "ef bf"),
    ("3.3.8 last of four missing", "f7 bf bf"),
    ("3.3.9 last of five missing", "fb bf bf bf"),
    ("3.3.10 last of six missing", "fd bf bf bf bf"),
    ("3.4 all of them", "c0 e0 80 f0 80 80 f8 80 80 80 fc 80 80 80 80 df ef bf f7 bf bf fb bf bf bf fd bf bf bf bf"),
    ("3.5.1 impossible", "fe"),
    ("3.5.2 impossible", "ff"),
    ("3.5.3 impossible", "fe fe ff ff"),
    ("4.1.1 slash in two", "c0 af"),
    ("4.1.2 slash in three", "e0 80 af"),
    ("4.1.3 slash in four", "f0 80 80 af"),
    ("4.1.4 slash in five", "f8 80 80 80 af"),
    ("4.1.5 slash in six", "fc 80 80 80 80 af"),
    ("4.2.1 longest overlong of two", "c1 bf"),
    ("4.2.2 of three", "e0 9f bf"),
    ("4.2.3 of four", "f0 8f bf bf"),
    ("4.2.4 of five", "f8 87 bf bf bf"),
    ("4.2.5 of six", "fc 83 bf bf bf bf"),
    ("4.3.1 NUL in two", "c0 80"),
    ("4.3.2 NUL in three", "e0 80 80"),
    ("4.3.3 NUL in four", "f0 80 80 80"),
    ("4.3.4 NUL in five", "f8 80 80 80 80"),
    ("4.3.5 NUL in six", "fc 80 80 80 80 80"),
    ("5.1.1 U+D800", "ed a0 80"),
    ("5.1.2 U+DB7F", "ed ad bf"),
    ("5.1.3 U+DB80", "ed ae 80"),
    ("5.1.4 U+DBFF", "ed af bf"),
    ("5.1.5 U+DC00", "ed b0 80"),
    ("5.1.6 U+DF80", "ed be 80"),
    ("5.1.7 U+DFFF", "ed bf bf"),
    ("5.2.1 U+D800 U+DC00", "ed a0 80 ed b0 80"),
    ("5.2.2 U+D800 U+DFFF", "ed a0 80 ed bf bf"),
    ("5.2.3 U+DB7F U+DC00", "ed ad bf ed b0 80"),
    ("5.2.4 U+DB7F U+DFFF", "ed ad bf ed bf bf"),
    ("5.2.5 U+DB80 U+DC00", "ed ae 80 ed b0 80"),
    ("5.2.6 U+DB80 U+DFFF", "ed ae 80 ed bf bf"),
    ("5.2.7 U+DBFF U+DC00", "ed af bf ed b0 80"),
    ("5.2.8 U+DBFF U+DFFF", "ed af bf ed bf bf"),
];

/// Section, octets, and whether they are UTF-8.
fn table() -> Vec<(&'static str, Vec<u8>, bool)> {
    let mut table = Vec::new();
    table.extend(VALID.map(|(name, octets)| (name, hex(octets), true)));
    table.extend(INVALID.map(|(name, octets)| (name, hex(octets), false)));
    table.push(("3.1.9 all continuations", (0x80..=0xBF).collect(), false));
    for continuation in 0x80..=0xBF {
        table.push(("3.1.9 each continuation", vec![continuation], false));
    }
    for (name, starts) in [
        ("3.2.1", 0xC0..=0xDF),
        ("3.2.2", 0xE0..=0xEF),
        ("3.2.3", 0xF0..=0xF7),
        ("3.2.4", 0xF8..=0xFB),
        ("3.2.5", 0xFC..=0xFD),
    ] {
        // each followed by a space, alone and all in a row
        for start in starts.clone() {
            table.push((name, vec![start, b' '], false));
        }
        table.push((name, starts.flat_map(|start| [start, b' ']).collect(), false));
    }
    for noncharacter in '\u{FDD0}'..='\u{FDEF}' {
        table.push(("5.3.3", noncharacter.to_string().into_bytes(), true));
    }
    // 5.3.4: the last two characters of each plane
    for plane in 1..=16u32 {
        for last in [0xFFFE, 0xFFFF] {
            let character = char::from_u32(plane << 16 | last).unwrap();
            table.push(("5.3.4", character.to_string().into_bytes(), true));
        }
    }
    table
}

#[test]
fn the_table_is_what_the_standard_library_says() {
    let table = table();
    assert_eq!(table.len(), VALID.len() + INVALID.len() + 1 + 64 + (32 + 16 + 8 + 4 + 2) + 5 + 32 + 32);
    for (name, octets, is_valid) in table {
        assert_eq!(core::str::from_utf8(&octets).is_ok(), is_valid, "{name}: {octets:02x?}");
    }
}

fn check(role: Role, name: &str, octets: &[u8], frames: &[u8]) {
    let transcript = run(role, frames);
    match core::str::from_utf8(octets) {
        Ok(expected) => assert_eq!((transcript.messages, transcript.error), (vec![text(expected)], None), "{name}"),
        Err(_) => assert_failed(&transcript, role, ProtocolError::InvalidUtf8),
    }
}

#[test]
fn rfc3629_kuhns_table_in_one_frame() {
    // 3629-4-1, 3629-3-1, 3629-3-2, 3629-3-3, 3629-3-4, 3629-3-5, 6455-8.1-1, 28-26
    for role in ROLES {
        for (name, octets, _) in table() {
            check(role, name, &octets, &frame_to(role, 0x81, &octets));
            // amid other text, which the table has too; the first of it longer than a vector register
            let amid = [&[b'x'; 33][..], &octets, b"|"].concat();
            check(role, name, &amid, &frame_to(role, 0x81, &amid));
        }
    }
}

#[test]
fn rfc3629_kuhns_table_cut_into_frames_with_a_ping_between() {
    // 6455-5.6-1, 6455-8.1-1, 6455-8.1-3, 6455-8.1-4, 6455-5.5.3-5, 6455-5.4-3, 3629-4-1
    for role in ROLES {
        for (name, octets, is_valid) in table() {
            // where there is more than a few characters, not at every octet
            for cut in (0..=octets.len()).step_by(1 + octets.len() / 16) {
                let (a, b) = octets.split_at(cut);
                check(role, name, &octets, &frames_to(role, &[(0x01, a), (0x80, b)]));
                let frames = [(0x01, a), (0x89, &b"\x80"[..]), (0x00, b), (0x80, b"")];
                let transcript = run(role, &frames_to(role, &frames));
                let error = if is_valid { None } else { Some(ProtocolError::InvalidUtf8) };
                assert_eq!(transcript.error, error, "{name} cut at {cut}");
                match core::str::from_utf8(&octets) {
                    Ok(expected) => assert_eq!(transcript.messages, [ping(b"\x80"), text(expected)]),
                    Err(_) => assert!([ping(b"\x80")].starts_with(&transcript.messages), "{name} cut at {cut}"),
                }
            }
        }
    }
}

#[test]
fn rfc3629_kuhns_table_octet_by_octet_in_frames_of_their_own() {
    // 6455-5.6-1, 6455-8.1-1, 6455-8.1-3
    for role in ROLES {
        for (name, octets, _) in table() {
            let mut frames = frame_to(role, 0x01, b"");
            frames.extend(octets.iter().flat_map(|octet| frame_to(role, 0x00, &[*octet])));
            frames.extend(frame_to(role, 0x80, b""));
            check(role, name, &octets, &frames);
        }
    }
}
