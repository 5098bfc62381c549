//! The request line and authorities: method, target in its forms, version.

use super::field::{Span, is_token_byte};
use super::refusal::Refusal;

/// The methods the door or its metrics tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)] // each is the method of that name
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Patch,
    Options,
    /// Any other token, forwarded as written; and of a head that was refused.
    #[default]
    Other,
}

impl Method {
    /// Which method `text` is; case counts.
    pub fn of(text: &[u8]) -> Method {
        match text {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"PATCH" => Method::Patch,
            b"OPTIONS" => Method::Options,
            _ => Method::Other,
        }
    }

    /// Its name, `OTHER` for those not told apart; for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Patch => "PATCH",
            Method::Options => "OPTIONS",
            Method::Other => "OTHER",
        }
    }

    /// Safe and so also idempotent (RFC 9110 9.2): GET, HEAD, OPTIONS.
    pub fn is_safe(self) -> bool {
        matches!(self, Method::Get | Method::Head | Method::Options)
    }
}

/// The version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1, and any later HTTP/1.
    #[default]
    Http11,
}

/// Form of the target (RFC 9112 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// `/path?query`.
    #[default]
    Origin,
    /// `http://host/path?query`.
    Absolute,
    /// `*`, only of OPTIONS.
    Asterisk,
}

const MALFORMED: Refusal = Refusal::bad("a malformed request line");

/// Bytes of a method; none in use has more than 17.
const LONGEST_METHOD: usize = 64;

/// Bytes of ` HTTP/1.1` with CR LF.
const LONGEST_VERSION: usize = 11;

/// A request line taken apart.
#[derive(Debug)]
pub struct RequestLine {
    pub method: Method,
    pub method_text: Span,
    pub form: Form,
    pub target: Span,
    pub path: Span,
    pub query: Option<Span>,
    pub version: Version,
    /// Authority of the absolute form.
    pub authority: Option<Span>,
    /// Port that an authority without one means.
    pub default_port: &'static [u8],
}

/// Reads the request line that starts at `start`; the line's CR LF is in `buffer`.
pub fn read(buffer: &[u8], start: usize, most: usize) -> Result<RequestLine, Refusal> {
    let bytes = &buffer[start..];
    let method_end = memchr::memchr2(b' ', b'\r', bytes).unwrap_or(bytes.len());
    let method_text = &bytes[..method_end];
    if method_text.is_empty()
        || method_end > LONGEST_METHOD
        || !method_text.iter().all(|&byte| is_token_byte(byte))
        || bytes.get(method_end) != Some(&b' ')
    {
        return Err(MALFORMED);
    }
    let from = method_end + 1;
    let length = bytes[from..].iter().position(|&byte| !is_target_byte(byte)).unwrap_or(bytes.len() - from);
    if length > most {
        return Err(Refusal::new(414, "the target is too long"));
    }
    let (target, rest) = bytes[from..].split_at(length);
    let version = read_version(rest)?;
    let mut line = RequestLine {
        method: Method::of(method_text),
        method_text: Span::new(start, start + method_end),
        form: Form::Origin,
        target: Span::new(start + from, start + from + length),
        path: Span::default(),
        query: None,
        version,
        authority: None,
        default_port: b"80",
    };
    read_target(&mut line, target, buffer)?;
    Ok(line)
}

fn read_version(rest: &[u8]) -> Result<Version, Refusal> {
    match rest {
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b'\r', b'\n', ..] => Ok(Version::Http11),
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', b'\r', b'\n', ..] => Ok(Version::Http10),
        // A later minor is read as the last one known (RFC 9110 2.5).
        [b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9', b'\r', b'\n', ..] => Ok(Version::Http11),
        [b' ', b'H', b'T', b'T', b'P', b'/', major, b'.', minor, b'\r', b'\n', ..] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Refusal::new(505, "a version other than HTTP/1"))
        }
        _ => Err(MALFORMED),
    }
}

