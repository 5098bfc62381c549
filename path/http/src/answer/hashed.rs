//! Which file names carry a hash of their content, as bundlers write them: `app.8f3a2b1c.js`, `index-Ck3vX9aZ.js`.
//!
//! A wrong yes keeps an old file with users for a year; a wrong no costs one question answered by 304. So a
//! word, a date, a version or a product's name must never count, and a few real hashes may be missed.

use super::words::{humps, reads_as_name};

/// Whether `name` carries a hash between its stem and its extension.
pub(super) fn carries_hash(name: &[u8]) -> bool {
    let Some(dot) = memchr::memrchr(b'.', name) else { return false };
    let (stem, code) = (&name[..dot], is_code(&name[dot + 1..]));
    if is_uuid(stem) {
        return false;
    }
    stem.split(|byte| *byte == b'.').enumerate().any(|(index, piece)| {
        (index > 0 && is_hash(piece, code, true))
            || piece.split(|byte| *byte == b'-').any(|part| part.len() >= 12 && is_hex(part))
            || after_dash(piece).is_some_and(|part| is_hash(part, code, false))
            || rollup(piece).is_some_and(|part| is_hash(part, code, false))
    })
}

/// What bundlers write most, and people name least at random.
fn is_code(extension: &[u8]) -> bool {
    matches!(extension, b"js" | b"mjs" | b"css" | b"map")
}

fn after_dash(piece: &[u8]) -> Option<&[u8]> {
    let dash = memchr::memrchr(b'-', piece)?;
    (dash > 0).then(|| &piece[dash + 1..])
}

/// Rollup's eight letters of base64url, which may hold a dash themselves.
fn rollup(piece: &[u8]) -> Option<&[u8]> {
    let start = piece.len().checked_sub(8)?;
    (start > 1 && piece[start - 1] == b'-').then(|| &piece[start..])
}

fn is_hash(token: &[u8], code: bool, after_dot: bool) -> bool {
    let length = token.len();
    if length < 8 {
        return false;
    }
    if is_hex(token) && (length >= 12 || is_short_hex(token, after_dot)) {
        return true;
    }
    match length {
        8 if is_upper(token) => is_base32(token) || (code && (token.digits() > 1 || !reads_as_name(token))),
        8 if code && is_base64url(token) => {
            !reads_as_name(token) && (!token.contains(&b'-') || token.digits() > 0 || humps(token).count() > 4)
        }
        10 | 20..=64 if code && is_base64url(token) => !reads_as_name(token) && token[..length - 2].digits() > 0,
        8..=64 => is_base64url(token) && humps(token).count() * 2 > length && !reads_as_name(token),
        _ => false,
    }
}

/// Digits and letters a-f of one case, some of each.
fn is_hex(token: &[u8]) -> bool {
    let one_case = |letters: std::ops::RangeInclusive<u8>| token.iter().all(|byte| byte.is_ascii_digit() || letters.contains(byte));
    (one_case(b'a'..=b'f') || one_case(b'A'..=b'F')) && token.digits() > 0 && token.digits() < token.len()
}

/// Not a word with a number or a year, as `cafe2024` is.
fn is_short_hex(token: &[u8], after_dot: bool) -> bool {
    let year = token.len() == 8 && (token.ends_with_year() || token.starts_with_year());
    !year && token.turns() >= if after_dot { 1 } else { 2 }
}

/// Capitals, perhaps with digits.
fn is_upper(token: &[u8]) -> bool {
    token.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) && token.digits() < token.len() - 1
}

/// As esbuild writes them.
fn is_base32(token: &[u8]) -> bool {
    token.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')) && token.digits() > 0 && token.turns() >= 2
}

/// Letters of both cases, perhaps with digits and marks.
fn is_base64url(token: &[u8]) -> bool {
    let known = token.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    known && token.iter().any(u8::is_ascii_lowercase) && token.iter().any(u8::is_ascii_uppercase)
}

/// `550e8400-e29b-41d4-a716-446655440000`: names a thing, not its content.
fn is_uuid(stem: &[u8]) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = stem.split(|byte| *byte == b'-');
    lengths.iter().all(|length| parts.next().is_some_and(|part| part.len() == *length && part.iter().all(u8::is_ascii_hexdigit)))
}

