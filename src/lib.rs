//! The WebSocket protocol (RFC 6455), with permessage-deflate (RFC 7692), as a value: bytes in, events out, bytes out.
//!
//! ```
//! use websocket_proto::{Connection, Event, ReadBuffer};
//!
//! /// Answers all that has come: text with text, binary with binary.
//! fn echo(
//!     ws: &mut Connection,
//!     input: &mut ReadBuffer,
//!     output: &mut Vec<u8>,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     while let Some(event) = ws.receive(input, output)? {
//!         match event {
//!             Event::Text(text) => ws.send_text(text, output)?,
//!             Event::Binary(data) => ws.send_binary(data, output)?,
//!             _ => {} // ping and close are already answered in `output`
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! No socket, no clock, no thread, no runtime, no buffer that you did not hand it: it never reads or writes, it is told
//! what came and says what to send. Those who want a ready-made client or server over tokio use another crate; those
//! who have an event loop (epoll, `io_uring`, tokio, QUIC streams, a game, a proxy, a fuzzer) speak WebSocket with this
//! one.
//!
//! # The loop
//!
//! What the function above needs around it, on a blocking stream; every other loop has the same four steps, and the
//! pages of [`event_loops`] show them, with deadlines and with peers that do not read. The buffers are those of the
//! [`handshake`]: frames may have come right behind it.
//!
//! ```
//! # use websocket_proto::{Connection, ReadBuffer};
//! # fn echo(_: &mut Connection, _: &mut ReadBuffer, _: &mut Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! #     Ok(())
//! # }
//! # use std::io::{Read, Write};
//! # fn run(
//! #     mut stream: std::net::TcpStream, mut ws: Connection, mut input: ReadBuffer, mut output: Vec<u8>,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! loop {
//!     let outcome = echo(&mut ws, &mut input, &mut output); // 1. receive and send
//!     stream.write_all(&output)?; // 2. write, also on failure: it holds the Close frame that says why
//!     output.clear();
//!     outcome?; // 3. only then look at what went wrong
//!     if !ws.wants_read() {
//!         return Ok(());
//!     }
//!     let n = stream.read(input.room(4096))?; // 4. read straight into the buffer that you own
//!     input.filled(n);
//!     if n == 0 {
//!         return Ok(ws.receive_eof()?);
//!     }
//! }
//! # }
//! ```
//!
//! # What is where
//!
//! | to | take |
//! | --- | --- |
//! | open a connection over HTTP/1.1, HTTP/2 or HTTP/3 | [`handshake`] |
//! | take over one that somebody else opened | [`Connection::server`], [`Connection::client_with_random`] |
//! | receive | [`ReadBuffer`], [`Connection::receive`] (borrowed [`Event`]s), [`Connection::receive_message`] (owned [`Message`]s) |
//! | receive what is too big to hold | [`Delivery::Chunks`] |
//! | send | [`Connection::send_text`] and its kin, [`Connection::begin_text`] for fragments, [`Connection::send_header`] for payloads that stay yours |
//! | send one message to many | [`Prepared`] |
//! | receive in one thread or task, and send in another | [`Connection::split`] |
//! | know when to ping, and when to give up | [`Keepalive`] |
//! | stop reading a peer that does not read | [`Backlog`] |
//! | compress | [`Config`], with what the page `deflate` says (feature `deflate`) |
//! | close, and know how it ended | [`Connection::close`], [`Connection::close_outcome`] |
//! | bound what a peer may do | [`Limits`] |
//! | build a proxy, or your own | [`wire`] |
//!
//! # Errors
//!
//! [`ProtocolError`] is the peer's fault, and the Close frame that says so is in the output when you see it.
//! [`SendError`] and [`HeadError`] are yours, and nothing was written. [`HandshakeError`] says why no WebSocket was
//! opened. "Not enough yet" is no error but `None`; a close is an event; the end of the stream is an input.
//!
//! What the standards leave open, and what is done here, is on the page [`choices`].
//!
//! # Features
//!
//! * `std` (default): masking keys and nonces from the thread's CSPRNG. Without it the crate needs `alloc` only, and a
//!   client is given a [`Random`].
//! * `deflate` (default): permessage-deflate, for connections whose [`Config`] asks for it. It needs `std`.
//! * `http`: the opening handshake for servers and clients that speak the types of the `http` crate, such as those on
//!   hyper and h2.
#![cfg_attr(not(test), no_std)]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core)]
// Nothing that a peer sends may panic; where one of these stands, its reason is beside it.
#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented
    )
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod backlog;
mod config;
mod connection;
#[cfg(feature = "deflate")]
pub mod deflate;
mod error;
pub mod handshake;
mod keepalive;
mod message;
mod receive;
mod send;
pub mod wire;

pub use backlog::{Backlog, Flow};
pub use config::{Config, Delivery, Limits, MessageKind, PongPolicy, Role};
#[cfg(feature = "deflate")]
pub use connection::Compressing;
pub use connection::{CloseOutcome, Connection, Owed, Receiver, Sender, Side, State, Watched};
pub use error::{HandshakeError, HeadError, ProtocolError, SendError, TimedOut};
pub use keepalive::{Keepalive, Timeouts};
pub use message::Message;
pub use receive::{Event, ReadBuffer};
pub use send::{Prepared, Random};
pub use wire::{CloseCode, CloseFrame, Utf8Bytes};

#[cfg(doc)]
#[doc = include_str!("choices.md")]
pub mod choices {}

#[cfg(doc)]
pub mod event_loops;

/// The examples of the README are compiled and run, with the default features.
#[cfg(all(doctest, feature = "deflate"))]
#[doc = include_str!("../README.md")]
struct Readme;
