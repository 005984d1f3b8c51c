//! Bytes to events: one direction of an open WebSocket.

mod buffer;
mod decoder;
mod event;
mod incoming;
#[cfg(feature = "deflate")]
mod inflate;
#[cfg(not(feature = "deflate"))]
#[path = "no_inflate.rs"]
mod inflate;
#[cfg(feature = "deflate")]
mod inflated;
mod item;

pub use buffer::ReadBuffer;
pub(crate) use decoder::{Decoder, WholeMessage};
pub use event::Event;
pub(crate) use item::{Item, ItemKind};
