//! Who is this server, and what does it speak?

use std::sync::Arc;

use h2::server::Builder;
use rcgen::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::Failure;

/// The only protocol that is spoken in TLS (ALPN, RFC 9113 §3.2): who offers others alone is refused by TLS.
pub(crate) const ALPN: &[u8] = b"h2";

/// Streams that may be open on a connection.
const STREAMS: u32 = 100;

/// Octets that a stream may send before the first of them is taken, and that may wait to be sent on it.
const WINDOW: u32 = 64 << 10;

/// Octets of a request's header fields.
const HEAD: u32 = 16 << 10;

/// TLS for a server with a new key, and a certificate for these names (those of this machine if there are none) that is
/// signed by that key itself; and the certificate in PEM.
pub(crate) fn tls(mut names: Vec<String>) -> Result<(TlsAcceptor, String), Failure> {
    if names.is_empty() {
        names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    }
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), cert.pem()))
}

/// HTTP/2 with the setting that allows an extended CONNECT (RFC 8441 §3).
///
/// The windows are the back-pressure: a stream's fills up when its WebSocket is not read. So that the others go on
/// then, the connection's has to have room for all of them.
pub(crate) fn http() -> Builder {
    let mut http = Builder::new();
    http.enable_connect_protocol()
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * STREAMS)
        .max_send_buffer_size(WINDOW as usize);
    http
}
