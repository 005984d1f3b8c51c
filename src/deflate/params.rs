//! RFC 7692 §7.1: what have both ends agreed on?

use core::fmt;

/// The agreed parameters of permessage-deflate: those of the server's response, and no others, configure both ends
/// (RFC 7692 §5).
///
/// Its `Display` is the element of `Sec-WebSocket-Extensions` that says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeflateParams {
    pub(crate) server: Direction,
    pub(crate) client: Direction,
}

/// What one end's compressor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Direction {
    /// The window may be kept from one message to the next.
    pub(crate) takeover: bool,
    /// 8 <= window_bits <= 15: the window is at most 2^window_bits octets.
    pub(crate) window_bits: u8,
}

impl DeflateParams {
    /// The server's compressor begins each message with an empty window (§7.1.1.1).
    #[must_use]
    pub const fn server_no_context_takeover(&self) -> bool {
        !self.server.takeover
    }

    /// The client's compressor begins each message with an empty window (§7.1.1.2).
    #[must_use]
    pub const fn client_no_context_takeover(&self) -> bool {
        !self.client.takeover
    }

    /// The window of the server's compressor, as a power of two of octets: 8 to 15 (§7.1.2.1).
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.server.window_bits
    }

    /// The window of the client's compressor, as a power of two of octets: 8 to 15 (§7.1.2.2).
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.client.window_bits
    }
}

impl fmt::Display for DeflateParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover() {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.client_no_context_takeover() {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        Ok(())
    }
}

/// The extension's name.
pub(super) const NAME: &str = "permessage-deflate";

/// §7.1.1.1
pub(super) const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";

/// §7.1.1.2
pub(super) const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";

/// §7.1.2.1
pub(super) const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";

/// §7.1.2.2
pub(super) const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";
