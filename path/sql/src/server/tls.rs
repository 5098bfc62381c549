//! TLS towards servers: how much of it, and whom to believe.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::plan::{ServerTls, SslMode};

/// A plan's `sslmode`, ready for use: certificates to trust are read.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    pub(super) mode: SslMode,
    /// `None`: never TLS.
    pub(crate) config: Option<Arc<ClientConfig>>,
}

impl Trust {
    /// Reads what the plan names; takes milliseconds, so not on a loop.
    ///
    /// # Errors
    /// What cannot be read.
    pub(crate) fn new(plan: &ServerTls) -> Result<Trust, String> {
        let config = (plan.mode != SslMode::Disable).then(|| config(plan)).transpose()?;
        Ok(Trust { mode: plan.mode, config })
    }
}

fn config(plan: &ServerTls) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?.dangerous();
    let verifier = Verifier { algorithms: provider.signature_verification_algorithms, checks: checks(plan, provider)? };
    Ok(Arc::new(builder.with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth()))
}

/// As libpq: `require` with certificates given is `verify-ca`.
fn checks(plan: &ServerTls, provider: Arc<CryptoProvider>) -> Result<Option<Checks>, String> {
    let is_checked = matches!(plan.mode, SslMode::VerifyCa | SslMode::VerifyFull) || plan.mode == SslMode::Require && plan.roots.is_some();
    if !is_checked {
        return Ok(None);
    }
    let given = plan.roots.as_deref().map(given).transpose()?.unwrap_or_default();
    let store = if plan.roots.is_some() { store(&given)? } else { system()? };
    let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build().map_err(|error| error.to_string())?;
    Ok(Some(Checks { chain, given, with_name: plan.mode == SslMode::VerifyFull }))
}

fn system() -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() { Err("this system has no certificates to trust; give sslrootcert".into()) } else { Ok(store) }
}

fn given(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, _>>();
    match read() {
        Ok(found) if found.is_empty() => Err(format!("`sslrootcert`: {} holds no certificate in PEM", path.display())),
        other => other.map_err(|error| format!("`sslrootcert`: {} cannot be read: {error}", path.display())),
    }
}

fn store(given: &[CertificateDer<'static>]) -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    for certificate in given {
        store.add(certificate.clone()).map_err(|error| format!("`sslrootcert`: a certificate cannot be used: {error}"))?;
    }
    Ok(store)
}

/// Looks at the certificate as far as the plan says, and at every signature.
#[derive(Debug)]
struct Verifier {
    algorithms: WebPkiSupportedAlgorithms,
    /// `None`: believes every certificate; `sslmode=prefer` and `require` only keep others from listening.
    checks: Option<Checks>,
}

/// Checks who signed the certificate, and whose it is where that is asked for.
#[derive(Debug)]
struct Checks {
    chain: Arc<WebPkiServerVerifier>,
    /// The certificates of `sslrootcert`.
    given: Vec<CertificateDer<'static>>,
    with_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(Checks { chain: signed, given, with_name }) = &self.checks else { return Ok(ServerCertVerified::assertion()) };
        // One that signed itself, as the guide of Postgres makes it: it is an authority, which rustls lets nobody be.
        if given.iter().any(|given| given == own) {
            if *with_name {
                verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        match signed.verify_server_cert(own, chain, name, ocsp, now) {
            // The name is looked at once the chain was found good.
            Err(Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }))
                if !with_name =>
            {
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, own, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, own, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
