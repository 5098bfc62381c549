//! TLS towards clients: what the door shows them.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::plan::Certificate;
use crate::scram::certificate_hash;

/// What a client that starts with TLS at once must ask for (ALPN).
pub(super) const PROTOCOL: &[u8] = b"postgresql";

/// The door's certificate, ready for use.
#[derive(Debug)]
pub(crate) struct DoorTls {
    pub(super) config: Arc<ServerConfig>,
    /// What SCRAM binds to; `None` when the certificate's kind has none.
    pub(super) binding: Option<Arc<[u8]>>,
}

/// Reads certificate and key.
pub(super) fn door(certificate: &Certificate) -> Result<DoorTls, String> {
    let chain = chain(&certificate.cert)?;
    let key = PrivateKeyDer::from_pem_file(&certificate.key).map_err(|error| unreadable(&certificate.key, &error))?;
    let binding = chain.first().and_then(|own| certificate_hash(own));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("{} and {} do not make a certificate: {error}", certificate.cert.display(), certificate.key.display()))?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // As Postgres: a session is never resumed.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(DoorTls { config: Arc::new(config), binding: binding.map(Into::into) })
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(chain) if chain.is_empty() => Err(format!("{} holds no certificate", path.display())),
        other => other.map_err(|error| unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{} cannot be read: {error}", path.display())
}
