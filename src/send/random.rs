//! RFC 6455 §5.3, §10.3: where do masking keys and nonces come from?

use alloc::boxed::Box;
use core::fmt;

/// A source of unpredictable octets: the masking key of each frame that a client sends, and the nonce in its
/// `Sec-WebSocket-Key`.
///
/// With the feature `std`, `Random::default` draws from the thread's CSPRNG. Without it, or to make a test repeat
/// itself, bring your own. In production it has to be a cryptographically secure generator: a page or a peer that can
/// foresee the key decides what stands on the wire, and can thereby poison caches in between (§10.3).
///
/// ```
/// use websocket_proto::{Config, Connection, Random};
///
/// // the key of the examples in RFC 6455 §5.7; for tests only
/// let fixed = Random::from_fn(|octets| octets.copy_from_slice(&[0x37, 0xfa, 0x21, 0x3d]));
/// let mut ws = Connection::client_with_random(&Config::default(), fixed);
/// let mut output = Vec::new();
/// ws.send_text("Hello", &mut output)?;
/// assert_eq!(output, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// # Ok::<(), websocket_proto::SendError>(())
/// ```
#[cfg_attr(feature = "std", derive(Default))]
pub struct Random(Source);

enum Source {
    #[cfg(feature = "std")]
    Thread(Keys),
    Fn(Box<Fill>),
}

#[cfg(feature = "std")]
impl Default for Source {
    fn default() -> Self {
        Self::Thread(Keys::default())
    }
}

/// Keys that were drawn at once: to go to the thread's generator for each would take as long as to send a short frame.
#[cfg(feature = "std")]
#[derive(Default)]
struct Keys {
    drawn: [[u8; 4]; DRAWN],
    /// left <= DRAWN: how many of them, at the front, are not used yet.
    left: usize,
}

#[cfg(feature = "std")]
impl Keys {
    /// One that is used nowhere else.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "0 < left <= DRAWN once they are drawn"
    )]
    fn next(&mut self) -> [u8; 4] {
        if self.left == 0 {
            self.draw();
        }
        self.left -= 1;
        self.drawn[self.left % DRAWN]
    }

    #[cold]
    fn draw(&mut self) {
        rand::fill(self.drawn.as_flattened_mut());
        self.left = DRAWN;
    }
}

/// A power of two, for which `%` is a bound that costs nothing.
#[cfg(feature = "std")]
const DRAWN: usize = 8;

type Fill = dyn FnMut(&mut [u8]) + Send + Sync;

impl Random {
    /// Draws from `fill`, which is to overwrite all the octets that it is given: 4 for a key, 16 for a nonce.
    pub fn from_fn(fill: impl FnMut(&mut [u8]) + Send + Sync + 'static) -> Self {
        Self(Source::Fn(Box::new(fill)))
    }

    /// A fresh masking key.
    #[inline]
    pub(crate) fn key(&mut self) -> [u8; 4] {
        match &mut self.0 {
            #[cfg(feature = "std")]
            Source::Thread(keys) => keys.next(),
            Source::Fn(fill) => {
                let mut key = [0; 4];
                fill(&mut key);
                key
            }
        }
    }

    /// The nonce of an opening handshake (§4.1).
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        match &mut self.0 {
            #[cfg(feature = "std")]
            Source::Thread(_) => rand::random(),
            Source::Fn(fill) => {
                let mut nonce = [0; 16];
                fill(&mut nonce);
                nonce
            }
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Random").finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn s5_3_keys_do_not_repeat() {
        // 6455-5.3-2
        let mut random = Random::default();
        let keys: std::collections::HashSet<[u8; 4]> = (0..10_000).map(|_| random.key()).collect();
        // 10,000 draws from 2^32 have 0.01 equal pairs; ten would be a broken source
        assert!(keys.len() > 9_990);
        assert_ne!(random.nonce(), random.nonce());
    }
}
