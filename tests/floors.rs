//! The house keeps its floors: a file imports only from below, or from its own room.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of each floor, from the ground up. A room is a module of the crate root.
const FLOORS: [&[&str]; 7] = [
    &["backlog", "error", "wire"],
    &["deflate"],
    &["config"],
    &["receive", "send"],
    &["connection"],
    &["handshake", "keepalive", "message"],
    &["event_loops"],
];

/// Rooms of one floor that use each other: plain values of the ground floor.
const NEIGHBOURS: [(&str, &str); 2] = [("error", "wire"), ("wire", "error")];

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each file of `src` with the room that it is in, except the root.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&src, &mut found);
    let mut sources = Vec::new();
    for path in found {
        let inside = path.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if room != "lib" {
            sources.push((room, inside.to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    sources
}

/// What a file takes from other rooms: the word behind each `crate::` of its code, not of its docs.
fn imports(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect())
        .collect()
}

/// A path through `super` that leaves the room, which the names of [`imports`] would not show.
fn leaves_by_the_back_door(path: &Path, source: &str) -> bool {
    let code = code(source.split("mod tests {").next().unwrap_or_default());
    let is_room = path.components().count() == 1 || path.ends_with("mod.rs");
    code.contains("super::super") || (is_room && code.contains("super::"))
}

#[test]
fn imports_go_down() {
    let floor: BTreeMap<&str, usize> =
        FLOORS.iter().enumerate().flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor))).collect();
    let mut seen = 0;
    for (room, path, source) in sources() {
        assert!(!leaves_by_the_back_door(&path, &source), "{} leaves its room by `super`", path.display());
        let own = *floor.get(room.as_str()).unwrap_or_else(|| panic!("{} is in no room", path.display()));
        for import in imports(&source) {
            let other = *floor
                .get(import.as_str())
                .unwrap_or_else(|| panic!("{} imports crate::{import}, which is no room", path.display()));
            let is_allowed = other < own || import == room || NEIGHBOURS.contains(&(&room, &import));
            assert!(is_allowed, "{} imports crate::{import} from its own floor or above", path.display());
            seen += 1;
        }
    }
    assert!(seen > 30, "the test reads the imports: {seen}");
}

/// What may be used of `std`: a set in tests, and what the pool is locked by.
const STD: [&str; 3] = ["collections::HashSet", POOL_LOCK, "arch::is_x86_feature_detected!"];

/// Threads may share a pool, and nothing else.
const POOL_LOCK: &str = "sync::{Mutex, MutexGuard, PoisonError};";

/// The code of a file, without comments.
fn code(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn sio_1_no_socket_no_clock_no_thread_and_one_source_of_randomness() {
    // SIO-1
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let root = ("lib".to_owned(), PathBuf::from("lib.rs"), fs::read_to_string(root).unwrap());
    let mut randomness = Vec::new();
    for (_, path, source) in sources().into_iter().chain([root]) {
        let code = code(&source);
        for word in [
            "std::{",
            "core::sync",
            "Atomic",
            "\nstatic ",
            " static ",
            ") static ",
            "SystemTime",
            "UNIX_EPOCH",
            "Instant",
            "TcpStream",
            "UdpSocket",
            "thread_local!",
            "static mut",
            "println!",
            "async ",
            ".await",
        ] {
            assert!(!code.contains(word), "{} mentions {word}", path.display());
        }
        for used in code.split("std::").skip(1) {
            let is_harmless = STD.iter().any(|item| used.starts_with(item));
            assert!(is_harmless, "{} uses std::{}", path.display(), used.lines().next().unwrap_or_default());
        }
        let is_pool = path == Path::new("deflate/pool.rs");
        assert_eq!(code.contains("std::sync"), is_pool, "{} locks, or is no pool", path.display());
        if code.contains("rand::") || code.contains("getrandom") || code.contains("RandomState") {
            randomness.push(path);
        }
    }
    assert_eq!(randomness, [Path::new("send/random.rs")]);
    // what it draws by default is the thread's CSPRNG, for keys and nonces, and nothing else
    let random = code(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/send/random.rs")).unwrap());
    let drawn: Vec<&str> = random.lines().map(str::trim).filter(|line| line.contains("rand::")).collect();
    assert_eq!(drawn, ["rand::fill(self.drawn.as_flattened_mut());", "Source::Thread(_) => rand::random(),"]);
}

#[test]
fn files_are_short_and_say_what_they_answer() {
    for (_, path, source) in sources() {
        let lines = source.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", path.display());
        let says = source.starts_with("//! ") || source.starts_with("#![doc = include_str!(");
        assert!(says, "{} does not say which question it answers", path.display());
    }
}

#[test]
fn unsafe_code_is_where_it_is_argued_for() {
    for (_, path, source) in sources() {
        let has = source.contains("allow(unsafe_code)");
        let may = ["receive/buffer/message.rs", "wire/mask.rs", "wire/text.rs"];
        assert_eq!(has, may.iter().any(|may| path == Path::new(may)), "{}", path.display());
    }
}
