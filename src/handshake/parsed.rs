//! RFC 9110 §6: which head does another HTTP stack send for us?

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::respond::remedy;
use crate::error::HandshakeError;

/// The head of a request, to be sent by an HTTP/2 or HTTP/3 stack: see
/// [`ClientRequest::extended_connect_with_random`](super::ClientRequest::extended_connect_with_random).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHead {
    fields: FieldList,
}

/// The head of a response, to be sent by the HTTP stack that has read the request: see
/// [`Accept::respond`](super::Accept::respond) and [`Refusal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    status: u16,
    fields: FieldList,
}

/// Names in lower case, and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct FieldList(Vec<(String, Vec<u8>)>);

impl FieldList {
    fn put(&mut self, name: &str, value: &[u8]) {
        self.0.push((name.to_ascii_lowercase(), value.to_owned()));
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

impl RequestHead {
    pub(super) fn put(&mut self, name: &str, value: &[u8]) {
        self.fields.put(name, value);
    }

    /// All fields in order, those that begin with a colon (RFC 9113 §8.3) in front; the names are in lower case.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter()
    }
}

impl ResponseHead {
    /// For HTTP/1.1, whose status is no field.
    pub(super) fn of_upgrade(status: u16) -> Self {
        Self { status, fields: FieldList::default() }
    }

    /// For HTTP/2 and HTTP/3.
    pub(super) fn of_connect(status: u16) -> Self {
        let mut fields = FieldList::default();
        fields.put(":status", status.to_string().as_bytes());
        Self { status, fields }
    }

    pub(super) fn put(&mut self, name: &str, value: &[u8]) {
        self.fields.put(name, value);
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// All fields in order, over HTTP/2 and HTTP/3 `:status` in front; the names are in lower case.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter()
    }
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
        let mut response = ResponseHead::of_upgrade(error.status().unwrap_or(400));
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
        let status = error.status().filter(|status| *status != 426).unwrap_or(400);
        let mut response = ResponseHead::of_connect(status);
        match (error, remedy(error)) {
            (HandshakeError::MethodNotAllowed, _) => response.put("Allow", b"CONNECT"),
            (_, Some((name, value))) => response.put(name, value.as_bytes()),
            (_, None) => {}
        }
        Self { error, response }
    }

    /// What is wrong with the request.
    #[must_use]
    pub const fn error(&self) -> HandshakeError {
        self.error
    }

    /// What to answer. A request that is [malformed](HandshakeError::MalformedHead) over HTTP/2 or HTTP/3 may instead,
    /// or thereafter, have its stream reset with [`ErrorCode::Malformed`](super::ErrorCode::Malformed).
    #[must_use]
    pub const fn response(&self) -> &ResponseHead {
        &self.response
    }
}
