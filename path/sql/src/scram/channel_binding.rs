//! What SCRAM binds a login to under TLS: `tls-server-end-point` (RFC 5929, section 4.1), a hash of the certificate.

use ring::digest;

use tls::der::{OBJECT_IDENTIFIER, SEQUENCE, element};

/// Object identifiers of signatures by the hash in them, as their DER content. MD5 and SHA-1 count as SHA-256.
const SHA_256: &[&[u8]] = &[
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
];
const SHA_384: &[&[u8]] = &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]];
const SHA_512: &[&[u8]] = &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13], &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4]];

/// The hash of a certificate (DER); `None` for signatures without a hash of their own (Ed25519, RSA-PSS).
pub(crate) fn certificate_hash(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = signature(certificate)?;
    let hash = [(SHA_256, &digest::SHA256), (SHA_384, &digest::SHA384), (SHA_512, &digest::SHA512)];
    let (_, hash) = hash.into_iter().find(|(known, _)| known.contains(&algorithm))?;
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … }` (RFC 5280, 4.1).
fn signature(certificate: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (_, rest) = element(certificate, SEQUENCE)?;
    let (algorithm, _) = element(rest, SEQUENCE)?;
    Some(element(algorithm, OBJECT_IDENTIFIER)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(signature: &'static rcgen::SignatureAlgorithm) -> Vec<u8> {
        let key = rcgen::KeyPair::generate_for(signature).unwrap();
        rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let hashed = |hash, certificate: &[u8]| Some(digest::digest(hash, certificate).as_ref().to_vec());
        let with_256 = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(certificate_hash(&with_256), hashed(&digest::SHA256, &with_256));
        let with_384 = certificate(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(certificate_hash(&with_384), hashed(&digest::SHA384, &with_384));
        assert_eq!(certificate_hash(&certificate(&rcgen::PKCS_ED25519)), None);
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        let whole = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        for end in 0..whole.len() {
            assert_eq!(certificate_hash(&whole[..end]), None);
        }
        assert_eq!(certificate_hash(&[0x30, 0xff, 0x30]), None);
    }
}
