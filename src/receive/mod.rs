//! Bytes to events: one direction of an open WebSocket.

mod buffer;
mod decoder;
mod event;

pub use buffer::ReadBuffer;
pub(crate) use decoder::{Decoder, Item, ItemKind};
pub use event::Event;
