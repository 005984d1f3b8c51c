//! RFC 6455 §4.1, §4.2.2, §9.1: which subprotocol and which extensions do both ends agree on?

use alloc::vec::Vec;

use super::headers::trim;
use super::known::{KnownFields, Name};
use crate::error::{HandshakeError, HeadError};
use crate::wire::extension::{self, Extension, is_token};

/// Whether a request is for version 13, the only one there is (§4.4).
pub(super) fn check_version(fields: &KnownFields<'_>) -> Result<(), HandshakeError> {
    match fields.single(Name::Version)? {
        Some(b"13") => Ok(()),
        Some(_) => Err(HandshakeError::UnsupportedVersion),
        None => Err(HandshakeError::MissingVersion),
    }
}

/// The subprotocols that a client offers, best first: different tokens, and not too many; none, if the field is missing.
pub(super) fn offered_subprotocols<'i>(fields: &KnownFields<'i>) -> Result<Vec<&'i str>, HandshakeError> {
    let mut offered = Vec::new();
    if !fields.has(Name::Protocol) {
        return Ok(offered);
    }
    for element in fields.elements(Name::Protocol) {
        if offered.len() == MOST_SUBPROTOCOLS {
            return Err(HandshakeError::InvalidSubprotocols);
        }
        offered.push(token(element).ok_or(HandshakeError::InvalidSubprotocols)?);
    }
    if offered.is_empty() || has_repetition(&offered) {
        return Err(HandshakeError::InvalidSubprotocols);
    }
    Ok(offered)
}

/// The subprotocol that a server selected, one of those that were offered.
pub(super) fn selected_subprotocol<'i>(
    fields: &KnownFields<'i>,
    offered: &[impl AsRef<str>],
) -> Result<Option<&'i str>, HandshakeError> {
    let Some(value) = fields.single(Name::Protocol)? else { return Ok(None) };
    let selected = token(trim(value)).ok_or(HandshakeError::InvalidSubprotocols)?;
    match offered.iter().any(|offered| offered.as_ref() == selected) {
        true => Ok(Some(selected)),
        false => Err(HandshakeError::SubprotocolNotOffered),
    }
}

/// What an application may offer: different tokens.
pub(super) fn check_offer(name: &str, offered: &[impl AsRef<str>]) -> Result<(), HeadError> {
    let is_repeated = offered.iter().any(|offered| offered.as_ref() == name);
    if is_token(name.as_bytes()) && !is_repeated { Ok(()) } else { Err(HeadError::InvalidSubprotocol) }
}

/// The extensions that are named, in order.
pub(super) fn extensions<'i>(fields: &KnownFields<'i>) -> Result<Vec<Extension<'i>>, HandshakeError> {
    extension::parse(fields.lines(Name::Extensions)).map_err(|_| HandshakeError::InvalidExtensions)
}

/// A version of the protocol: 0 to 255, without leading zeros (§4.3).
pub(super) fn version(value: &[u8]) -> Option<u8> {
    let is_number = value.iter().all(u8::is_ascii_digit) && (value == b"0" || !value.starts_with(b"0"));
    core::str::from_utf8(value).ok().filter(|_| is_number)?.parse().ok()
}

fn token(octets: &[u8]) -> Option<&str> {
    if is_token(octets) { core::str::from_utf8(octets).ok() } else { None }
}

/// Sorted, so that a long list costs little more than a short one.
fn has_repetition(names: &[&str]) -> bool {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair.first() == pair.last())
}

/// Subprotocols that a request may offer: a head that is full of them would become ten times its length.
const MOST_SUBPROTOCOLS: usize = 128;
