//! RFC 6455 §9: which extension do both ends use? Without the feature `deflate`: none.

use alloc::string::String;

use crate::config::Config;
use crate::connection::Connection;
use crate::error::HandshakeError;
use crate::wire::extension::Extension;

/// What a client offers.
pub(super) const fn offer(_: &Config) -> Option<String> {
    None
}

/// A server's connection, and what it responds to the offers.
pub(super) fn accept(config: &Config, _: &[Extension<'_>]) -> (Connection, Option<String>) {
    (Connection::server(config), None)
}

/// A client's connection, if the server agreed to nothing.
pub(super) fn settle(
    connection: Connection,
    _: &Config,
    response: &[Extension<'_>],
) -> Result<Connection, HandshakeError> {
    if response.is_empty() { Ok(connection) } else { Err(HandshakeError::ExtensionNotOffered) }
}
