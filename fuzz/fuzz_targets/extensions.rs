//! Any lines of `Sec-WebSocket-Extensions`: what is read, written again, is read as it was; how many lines it stands in
//! makes no difference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use websocket_proto::wire::extension::{self, Extension};

fuzz_target!(|data: &[u8]| {
    let lines = data.split(|&octet| octet == b'\n');
    let read = extension::parse(lines.clone());
    assert_eq!(read, extension::parse([&*lines.collect::<Vec<_>>().join(&b',')]), "in one line");
    let Ok(list) = read else { return };
    for quote in ["", "\"", "\"\\"] {
        let written = write(&list, quote);
        assert_eq!(extension::parse([written.as_bytes()]).as_ref(), Ok(&list), "{written}");
    }
});

/// The list as a line; values stand between quotes, or not, their first octet behind a backslash, or not.
fn write(list: &[Extension<'_>], quote: &str) -> String {
    let mut line = String::new();
    for Extension { name, params } in list {
        line.push_str(name);
        for param in params {
            line.extend(["; ", param.name]);
            if let Some(value) = &param.value {
                line.extend(["=", quote, value, quote.get(..1).unwrap_or_default()]);
            }
        }
        line.push_str(", ");
    }
    line
}
