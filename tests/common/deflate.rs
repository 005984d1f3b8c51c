//! permessage-deflate in tests: what two ends agree on, and messages to compress.

use super::{connection, frames_in};
use websocket_proto::deflate::{Compression, DeflateConfig, DeflateMemory, DeflateParams, DeflatePool};
use websocket_proto::wire::extension;
use websocket_proto::{Config, ProtocolError, Role};

/// What two ends agree on that both have this configuration.
pub fn agreed(config: &DeflateConfig) -> DeflateParams {
    let offer = config.offer();
    let (agreed, _) = config.accept(&extension::parse([offer.as_bytes()]).unwrap()).expect("an offer that fits");
    agreed
}

/// What a client finds agreed that has offered all there is.
pub fn agreed_by(response: &str) -> DeflateParams {
    let response = extension::parse([response.as_bytes()]).unwrap();
    DeflateConfig::default().settle(&response).unwrap().expect("permessage-deflate is agreed")
}

/// A configuration that compresses all messages.
pub fn config(mut deflate: DeflateConfig) -> Config {
    deflate.threshold = 0;
    let mut config = Config::default();
    config.deflate = Some(deflate);
    config
}

/// With context takeover in both directions, or in none.
pub fn takeover(takeover: bool) -> DeflateConfig {
    let mut deflate = DeflateConfig::default();
    deflate.takeover = takeover;
    deflate.peer_takeover = takeover;
    deflate
}

/// The same in each way of holding memory.
pub fn in_each_memory(deflate: &DeflateConfig) -> [DeflateConfig; 2] {
    [DeflateMemory::Dedicated, DeflateMemory::Shared(DeflatePool::default())].map(|memory| {
        let mut deflate = deflate.clone();
        deflate.memory = memory;
        deflate
    })
}

/// What a peer sends for these octets.
pub fn compressed(plain: &[u8]) -> Vec<u8> {
    compressed_with(&takeover(false), plain)
}

/// What a peer with this configuration sends first for these octets.
pub fn compressed_with(deflate: &DeflateConfig, plain: &[u8]) -> Vec<u8> {
    let mut peer = connection(Role::Server, &config(deflate.clone()));
    let mut output = Vec::new();
    peer.compressing(Compression::Always).send_binary(plain, &mut output).unwrap();
    frames_in(&output).remove(0).1
}

/// The errors that only a compressed message can cause, the code that tells, and the payload that does; the second with
/// a ratio of 1 allowed, and a message of 5000 octets.
pub fn faults() -> Vec<(ProtocolError, u16, Vec<u8>)> {
    let mut best = takeover(false);
    best.level = 9;
    vec![
        (ProtocolError::InvalidDeflate, 1007, vec![0x06]),
        (ProtocolError::InflatesTooMuch, 1009, compressed_with(&best, &[0; 5000])),
    ]
}

/// Text that compresses as chat does, and repeats itself at every distance.
pub fn chat(len: usize, seed: u64) -> String {
    let words =
        ["hello", "there", "κόσμε", "how", "are", "you", "doing", "today", "\"quoted\"", "日本", "fine", "thanks"];
    let (mut text, mut random) = (String::new(), Random(seed));
    while text.len() < len {
        text.push_str(words[random.below(words.len())]);
        text.push(if random.below(7) == 0 { '\n' } else { ' ' });
        if random.below(5) == 0 {
            text.push_str(&random.below(100_000).to_string());
        }
    }
    while text.len() > len || !text.is_char_boundary(text.len()) {
        text.pop();
    }
    text
}

/// Octets that do not compress.
pub fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    (0..len).map(|_| u8::try_from(random.below(256)).unwrap()).collect()
}

/// A generator of the simplest kind (xorshift), so that a test repeats itself.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = self.0 ^ (self.0 >> 29);
        usize::try_from((x >> 16) % bound as u64).unwrap()
    }
}
