//! Chat-like JSON, the same on every run.

use std::fmt::Write;

use bytes::Bytes;

/// One message, as each library likes to be given it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) bytes: Bytes,
    pub(crate) octets: Vec<u8>,
}

impl Message {
    fn new(text: String) -> Self {
        Self { bytes: Bytes::from(text.clone()), octets: text.clone().into_bytes(), text }
    }
}

/// The messages of a stream.
pub(crate) fn messages(len: usize) -> Vec<Message> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (count, one) = match len {
        ..64 => (64, words as fn(&mut Random, usize) -> String),
        64..8192 => (64, chat as fn(&mut Random, usize) -> String),
        _ => (8, array as fn(&mut Random, usize) -> String),
    };
    let messages: Vec<_> = (0..count).map(|_| Message::new(one(&mut random, len))).collect();
    assert!(messages.iter().all(|message| message.text.len() == len));
    messages
}

/// Many chat messages.
fn array(random: &mut Random, len: usize) -> String {
    let mut json = String::from("[");
    while json.len() + 1000 < len {
        let len = 200 + random.below(300);
        json += &chat(random, len);
        json += ",";
    }
    let rest = len - json.len() - 1;
    json + &chat(random, rest) + "]"
}

fn chat(random: &mut Random, len: usize) -> String {
    let mut json = String::new();
    let (id, user, room) = (random.next(), random.below(100_000), random.below(40));
    let time = 1_700_000_000_000 + random.below(100_000_000_000);
    write!(
        json,
        r#"{{"type":"message","id":"{id:016x}","room":"room-{room}","user":{{"id":{user},"name":"user{user}"}},"#
    )
    .expect("a string takes all");
    write!(json, r#""timestamp":{time},"text":""#).expect("a string takes all");
    let text = words(random, len - json.len() - 2);
    json + &text + "\"}"
}

fn words(random: &mut Random, len: usize) -> String {
    let words: Vec<_> = WORDS.split_whitespace().collect();
    let mut text = String::new();
    while text.len() < len {
        let end = 1 + random.below(words.len());
        text += words[random.below(end)];
        text += " ";
    }
    text.truncate(len);
    text
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is below a usize")
    }
}

/// The more frequent ones first.
const WORDS: &str = "\
    the deploy is done and we can look at latency again tomorrow morning server please check logs for errors after \
    release it seems that client reconnects every minute thanks nice work build failed because cache was stale \
    retry now okay meeting moved to three review my patch when you have time question about this message window \
    where does memory go between two requests anyway";
