//! RFC 9110 §6: which head does another HTTP stack send for us?

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::respond::remedy;
use crate::error::HandshakeError;

/// The head of a request, to be sent by an HTTP/2 or HTTP/3 stack: see
/// [`ClientRequest::extended_connect`](super::ClientRequest::extended_connect).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHead {
    fields: Vec<(String, Vec<u8>)>,
}

/// The head of a response, to be sent by the HTTP stack that has read the request: see
/// [`Accept::respond`](super::Accept::respond) and [`Refusal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    status: u16,
    fields: Vec<(String, Vec<u8>)>,
}

impl RequestHead {
    pub(super) fn put(&mut self, name: &str, value: &[u8]) {
        self.fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }

    /// All fields in order, those that begin with a colon (RFC 9113 §8.3) in front; the names are in lower case.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        pairs(&self.fields)
    }
}

impl ResponseHead {
    pub(super) const fn new(status: u16) -> Self {
        Self { status, fields: Vec::new() }
    }

    pub(super) fn put(&mut self, name: &str, value: &[u8]) {
        self.fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }

    /// The status. Over HTTP/2 and HTTP/3 it is the field `:status`, which [`fields`](Self::fields) does not have.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// All other fields in order; the names are in lower case.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        pairs(&self.fields)
    }
}

fn pairs(fields: &[(String, Vec<u8>)]) -> impl Iterator<Item = (&str, &[u8])> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
}

/// A request that another HTTP stack has read does not open a WebSocket: why, and what to answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    error: HandshakeError,
    response: ResponseHead,
}

impl Refusal {
    /// For an HTTP/1.1 upgrade.
    #[cfg(feature = "http")]
    pub(super) fn of_upgrade(error: HandshakeError) -> Self {
        let mut response = ResponseHead::new(error.status().unwrap_or(400));
        if response.status == 426 {
            response.put("Upgrade", b"websocket");
            response.put("Connection", b"Upgrade");
        }
        if let Some((name, value)) = remedy(error) {
            response.put(name, value.as_bytes());
        }
        Self { error, response }
    }

    /// For an extended CONNECT: HTTP/2 and HTTP/3 know no upgrade, and so no 426.
    pub(super) fn of_connect(error: HandshakeError) -> Self {
        let mut response = ResponseHead::new(match error.status() {
            None | Some(426) => 400,
            Some(status) => status,
        });
        match remedy(error) {
            Some((name @ "Allow", _)) => response.put(name, b"CONNECT"),
            Some((name, value)) => response.put(name, value.as_bytes()),
            None => {}
        }
        Self { error, response }
    }

    /// What is wrong with the request.
    #[must_use]
    pub const fn error(&self) -> HandshakeError {
        self.error
    }

    /// What to answer. A request that is [malformed](HandshakeError::MalformedHead) over HTTP/2 or HTTP/3 may instead, or
    /// thereafter, have its stream reset with [`ErrorCode::Malformed`](super::ErrorCode::Malformed).
    #[must_use]
    pub const fn response(&self) -> &ResponseHead {
        &self.response
    }
}
