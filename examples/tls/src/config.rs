//! Whom do the two ends trust?

use std::fs;
use std::sync::Arc;

use rcgen::CertifiedKey;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::Failure;

/// What is spoken inside (ALPN, RFC 7301): so a server for something else is not taken for this one.
const ALPN: &[u8] = b"http/1.1";

/// A server with a new key, and a certificate for these names that is signed by that key itself: who trusts it reads it
/// from a file, as there is no authority to vouch for it.
pub(crate) fn server(names: Vec<String>, certificate: Option<&str>) -> Result<Arc<ServerConfig>, Failure> {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names)?;
    if let Some(file) = certificate {
        fs::write(file, cert.pem()).map_err(|error| format!("{file}: {error}"))?;
    }
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}

/// A client that trusts who shows one of the certificates in the file, or one that those have signed.
pub(crate) fn client(ca: &str) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| format!("{ca}: {error}"))? {
        roots.add(certificate.map_err(|error| format!("{ca}: {error}"))?)?;
    }
    if roots.is_empty() {
        return Err(format!("{ca}: no certificate in it").into());
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Arc::new(config))
}
