//! RFC 9110 §9.3.1: what does a client want that asks for no WebSocket?

use super::headers::Headers;
use super::known::KnownFields;
use super::respond::Rejection;
use super::server::Request;
use super::target::Target;

/// What a client asks for, of a server that has pages as well; see
/// [`ServerHandshake::receive_any`](super::ServerHandshake::receive_any).
#[derive(Debug)]
#[must_use = "a request that is not answered leaves the client waiting"]
pub enum Asked<'i> {
    /// To open a WebSocket.
    WebSocket(Request<'i>),
    /// Something else: a page, a file, how the server is.
    Page(PageRequest<'i>),
}

/// A GET without an `Upgrade` to a WebSocket, and without a body; to be answered once.
#[derive(Debug)]
#[must_use = "a request that is not answered leaves the client waiting"]
pub struct PageRequest<'i> {
    target: Target<'i>,
    headers: Headers<'i>,
}

impl<'i> PageRequest<'i> {
    pub(super) fn new(target: Target<'i>, fields: KnownFields<'i>) -> Self {
        Self { target, headers: fields.headers }
    }

    /// Answers with a status of 200 to 599, header fields and a body. After it the connection is over, as after a
    /// rejection: write the response and close the stream, the sending half first. What has come behind the head, such
    /// as another request, is nothing to you: [`clear`](crate::ReadBuffer::clear) the input before it serves another
    /// connection.
    pub fn answer(self, status: u16) -> Rejection<'static> {
        Rejection::new(status)
    }

    /// The path, such as `/index.html`, as it was sent.
    #[must_use]
    pub fn path(&self) -> &'i str {
        self.target.path
    }

    /// The query behind the path, without its question mark.
    #[must_use]
    pub fn query(&self) -> Option<&'i str> {
        self.target.query
    }

    /// Host and port that the client asked for, as [`Request::authority`].
    #[must_use]
    pub fn authority(&self) -> &'i str {
        self.target.authority
    }

    /// All header fields.
    #[must_use]
    pub fn headers(&self) -> &Headers<'i> {
        &self.headers
    }
}
