//! What the two ends of a connection may choose (RFC 6455 §10.4): plain values, checked nowhere else than where they
//! apply.

#[cfg(feature = "deflate")]
use crate::deflate::DeflateConfig;

/// Which end of the connection this is; it decides who masks (RFC 6455 §5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Masks every frame that it sends, and fails on a masked frame that it receives.
    Client,
    /// Never masks, and fails on an unmasked frame that it receives.
    Server,
}

/// What a data message carries (RFC 6455 §5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Octets that only the application understands.
    Binary,
}

/// How a connection behaves; given to it when it is made.
///
/// ```
/// use websocket_proto::{Config, Connection, Delivery};
///
/// let mut config = Config::default();
/// config.limits.message = 64 * 1024;
/// config.delivery = Delivery::Chunks;
/// let ws = Connection::server(&config);
/// # drop(ws);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// How much the peer may make us hold.
    pub limits: Limits,
    /// Whether messages arrive whole or in pieces.
    pub delivery: Delivery,
    /// Who answers a Ping.
    pub pong: PongPolicy,
    /// What this end wants of permessage-deflate (RFC 7692); by default nothing, and all messages are plain.
    #[cfg(feature = "deflate")]
    pub deflate: Option<DeflateConfig>,
}

/// Bounds on what the peer sends; each breach has its own error, and the close code or HTTP status that says so.
///
/// None is unlimited by default, but `inflate_ratio`. A limit that is reached exactly is not breached.
///
/// What a peer can make an open connection hold lies in its [`ReadBuffer`](crate::ReadBuffer), whose memory doubles as
/// it grows: four times the longest `message` at the most, three times the room that is asked for, and 576 octets, or
/// what its handshake took; and half as much again while it moves. With [`Delivery::Chunks`], the same without the
/// message. Where permessage-deflate is agreed, what is inflated is no more than `message` besides (or 16 KiB, in
/// chunks), and the connection holds a state of zlib for each direction. What the peer can make us send is in the
/// output, which is yours to bound. `SECURITY.md` has the whole formula.
///
/// ```
/// use websocket_proto::Limits;
///
/// let limits = Limits::default();
/// assert_eq!(limits.message, 16 * 1024 * 1024);
/// assert_eq!(limits.fragments, 131_072);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of payload in one data frame, as they are sent (16 MiB); beyond it, Close 1009. What does not compress is
    /// some percent longer as a fragment of a compressed message.
    pub frame: u64,
    /// Octets of payload in one message, all its frames together, and inflated if it is compressed (16 MiB); beyond it,
    /// Close 1009. A message is inflated up to here and not an octet further. The frames of a compressed one may
    /// announce twice as many octets, and 64 KiB.
    pub message: u64,
    /// How many octets one octet of a compressed message may be inflated to (no limit but `message`); beyond it, Close
    /// 1009. DEFLATE itself has a bound, 1032. Judged by what the frames of the message have announced so far; 4096
    /// octets are free, as a short message may well repeat an earlier one.
    pub inflate_ratio: Option<u32>,
    /// Frames in one message (131,072); empty ones count; beyond it, Close 1008. So many final blocks (BFINAL) may be
    /// in a compressed message, too, if it is long enough: 16, and one for each 64 octets that its frames announce.
    pub fragments: u32,
    /// Octets of a request head or of all response heads together (16 KiB); beyond it, status 431, or 414 when the
    /// request line alone is longer. Heads that another HTTP stack has read are that one's to bound.
    pub head: usize,
    /// Header fields in one such head (100); beyond it, status 431.
    pub header_fields: usize,
}

/// How data messages are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// One event for each message; its octets are held until the last has come.
    #[default]
    Whole,
    /// One event for each piece of a message as it comes, with marks on the first and the last: nothing is held, so
    /// memory stays flat however long the message is. Text arrives in whole characters, checked as it comes.
    /// [`Limits`] still apply; raise them for messages that are long on purpose.
    Chunks,
}

/// Who answers a Ping (RFC 6455 §5.5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PongPolicy {
    /// The connection does, in the output, and the event only tells; of a flood of them, the latest
    /// ([`Connection::receive`](crate::Connection::receive)).
    #[default]
    Automatic,
    /// You do, with [`Connection::send_pong`](crate::Connection::send_pong).
    Manual,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame: 16 << 20,
            message: 16 << 20,
            inflate_ratio: None,
            fragments: 131_072,
            head: 16 << 10,
            header_fields: 100,
        }
    }
}
