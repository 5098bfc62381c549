//! The path as routing and the site read it: decoded once, without dot segments and doubled slashes. The app gets it without
//! them too, but encoded as written.
//! What two readers could take for different paths is refused (400).

use super::refusal::Refusal;

/// A path made plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainPath<'a> {
    /// Begins with `/`; percent-decoded once, without `//`, `/./` and `/../`; no control bytes. Not always UTF-8.
    pub text: &'a [u8],
    /// It holds an encoded slash, kept as `%2F`: no separator for routing, and no file of the site has such a name.
    pub has_encoded_slash: bool,
}

/// The plain form of `path` (percent-encoded, begins with `/`, without query; or `*`, which stays). `space` is used only
/// when something has to change; it may hold anything before.
///
/// Refused: bad percent-encoding, control bytes in any form, `..` above the root, dot segments hidden behind encoded
/// slashes, backslashes or path parameters (`..%2f`, `..\`, `..;`).
pub fn plain<'a>(path: &'a [u8], space: &'a mut Vec<u8>) -> Result<PlainPath<'a>, Refusal> {
    if is_plain(path) {
        return Ok(PlainPath { text: path, has_encoded_slash: false });
    }
    space.clear();
    let mut has_encoded_slash = false;
    let mut rest = path.strip_prefix(b"/").ok_or(Refusal::bad("a path that does not begin with /"))?;
    loop {
        let end = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        let is_last = end == rest.len();
        let start = space.len();
        space.push(b'/');
        has_encoded_slash |= decode(&rest[..end], space)?;
        let goes_up = resolve(space, start)?;
        if is_last {
            if goes_up || space.is_empty() {
                space.push(b'/');
            }
            return Ok(PlainPath { text: space, has_encoded_slash });
        }
        if space.len() == start + 1 {
            space.truncate(start);
        }
        rest = &rest[end + 1..];
    }
}

/// Writes the path to forward into `out` when it is not `path` itself: without dot segments and doubled slashes, as routing
/// read it, but still percent-encoded as it was sent; else leaves `out` empty. `path` is one that [`plain`] has accepted.
pub fn normal(path: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let Some(inside) = path.strip_prefix(b"/") else { return };
    let mut is_changed = false;
    let mut segments = inside.split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let dots = dots(segment);
        if dots == 0 && (is_last || !segment.is_empty()) {
            out.push(b'/');
            out.extend_from_slice(segment);
            continue;
        }
        is_changed = true;
        if dots == 2 {
            out.truncate(memchr::memrchr(b'/', out).unwrap_or(0));
        }
        if is_last {
            out.push(b'/');
        }
    }
    if !is_changed {
        out.clear();
    }
}

/// 1 for `.`, 2 for `..`, each dot perhaps encoded; 0 for any other segment.
fn dots(segment: &[u8]) -> usize {
    let (mut rest, mut count) = (segment, 0);
    while !rest.is_empty() {
        rest = match rest {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return 0,
        };
        count += 1;
    }
    if count > 2 { 0 } else { count }
}

/// Nothing to decode, merge or refuse; true of nearly every path.
fn is_plain(path: &[u8]) -> bool {
    let mut before = 0;
    for &byte in path {
        let is_suspect = match byte {
            b'%' | b'\\' | b';' => true,
            b'/' | b'.' => before == b'/',
            _ => byte <= b' ' || byte == 0x7f,
        };
        if is_suspect {
            return false;
        }
        before = byte;
    }
    matches!(path, [b'/', ..] | [b'*'])
}

/// Appends the decoded segment; true when it holds an encoded slash.
fn decode(segment: &[u8], out: &mut Vec<u8>) -> Result<bool, Refusal> {
    let mut has_slash = false;
    let mut bytes = segment.iter();
    while let Some(&byte) = bytes.next() {
        let byte = if byte == b'%' { hex(bytes.next())? << 4 | hex(bytes.next())? } else { byte };
        match byte {
            b'/' => {
                has_slash = true;
                out.extend_from_slice(b"%2F");
            }
            0..0x20 | 0x7f => return Err(Refusal::bad("a control byte in the path")),
            _ => out.push(byte),
        }
    }
    Ok(has_slash)
}

fn hex(digit: Option<&u8>) -> Result<u8, Refusal> {
    digit.and_then(|&digit| (digit as char).to_digit(16)).map(|value| value as u8).ok_or(Refusal::bad("bad percent-encoding in the path"))
}

/// Applies the segment that begins with the `/` at `start` if it is a dot segment; true when it was one.
fn resolve(path: &mut Vec<u8>, start: usize) -> Result<bool, Refusal> {
    let segment = &path[start + 1..];
    match segment {
        b"." => path.truncate(start),
        b".." => {
            let parent = path[..start].iter().rposition(|&byte| byte == b'/').ok_or(Refusal::bad("a path above the root"))?;
            path.truncate(parent);
        }
        _ if hides_dots(segment) => return Err(Refusal::bad("a dot segment in disguise")),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Whether a reader that splits at encoded slashes or backslashes, or cuts off path parameters, would see a dot segment.
fn hides_dots(segment: &[u8]) -> bool {
    let mut rest = segment;
    while !rest.is_empty() {
        let end = (0..rest.len()).find(|&at| rest[at] == b'\\' || rest[at..].starts_with(b"%2F")).unwrap_or(rest.len());
        let part = rest[..end].split(|&byte| byte == b';').next().unwrap_or_default();
        if matches!(part, b"." | b"..") {
            return true;
        }
        rest = match rest.get(end) {
            Some(b'\\') => &rest[end + 1..],
            Some(_) => &rest[end + 3..],
            None => &[],
        };
    }
    false
}

#[cfg(test)]
mod tests;
