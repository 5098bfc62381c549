//! Meta commands: how their lines are read. Flags are single letters, some with a word behind them.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::number::{flags, signed, unsigned};
use super::request::{BAD_LINE, Data, ERROR, KEY, Meta, Mode, Request, Which, fits, is_meta_too_long, length};

const BAD_WORD: &str = "CLIENT_ERROR bad token in command line format";
const BAD_FLAG: &str = "CLIENT_ERROR invalid or duplicate flag";
const LONG_OPAQUE: &str = "CLIENT_ERROR opaque token too long";
const TOO_MANY: &str = "CLIENT_ERROR options flags too long";
/// Bytes of an opaque word, with its letter.
const OPAQUE: usize = 32;

/// Keys are read although their last bits are not zero, as memcached does.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true).with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// What the flags of a command say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Flags {
    /// `b`: the key is written in base64.
    pub(super) is_binary: bool,
    /// `q`: what is usual is not said.
    pub(super) is_quiet: bool,
    /// `v`: the value is wanted.
    pub(super) value: bool,
    /// `u`: it is no use of the key.
    pub(super) is_no_use: bool,
    /// `l`: when it was used last is wanted.
    pub(super) last_use: bool,
    /// `I`
    pub(super) is_invalidating: bool,
    /// `x`: the value goes, the key stays.
    pub(super) empties: bool,
    /// `N`: it is made if it is not there, for so long.
    pub(super) vivify: Option<i32>,
    /// `T`: for so long from now on.
    pub(super) exptime: Option<i32>,
    /// `R`: to be put anew if less is left.
    pub(super) recache: Option<i32>,
    /// `F`: flags of the client, kept with the value.
    pub(super) flags: u32,
    /// `C`: only if it has this one.
    pub(super) cas: Option<u64>,
    /// `E`: it has this one from now on.
    pub(super) new_cas: Option<u64>,
    /// `M`
    mode: Option<u8>,
    /// `J`: the number to begin with.
    pub(super) initial: u64,
    /// `D`
    pub(super) by: Option<u64>,
    is_opaque_long: bool,
}

/// A key as it is written; none if that is no base64.
pub(super) fn key(text: &[u8], is_binary: bool) -> Option<Cow<'_, [u8]>> {
    if !is_binary {
        return Some(Cow::Borrowed(text));
    }
    BASE64.decode(text).ok().filter(|key| !key.is_empty()).map(Cow::Owned)
}

/// Writes a key as it was asked for.
pub(super) fn write_key(key: &[u8], is_binary: bool, out: &mut Vec<u8>) {
    if is_binary {
        out.extend_from_slice(BASE64.encode(key).as_bytes());
    } else {
        out.extend_from_slice(key);
    }
}

impl Flags {
    /// Reads them, and says what is wrong with the last one that is.
    fn read<'b>(words: &[&'b [u8]], text: &'b [u8]) -> Result<(Flags, Cow<'b, [u8]>), &'static str> {
        let (mut of, mut seen, mut fault, mut key) = (Flags::default(), [false; 127], None, Cow::Borrowed(text));
        for word in words {
            let (letter, rest) = (word[0], &word[1..]);
            let known = seen.get_mut(usize::from(letter)).filter(|seen| !**seen).ok_or("CLIENT_ERROR duplicate flag")?;
            *known = true;
            if letter == b'b' {
                of.is_binary = true;
                match self::key(text, true) {
                    Some(decoded) => key = decoded,
                    None => fault = Some("CLIENT_ERROR error decoding key"),
                }
            } else if let Err(why) = of.note(letter, rest) {
                fault = Some(why.ok_or("CLIENT_ERROR invalid flag")?);
            }
        }
        fault.map_or(Ok((of, key)), Err)
    }

    /// Takes one; the fault is none when no command has such a flag.
    fn note(&mut self, letter: u8, word: &[u8]) -> Result<(), Option<&'static str>> {
        let time = || signed(word).map(Some).ok_or(Some(BAD_WORD));
        let number = |why| unsigned(word).ok_or(Some(why));
        match letter {
            b'c' | b'f' | b'h' | b'k' | b's' | b't' | b'L' | b'P' => {}
            b'O' => self.is_opaque_long = word.len() >= OPAQUE,
            b'l' => self.last_use = true,
            b'q' => self.is_quiet = true,
            b'u' => self.is_no_use = true,
            b'v' => self.value = true,
            b'x' => self.empties = true,
            b'I' => self.is_invalidating = true,
            b'N' => self.vivify = time()?,
            b'R' => self.recache = time()?,
            b'T' => self.exptime = time()?,
            b'C' => self.cas = Some(number(BAD_WORD)?),
            b'E' => self.new_cas = Some(number(BAD_WORD)?),
            b'D' => self.by = Some(number("CLIENT_ERROR invalid numeric delta value")?),
            b'J' => self.initial = number("CLIENT_ERROR invalid numeric initial value")?,
            b'F' => self.flags = flags(word).ok_or(Some(BAD_LINE))?,
            b'M' => match word {
                [mode] => self.mode = Some(*mode),
                _ => return Err(Some("CLIENT_ERROR incorrect length for M token")),
            },
            _ => return Err(None),
        }
        Ok(())
    }

    /// How `ms` stores.
    fn store_mode(&self) -> Result<Mode, &'static str> {
        let mode = match self.mode {
            None | Some(b'S') => Mode::Set,
            Some(b'E') => Mode::Add,
            Some(b'A') => Mode::Append,
            Some(b'P') => Mode::Prepend,
            Some(b'R') => Mode::Replace,
            Some(_) => return Err("CLIENT_ERROR invalid mode for ms M token"),
        };
        Ok(if self.cas.is_some() && matches!(mode, Mode::Set | Mode::Replace) { Mode::Cas } else { mode })
    }

    /// Which way `ma` counts.
    fn direction(&self) -> Result<Which, &'static str> {
        match self.mode {
            None | Some(b'I' | b'+') => Ok(Which::Change { is_up: true }),
            Some(b'D' | b'-') => Ok(Which::Change { is_up: false }),
            Some(_) => Err("CLIENT_ERROR invalid mode for ma M token"),
        }
    }
}