fn read_target(line: &mut RequestLine, target: &[u8], buffer: &[u8]) -> Result<(), Refusal> {
    let method = line.method_text.of_buffer(buffer);
    if line.method == Method::Other && (method == b"CONNECT" || method == b"TRACE") {
        return Err(Refusal::new(405, "CONNECT and TRACE are not served"));
    }
    match target {
        [b'/', ..] => {}
        b"*" if line.method == Method::Options => {
            (line.form, line.path) = (Form::Asterisk, line.target);
            return Ok(());
        }
        _ => read_absolute(line, target)?,
    }
    let text = line.target.of_buffer(buffer);
    let (start, end) = (line.target.start as usize, line.target.end as usize);
    let mark = memchr::memchr(b'?', text).map(|at| start + at);
    line.path = Span::new(start, mark.unwrap_or(end));
    line.query = mark.map(|mark| Span::new(mark + 1, end));
    Ok(())
}

fn read_absolute(line: &mut RequestLine, target: &[u8]) -> Result<(), Refusal> {
    const BAD: Refusal = Refusal::bad("a target in no form that is served");
    let scheme = memchr::memchr(b':', target).ok_or(BAD)?;
    line.default_port = match &target[..scheme] {
        name if name.eq_ignore_ascii_case(b"http") => b"80",
        name if name.eq_ignore_ascii_case(b"https") => b"443",
        _ => return Err(BAD),
    };
    let rest = target[scheme + 1..].strip_prefix(b"//").ok_or(BAD)?;
    let length = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    check_authority(&rest[..length]).ok_or(BAD)?;
    let start = line.target.start as usize + scheme + 3;
    line.form = Form::Absolute;
    line.authority = Some(Span::new(start, start + length));
    line.target = Span::new(start + length, line.target.end as usize);
    Ok(())
}

/// Visible ASCII without `#`: a fragment is never sent, and bytes above ASCII must be percent-encoded (RFC 3986).
#[inline]
fn is_target_byte(byte: u8) -> bool {
    byte > b' ' && byte < 0x7f && byte != b'#'
}

/// Looks at a request line that is perhaps not all there: 400 when it does not begin with a method, 414 when its target is
/// too long. Costs nothing while the line is short.
pub fn check_begun(bytes: &[u8], most: usize) -> Result<(), Refusal> {
    match bytes {
        [] | [b'\r'] => return Ok(()),
        [first, ..] if !is_token_byte(*first) => return Err(MALFORMED),
        _ if bytes.len() <= LONGEST_METHOD => return Ok(()),
        _ => {}
    }
    let space = memchr::memchr(b' ', &bytes[..=LONGEST_METHOD]).ok_or(MALFORMED)?;
    if !bytes[..space].iter().all(|&byte| is_token_byte(byte)) {
        return Err(MALFORMED);
    }
    let begun = &bytes[space + 1..];
    if begun.len() > most && begun[..=most].iter().all(|&byte| is_target_byte(byte)) {
        return Err(Refusal::new(414, "the target is too long"));
    }
    if begun.len() > most + LONGEST_VERSION && memchr::memchr(b'\n', &begun[..=most + LONGEST_VERSION]).is_none() {
        return Err(MALFORMED);
    }
    Ok(())
}

/// Host and port if `text` is a host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
pub fn check_authority(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (host, port) = split_port(text)?;
    let is_host = match host {
        [b'[', inner @ .., b']'] => std::str::from_utf8(inner).ok()?.parse::<std::net::Ipv6Addr>().is_ok(),
        _ => {
            !host.is_empty()
                && host.len() <= 255
                && host.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        }
    };
    is_host.then_some((host, port))
}

fn split_port(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(colon) = memchr::memrchr(b':', text).filter(|_| text.last() != Some(&b']')) else {
        return Some((text, b""));
    };
    let (host, port) = (&text[..colon], &text[colon + 1..]);
    let is_port = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    let fits = || port.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')) <= 65_535;
    (is_port && fits()).then_some((host, port))
}

/// Whether two checked authorities name the same host and port.
pub fn same_authority(a: &[u8], b: &[u8], default_port: &[u8]) -> bool {
    let (Some((host_a, port_a)), Some((host_b, port_b))) = (check_authority(a), check_authority(b)) else {
        return false;
    };
    let port = |text: &'_ [u8]| if text.is_empty() { default_port.to_vec() } else { text.to_vec() };
    host_a.eq_ignore_ascii_case(host_b) && port(port_a) == port(port_b)
}
