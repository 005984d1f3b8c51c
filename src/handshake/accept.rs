//! RFC 6455 §4.1, §4.2.2: does the answer prove that the server read the key?

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::{Digest, Sha1};

/// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`: base64 of the SHA-1 of the key, as it was written,
/// and a fixed string.
///
/// ```
/// use websocket_proto::handshake::accept_value;
///
/// assert_eq!(&accept_value(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_value(key: &[u8]) -> [u8; 28] {
    let digest = Sha1::new().chain_update(key).chain_update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    encode(&digest)
}

/// The value of `Sec-WebSocket-Key` for a nonce.
pub(super) fn key(nonce: [u8; 16]) -> [u8; 24] {
    encode(&nonce)
}

/// Whether this is base64 of 16 octets; the bits that pad its last character may be any, as in the RFC's own sample.
pub(super) fn is_key(value: &[u8]) -> bool {
    let mut nonce = [0; 18];
    value.len() == 24 && BASE64.decode_slice(value, &mut nonce) == Ok(16)
}

fn encode<const N: usize>(octets: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    let written = BASE64.encode_slice(octets, &mut text);
    debug_assert_eq!(written, Ok(N));
    text
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s4_2_2_9_vectors() {
        // 6455-4.2.2-9, 6455-4.2.1-12, 6455-4.1-11, 28-23
        for (key, accept) in [
            ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY="),
            ("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="),
            ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
            ("AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
            ("/////////////////////w==", "XXpj4jYzLM2yUE0C7TIgMwTQh2g="),
        ] {
            assert!(is_key(key.as_bytes()));
            assert_eq!(accept_value(key.as_bytes()), accept.as_bytes());
        }
        let nonce = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
        assert_eq!(key(nonce), *b"AQIDBAUGBwgJCgsMDQ4PEA==");
    }

    #[test]
    fn s4_2_1_7_what_is_no_key() {
        // 6455-4.2.1-7, 6455-4.3-2, 28-23
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQAA",
            "dGhlIHNhbXBsZSBub25jZQA=",
            "dGhlIHNhbXBsZSBub25j Q==",
            "-_-_-_-_-_-_-_-_-_-_-Q==",
            "dGhlIHNhbXBsZSBub25jZQ=A",
            "====dGhlIHNhbXBsZSBub25j",
        ] {
            assert!(!is_key(key.as_bytes()), "{key}");
        }
    }

    #[test]
    fn r4648_3_5_pad_bits() {
        // 4648-3.5-1, 28-23, erratum-3150
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for last in 0..=255 {
            let key = key([last; 16]);
            assert!(is_key(&key) && b"AQgw".contains(&key[21]), "ours are zero: {last}");
            let mut key = key;
            key[21] = last;
            assert_eq!(is_key(&key), alphabet.contains(&last), "those of others may be any: {last}");
        }
    }
}
