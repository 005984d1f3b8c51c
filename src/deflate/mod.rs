//! permessage-deflate (RFC 7692): messages that are compressed.

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
