//! RFC 7692: which messages are compressed, and with what window?

use alloc::vec::Vec;

use super::{Connection, Sender};
use crate::config::{MessageKind, Role};
use crate::deflate::{Compression, DeflateConfig, DeflateParams};
use crate::error::SendError;
use crate::send::Fragment;

/// Compression, where permessage-deflate was agreed. What is received is inflated by itself, what is sent is compressed
/// by itself.
impl Connection {
    /// Has the connection compress messages as was agreed. The [`handshake`](crate::handshake) does that by itself; it
    /// is for connections that somebody else opened, before anything is sent or received.
    #[must_use]
    pub fn with_deflate(mut self, config: &DeflateConfig, agreed: DeflateParams) -> Self {
        let (ours, theirs) = match self.role() {
            Role::Server => (agreed.server, agreed.client),
            Role::Client => (agreed.client, agreed.server),
        };
        self.decoder.with_deflate(config, theirs);
        self.sender.encoder.with_deflate(config, ours);
        self.sender.deflate = Some(agreed);
        self
    }

    /// What was agreed of permessage-deflate; `None` where all messages are plain.
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.sender.deflate
    }

    /// Sends the next message compressed or not, as is said here. Where permessage-deflate was not agreed, all messages
    /// are plain.
    ///
    /// ```
    /// # use websocket_proto::{Connection, SendError};
    /// use websocket_proto::deflate::Compression;
    ///
    /// fn welcome(ws: &mut Connection, token: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
    ///     ws.send_text("Welcome! Here is your token.", output)?;
    ///     ws.compressing(Compression::Never).send_text(token, output)
    /// }
    /// ```
    pub fn compressing(&mut self, compression: Compression) -> Compressing<'_> {
        self.sender.compressing(compression)
    }

    /// Forgets what was sent: the messages that follow refer to nothing before. For a change of who is talked to, so
    /// that the lengths of what one says do not tell what the other said (RFC 7692 §8).
    ///
    /// # Errors
    /// [`SendError::MessageUnfinished`] amid a fragmented message.
    pub fn reset_compression(&mut self) -> Result<(), SendError> {
        self.sender.reset_compression()
    }
}

impl Sender {
    /// As [`Connection::deflate`].
    #[must_use]
    pub fn deflate(&self) -> Option<DeflateParams> {
        self.deflate
    }

    /// As [`Connection::compressing`].
    pub fn compressing(&mut self, compression: Compression) -> Compressing<'_> {
        Compressing { sender: self, compression }
    }

    /// As [`Connection::reset_compression`].
    ///
    /// # Errors
    /// As there.
    pub fn reset_compression(&mut self) -> Result<(), SendError> {
        if let Some(deflater) = self.encoder.deflater()? {
            deflater.reset();
        }
        Ok(())
    }
}

/// A message about to be sent, compressed or not; see [`Connection::compressing`].
#[derive(Debug)]
#[must_use = "nothing is sent yet"]
pub struct Compressing<'c> {
    sender: &'c mut Sender,
    compression: Compression,
}

impl Compressing<'_> {
    /// As [`Connection::send_text`].
    ///
    /// # Errors
    /// As there.
    pub fn send_text(self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send(MessageKind::Text, text.as_bytes(), output)
    }

    /// As [`Connection::send_binary`].
    ///
    /// # Errors
    /// As there.
    pub fn send_binary(self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.send(MessageKind::Binary, data, output)
    }

    /// As [`Connection::begin_text`]; what is said holds for the whole message.
    ///
    /// # Errors
    /// As there.
    pub fn begin_text(self, text: &str, output: &mut Vec<u8>) -> Result<(), SendError> {
        self.begin(MessageKind::Text, text.as_bytes(), output)
    }

    /// As [`Connection::begin_binary`]; what is said holds for the whole message.
    ///
    /// # Errors
    /// As there.
    pub fn begin_binary(self, data: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.begin(MessageKind::Binary, data, output)
    }

    fn send(self, kind: MessageKind, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.check_open()?;
        self.sender.encoder.message(kind, payload, self.compression, output)
    }

    fn begin(self, kind: MessageKind, payload: &[u8], output: &mut Vec<u8>) -> Result<(), SendError> {
        self.sender.check_open()?;
        self.sender.encoder.fragment(kind, Fragment::First, payload, self.compression, output)
    }
}