trait Token {
    fn digits(&self) -> usize;
    /// Changes between letter and digit.
    fn turns(&self) -> usize;
    fn starts_with_year(&self) -> bool;
    fn ends_with_year(&self) -> bool;
}

impl Token for [u8] {
    fn digits(&self) -> usize {
        self.iter().filter(|byte| byte.is_ascii_digit()).count()
    }

    fn turns(&self) -> usize {
        self.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count()
    }

    fn starts_with_year(&self) -> bool {
        (self.starts_with(b"19") || self.starts_with(b"20")) && self[..4].digits() == 4 && self[4..].digits() == 0
    }

    fn ends_with_year(&self) -> bool {
        let (word, year) = self.split_at(self.len() - 4);
        (year.starts_with(b"19") || year.starts_with(b"20")) && year.digits() == 4 && word.digits() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_bundlers_write_are_seen() {
        for name in [
            "app.8f3a2b1c.js",
            "index-Ck3vX9aZ.js",
            "index-BcRxN0zc.css",
            "index-DiwrgTda.js",
            "main.3e2f9a10.chunk.js",
            "base.27e20196a850.css",
            "application-4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945.css",
            "chunk-3XK5WQ7L.js",
            "569ce4b8f30dc480-s.p.woff2",
            "app.8f3a2b1c.js.map",
            "logo.d41d8cd98f00b204e9800998ecf8427e.png",
            "logo-8f3a2b1c.svg",
            "index-B-x3Kq9a.js",
            "hero.CkR3vX9a_Zq.webp",
            "index-CUbMpAQx.js",
            "index-BxYz1234.css",
            "style-_Gx81hQz.css",
            "polyfills-ABCDEF12.js",
            "chunk-7XK2QZ4M.js",
            "main.3f2a1b4c5d6e7f80.css",
            "vendor~main.0a1b2c3d.js",
            "entry.Ck3vX9aZ.mjs",
            "chunk-Bd93kLq_Vx.js",
        ] {
            assert!(carries_hash(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_people_write_are_not() {
        for name in [
            "jquery-slimmed.js",
            "index.html",
            "app.js",
            "bootstrap.bundle.min.js",
            "jquery-3.7.1.min.js",
            "report-20240115.pdf",
            "report.20240115.pdf",
            "menu-cafe2024.jpg",
            "menu.cafe2024.jpg",
            "photo-2024face.jpg",
            "banner-iPhone14Pro.png",
            "hero-iPadPro2.png",
            "logo-MacBook16Pro.png",
            "scene-Map3dTo2d.js",
            "view-GoToPage.js",
            "lib-HtmlToPdf.js",
            "data-MySqlDb1.js",
            "app-Windows10.js",
            "doc-facade.js",
            "x-defaced.js",
            "IMG-20240115-WA0001.jpg",
            "backup-1700000000.tar",
            "550e8400-e29b-41d4-a716-4466554400ab.jpg",
            "component-DatePicker.js",
            "my-component.module.css",
            "README-INSTALL.txt",
            "a-SKU12345.png",
            "font-Inter-SemiBold.woff2",
            "worker-OffscreenCanvas.js",
            "index-MyWidget.js",
            "app.settings.js",
            "user-profiles.js",
            "bootstrap.bundle.js",
            "report-20240131.html",
            "photo-12345678.jpg",
            "README-CHANGELOG.txt",
            "moment-timezone.js",
            "index-RELEASE1.js",
            "demo-Vue3-App.js",
            "8f3a2b1c",
            "-8f3a2b1c.js",
        ] {
            assert!(!carries_hash(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn most_of_rollups_hashes_are_seen() {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut seen = 0;
        for _ in 0..10_000 {
            let mut name = b"index-".to_vec();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                name.push(LETTERS[(state >> 58) as usize]);
            }
            name.extend_from_slice(b".js");
            seen += u32::from(carries_hash(&name));
        }
        assert!(seen > 8_500, "{seen} of 10,000");
    }
}
