//! Octets and values, with no memory of what came before: frame headers, masks, close codes, UTF-8, and the grammar of
//! `Sec-WebSocket-Extensions`. Usable alone, for proxies and for those who build their own.
//!
//! Who passes frames on must not change how control frames are cut, nor anything of a connection whose extensions it
//! does not know (RFC 6455 §5.4).

mod close;
pub mod extension;
mod header;
mod mask;
mod opcode;
mod text;
mod utf8;
mod words;

pub use close::{CloseCode, CloseFrame};
pub use header::FrameHeader;
pub use mask::Mask;
pub(crate) use mask::{append_masked, unmask_binary};
pub use opcode::OpCode;
pub use text::Utf8Bytes;
pub(crate) use text::{text_before_error, unmask_text};
pub use utf8::{InvalidUtf8, Utf8Validator, split_utf8};
pub(crate) use utf8::{check as check_utf8, unfinished_len};
