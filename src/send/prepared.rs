//! RFC 6455 §5.2, RFC 7692 §7.2.1: which octets of a message are the same for all who receive it?

use alloc::vec::Vec;

use bytes::Bytes;

use super::Encoder;
#[cfg(feature = "deflate")]
use super::deflate::Deflater;
use super::encoder::opcode;
use crate::config::MessageKind;
#[cfg(feature = "deflate")]
use crate::deflate::{Compression, DeflateConfig};

/// A message framed once, and compressed once, for many receivers.
///
/// A server's frames are the same for all clients; so is the compressed form for those whose connection has no context
/// takeover, and for those that keep their window themselves, with states that are lent. Whoever cannot be served with
/// what is there (a client's own frames are masked, for example) gets the message as if it had been sent to it alone;
/// plain, if there is no compressed form. It is cheap to clone.
///
/// ```
/// use websocket_proto::{Config, Connection, Prepared};
///
/// let news = Prepared::text("it rains");
/// let mut readers = [Connection::server(&Config::default()), Connection::server(&Config::default())];
/// for ws in &mut readers {
///     let mut output = Vec::new();
///     ws.send_prepared(&news, &mut output)?;
///     assert_eq!(output, b"\x81\x08it rains");
/// }
/// # Ok::<(), websocket_proto::SendError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Prepared {
    kind: MessageKind,
    /// A server's frame.
    plain: Bytes,
    /// Octets of its header.
    header_len: usize,
    /// The same, compressed, if that was asked for and is shorter.
    compressed: Option<Compressed>,
}

/// A frame that refers to nothing before it.
#[cfg_attr(not(feature = "deflate"), allow(dead_code))] // without the feature, none is ever made
#[derive(Clone, Debug)]
struct Compressed {
    frame: Bytes,
    window_bits: u8,
}

impl Prepared {
    /// A text message.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::new(MessageKind::Text, text.as_bytes())
    }

    /// A binary message.
    #[must_use]
    pub fn binary(data: &[u8]) -> Self {
        Self::new(MessageKind::Binary, data)
    }

    fn new(kind: MessageKind, payload: &[u8]) -> Self {
        let mut plain = Vec::new();
        Encoder::server().frame(true, opcode(kind), payload, &mut plain);
        let header_len = plain.len().saturating_sub(payload.len());
        Self { kind, plain: plain.into(), header_len, compressed: None }
    }

    /// Has a compressed form ready too, made with the window and the level of this configuration. There will be none if
    /// it would be no shorter.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn compress(mut self, config: &DeflateConfig) -> Self {
        self.compressed = Deflater::for_all(config).and_then(|deflater| {
            let (window_bits, mut frame) = (deflater.window_bits(), Vec::new());
            let mut encoder = Encoder::deflating(deflater);
            let is_shorter = encoder.compressed_message(self.kind, self.payload(), Compression::Auto, &mut frame);
            is_shorter.then(|| Compressed { frame: frame.into(), window_bits })
        });
        self
    }

    /// What the message is.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.kind
    }

    /// The payload, plain.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.plain.get(self.header_len..).unwrap_or_default()
    }

    /// The plain frame of a server.
    pub(super) fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// The compressed frame of a server, and the window that is needed to read it.
    pub(super) fn compressed(&self) -> Option<(&Bytes, u8)> {
        self.compressed.as_ref().map(|compressed| (&compressed.frame, compressed.window_bits))
    }
}
