//! Every requirement of `requirements.md` is held by a test that names it, or is marked as not the core's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How the ids of each document begin.
const DOCUMENTS: [&str; 18] = [
    "3629-", "4648-", "6455-", "7692-", "7936-", "8307-", "8441-", "9110-", "9112-", "9113-", "9114-", "9220-", "28-",
    "erratum-", "IANA-", "SEC-", "SIO-", "WHATWG-",
];

const LEVELS: [&str; 7] = ["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "choice", "erratum"];

const QUALIFIERS: [&str; 4] = ["", " (implied)", " (derived)", " (browser)"];

/// Who holds a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    ByTest,
    Marked(Mark),
}

/// Why a requirement is held by no test; the list has the reason behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Driver,
    NotOurs,
}

/// Whether a word is meant as an id: of one of the documents, or of any other RFC.
fn is_id(word: &str) -> bool {
    let is_dense = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
    let is_rfc = word.split_once('-').is_some_and(|(rfc, rest)| {
        rfc.len() == 4 && rfc.bytes().all(|octet| octet.is_ascii_digit()) && rest.contains('-')
    });
    is_dense && (is_rfc || DOCUMENTS.iter().any(|document| word.starts_with(document)))
}

/// The ids of the list: `- **id** · role · level — text *mark: reason*`.
fn listed(list: &str) -> BTreeMap<String, Held> {
    let mut listed = BTreeMap::new();
    for line in list.lines().filter(|line| line.starts_with("- **")) {
        let (front, text) = line.split_once(" — ").unwrap_or_else(|| panic!("no dash: {line}"));
        let mut parts = front.trim_start_matches("- ").split(" · ");
        let (Some(id), Some(role), Some(level), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            panic!("not id, role and level: {line}");
        };
        let id = id.trim_matches('*');
        assert!(is_id(id), "not an id: {line}");
        assert!(["client", "server", "both"].contains(&role), "no such role: {line}");
        let is_level = LEVELS.iter().any(|word| QUALIFIERS.iter().any(|how| level == format!("{word}{how}")));
        assert!(is_level, "no such level: {line}");
        let marks = [("*driver: ", Mark::Driver), ("*not ours: ", Mark::NotOurs)];
        let held = match marks.into_iter().find_map(|(word, mark)| Some((text.split_once(word)?.1, mark))) {
            Some((reason, mark)) if reason.len() > 8 && reason.ends_with('*') => Held::Marked(mark),
            Some(_) => panic!("a mark without a reason: {line}"),
            None => Held::ByTest,
        };
        assert!(listed.insert(id.to_owned(), held).is_none(), "listed twice: {id}");
    }
    listed
}

/// The tests of a source file, with the ids in the comment that their bodies begin with. A test that is left out, or
/// that only another macro makes, must not name any: [`test_files`] sees to it that there is none.
fn tests(source: &str) -> Vec<(String, Vec<String>)> {
    let mut tests = Vec::new();
    let mut lines = source.lines().map(str::trim).peekable();
    while lines.by_ref().any(|line| line == "#[test]") {
        let mut signature = lines.next().unwrap_or_default().to_owned();
        while !signature.ends_with(['{', '}']) {
            signature += lines.next().expect("a test has a body");
        }
        let mut ids = Vec::new();
        while let Some(comment) = lines.next_if(|line| line.starts_with("// ") && signature.ends_with('{')) {
            let words = comment.split([',', ' ', ':']).filter(|word| is_id(word));
            ids.extend(words.map(str::to_owned));
        }
        assert!(ids.is_empty() || lines.peek() != Some(&"}"), "{signature} names ids, and is empty");
        let name = signature.trim_start_matches("fn ").split('(').next().unwrap_or_default();
        tests.push((name.to_owned(), ids));
    }
    tests
}

/// Where the tests of a file are: of the crate behind the gate of its `tests`, of a program in all of it.
fn test_code(root: &Path, file: &Path) -> String {
    let source = fs::read_to_string(file).unwrap();
    let is_program = !file.starts_with(root.join("src"));
    let begin =
        if is_program { Some(0) } else { GATES.iter().find_map(|gate| source.find(&format!("{gate}\nmod tests {{"))) };
    let begin = begin.unwrap_or(source.len());
    assert!(!source[..begin].contains("#[test]"), "{} has tests in another place", file.display());
    source[begin..].to_owned()
}

/// What may stand before tests: the default features, all features, or none but `std` pass these, and all three are run.
const GATES: [&str; 7] = [
    "#[cfg(feature = \"deflate\")]",
    "#[cfg(not(feature = \"deflate\"))]",
    "#[cfg(test)]",
    "#[cfg(all(test, feature = \"std\"))]",
    "#![cfg(feature = \"http\")]",
    "#![cfg(feature = \"deflate\")]",
    "#![cfg(all(feature = \"http\", feature = \"deflate\"))]",
];

