//! The tables of `README.md` and of `SECURITY.md` name tests that are there, and all of them; and what they say of
//! defaults is so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use websocket_proto::{Backlog, Flow, HandshakeError, Limits, ProtocolError, Timeouts};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the tests in a source file.
fn tests_in(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let tests = lines.windows(2).filter(|pair| pair[0] == "#[test]");
    tests.map(|pair| pair[1].trim_start_matches("fn ").split('(').next().unwrap().to_owned()).collect()
}

/// How a line begins that could leave a test out; what is of a feature is so by these, which a whole module has.
const HIDING: [&str; 6] = ["#[cfg", "#![cfg", "#[ignore", "#[allow", "macro_rules!", "/*"];
const GATES: [&str; 2] = ["#[cfg(feature = \"deflate\")]", "#![cfg(feature = \"deflate\")]"];

/// All tests of this program but those of the tables, with the files that they are in.
fn attacks() -> BTreeMap<String, PathBuf> {
    let main = read("tests/attacks/main.rs");
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root().join("tests/attacks")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|extension| extension != "rs") || name == "main" || name == "table" {
            continue;
        }
        assert!(main.lines().any(|line| line == format!("mod {name};")), "main.rs does not have {name}");
        let source = fs::read_to_string(&path).unwrap();
        for line in source.lines().map(str::trim).filter(|line| !GATES.contains(line)) {
            assert!(!HIDING.iter().any(|word| line.starts_with(word)), "{name}: a test must not be left out: {line}");
        }
        for test in tests_in(&source) {
            assert!(found.insert(test.clone(), path.clone()).is_none(), "two tests are called {test}");
        }
    }
    found
}

/// The cells of the table under a heading.
fn table(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands in backticks.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The tests that the last cells of a table name: each row has to have one, and each has to be there.
fn named_by(rows: &[Vec<String>], tests: &BTreeMap<String, PathBuf>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for row in rows {
        let names = named(row.last().unwrap());
        assert!(!names.is_empty(), "{row:?} names no test");
        for name in names {
            assert!(tests.contains_key(name), "{row:?} names {name}, which is no test");
            all.insert(name.to_owned());
        }
    }
    all
}

#[test]
fn every_class_and_every_defect_has_a_test_and_every_test_is_for_one() {
    let (text, tests) = (read("tests/attacks/README.md"), attacks());
    let (classes, defects) = (table(&text, "Classes"), table(&text, "Defects"));
    let numbers: Vec<usize> = classes.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=27).collect::<Vec<_>>());
    assert!(classes.iter().all(|row| row.len() == 4) && defects.iter().all(|row| row.len() == 3));
    let named = &named_by(&classes, &tests) | &named_by(&defects, &tests);
    let unnamed: Vec<_> = tests.keys().filter(|test| !named.contains(*test)).collect();
    assert!(unnamed.is_empty(), "named in no table: {unnamed:?}");
}

/// The identifiers that the page must not lose.
#[rustfmt::skip]
const KNOWN: [&str; 25] = [
    "CVE-2018-1000518", "CVE-2020-13935", "CVE-2020-27813", "CVE-2020-35896", "CVE-2020-7662", "CVE-2020-7663",
    "CVE-2021-32640", "CVE-2021-33880", "CVE-2022-35922", "CVE-2023-43669", "CVE-2024-23672", "CVE-2024-37890",
    "CVE-2025-10148", "CVE-2025-5399", "CVE-2026-1527", "CVE-2026-2229", "CVE-2026-42498", "CVE-2026-43969",
    "CVE-2026-45736", "CVE-2026-48779", "NN-2025-0102", "NSP-550", "RUSTSEC-2020-0043", "RUSTSEC-2022-0035",
    "RUSTSEC-2023-0065",
];

#[test]
fn every_known_vulnerability_has_a_test() {
    let rows = table(&read("SECURITY.md"), "Known vulnerabilities of the field");
    assert!(rows.iter().all(|row| row.len() == 4));
    assert!(!named_by(&rows, &attacks()).is_empty());
    let mut ids: Vec<&str> = rows.iter().flat_map(|row| row[0].split(", ")).collect();
    ids.sort_unstable();
    assert_eq!(ids, KNOWN);
}

/// What a cell of the limits table says: a number, with its unit taken into account; `None`: there is no limit.
fn said(cell: &str) -> Option<u64> {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    let factor = match (cell, unit) {
        ("none" | "for ever", _) => return None,
        (_, "KiB") => 1 << 10,
        (_, "MiB") => 1 << 20,
        (_, "s" | "") => 1,
        _ => panic!("no such unit: {cell}"),
    };
    Some(number.replace(',', "").parse::<u64>().unwrap_or_else(|_| panic!("no number: {cell}")) * factor)
}

/// The names of the fields of a structure.
fn fields(debug: &str) -> Vec<&str> {
    let (_, fields) = debug.split_once('{').unwrap();
    fields.split(", ").filter_map(|field| field.trim().split_once(": ")).map(|(name, _)| name).collect()
}

