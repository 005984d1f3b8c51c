//! Events to bytes: the other direction of an open WebSocket.

#[cfg(feature = "deflate")]
mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "no_deflate.rs"]
mod deflate;
mod encoder;
mod prepared;
mod random;

pub(crate) use deflate::Compression;
pub(crate) use encoder::{Encoder, Fragment};
pub use prepared::Prepared;
pub use random::Random;
