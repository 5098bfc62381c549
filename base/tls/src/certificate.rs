//! What a door shows its clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key, PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, the door's own first.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

impl Certificate {
    /// Reads it: what a door speaks TLS with that offers these protocols (ALPN), and its own certificate (DER).
    ///
    /// # Errors
    /// A file that cannot be read or used, with what is wrong with it.
    pub fn load(&self, protocols: &[&[u8]]) -> Result<(Arc<ServerConfig>, Vec<u8>), String> {
        let (chain, key) = (chain(&self.cert)?, key(&self.key)?);
        let own = chain.first().map(|own| own.to_vec()).unwrap_or_default();
        let mut config = config(chain, key)?;
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Ok((Arc::new(config), own))
    }
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
    // A session is never resumed: connections are kept by pools.
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
