//! SCRAM-SHA-256 as the side that asks for the password: two messages in, two out, no IO. Faults as Postgres words them.

use super::Mechanism;
use crate::error::{Fault, code};
use crate::scram::{BINDING, Keys, attribute, decode, encode, hmac, is_equal, sha256, xor};

/// What is known between the client's two messages.
#[derive(Debug)]
pub(super) struct Exchange {
    keys: Keys,
    /// What the client must send as its channel binding.
    binding: String,
    nonce: String,
    /// `AuthMessage` so far: the client's first without its header, and our first.
    spoken: String,
}

/// What came of the client's last message.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It knows the password; the message that proves that so do we.
    Right(String),
    /// It does not.
    Wrong,
}

/// Reads the client's first message; gives our first. `nonce` is ours, `binding` the hash of the certificate under TLS.
pub(super) fn begin(
    message: &str,
    mechanism: Mechanism,
    keys: Keys,
    binding: Option<&[u8]>,
    nonce: &str,
) -> Result<(Exchange, String), Fault> {
    let (flag, rest) = message.split_once(',').ok_or_else(|| malformed("Comma expected after the channel-binding flag."))?;
    let bound = bind(flag, mechanism, binding)?;
    let (authorization, bare) = rest.split_once(',').ok_or_else(|| malformed("Comma expected after the authorization identity."))?;
    if !authorization.is_empty() {
        return Err(unsupported("client uses authorization identity, but it is not supported"));
    }
    let header = &message[..message.len() - bare.len()];
    let binding = encode(&[header.as_bytes(), bound].concat());
    let nonce = format!("{}{nonce}", client_nonce(bare)?);
    let first = format!("r={nonce},s={},i={}", encode(&keys.salt), crate::scram::ITERATIONS);
    Ok((Exchange { keys, binding, nonce, spoken: format!("{bare},{first}") }, first))
}

/// What the channel is bound to, given the client's flag.
fn bind<'b>(flag: &str, mechanism: Mechanism, binding: Option<&'b [u8]>) -> Result<&'b [u8], Fault> {
    match (flag, mechanism, binding) {
        ("n", Mechanism::Plain, _) | ("y", Mechanism::Plain, None) => Ok(&[]),
        ("y", Mechanism::Plain, Some(_)) => Err(Fault::new(code::INVALID_AUTHORIZATION, "SCRAM channel binding negotiation error").detail(
            "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.",
        )),
        ("n" | "y", Mechanism::Plus, _) => {
            Err(malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data."))
        }
        (_, Mechanism::Plus, Some(binding)) if flag.strip_prefix("p=") == Some(BINDING) => Ok(binding),
        (_, Mechanism::Plus, _) if flag.starts_with("p=") => Err(Fault::protocol("unsupported SCRAM channel-binding type")),
        _ if flag.starts_with("p=") => Err(malformed(
            "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
        )),
        _ => Err(malformed("Unexpected channel-binding flag.")),
    }
}

/// The nonce of a first message without its header: `n=name,r=nonce` and extensions that may be ignored.
fn client_nonce(bare: &str) -> Result<&str, Fault> {
    if bare.starts_with("m=") {
        return Err(unsupported("client requires an unsupported SCRAM extension"));
    }
    let (_, rest) = attribute(bare, 'n').ok_or_else(|| malformed("Expected attribute \"n\"."))?;
    let (nonce, _) = attribute(rest, 'r').ok_or_else(|| malformed("Expected attribute \"r\"."))?;
    if nonce.is_empty() || !nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::protocol("non-printable characters in SCRAM nonce"));
    }
    Ok(nonce)
}

impl Exchange {
    /// Reads the client's last message.
    pub(super) fn finish(self, message: &str) -> Result<Outcome, Fault> {
        let (said, proof) = message.rsplit_once(",p=").ok_or_else(|| malformed("Expected attribute \"p\"."))?;
        let (binding, rest) = attribute(said, 'c').ok_or_else(|| malformed("Expected attribute \"c\"."))?;
        if !is_equal(binding.as_bytes(), self.binding.as_bytes()) {
            return Err(Fault::new(code::INVALID_AUTHORIZATION, "SCRAM channel binding check failed"));
        }
        let (nonce, _) = attribute(rest, 'r').ok_or_else(|| malformed("Expected attribute \"r\"."))?;
        if !is_equal(nonce.as_bytes(), self.nonce.as_bytes()) {
            return Err(Fault::protocol("invalid SCRAM response").detail("Nonce does not match."));
        }
        let proof = decode(proof).and_then(|proof| proof.try_into().ok());
        let proof = proof.ok_or_else(|| malformed("Malformed proof in client-final-message."))?;
        let spoken = format!("{},{said}", self.spoken);
        let client_key = xor(&proof, &hmac(&self.keys.stored, spoken.as_bytes()));
        // Both are computed whatever the first says: an unknown user takes as long as a wrong password.
        let signature = format!("v={}", encode(&hmac(&self.keys.server, spoken.as_bytes())));
        Ok(if is_equal(&sha256(&client_key), &self.keys.stored) { Outcome::Right(signature) } else { Outcome::Wrong })
    }
}

