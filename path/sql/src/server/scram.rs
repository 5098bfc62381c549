//! SCRAM-SHA-256 as the side that has the password: two messages out, two in, no IO.

use std::num::NonZeroU32;

use crate::scram::{BINDING, PLAIN, PLUS, attribute, decode, encode, hmac, is_equal, salted_password, sha256, xor};

/// Most iterations done for a server: seconds of work.
const MOST: u32 = 10_000_000;

/// Between our two messages.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) mechanism: &'static str,
    /// Our first message.
    pub(super) first: String,
    header: &'static str,
    binding: Vec<u8>,
    nonce: String,
}

/// Our last message, and what the server must answer.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) last: String,
    signature: [u8; 32],
}

/// What a server did wrong.
pub(super) type Wrong = &'static str;

/// Chooses one of the server's mechanisms. `binding`: the hash of its certificate under TLS, when it has one.
pub(super) fn begin(offered: &[&[u8]], binding: Option<Vec<u8>>, nonce: String) -> Result<Exchange, Wrong> {
    let is_offered = |name: &str| offered.contains(&name.as_bytes());
    let (mechanism, header, binding) = match binding {
        Some(binding) if is_offered(PLUS) => (PLUS, "p=tls-server-end-point,,", binding),
        _ if !is_offered(PLAIN) => return Err("it offers no SASL mechanism but ones that Plimsoll does not know"),
        Some(_) => (PLAIN, "y,,", Vec::new()),
        None => (PLAIN, "n,,", Vec::new()),
    };
    debug_assert!(mechanism == PLAIN || header.contains(BINDING));
    Ok(Exchange { mechanism, first: format!("{header}n=,r={nonce}"), header, binding, nonce })
}

impl Exchange {
    /// Answers the server's first message. Takes milliseconds: not for a loop.
    pub(super) fn prove(&self, message: &str, password: &str) -> Result<Proof, Wrong> {
        let wrong = "its SCRAM message is malformed";
        let (nonce, rest) = attribute(message, 'r').ok_or(wrong)?;
        let (salt, rest) = attribute(rest, 's').ok_or(wrong)?;
        let (iterations, _) = attribute(rest, 'i').ok_or(wrong)?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("its SCRAM nonce does not begin with ours");
        }
        let salt = decode(salt).ok_or(wrong)?;
        let iterations = iterations.parse::<NonZeroU32>().ok().filter(|count| count.get() <= MOST).ok_or(wrong)?;
        let salted = salted_password(password, &salt, iterations);
        let binding = encode(&[self.header.as_bytes(), &self.binding].concat());
        let said = format!("c={binding},r={nonce}");
        let spoken = format!("{},{message},{said}", &self.first[self.header.len()..]);
        let client_key = hmac(&salted, b"Client Key");
        let proof = xor(&client_key, &hmac(&sha256(&client_key), spoken.as_bytes()));
        let signature = hmac(&hmac(&salted, b"Server Key"), spoken.as_bytes());
        Ok(Proof { last: format!("{said},p={}", encode(&proof)), signature })
    }
}

impl Proof {
    /// Whether the server's last message shows that it knows the password too.
    pub(super) fn is_answered(&self, message: &str) -> bool {
        let signature = attribute(message, 'v').and_then(|(value, _)| decode(value));
        signature.is_some_and(|signature| is_equal(&signature, &self.signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";

    fn exchange() -> Exchange {
        begin(&[PLAIN.as_bytes()], None, NONCE.into()).unwrap()
    }

    #[test]
    fn the_example_of_rfc_7677() {
        // The example names the user, which Postgres's clients leave to the startup packet.
        let exchange = Exchange { first: format!("n,,n=user,r={NONCE}"), ..exchange() };
        let first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = exchange.prove(first, "pencil").unwrap();
        let said = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        assert_eq!(proof.last, format!("{said},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        assert!(proof.is_answered("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        assert!(!proof.is_answered("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5="));
        assert!(!proof.is_answered("e=other-error") && !proof.is_answered(""));
    }

    #[test]
    fn mechanisms_are_chosen_by_what_is_offered() {
        let chosen = |offered: &[&[u8]], binding: Option<&[u8]>| begin(offered, binding.map(<[u8]>::to_vec), "x".into());
        let both = [PLUS.as_bytes(), PLAIN.as_bytes()];
        assert_eq!(chosen(&both, Some(b"hash")).unwrap().first, "p=tls-server-end-point,,n=,r=x");
        assert_eq!(chosen(&both, None).unwrap().first, "n,,n=,r=x");
        assert_eq!(chosen(&both[1..], Some(b"hash")).unwrap().first, "y,,n=,r=x");
        assert!(chosen(&both[..1], None).is_err() && chosen(&[b"OAUTHBEARER"], None).is_err());
    }

    #[test]
    fn a_challenge_that_is_malformed_or_not_ours_is_refused() {
        for bad in ["", "r=", "r=other,s=AAAA,i=1", "r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=1", "r=rOprNGfwEbeRWgbNEkqOx,s=?,i=1"] {
            assert!(exchange().prove(bad, "x").is_err(), "{bad}");
        }
        for iterations in ["0", "-1", "10000001", "4294967296", ""] {
            assert!(exchange().prove(&format!("r={NONCE}x,s=AAAA,i={iterations}"), "x").is_err());
        }
    }
}
