//! RFC 6455 §9, RFC 7692 §5: which extension do both ends use? With the feature `deflate`: what a [`Config`] says.

use alloc::string::String;

use crate::config::Config;
use crate::connection::Connection;
use crate::deflate::DeflateConfig;
use crate::error::HandshakeError;
use crate::wire::extension::Extension;

/// What a client offers.
pub(super) fn offer(config: &Config) -> Option<String> {
    config.deflate.as_ref().map(DeflateConfig::offer)
}

/// A server's connection, which uses what it accepts of the offers, and the response that says so.
pub(super) fn accept(config: &Config, offers: &[Extension<'_>]) -> (Connection, Option<String>) {
    let agreed = config.deflate.as_ref().and_then(|deflate| Some((deflate, deflate.accept(offers)?)));
    match agreed {
        Some((deflate, (agreed, response))) => {
            (Connection::server(config).with_deflate(deflate, agreed), Some(response))
        }
        None => (Connection::server(config), None),
    }
}

/// Has a client's connection use what the server agreed to.
pub(super) fn settle(
    connection: Connection,
    config: &Config,
    response: &[Extension<'_>],
) -> Result<Connection, HandshakeError> {
    match &config.deflate {
        Some(deflate) => Ok(match deflate.settle(response)? {
            Some(agreed) => connection.with_deflate(deflate, agreed),
            None => connection,
        }),
        None if response.is_empty() => Ok(connection),
        None => Err(HandshakeError::ExtensionNotOffered),
    }
}
