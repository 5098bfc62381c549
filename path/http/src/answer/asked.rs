/// What the site and the small answers need to know of a request. Field values are as sent, without outer blanks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The method, case kept.
    pub method: &'a [u8],
    /// The plain path of `accept::plain`: begins with `/`, percent-decoded once, without dot or empty segments and without query.
    pub path: &'a [u8],
    /// The query without its `?`.
    pub query: Option<&'a [u8]>,
    /// `Accept`.
    pub accept: Option<&'a [u8]>,
    /// `Accept-Encoding`.
    pub accept_encoding: Option<&'a [u8]>,
    /// `Sec-Fetch-Mode`: tells a browser's navigation from its scripts' requests.
    pub fetch_mode: Option<&'a [u8]>,
    /// `Range`.
    pub range: Option<&'a [u8]>,
    /// `If-Range`.
    pub if_range: Option<&'a [u8]>,
    /// `If-Match`; several fields joined by commas.
    pub if_match: Option<&'a [u8]>,
    /// `If-None-Match`; several fields joined by commas.
    pub if_none_match: Option<&'a [u8]>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<&'a [u8]>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<&'a [u8]>,
}

impl Asked<'_> {
    /// Whether the answer must have no body.
    pub fn is_head(&self) -> bool {
        self.method == b"HEAD"
    }
}

/// What is particular to one exchange and goes into every head written here.
#[derive(Debug, Clone, Copy)]
pub struct Splice<'a> {
    /// The value of `Date` (see [`Clock`](super::Clock)).
    pub date: &'a [u8; 29],
    /// The value of `X-Request-Id`; empty: no such field.
    pub request_id: &'a [u8],
    /// The value of `Connection`: `close`, `keep-alive` (to an HTTP/1.0 client that asked for it) or empty for no such field.
    pub connection: &'static [u8],
}

impl Splice<'_> {
    /// Ends a head: `Date`, `X-Request-Id`, `Connection` and the empty line.
    pub fn finish(&self, head: &mut Vec<u8>) {
        field(head, b"Date: ", self.date);
        if !self.request_id.is_empty() {
            field(head, b"X-Request-Id: ", self.request_id);
        }
        if !self.connection.is_empty() {
            field(head, b"Connection: ", self.connection);
        }
        head.extend_from_slice(b"\r\n");
    }
}

/// Writes one field; `name` carries its colon and blank.
pub(super) fn field(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    head.extend_from_slice(name);
    head.extend_from_slice(value);
    head.extend_from_slice(b"\r\n");
}

/// Writes `number` in decimal.
pub(super) fn decimal(head: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    head.extend_from_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_whole() {
        let mut out = Vec::new();
        for number in [0, 7, 10, 65_536, u64::MAX] {
            decimal(&mut out, number);
            out.push(b' ');
        }
        assert_eq!(out, b"0 7 10 65536 18446744073709551615 ");
    }
}
