//! The WebSocket protocol (RFC 6455) as a value: bytes in, events out, bytes out.
#![cfg_attr(not(test), no_std)]

#[cfg(feature = "std")]
extern crate std;

extern crate alloc;

mod closing;
mod config;
mod connection;
mod error;
mod event;
pub mod handshake;
mod message;
mod receive;
mod send;
mod sending;
pub mod wire;

pub use closing::{CloseOutcome, Side, State};
pub use config::{Config, Delivery, Limits, MessageKind, PongPolicy, Role};
pub use connection::Connection;
pub use error::{HandshakeError, ProtocolError, SendError};
pub use event::Event;
pub use message::Message;
pub use receive::ReadBuffer;
pub use send::Random;
pub use wire::{CloseCode, CloseFrame, Utf8Bytes};
