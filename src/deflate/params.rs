//! RFC 7692 §7.1: what have both ends agreed on?

use core::fmt;

use super::element::Element;

/// The agreed parameters of permessage-deflate: those of the server's response, and no others, configure both ends
/// (RFC 7692 §5). [`DeflateConfig::accept`] and [`DeflateConfig::settle`] make them.
///
/// Its `Display` is the shortest element of `Sec-WebSocket-Extensions` that says the same. It is for logs: a server's
/// answer also repeats what the offer wants to have repeated.
///
/// [`DeflateConfig::accept`]: super::DeflateConfig::accept
/// [`DeflateConfig::settle`]: super::DeflateConfig::settle
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
    /// `8 <= window_bits <= 15`: the window is at most two to the power of this, in octets.
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

    /// The most that the window of the server's compressor may be, as a power of two of octets: 8 to 15 (§7.1.2.1).
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.server.window_bits
    }

    /// The most that the window of the client's compressor may be, as a power of two of octets: 8 to 15 (§7.1.2.2). A
    /// client of ours that is held to 8 sends plain messages: there is no such compressor.
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.client.window_bits
    }
}

impl fmt::Display for DeflateParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Element::from(*self).fmt(f)
    }
}
