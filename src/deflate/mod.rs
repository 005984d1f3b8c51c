//! permessage-deflate (RFC 7692): messages that are compressed.
//!
//! It is off until [`Config::deflate`](crate::Config::deflate) asks for it. Then a client offers it, a server accepts
//! it where it is offered, and what was agreed is [`Connection::deflate`](crate::Connection::deflate). From there on
//! nothing else changes: messages that are sent are compressed, if they are long enough, and messages that come are
//! inflated.
//!
//! ```
//! use websocket_proto::deflate::DeflateConfig;
//! use websocket_proto::{Config, Connection, Event, ReadBuffer};
//!
//! let deflate = DeflateConfig::default();
//! let mut config = Config::default();
//! config.deflate = Some(deflate.clone()); // and then a handshake; here, what two such ends agree on
//! # let offer = deflate.offer();
//! # let offers = websocket_proto::wire::extension::parse([offer.as_bytes()])?;
//! # let (agreed, _) = deflate.accept(&offers).unwrap();
//! # let mut server = Connection::server(&config).with_deflate(&deflate, agreed);
//! # let mut client = Connection::client(&config).with_deflate(&deflate, agreed);
//!
//! let (mut input, mut output) = (ReadBuffer::default(), Vec::new());
//! let text = "It was the best of times, it was the worst of times. ".repeat(20);
//! server.send_text(&text, &mut output)?;
//! assert!(output.len() < text.len() / 10);
//!
//! input.extend_from_slice(&output);
//! assert_eq!(client.receive(&mut input, &mut output)?, Some(Event::Text(&text)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it costs of memory
//!
//! A compressor takes 4 x 2^`window_bits` + 7 x 2^(`mem_level` + 6) + 134,272 bytes (with the default of 12 and 5,
//! 165 KB; with 15 and 8, 380 KB), a decompressor 47.7 KB. Who holds them is told by [`DeflateMemory`], and counted by
//! the crate's tests. An idle connection holds, besides its own size and less than 300 bytes:
//!
//! | memory | context takeover | after it has sent and received compressed messages |
//! | --- | --- | --- |
//! | `Dedicated` | with | compressor, decompressor, and 2^(the peer's window bits) |
//! | `Dedicated` | without | compressor and decompressor |
//! | `Shared` | with | 2^(our window bits) + 2^(the peer's) |
//! | `Shared` | without | nothing |
//!
//! Of a window it holds no more than has gone through. A decompressor has one too, but does not give it back when the
//! peer ends a block for good (BFINAL), after which messages may still refer to it. A direction that was not used yet
//! holds nothing; [`Connection::memory_used`](crate::Connection::memory_used) says what one holds now. What is lent is
//! in use from the first to the last frame of a message.
//!
//! `Shared` with context takeover pays with time: for each message the compressor is made to know the window again,
//! which costs 2 to 4 microseconds for each KiB of it, and the decompressor about 1 microsecond for all of it. What
//! does not shrink is sent plain, and stays out of the window. `Shared` without takeover costs no time against
//! `Dedicated` without takeover.
//!
//! # What a peer can make it cost
//!
//! [`Limits::message`](crate::Limits::message) counts inflated octets: exactly, and before memory is taken, so that a
//! message that would inflate to gigabytes costs what is allowed and no more.
//! [`Limits::inflate_ratio`](crate::Limits::inflate_ratio) can bound the ratio too. With
//! [`Delivery::Chunks`](crate::Delivery::Chunks), messages are inflated 16 KiB at a time. Final blocks, each of which
//! has the decompressor begin anew, are counted ([`Limits::fragments`](crate::Limits::fragments)), and so are blocks of
//! nothing.
//!
//! # Secrets
//!
//! Who sees only the length of what is sent, and can have a text of his own sent in the same window as a secret, can
//! guess the secret piece by piece: a right guess is a repetition, and shorter (RFC 7692 §8). Send secrets with
//! [`Compression::Never`]: such a message is plain and stays out of the window. Where the other end of a conversation
//! changes, [`reset_compression`](crate::Connection::reset_compression) forgets what was said.
//!
//! # To many at once
//!
//! [`Prepared`](crate::Prepared) holds a message compressed once. It goes to all whose connection has no context
//! takeover, or holds its window itself (`Shared`); those with `Dedicated` takeover have it compressed for them.

mod config;
mod element;
mod negotiate;
mod params;
mod pool;
mod window;
mod zlib;

pub use config::{Compression, DeflateConfig, DeflateMemory};
pub use params::DeflateParams;
pub(crate) use params::Direction;
pub use pool::DeflatePool;
pub(crate) use window::Window;
pub(crate) use zlib::{Compressor, Decompressor, Settings, Step, Stop, TAIL, Then, Until};
