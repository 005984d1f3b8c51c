//! Bytes to events: one direction of an open WebSocket.

mod buffer;
mod decoder;

pub use buffer::ReadBuffer;
pub(crate) use decoder::{Decoder, Item, ItemKind};
