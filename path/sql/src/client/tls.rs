//! TLS towards clients: what the door shows them.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{Error, PemObject};
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
    let (chain, key) = (chain(&certificate.cert)?, key(&certificate.key)?);
    let binding = chain.first().and_then(|own| certificate_hash(own)).map(Into::into);
    Ok(DoorTls { config: Arc::new(config(chain, key)?), binding })
}

/// The certificates of a file, the door's own first.
pub(crate) fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(chain) if chain.is_empty() => Err(format!("{} holds no certificate in PEM", path.display())),
        other => other.map_err(|error| unreadable(path, &error)),
    }
}

/// The private key of a file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        Error::NoItemsFound => format!("{} holds no private key in PEM", path.display()),
        other => unreadable(path, &other),
    })
}

/// What the door speaks TLS with; an error when the key is not the certificate's.
pub(crate) fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let made = builder.with_no_client_auth().with_single_cert(chain, key);
    let mut config = made.map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => "the key is not that of the certificate".into(),
        other => format!("certificate and key cannot be used: {other}"),
    })?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // As Postgres: a session is never resumed.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(config)
}

fn unreadable(path: &Path, error: &Error) -> String {
    match error {
        Error::Io(error) => format!("{} cannot be read: {error}", path.display()),
        other => format!("{} is not PEM: {other}", path.display()),
    }
}
