//! Events to bytes: the other direction of an open WebSocket.

mod encoder;
mod random;

pub(crate) use encoder::{Encoder, Fragment};
pub use random::Random;