fn malformed(detail: &'static str) -> Fault {
    Fault::protocol("malformed SCRAM message").detail(detail)
}

fn unsupported(message: &'static str) -> Fault {
    Fault::new(code::FEATURE_NOT_SUPPORTED, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT_NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const OUR_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn keys() -> Keys {
        Keys::new("pencil", decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap())
    }

    fn begun(first: &str, mechanism: Mechanism, binding: Option<&[u8]>) -> Result<(Exchange, String), Fault> {
        begin(first, mechanism, keys(), binding, OUR_NONCE)
    }

    fn last(binding: &str, nonce: &str, proof: &str) -> Result<Outcome, Fault> {
        let (exchange, _) = begun(&format!("n,,n=user,r={CLIENT_NONCE}"), Mechanism::Plain, None).unwrap();
        exchange.finish(&format!("c={binding},r={CLIENT_NONCE}{nonce},p={proof}"))
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let (_, first) = begun(&format!("n,,n=user,r={CLIENT_NONCE}"), Mechanism::Plain, None).unwrap();
        assert_eq!(first, format!("r={CLIENT_NONCE}{OUR_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
        let Ok(Outcome::Right(signature)) = last("biws", OUR_NONCE, PROOF) else { panic!("refused") };
        assert_eq!(signature, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_wrong_proof_nonce_or_binding_is_refused() {
        assert!(matches!(last("biws", OUR_NONCE, &encode(&[7; 32])), Ok(Outcome::Wrong)));
        assert_eq!(last("biws", "other", PROOF).unwrap_err().detail.as_deref(), Some("Nonce does not match."));
        assert_eq!(last("eSws", OUR_NONCE, PROOF).unwrap_err().code, code::INVALID_AUTHORIZATION);
        for proof in ["", "????", "AAAA"] {
            assert_eq!(last("biws", OUR_NONCE, proof).unwrap_err().code, code::PROTOCOL_VIOLATION);
        }
    }

    #[test]
    fn channel_binding_cannot_be_talked_away() {
        let hash = Some(&b"hash"[..]);
        let code_of =
            |flag: &str, mechanism, binding| begun(&format!("{flag},,n=,r=abc"), mechanism, binding).err().map(|fault| fault.code);
        assert_eq!(code_of("n", Mechanism::Plain, hash), None);
        assert_eq!(code_of("y", Mechanism::Plain, None), None);
        assert_eq!(code_of("y", Mechanism::Plain, hash), Some(code::INVALID_AUTHORIZATION));
        assert_eq!(code_of("n", Mechanism::Plus, hash), Some(code::PROTOCOL_VIOLATION));
        assert_eq!(code_of("p=tls-unique", Mechanism::Plus, hash), Some(code::PROTOCOL_VIOLATION));
        assert_eq!(code_of("p=tls-server-end-point", Mechanism::Plain, hash), Some(code::PROTOCOL_VIOLATION));
        assert_eq!(code_of("p=tls-server-end-point", Mechanism::Plus, hash), None);
        let (exchange, _) = begun("p=tls-server-end-point,,n=,r=abc", Mechanism::Plus, hash).unwrap();
        assert_eq!(exchange.binding, encode(b"p=tls-server-end-point,,hash"));
    }

    #[test]
    fn malformed_first_messages_are_refused() {
        for bad in ["", "n", "n,", "x,,n=,r=a", "n,,", "n,,n=", "n,,n=,r=", "n,,n=,r=\u{7}", "n,,r=a", "n,,n=,s=a"] {
            assert_eq!(begun(bad, Mechanism::Plain, None).unwrap_err().code, code::PROTOCOL_VIOLATION, "{bad:?}");
        }
        for unsupported in ["n,a=other,n=,r=a", "n,,m=x,n=,r=a"] {
            assert_eq!(begun(unsupported, Mechanism::Plain, None).unwrap_err().code, code::FEATURE_NOT_SUPPORTED);
        }
    }
}