/// Behind the first `count` words of `text`.
fn behind(mut text: &[u8], count: usize) -> &[u8] {
    for _ in 0..count {
        let start = text.iter().position(|byte| *byte != b' ').unwrap_or(text.len());
        let word = &text[start..];
        text = &word[word.iter().position(|byte| *byte == b' ').unwrap_or(word.len())..];
    }
    text
}

/// Reads `mg`, `md` or `ma`: its words, and what is behind its name.
pub(super) fn read<'b>(words: &[&'b [u8]], rest: &'b [u8]) -> Request<'b> {
    read_plain(words, rest).unwrap_or_else(Request::Says)
}

fn read_plain<'b>(words: &[&'b [u8]], rest: &'b [u8]) -> Result<Request<'b>, &'static str> {
    let (name, is_get) = (words[0], words[0] == b"mg");
    let key = *words.get(1).ok_or(ERROR)?;
    if key.len() > KEY {
        return Err(BAD_LINE);
    }
    if is_meta_too_long(words.len()) {
        return Err(if is_get { "CLIENT_ERROR options flags are too long" } else { TOO_MANY });
    }
    let (flags, key) = Flags::read(&words[2..], key).map_err(|why| if is_get { why } else { BAD_FLAG })?;
    let which = match name {
        b"mg" => Which::Get,
        b"md" => Which::Delete,
        _ => flags.direction()?,
    };
    if flags.is_opaque_long {
        return Err(LONG_OPAQUE);
    }
    Ok(Request::Meta(Meta { which, key, flags, words: behind(rest, 1), data: b"" }))
}

/// Reads `ms`. A fault that is found behind the length leaves the data to be thrown away.
pub(super) fn read_set<'b>(words: &[&'b [u8]], rest: &'b [u8]) -> (Request<'b>, Data) {
    let refused = |why| (Request::Says(why), Data::None);
    let [_, key, length_text, flag_words @ ..] = words else {
        return refused(if words.len() < 2 { ERROR } else { BAD_LINE });
    };
    if key.len() > KEY {
        return refused(BAD_LINE);
    }
    if is_meta_too_long(words.len()) {
        return refused(TOO_MANY);
    }
    let Some(length) = length(length_text) else { return refused(BAD_LINE) };
    let read = Flags::read(flag_words, key).and_then(|(flags, key)| {
        let mode = flags.store_mode()?;
        if flags.is_opaque_long { Err(LONG_OPAQUE) } else { Ok((flags, key, mode)) }
    });
    match read {
        Err(why) => (Request::Says(why), Data::Waste(length)),
        Ok((flags, key, _)) if !fits(key.len(), flags.flags, length) => {
            (Request::TooLarge { key: Some(key), is_quiet: false }, Data::Waste(length))
        }
        Ok((flags, key, mode)) => {
            let meta = Meta { which: Which::Set(mode), key, flags, words: behind(rest, 2), data: b"" };
            (Request::Meta(meta), Data::Block(length))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        let mut out = Vec::new();
        let decoded = key(b"44OG44K544OI", true).unwrap();
        write_key(&decoded, true, &mut out);
        assert_eq!((&*decoded, &*out), ("テスト".as_bytes(), &b"44OG44K544OI"[..]));
        assert_eq!((key(b"!!!", true), key(b"YQ", true), key(b"YR==", true).as_deref()), (None, None, Some(&b"a"[..])));
    }

    #[test]
    fn the_words_of_flags_are_what_is_behind_key_and_length() {
        assert_eq!(behind(b" key  12 c  T5", 2), b" c  T5");
        assert_eq!((behind(b" key", 1), behind(b"", 2)), (&b""[..], &b""[..]));
    }
}
