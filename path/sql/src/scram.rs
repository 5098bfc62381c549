//! SCRAM-SHA-256 (RFC 5802, RFC 7677): what both of its sides compute. The messages are in `client::scram` (the door
//! asks for a password) and `server::scram` (the door gives one).

mod channel_binding;

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

pub(crate) use channel_binding::certificate_hash;

/// Postgres's own number of iterations.
pub(crate) const ITERATIONS: NonZeroU32 = NonZeroU32::new(4096).expect("not zero");

/// The mechanism without and with channel binding.
pub(crate) const PLAIN: &str = "SCRAM-SHA-256";
/// See [`PLAIN`].
pub(crate) const PLUS: &str = "SCRAM-SHA-256-PLUS";

/// The one channel binding that Postgres knows (RFC 5929).
pub(crate) const BINDING: &str = "tls-server-end-point";

/// Bytes of a hash.
pub(crate) const HASH: usize = 32;

pub(crate) type Hash = [u8; HASH];

/// What a server keeps of a password. Whoever has it cannot log in with it.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) salt: [u8; 16],
    pub(crate) stored: Hash,
    pub(crate) server: Hash,
}

impl Keys {
    /// Computes them; takes about a millisecond.
    pub(crate) fn new(password: &str, salt: [u8; 16]) -> Keys {
        let salted = salted_password(password, &salt, ITERATIONS);
        Keys { salt, stored: sha256(&hmac(&salted, b"Client Key")), server: hmac(&salted, b"Server Key") }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// `SaltedPassword`; takes about a quarter of a microsecond for each iteration.
pub(crate) fn salted_password(password: &str, salt: &[u8], iterations: NonZeroU32) -> Hash {
    let mut salted = [0; HASH];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, prepared(password).as_bytes(), &mut salted);
    salted
}

/// The password as SASLprep (RFC 4013) wants it; as it is where that forbids it, which is what Postgres does.
fn prepared(password: &str) -> Cow<'_, str> {
    stringprep::saslprep(password).unwrap_or(Cow::Borrowed(password))
}

pub(crate) fn hmac(key: &[u8], data: &[u8]) -> Hash {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(crate) fn sha256(data: &[u8]) -> Hash {
    digest::digest(&digest::SHA256, data).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(crate) fn xor(one: &Hash, other: &Hash) -> Hash {
    std::array::from_fn(|index| one[index] ^ other[index])
}

/// Compares in a time that does not depend on what is compared.
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(one, other).into()
}

/// Bytes that nobody can guess.
pub(crate) fn random<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    SystemRandom::new().fill(&mut bytes).expect("the system has random bytes");
    bytes
}

/// A nonce of 24 characters.
pub(crate) fn nonce() -> String {
    encode(&random::<18>())
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// The value of the attribute `name` at the start of `message`, and what follows its comma.
pub(crate) fn attribute(message: &str, name: char) -> Option<(&str, &str)> {
    let rest = message.strip_prefix(name)?.strip_prefix('=')?;
    Some(rest.split_once(',').unwrap_or((rest, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_prepared() {
        // RFC 4013, section 3.
        assert_eq!(prepared("I\u{ad}X"), "IX");
        assert_eq!(prepared("\u{2168}"), "IX");
        assert_eq!(prepared("\u{7}"), "\u{7}");
    }

    #[test]
    fn keys_are_those_of_rfc_7677() {
        let salt = decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::new("pencil", salt.try_into().unwrap());
        let auth = b"n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        assert_eq!(encode(&hmac(&keys.server, auth)), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn attributes_come_in_their_order() {
        assert_eq!(attribute("r=ab,s=c", 'r'), Some(("ab", "s=c")));
        assert_eq!(attribute("s=c", 's'), Some(("c", "")));
        assert_eq!(attribute("s=c", 'r'), None);
        assert!(is_equal(b"a", b"a") && !is_equal(b"a", b"b") && !is_equal(b"a", b"ab"));
    }
}
