//! From when to when a certificate is good (RFC 5280, 4.1.2.5).

use std::time::SystemTime;

use crate::der::{SEQUENCE, any, element};

/// The tags of the two kinds of time; the first has two digits of the year.
const SHORT_TIME: u8 = 0x17;
const LONG_TIME: u8 = 0x18;
/// That of the version, which may be left out.
const VERSION: u8 = 0xa0;
/// Digits of `20261130031745`.
const DIGITS: usize = 14;

/// Why a certificate (DER) is not good at `now`, if it is not. One whose times cannot be read is passed over: who comes in looks
/// for itself.
pub(crate) fn fault(certificate: &[u8], now: SystemTime) -> Option<String> {
    let (from, until) = times(certificate)?;
    let now: String = telemetry::rfc3339(now).iter().filter(|byte| byte.is_ascii_digit()).take(DIGITS).map(|byte| *byte as char).collect();
    if now < from {
        return Some(format!("is not good before {}", in_words(&from)));
    }
    (now > until).then(|| format!("has expired: it was good until {}", in_words(&until)))
}

/// `Certificate ::= SEQUENCE { SEQUENCE { [0] version, serialNumber, signature, issuer, validity SEQUENCE { Time, Time }, … }, … }`,
/// as digits of UTC.
fn times(certificate: &[u8]) -> Option<(String, String)> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if any(rest)?.0 == VERSION {
        rest = any(rest)?.2;
    }
    for _ in ["serialNumber", "signature", "issuer"] {
        rest = any(rest)?.2;
    }
    let (validity, _) = element(rest, SEQUENCE)?;
    let (kind, from, rest) = any(validity)?;
    let (last_kind, until, _) = any(rest)?;
    Some((digits(kind, from)?, digits(last_kind, until)?))
}

fn digits(kind: u8, time: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let whole = match kind {
        SHORT_TIME => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        LONG_TIME => text.to_string(),
        _ => return None,
    };
    (whole.len() == DIGITS && whole.bytes().all(|byte| byte.is_ascii_digit())).then_some(whole)
}

/// `2026-11-30 03:17:45 UTC`.
fn in_words(digits: &str) -> String {
    let part = |from: usize, to: usize| &digits[from..to];
    format!("{}-{}-{} {}:{}:{} UTC", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn certificate(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        let day = |(year, month, day)| rcgen::date_time_ymd(year, month, day);
        (parameters.not_before, parameters.not_after) = (day(from), day(until));
        parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_first_and_the_last_second_are_good() {
        // 2026-11-30 and 2060-01-01, which is written with all digits of its year.
        let certificate = certificate((2026, 11, 30), (2060, 1, 1));
        let at = |seconds| fault(&certificate, UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!((at(1_795_996_800), at(2_840_140_800)), (None, None));
        assert_eq!(at(1_795_996_799).as_deref(), Some("is not good before 2026-11-30 00:00:00 UTC"));
        assert_eq!(at(2_840_140_801).as_deref(), Some("has expired: it was good until 2060-01-01 00:00:00 UTC"));
    }

    #[test]
    fn what_is_no_certificate_is_passed_over() {
        let whole = certificate((1999, 1, 1), (2000, 1, 1));
        assert!(fault(&whole, UNIX_EPOCH + Duration::from_secs(1_795_996_800)).unwrap().contains("until 2000-01-01"));
        for end in 0..whole.len() {
            assert_eq!(fault(&whole[..end], UNIX_EPOCH), None);
        }
    }
}
