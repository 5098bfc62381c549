//! A password as it is kept: its SHA-256, as Redis keeps it.

use std::fmt;

use ring::digest;
use subtle::ConstantTimeEq;

/// The longest password, bytes: what is longer is none, so that nobody keeps a loop busy with it.
const LONGEST: usize = 16 << 10;

/// The hash of a password.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hash([u8; 32]);

impl Hash {
    /// That of a password, unless it is too long to be one.
    pub(crate) fn of(password: &[u8]) -> Option<Hash> {
        let hashed = || digest::digest(&digest::SHA256, password).as_ref().try_into().expect("SHA-256 has 32 bytes");
        (password.len() <= LONGEST).then(|| Hash(hashed()))
    }

    /// The one that these 64 digits, in lower case, stand for.
    pub(crate) fn parse(digits: &[u8]) -> Option<Hash> {
        let value = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let pairs = digits.chunks_exact(2).map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?));
        let bytes = pairs.collect::<Option<Vec<u8>>>().filter(|_| digits.len() == 64)?;
        bytes.try_into().ok().map(Hash)
    }

    /// Its digits.
    pub(crate) fn digits(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether both are the same, found out in a time that says nothing of them.
    pub(crate) fn is(&self, other: &Hash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Hash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = Hash::of(b"passwd1").unwrap();
        let digits = "4bd06c5a2e2aea9ee9b3d12a3e49bf8da1a8b5f8ac5a2aea3ee9d5a2c0e6b0c1";
        assert_eq!((hash.digits().len(), digits.len()), (64, 64));
        assert!(Hash::parse(hash.digits().as_bytes()).unwrap().is(&hash));
        assert!(!Hash::parse(digits.as_bytes()).unwrap().is(&hash));
        // From FIPS 180-2, B.1.
        assert_eq!(Hash::of(b"abc").unwrap().digits(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        for wrong in [&hash.digits()[..63], &hash.digits().to_uppercase(), &format!("{}0", hash.digits()), ""] {
            assert_eq!(Hash::parse(wrong.as_bytes()), None, "{wrong}");
        }
        assert!(Hash::of(&[b'x'; LONGEST]).is_some() && Hash::of(&[b'x'; LONGEST + 1]).is_none());
        assert_eq!(format!("{hash:?}"), "Hash(…)");
    }
}
