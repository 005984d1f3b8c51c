//! RFC 9113 §8.2, §8.3, RFC 9114 §4: is this the head of an HTTP/2 or HTTP/3 message?

use alloc::vec::Vec;

use super::fields::is_value;
use super::headers::{Headers, trim};
use super::known::KnownFields;
use crate::error::HandshakeError;
use crate::wire::extension::is_token;

/// The fields of a head of HTTP/2 or HTTP/3, found to be well-formed (RFC 9113 §8.2, §8.3).
pub(super) struct Fields<'i, const N: usize> {
    /// The values of the pseudo-header fields that there may be.
    pub(super) pseudo: [Option<&'i [u8]>; N],
    pub(super) known: KnownFields<'i>,
}

impl<'i, const N: usize> Fields<'i, N> {
    pub(super) fn parse(
        fields: impl Iterator<Item = (&'i [u8], &'i [u8])>,
        known: [&str; N],
    ) -> Result<Self, HandshakeError> {
        let mut pseudo = [None; N];
        let mut regular = Vec::new();
        for (name, value) in fields {
            if !is_value(value) || value != trim(value) {
                return Err(HandshakeError::MalformedHead);
            }
            if name.starts_with(b":") {
                let slot = known.iter().zip(&mut pseudo).find(|(known, _)| known.as_bytes() == name);
                match slot {
                    Some((_, slot @ None)) if regular.is_empty() => *slot = Some(value),
                    _ => return Err(HandshakeError::MalformedHead),
                }
            } else {
                regular.push((field_name(name).ok_or(HandshakeError::MalformedHead)?, value));
            }
        }
        let known = KnownFields::of_fields(regular);
        check_connection_fields(&known.headers)?;
        Ok(Self { pseudo, known })
    }
}

/// The fields of HTTP/1.1 that are about its connection have no place here (RFC 9113 §8.2.2).
fn check_connection_fields(headers: &Headers<'_>) -> Result<(), HandshakeError> {
    let is_foreign = |name: &str| headers.get(name).is_some();
    let foreign = ["Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"];
    match foreign.into_iter().any(is_foreign) || headers.all("TE").any(|value| !value.eq_ignore_ascii_case(b"trailers"))
    {
        true => Err(HandshakeError::MalformedHead),
        false => Ok(()),
    }
}

/// A token without upper-case letters.
fn field_name(name: &[u8]) -> Option<&str> {
    match is_token(name) && !name.iter().any(u8::is_ascii_uppercase) {
        true => core::str::from_utf8(name).ok(),
        false => None,
    }
}
