//! RFC 9112 §6, §7: where does the body of a rejection end?

use super::head::HttpVersion;
use super::headers::trim;
use super::known::{KnownFields, Name};
use crate::error::HandshakeError;
use crate::receive::ReadBuffer;

/// Takes the body of a rejection off the input as it comes, without its framing. Nothing is held: how much of it to
/// keep is up to you.
///
/// ```
/// # use websocket_proto::{handshake::Body, HandshakeError, ReadBuffer};
/// fn collect(body: &mut Body, input: &mut ReadBuffer, page: &mut Vec<u8>) -> Result<(), HandshakeError> {
///     while let Some(piece) = body.receive(input)? {
///         page.extend_from_slice(piece);
///     }
///     Ok(()) // read more, unless body.is_complete(); at the end of the stream, body.receive_eof()
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(Framing);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Framing {
    /// So many octets are still to come, and none behind them.
    Length(u64),
    /// All octets until the stream ends.
    UntilEof,
    /// A chunk's size line is next.
    ChunkSize,
    /// So many octets of the chunk are still to come, then a line end.
    Chunk(u64),
    /// The line end behind a chunk is next.
    ChunkEnd,
    /// There is no telling where it ends.
    Malformed,
}

impl Body {
    /// The body of a response with this version, status and fields (RFC 9112 §6.3).
    pub(super) fn new(version: HttpVersion, status: u16, fields: &KnownFields<'_>) -> Self {
        let has_length = fields.has(Name::ContentLength);
        Self(match fields.has(Name::TransferEncoding) {
            _ if matches!(status, 204 | 304) => Framing::Length(0),
            true if version.is_supported() => coding(fields),
            true => Framing::Malformed, // §6.1: HTTP/1.0 knows no Transfer-Encoding
            false if has_length => length(fields),
            false => Framing::UntilEof,
        })
    }

    /// The next piece that has come, never empty. `None`: read more, unless it [`is_complete`](Self::is_complete).
    ///
    /// # Errors
    /// [`HandshakeError::MalformedBody`] if the response does not say, or says in two ways, where its body ends, and
    /// for chunks that are framed wrongly.
    pub fn receive<'i>(&mut self, input: &'i mut ReadBuffer) -> Result<Option<&'i [u8]>, HandshakeError> {
        let len = loop {
            let come = input.unparsed();
            match &mut self.0 {
                Framing::ChunkSize => {
                    let Some((size, line)) = chunk_size(come)? else { return Ok(None) };
                    input.skip(line);
                    self.0 = if size == 0 { Framing::Length(0) } else { Framing::Chunk(size) };
                }
                Framing::ChunkEnd => match come {
                    [b'\r', b'\n', ..] => {
                        input.skip(2);
                        self.0 = Framing::ChunkSize;
                    }
                    [] | [b'\r'] => return Ok(None),
                    _ => return Err(HandshakeError::MalformedBody),
                },
                Framing::Malformed => return Err(HandshakeError::MalformedBody),
                Framing::UntilEof => break come.len(),
                Framing::Length(remaining) => break take(remaining, come.len()),
                Framing::Chunk(remaining) => {
                    let len = take(remaining, come.len());
                    if *remaining == 0 {
                        self.0 = Framing::ChunkEnd;
                    }
                    break len;
                }
            }
        };
        let piece = input.skip(len);
        Ok(if piece.is_empty() { None } else { Some(input.at(piece)) })
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// [`HandshakeError::UnexpectedEof`] if the body had not: what came of it is not all.
    pub fn receive_eof(&mut self) -> Result<(), HandshakeError> {
        match core::mem::replace(&mut self.0, Framing::Length(0)) {
            Framing::UntilEof | Framing::Length(0) => Ok(()),
            _ => Err(HandshakeError::UnexpectedEof),
        }
    }

    /// Whether all of it has been taken. A body that ends with the stream says so only after
    /// [`receive_eof`](Self::receive_eof).
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0 == Framing::Length(0)
    }
}

/// The framing by the last of the codings (§6.1).
fn coding(fields: &KnownFields<'_>) -> Framing {
    match fields.elements(Name::TransferEncoding).last() {
        Some(coding) if coding.eq_ignore_ascii_case(b"chunked") => Framing::ChunkSize,
        Some(_) => Framing::UntilEof,
        None => Framing::Malformed,
    }
}

/// The framing by lengths, which all have to be the same (§6.3).
fn length(fields: &KnownFields<'_>) -> Framing {
    let mut lengths = fields.elements(Name::ContentLength).map(decimal);
    match lengths.next() {
        Some(Some(len)) if lengths.all(|other| other == Some(len)) => Framing::Length(len),
        _ => Framing::Malformed,
    }
}

/// Takes as much of what remains as has come.
fn take(remaining: &mut u64, come: usize) -> usize {
    let len = usize::try_from(*remaining).map_or(come, |remaining| remaining.min(come));
    *remaining = remaining.saturating_sub(len as u64);
    len
}

/// The size in a chunk's first line, and how long the line is.
fn chunk_size(octets: &[u8]) -> Result<Option<(u64, usize)>, HandshakeError> {
    let Some(end) = octets.iter().take(LONGEST_SIZE_LINE).position(|&octet| octet == b'\n') else {
        return if octets.len() < LONGEST_SIZE_LINE { Ok(None) } else { Err(HandshakeError::MalformedBody) };
    };
    let line = octets.get(..end).and_then(|line| line.strip_suffix(b"\r")).ok_or(HandshakeError::MalformedBody)?;
    // what follows a semicolon is an extension, to be passed over (RFC 9112 §7.1.1)
    let digits = trim(line.split(|&octet| octet == b';').next().unwrap_or_default());
    let is_hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let size = core::str::from_utf8(digits).ok().filter(|_| is_hex).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    Ok(Some((size.ok_or(HandshakeError::MalformedBody)?, end.saturating_add(1))))
}

/// One or more digits, and nothing else.
fn decimal(value: &[u8]) -> Option<u64> {
    match value.iter().all(u8::is_ascii_digit) {
        true => core::str::from_utf8(value).ok()?.parse().ok(),
        false => None,
    }
}

/// A chunk's size and its extensions have to fit into so many octets.
const LONGEST_SIZE_LINE: usize = 256;
