//! The field names that the door cares about, recognised by length and bytes.

/// A field name that some stage of the door asks for, or `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the field of that name
pub enum Known {
    Other,
    /// A name with `_` that would be a known one with `-` (`X_Forwarded_For`): apps that see fields as CGI variables
    /// could not tell it from the real one. Never forwarded.
    Disguised,
    Accept,
    AcceptEncoding,
    Authorization,
    CacheControl,
    Connection,
    ContentEncoding,
    ContentLength,
    ContentRange,
    ContentSecurityPolicy,
    ContentType,
    Cookie,
    Date,
    Etag,
    Expect,
    Forwarded,
    Host,
    IfMatch,
    IfModifiedSince,
    IfNoneMatch,
    IfRange,
    IfUnmodifiedSince,
    KeepAlive,
    LastModified,
    Location,
    Origin,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyConnection,
    Range,
    Referer,
    ReferrerPolicy,
    RetryAfter,
    SecWebSocketAccept,
    SecWebSocketKey,
    Server,
    SetCookie,
    StrictTransportSecurity,
    Te,
    Traceparent,
    Tracestate,
    Trailer,
    TransferEncoding,
    Upgrade,
    UserAgent,
    Vary,
    Via,
    XContentTypeOptions,
    XForwardedFor,
    XForwardedHost,
    XForwardedPort,
    XForwardedProto,
    XFrameOptions,
    XRealIp,
    XRequestId,
}

use Known::*;

impl Known {
    /// Which field `name`, a token, is, whatever its case.
    #[inline]
    pub fn of(name: &[u8]) -> Known {
        let candidates = candidates(name.len());
        let (Some(first), Some(last)) = (name.first(), name.last()) else { return Other };
        if candidates.is_empty() {
            return Other;
        }
        // most names are none of their length's: two bytes tell, the comparison of all is for a match
        let ends = (first | 0x20, last | 0x20);
        let is_it = |text: &[u8]| ends == (text[0], text[text.len() - 1]) && is_same(name, text);
        match candidates.iter().find(|(text, _)| is_it(text)) {
            Some(&(_, known)) => known,
            None if name.iter().fold(false, |found, &byte| found | (byte == b'_')) => Known::with_underscores(name),
            None => Other,
        }
    }

    fn with_underscores(name: &[u8]) -> Known {
        let same = |text: &[u8]| text.iter().zip(name).all(|(&a, &b)| a == if b == b'_' { b'-' } else { b.to_ascii_lowercase() });
        if candidates(name.len()).iter().any(|(text, _)| same(text)) { Disguised } else { Other }
    }

    /// Whether it concerns one connection only and is never forwarded (RFC 9110 7.6.1), or must not be (`Disguised`).
    #[inline]
    pub fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Connection | Disguised | KeepAlive | ProxyAuthenticate | ProxyAuthorization | ProxyConnection | Te | TransferEncoding | Upgrade
        )
    }

    /// Whether it may not stand in a trailer: framing, routing, authentication, and what was decided before the body (RFC 9110 6.5.1).
    pub fn is_barred_from_trailers(self) -> bool {
        !matches!(self, Other | Etag | Date)
    }
}

/// Whether the token `name` is `text` (of the same length, `a-z` and `-` only) in any case; eight bytes at a time. In a token
/// nothing but the letter itself becomes a small letter by the bit 0x20, and nothing but `-` becomes `-`.
#[inline]
fn is_same(name: &[u8], text: &[u8]) -> bool {
    let (names, name_rest) = name.as_chunks::<8>();
    let (texts, text_rest) = text.as_chunks::<8>();
    let word = |bytes: &[u8; 8]| u64::from_ne_bytes(*bytes);
    names.iter().zip(texts).all(|(a, b)| word(a) | 0x2020_2020_2020_2020 == word(b))
        && name_rest.iter().zip(text_rest).all(|(a, b)| a | 0x20 == *b)
}

/// The known names of a length, lower case.
fn candidates(length: usize) -> &'static [(&'static [u8], Known)] {
    match length {
        2 => &[(b"te", Te)],
        3 => &[(b"via", Via)],
        4 => &[(b"host", Host), (b"date", Date), (b"etag", Etag), (b"vary", Vary)],
        5 => &[(b"range", Range)],
        6 => &[(b"accept", Accept), (b"cookie", Cookie), (b"origin", Origin), (b"expect", Expect), (b"server", Server)],
        7 => &[(b"referer", Referer), (b"upgrade", Upgrade), (b"trailer", Trailer)],
        8 => &[(b"if-match", IfMatch), (b"if-range", IfRange), (b"location", Location)],
        9 => &[(b"forwarded", Forwarded), (b"x-real-ip", XRealIp)],
        10 => &[
            (b"connection", Connection),
            (b"user-agent", UserAgent),
            (b"set-cookie", SetCookie),
            (b"keep-alive", KeepAlive),
            (b"tracestate", Tracestate),
        ],
        11 => &[(b"traceparent", Traceparent), (b"retry-after", RetryAfter)],
        12 => &[(b"content-type", ContentType), (b"x-request-id", XRequestId)],
        13 => &[
            (b"cache-control", CacheControl),
            (b"authorization", Authorization),
            (b"if-none-match", IfNoneMatch),
            (b"last-modified", LastModified),
            (b"content-range", ContentRange),
        ],
        14 => &[(b"content-length", ContentLength)],
        15 => &[
            (b"accept-encoding", AcceptEncoding),
            (b"x-forwarded-for", XForwardedFor),
            (b"x-frame-options", XFrameOptions),
            (b"referrer-policy", ReferrerPolicy),
        ],
        16 => &[
            (b"content-encoding", ContentEncoding),
            (b"x-forwarded-host", XForwardedHost),
            (b"x-forwarded-port", XForwardedPort),
            (b"proxy-connection", ProxyConnection),
        ],
        17 => &[
            (b"transfer-encoding", TransferEncoding),
            (b"if-modified-since", IfModifiedSince),
            (b"x-forwarded-proto", XForwardedProto),
            (b"sec-websocket-key", SecWebSocketKey),
        ],
        18 => &[(b"proxy-authenticate", ProxyAuthenticate)],
        19 => &[(b"if-unmodified-since", IfUnmodifiedSince), (b"proxy-authorization", ProxyAuthorization)],
        20 => &[(b"sec-websocket-accept", SecWebSocketAccept)],
        22 => &[(b"x-content-type-options", XContentTypeOptions)],
        23 => &[(b"content-security-policy", ContentSecurityPolicy)],
        25 => &[(b"strict-transport-security", StrictTransportSecurity)],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_candidate_stands_under_its_length_and_is_lower_case() {
        for length in 0..64 {
            for (name, known) in candidates(length) {
                assert_eq!(name.len(), length, "{known:?}");
                assert!(name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-'), "{known:?}");
                assert_eq!(Known::of(&name.to_ascii_uppercase()), *known);
                assert_eq!(Known::of(name), *known);
                for at in 0..length {
                    let mut other = name.to_vec();
                    other[at] = if other[at] == b'-' { b'.' } else { b'-' };
                    assert_ne!(Known::of(&other), *known);
                }
            }
        }
    }

    #[test]
    fn a_known_name_in_disguise_is_seen() {
        assert_eq!(Known::of(b"X_Forwarded_For"), Disguised);
        assert_eq!(Known::of(b"Content_Length"), Disguised);
        assert_eq!(Known::of(b"x-forwarded_for"), Disguised);
        assert_eq!(Known::of(b"my_own_field"), Other);
        assert!(Disguised.is_hop_by_hop());
    }
}