/// How a line begins that could leave a test out.
const HIDING: [&str; 6] = ["#[cfg", "#![cfg", "#[ignore", "ignore", "macro_rules!", "/*"];

/// The files whose tests `cargo test` runs, or, where all of a file is of a feature, `.ci/run`: the programs in
/// `tests`, and the modules of `src`.
fn test_files(root: &Path) -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    let programs = fs::read_dir(root.join("tests")).unwrap().map(|entry| entry.unwrap().path()).filter(is_source);
    let mut files: Vec<PathBuf> = programs.filter(|path| !path.ends_with("requirements.rs")).collect();
    modules(&root.join("src"), &root.join("src/lib.rs"), &mut files);
    for file in &files {
        for line in test_code(root, file).lines().map(str::trim).filter(|line| !GATES.contains(line)) {
            let is_hidden = HIDING.iter().any(|word| line.starts_with(word));
            assert!(!is_hidden, "{}: a test must not be left out: {line}", file.display());
        }
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("autotests") && !manifest.contains("[[test]]"), "a test must not be left out");
    files
}

/// A file, and those of the modules that it declares, which are in a directory.
fn modules(dir: &Path, file: &Path, found: &mut Vec<PathBuf>) {
    found.push(file.to_owned());
    for line in fs::read_to_string(file).unwrap().lines() {
        let Some(name) = line.trim_start_matches("pub ").strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
        else {
            continue;
        };
        let inside = dir.join(name);
        let file = inside.join("mod.rs");
        let file = if file.is_file() { file } else { inside.with_extension("rs") };
        modules(&inside, &file, found);
    }
}

#[test]
fn every_requirement_is_accounted_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = listed(&fs::read_to_string(root.join("tests/requirements.md")).unwrap());
    let mut named = BTreeSet::new();
    let mut faults = Vec::new();
    for file in test_files(root) {
        for (test, ids) in tests(&test_code(root, &file)) {
            for id in ids {
                match listed.get(&id) {
                    None => faults.push(format!("{}: {test} names {id}, which is not in the list", file.display())),
                    Some(Held::Marked(_)) => faults.push(format!("{id} is marked, and named by {test}")),
                    Some(Held::ByTest) => drop(named.insert(id)),
                }
            }
        }
    }
    for (id, held) in &listed {
        if *held == Held::ByTest && !named.contains(id) {
            faults.push(format!("{id} is named by no test"));
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_readme_has_the_count() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = listed(&fs::read_to_string(root.join("tests/requirements.md")).unwrap());
    let by_test = listed.values().filter(|held| **held == Held::ByTest).count();
    let marked = |mark: Mark| listed.values().filter(|held| **held == Held::Marked(mark)).count();
    let (driver, not_ours) = (marked(Mark::Driver), marked(Mark::NotOurs));
    let sentence = format!(
        "{} requirements: {by_test} are held by tests that name them, {driver} are the duty of the program around the \
         core, {not_ours} are not this crate's",
        listed.len()
    );
    let readme = fs::read_to_string(root.join("README.md")).unwrap().replace('\n', " ");
    assert!(readme.contains(&sentence), "the README does not say: {sentence}");
}

#[test]
fn the_readers_read() {
    let list = listed(
        "# x\n- **6455-1-1** · both · MUST (derived) — a.\n- **28-1** · both · choice — b. *driver: the reason*",
    );
    assert_eq!(list.get("6455-1-1"), Some(&Held::ByTest));
    assert_eq!(list.get("28-1"), Some(&Held::Marked(Mark::Driver)));
    let source = "
        #[test]
        fn a() {
            // 6455-1-1, 28-1: some words
            // SEC-1
            let x = 1; // SIO-1
        }
        #[test]
        fn b() { work() }
        fn no_test() {
            // 6455-1-2
            work();
        }
        #[test]
        fn c(
            x in 0..5,
        ) {
            // SIO-2
            prop_assert!(true);
        }
        #[test]
        fn d() {
            // about 6455-1-3, and what is no id: 28, 6455, a-1
            // 6544-1-4 7692-1-1
            work();
        }";
    let found = tests(source);
    let expected = [
        ("a", vec!["6455-1-1", "28-1", "SEC-1"]),
        ("b", vec![]),
        ("c", vec!["SIO-2"]),
        ("d", vec!["6455-1-3", "6544-1-4", "7692-1-1"]),
    ];
    assert_eq!(found, expected.map(|(name, ids)| (name.to_owned(), ids.into_iter().map(str::to_owned).collect())));
}
