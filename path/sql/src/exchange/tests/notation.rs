//! Messages as words: `P s SELECT 1 | B - s | E - | S` and `1 | 2 | D x | C SELECT 1 | Z I`; `-` is the empty name.

use crate::frame::{self, HEADER};

/// What a client sends.
pub(super) fn front(words: &str) -> Vec<u8> {
    messages(words, |out, tag, rest| {
        let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match tag {
            b'Q' => frame::text(out, rest.as_bytes()),
            b'P' => [name(first), more].into_iter().for_each(|text| frame::text(out, text.as_bytes())),
            b'B' => [name(first), name(more)].into_iter().for_each(|text| frame::text(out, text.as_bytes())),
            b'D' | b'C' => {
                out.push(first.as_bytes()[0]);
                frame::text(out, name(more).as_bytes());
            }
            b'E' => frame::text(out, name(first).as_bytes()),
            b'f' => frame::text(out, rest.as_bytes()),
            b'd' | b'F' => out.extend_from_slice(rest.as_bytes()),
            _ => {}
        }
        match tag {
            b'P' => out.extend_from_slice(&[0; 2]),
            b'B' => out.extend_from_slice(&[0; 6]),
            b'E' => out.extend_from_slice(&[0; 4]),
            _ => {}
        }
    })
}

/// What a server answers.
pub(super) fn back(words: &str) -> Vec<u8> {
    messages(words, |out, tag, rest| match tag {
        b'E' | b'N' => {
            let (code, severity) = rest.split_once(' ').unwrap_or((rest, "ERROR"));
            [("S", severity), ("V", severity), ("C", code)].iter().for_each(|(field, value)| {
                out.extend_from_slice(field.as_bytes());
                frame::text(out, value.as_bytes());
            });
            out.push(0);
        }
        b'C' => frame::text(out, rest.as_bytes()),
        b'T' => {
            let columns: Vec<_> = rest.split(' ').filter(|column| !column.is_empty()).collect();
            out.extend_from_slice(&(columns.len() as u16).to_be_bytes());
            for column in columns {
                frame::text(out, column.as_bytes());
                out.extend_from_slice(&[0; 18]);
            }
        }
        b'S' => rest.split(' ').for_each(|text| frame::text(out, text.as_bytes())),
        _ => out.extend_from_slice(rest.as_bytes()),
    })
}

/// `front` read back.
pub(super) fn read_front(bytes: &[u8]) -> String {
    read(bytes, |tag, body| {
        let mut texts = body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut next = || texts.next().unwrap_or_default();
        match tag {
            b'Q' | b'f' => next(),
            b'P' => format!("{} {}", dash(next()), next()),
            b'B' => format!("{} {}", dash(next()), dash(next())),
            b'D' | b'C' => format!("{} {}", body[0] as char, dash(next()[1..].into())),
            b'E' => dash(next()),
            b'd' | b'F' => String::from_utf8_lossy(body).into(),
            _ => String::new(),
        }
    })
}

/// `back` read back.
pub(super) fn read_back(bytes: &[u8]) -> String {
    read(bytes, |tag, body| {
        let texts: Vec<_> = body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        match tag {
            b'E' | b'N' => texts.iter().find_map(|text| text.strip_prefix('C')).unwrap_or_default().into(),
            b'T' => {
                let mut rest = &body[2..];
                let mut names = Vec::new();
                while let Some((name, more)) = frame::split_text(rest) {
                    names.push(String::from_utf8_lossy(name).into_owned());
                    rest = &more[18..];
                }
                names.join(" ")
            }
            b'S' => texts[..2].join(" "),
            _ => texts[0].clone(),
        }
    })
}

fn messages(words: &str, write: impl Fn(&mut Vec<u8>, u8, &str)) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in words.split('|').map(str::trim).filter(|word| !word.is_empty()) {
        let (tag, rest) = word.split_once(' ').unwrap_or((word, ""));
        frame::message(&mut bytes, tag.as_bytes()[0], |out| write(out, tag.as_bytes()[0], rest));
    }
    bytes
}

fn read(mut bytes: &[u8], body: impl Fn(u8, &[u8]) -> String) -> String {
    let mut words = Vec::new();
    while let Ok(Some(header)) = frame::header(bytes) {
        let end = HEADER + header.body;
        let Some(whole) = bytes.get(HEADER..end) else { return words.join(" | ") + " …" };
        words.push(format!("{} {}", header.tag as char, body(header.tag, whole)).trim().to_string());
        bytes = &bytes[end..];
    }
    words.join(" | ")
}

fn name(word: &str) -> &str {
    if word == "-" { "" } else { word }
}

fn dash(name: String) -> String {
    if name.is_empty() { "-".into() } else { name }
}
