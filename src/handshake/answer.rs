//! RFC 6455 §4.1: what did the server answer, and does it fit what was offered?

use alloc::string::String;
use alloc::vec::Vec;

use super::body::Body;
use super::extensions::settle;
use super::headers::{Headers, elements};
use super::known::{KnownFields, Name};
use super::negotiate::{extensions, selected_subprotocol, version};
use crate::config::Config;
use crate::connection::Connection;
use crate::error::HandshakeError;
use crate::send::Random;

/// What the server answered.
#[allow(clippy::large_enum_variant)] // there is one of it, for a moment
#[derive(Debug)]
pub enum Answer<'i> {
    /// It opened the WebSocket. Frames that came right behind the response are in the input.
    #[non_exhaustive]
    Accepted {
        /// The open connection.
        connection: Connection,
        /// The response, with its header fields.
        response: Response<'i>,
    },
    /// It did not: a plain HTTP response. Redirections are for you to follow, or not.
    #[non_exhaustive]
    Rejected {
        /// The response, with its header fields.
        response: Response<'i>,
        /// Takes the response's body off the input.
        body: Body,
    },
}

/// The head of the server's response.
#[derive(Clone, Debug)]
pub struct Response<'i> {
    status: u16,
    reason: &'i [u8],
    headers: Headers<'i>,
    subprotocol: Option<&'i str>,
}

impl<'i> Response<'i> {
    pub(super) const fn new(status: u16, reason: &'i [u8], headers: Headers<'i>) -> Self {
        Self { status, reason, headers, subprotocol: None }
    }

    /// The status: of a server that accepted 101, or 2xx over HTTP/2 and HTTP/3.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase, as it was sent; it means nothing (RFC 9112 §4), and HTTP/2 and HTTP/3 have none.
    #[must_use]
    pub fn reason(&self) -> &'i [u8] {
        self.reason
    }

    /// All header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers<'i> {
        &self.headers
    }

    /// The subprotocol that the server selected, one of those that were offered. A server may select none (§4.2.2): a
    /// client that cannot do without closes the connection.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&'i str> {
        self.subprotocol
    }

    /// The versions of the protocol that the server says it speaks, where it does not speak ours (§4.4).
    pub fn versions(&self) -> impl Iterator<Item = u8> + '_ {
        elements(self.headers.all(Name::Version.as_str())).filter_map(version)
    }
}

/// What a client has offered, and the connection that it wants.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) config: Config,
    pub(super) subprotocols: Vec<String>,
}

impl Offer {
    /// Opens the connection, if what the server selected was offered.
    pub(super) fn settle<'i>(
        &self,
        status: u16,
        reason: &'i [u8],
        fields: KnownFields<'i>,
        random: Random,
    ) -> Result<Answer<'i>, HandshakeError> {
        let subprotocol = selected_subprotocol(&fields, &self.subprotocols)?;
        let agreed = extensions(&fields)?;
        let connection = Connection::client_with_random(&self.config, random);
        let connection = settle(connection, &self.config, &agreed)?;
        let response = Response { subprotocol, ..Response::new(status, reason, fields.headers) };
        Ok(Answer::Accepted { connection, response })
    }
}
