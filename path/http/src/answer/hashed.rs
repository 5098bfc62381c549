//! Which file names carry a hash of their content, as bundlers write them: `app.8f3a2b1c.js`, `index-Ck3vX9aZ.js`.
//!
//! A wrong yes keeps an old file with users for a year; a wrong no costs one question answered by 304. So a
//! word, a date, a version or a product's name must never count, and a few real hashes may be missed.

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
    match token.len() {
        0..8 => false,
        8..12 if is_hex(token) => {
            let year = token.len() == 8 && (token.ends_with_year() || token.starts_with_year());
            !year && token.turns() >= if after_dot { 1 } else { 2 }
        }
        8 if token.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')) => token.digits() > 0 && token.turns() >= 2,
        8..=64 => is_hex(token) || is_base64url(token, code),
        _ => is_hex(token),
    }
}

/// Digits and letters a-f of one case, some of each.
fn is_hex(token: &[u8]) -> bool {
    let one_case = |letters: std::ops::RangeInclusive<u8>| token.iter().all(|byte| byte.is_ascii_digit() || letters.contains(byte));
    (one_case(b'a'..=b'f') || one_case(b'A'..=b'F')) && token.digits() > 0 && token.digits() < token.len()
}

/// Both cases, mixed as no name of words is.
fn is_base64url(token: &[u8], code: bool) -> bool {
    let known = token.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let mixed = token.iter().any(u8::is_ascii_lowercase) && token.iter().any(u8::is_ascii_uppercase);
    if !known || !mixed {
        return false;
    }
    let pieces = word_pieces(token);
    let inner_digit = token[..token.len() - 2].digits() > 0;
    pieces.count * 2 > token.len()
        || (code && token.len() == 8 && ((inner_digit && pieces.count * 2 == token.len() && pieces.odd > 0) || pieces.odd >= 2))
        || (code && token.len() == 8 && pieces.odd > 0 && pieces.count >= 2 && !pieces.known)
}

/// How a token falls apart into words and numbers.
#[derive(Default)]
struct Pieces {
    /// `Hump`, `hump`, `123`, each mark.
    count: usize,
    /// Humps that nobody can say.
    odd: usize,
    /// Whether one is an abbreviation that people do write in names.
    known: bool,
}

fn word_pieces(token: &[u8]) -> Pieces {
    let mut pieces = Pieces::default();
    let mut at = 0;
    while at < token.len() {
        let start = at;
        let class = |byte: u8| if byte.is_ascii_digit() { 0 } else { u8::from(byte.is_ascii_alphabetic()) + 1 };
        let run = class(token[at]);
        at += 1;
        while at < token.len()
            && run != 1
            && class(token[at]) == run
            && !(token[at].is_ascii_uppercase() && token[at - 1].is_ascii_lowercase())
        {
            at += 1;
        }
        let hump = &token[start..at];
        // `3d`, `4K`: a number with its unit is one piece.
        let unit = run == 0
            && token.get(at).is_some_and(u8::is_ascii_alphabetic)
            && token.get(at + 1).is_none_or(|next| !next.is_ascii_lowercase());
        at += usize::from(unit);
        pieces.count += 1;
        if run == 2 {
            let known = is_abbreviation(hump);
            pieces.known |= known;
            pieces.odd += usize::from(!known && is_unspeakable(hump));
        }
    }
    pieces
}

/// Abbreviations without a vowel, or hard to say, that are common in names of files.
fn is_abbreviation(hump: &[u8]) -> bool {
    const KNOWN: [&[u8]; 30] = [
        b"html", b"http", b"https", b"xml", b"pdf", b"css", b"svg", b"sql", b"btn", b"png", b"jpg", b"npm", b"xhr", b"grpc", b"mdx",
        b"jsx", b"tsx", b"ssr", b"csv", b"dns", b"tls", b"ssl", b"ssh", b"smtp", b"ctx", b"cfg", b"ptr", b"tmp", b"rtl", b"ltr",
    ];
    KNOWN.iter().any(|known| hump.eq_ignore_ascii_case(known))
}

/// Three letters or more that begin as no word does, or have four consonants in a row.
fn is_unspeakable(hump: &[u8]) -> bool {
    const BEGINNINGS: &[u8] =
        b"bl br ch cl cr dr dw fl fr gh gl gn gr kl kn kr ph pl pr ps rh sc sh sk sl sm sn sp sq st sw th tr ts tw vl wh wr ";
    if hump.len() < 3 {
        return false;
    }
    let vowel = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let first = [hump[0].to_ascii_lowercase(), hump[1].to_ascii_lowercase()];
    let begins_badly = !hump[..2].iter().any(vowel) && !BEGINNINGS.chunks(3).any(|known| known[..2] == first);
    begins_badly || hump.windows(4).any(|run| !run.iter().any(vowel))
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
    fn what_bundlers_write() {
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
        ] {
            assert!(carries_hash(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn what_people_write() {
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
        for _ in 0..1000 {
            let mut name = b"index-".to_vec();
            for _ in 0..8 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                name.push(LETTERS[(state >> 58) as usize]);
            }
            name.extend_from_slice(b".js");
            seen += u32::from(carries_hash(&name));
        }
        assert!(seen > 600, "{seen} of 1000");
    }
}
