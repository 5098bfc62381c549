use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The text of `Date` (RFC 9110 5.6.7), made once a second. One per loop.
#[derive(Debug)]
pub struct Clock {
    second: u64,
    text: [u8; 29],
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { second: 0, text: *b"Thu, 01 Jan 1970 00:00:00 GMT" }
    }
}

impl Clock {
    /// The text for `now`; costs a comparison unless the second has changed.
    pub fn date(&mut self, now: SystemTime) -> &[u8; 29] {
        let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if second != self.second {
            self.second = second;
            self.text = http_date(second);
        }
        &self.text
    }
}

/// An HTTP date of `second` since 1970; the last one of the year 9999 when beyond it.
pub(super) fn http_date(second: u64) -> [u8; 29] {
    let mut text = *b"Fri, 31 Dec 9999 23:59:59 GMT";
    let time = UNIX_EPOCH + Duration::from_secs(second.min(253_402_300_799));
    // 29 bytes is the length of every such date, so this write fits.
    let _ = write!(&mut text[..], "{}", httpdate::HttpDate::from(time));
    text
}

/// Seconds since 1970 of an HTTP date in any of its three forms; `None` when it is none.
pub(super) fn parse_http_date(value: &[u8]) -> Option<u64> {
    let time = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_follows_the_second() {
        let mut clock = Clock::default();
        let at = |second| UNIX_EPOCH + Duration::from_secs(second);
        assert_eq!(clock.date(at(784_111_777)), b"Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(clock.date(at(784_111_778)), b"Sun, 06 Nov 1994 08:49:38 GMT");
    }

    #[test]
    fn all_three_forms_are_read() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse_http_date(text.as_bytes()), Some(784_111_777), "{text}");
        }
        assert_eq!(parse_http_date(b"yesterday"), None);
    }
}