#[test]
fn the_limits_of_the_security_page_are_the_defaults() {
    let rows = table(&read("SECURITY.md"), "Limits");
    let limits = Limits::default();
    let timeouts = Timeouts::default();
    let secs = |duration: Duration| (duration != Duration::MAX).then_some(duration.as_secs());
    let code = |error: ProtocolError| format!("Close {}", error.close_code());
    let status = |error: HandshakeError| error.status().unwrap();
    let heads =
        format!("status {}, or {}", status(HandshakeError::HeadTooLarge), status(HandshakeError::TargetTooLong));
    let nothing = || "nothing".to_owned();
    let mut backlog = Backlog::default();
    let marks = [
        (0..=20).map(|bits| 1024_u64 << bits).find(|mark| backlog.flow(usize::try_from(*mark).unwrap()) != Flow::Read),
        (0..=20)
            .map(|bits| 1024_u64 << bits)
            .rfind(|mark| backlog.flow(usize::try_from(*mark).unwrap()) != Flow::Overflow),
    ];
    #[rustfmt::skip]
    let expected = [
        ("`Limits::frame`", Some(limits.frame), code(ProtocolError::FrameTooBig)),
        ("`Limits::message`", Some(limits.message), code(ProtocolError::MessageTooBig)),
        ("`Limits::inflate_ratio`", limits.inflate_ratio.map(u64::from), code(ProtocolError::InflatesTooMuch)),
        ("`Limits::fragments`", Some(limits.fragments.into()), code(ProtocolError::TooManyFragments)),
        ("`Limits::head`", Some(limits.head as u64), heads),
        ("`Limits::header_fields`", Some(limits.header_fields as u64),
            format!("status {}", status(HandshakeError::TooManyHeaderFields))),
        ("`Timeouts::handshake`", secs(timeouts.handshake), nothing()),
        ("`Timeouts::ping`", secs(timeouts.ping), "a Ping".to_owned()),
        ("`Timeouts::pong`", secs(timeouts.pong), "Close 1011".to_owned()),
        ("`Timeouts::close`", secs(timeouts.close), nothing()),
        ("`Timeouts::write`", secs(timeouts.write), nothing()),
        ("`Timeouts::idle`", secs(timeouts.idle), "Close 1001".to_owned()),
        ("`Timeouts::lifetime`", secs(timeouts.lifetime), "Close 1001".to_owned()),
        ("`Backlog` (pause)", marks[0], "nothing: it is not read".to_owned()),
        ("`Backlog` (most)", marks[1], "nothing: the stream is dropped".to_owned()),
    ];
    let on_the_page: Vec<_> = rows.iter().map(|row| (&*row[0], said(&row[1]), row[3].clone())).collect();
    assert_eq!(on_the_page, expected);
    // and there is a row for each that there is
    let (limits, timeouts) = (format!("{limits:?}"), format!("{timeouts:?}"));
    let all = fields(&limits).len() + fields(&timeouts).len();
    assert_eq!(all + 2, rows.len(), "{limits} {timeouts}");
}

#[test]
fn what_the_security_page_links_to_is_there() {
    let text = read("SECURITY.md") + &read("tests/attacks/README.md");
    let links: Vec<&str> = text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()).collect();
    assert!(links.len() > 10);
    for link in links.into_iter().filter(|link| !link.is_empty()) {
        assert!(root().join(link).exists(), "{link}");
    }
}

#[test]
fn unsafe_is_where_the_security_page_says() {
    let page = read("SECURITY.md");
    let mut dirs = vec![root().join("src")];
    let mut found = 0;
    while let Some(dir) = dirs.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && fs::read_to_string(&path).unwrap().contains("#[allow(unsafe_code)]")
            {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                assert!(page.contains(&format!("]({name})")), "the page does not name {name}");
                found += 1;
            }
        }
    }
    assert_eq!(page.matches("](src/").count() - 3, found, "and names no other; three are those of the limits");
}

#[test]
fn the_readers_read() {
    let source = "#[test]\nfn a() {\n}\n    #[test]\n    fn b() {}\nfn c() {}\n// #[test]\nfn d() {}";
    assert_eq!(tests_in(source), ["a", "b"]);
    let page = "# x\n\n## A\n\n| 1 | 2 |\n| --- | --- |\n| x | `a`, `b` |\n\n## B\n\n| 1 |\n| --- |\n| `c` |\n";
    assert_eq!(
        (table(page, "A"), table(page, "B")),
        (vec![vec!["x".into(), "`a`, `b`".into()]], vec![vec!["`c`".into()]])
    );
    assert_eq!(named("`a`, and `b`"), ["a", "b"]);
    assert_eq!(
        ["16 KiB", "131,072", "10 s", "none", "for ever"].map(said),
        [Some(16_384), Some(131_072), Some(10), None, None]
    );
    assert_eq!(fields("Limits { frame: 1, head: Some(2) }"), ["frame", "head"]);
}
