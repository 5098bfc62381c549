//! What a line asks for.

use std::borrow::Cow;

use super::meta::Flags;
use super::number::{flags, signed, unsigned};

/// Bytes of a key.
pub(super) const KEY: usize = 250;
/// Bytes of an item, with what memcached keeps beside its value (its `-I`).
pub(super) const ITEM: usize = 1 << 20;
/// What it keeps beside key and value.
const HEAD: usize = 57;
/// Words of a line that are told apart, but for those of `get`.
const WORDS: usize = 23;
/// Words of a line of a meta command.
const META_WORDS: usize = 19;

pub(super) const ERROR: &str = "ERROR";
pub(super) const BAD_LINE: &str = "CLIENT_ERROR bad command line format";
pub(super) const BAD_DATA: &str = "CLIENT_ERROR bad data chunk";
pub(super) const TOO_LARGE: &str = "SERVER_ERROR object too large for cache";
pub(super) const BAD_TIME: &str = "CLIENT_ERROR invalid exptime argument";

/// A command with its words, and with its data once that has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request<'b> {
    /// `get`, `gets`, `gat`, `gats`; the keys are not told apart yet.
    Get {
        keys: &'b [u8],
        gives_cas: bool,
        exptime: Option<i32>,
    },
    Store(Store<'b>),
    /// `incr` or `decr`.
    Change {
        key: &'b [u8],
        by: u64,
        is_up: bool,
        is_quiet: bool,
    },
    Touch {
        key: &'b [u8],
        exptime: i32,
        is_quiet: bool,
    },
    Delete {
        key: &'b [u8],
        is_quiet: bool,
    },
    /// `flush_all`.
    Flush {
        exptime: i32,
        is_quiet: bool,
    },
    Stats {
        what: &'b [u8],
    },
    Meta(Meta<'b>),
    /// `me`.
    Debug {
        key: Cow<'b, [u8]>,
        is_binary: bool,
    },
    /// It says only this, or nothing.
    Says(&'static str),
    /// It is too large to be stored; the key goes that it was to replace.
    TooLarge {
        key: Option<Cow<'b, [u8]>>,
        is_quiet: bool,
    },
    Quit,
}

/// What is stored how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    /// Only if it has this `cas`.
    Cas,
}

/// `set` and its like.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Store<'b> {
    pub(super) mode: Mode,
    pub(super) key: &'b [u8],
    pub(super) flags: u32,
    pub(super) exptime: i32,
    pub(super) cas: u64,
    pub(super) is_quiet: bool,
    pub(super) data: &'b [u8],
}

/// Which meta command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Get,
    Set(Mode),
    Delete,
    /// Up or down.
    Change {
        is_up: bool,
    },
}

/// `mg`, `ms`, `md`, `ma`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meta<'b> {
    pub(super) which: Which,
    pub(super) key: Cow<'b, [u8]>,
    pub(super) flags: Flags,
    /// The words that flags are written in.
    pub(super) words: &'b [u8],
    pub(super) data: &'b [u8],
}

/// What comes behind a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    None,
    /// So many bytes, and a line's end.
    Block(usize),
    /// The same, but nobody wants them.
    Waste(usize),
}

/// The words of a line.
struct Words<'b> {
    all: [&'b [u8]; WORDS],
    count: usize,
    /// Behind the first.
    rest: &'b [u8],
}

/// The words of `text`.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b' ').filter(|word| !word.is_empty())
}

impl<'b> Words<'b> {
    fn of(line: &'b [u8]) -> Words<'b> {
        let (mut all, mut count) = ([&b""[..]; WORDS], 0);
        for word in words(line).take(WORDS) {
            all[count] = word;
            count += 1;
        }
        let start = line.iter().take_while(|byte| **byte == b' ').count() + all[0].len();
        Words { all, count, rest: &line[start..] }
    }

    fn at(&self, index: usize) -> &'b [u8] {
        self.all[index]
    }

    /// Whether the last one is `noreply`.
    fn is_quiet(&self) -> bool {
        self.count > 0 && self.all[self.count - 1] == b"noreply"
    }
}

/// Whether an item of these sizes may be stored.
pub(super) fn fits(key: usize, flags: u32, value: usize) -> bool {
    HEAD + key + if flags == 0 { 0 } else { 4 } + value + 2 <= ITEM
}

/// It is refused, and that is said unless it is quiet.
fn refused(is_quiet: bool, why: &'static str) -> Request<'static> {
    Request::Says(if is_quiet { "" } else { why })
}

/// Reads a line, without its end.
pub(super) fn read(line: &[u8]) -> (Request<'_>, Data) {
    let words = Words::of(line);
    let name = words.at(0);
    let request = match name {
        b"get" | b"bget" => get(&words, false, false),
        b"gets" => get(&words, true, false),
        b"gat" => get(&words, false, true),
        b"gats" => get(&words, true, true),
        b"set" => return store(&words, Mode::Set),
        b"add" => return store(&words, Mode::Add),
        b"replace" => return store(&words, Mode::Replace),
        b"append" => return store(&words, Mode::Append),
        b"prepend" => return store(&words, Mode::Prepend),
        b"cas" => return store(&words, Mode::Cas),
        b"ms" => return super::meta::read_set(&words.all[..words.count], words.rest),
        b"mg" | b"md" | b"ma" => super::meta::read(&words.all[..words.count], words.rest),
        b"me" => debug(&words),
        b"mn" => Request::Says("MN"),
        b"incr" => change(&words, true),
        b"decr" => change(&words, false),
        b"touch" => touch(&words),
        b"delete" => delete(&words),
        b"flush_all" => flush(&words),
        b"stats" => Request::Stats { what: words.rest.trim_ascii() },
        b"version" => Request::Says(super::VERSION),
        b"verbosity" => verbosity(&words),
        b"quit" => Request::Quit,
        _ => other(&words),
    };
    (request, Data::None)
}

fn get<'b>(words: &Words<'b>, gives_cas: bool, is_touch: bool) -> Request<'b> {
    if words.count < 2 {
        return Request::Says(ERROR);
    }
    if !is_touch {
        return keys(words.rest, gives_cas, None);
    }
    let Some(exptime) = signed(words.at(1)) else { return Request::Says(BAD_TIME) };
    let rest = words.rest.trim_ascii_start();
    keys(&rest[words.at(1).len().min(rest.len())..], gives_cas, Some(exptime))
}

fn keys(keys: &[u8], gives_cas: bool, exptime: Option<i32>) -> Request<'_> {
    if words(keys).any(|key| key.len() > KEY) { Request::Says(BAD_LINE) } else { Request::Get { keys, gives_cas, exptime } }
}

fn store<'b>(words: &Words<'b>, mode: Mode) -> (Request<'b>, Data) {
    let least = if mode == Mode::Cas { 6 } else { 5 };
    if words.count != least && words.count != least + 1 {
        return (Request::Says(ERROR), Data::None);
    }
    let (key, is_quiet) = (words.at(1), words.is_quiet());
    let cas = if mode == Mode::Cas { unsigned(words.at(5)) } else { Some(0) };
    let (Some(flags), Some(exptime), Some(length), Some(cas)) = (flags(words.at(2)), signed(words.at(3)), length(words.at(4)), cas) else {
        return (refused(is_quiet, BAD_LINE), Data::None);
    };
    if key.len() > KEY {
        return (refused(is_quiet, BAD_LINE), Data::None);
    }
    if !fits(key.len(), flags, length) {
        let key = (mode == Mode::Set).then_some(Cow::Borrowed(key));
        return (Request::TooLarge { key, is_quiet }, Data::Waste(length));
    }
    (Request::Store(Store { mode, key, flags, exptime, cas, is_quiet, data: b"" }), Data::Block(length))
}

/// Bytes of data that are announced.
pub(super) fn length(text: &[u8]) -> Option<usize> {
    usize::try_from(signed(text)?).ok().filter(|length| *length <= i32::MAX as usize - 2)
}

fn debug<'b>(words: &Words<'b>) -> Request<'b> {
    if words.count < 2 || words.at(1).len() > KEY {
        return Request::Says(BAD_LINE);
    }
    let is_binary = words.count > 2 && words.at(2) == b"b";
    match super::meta::key(words.at(1), is_binary) {
        Some(key) => Request::Debug { key, is_binary },
        None => Request::Says(BAD_LINE),
    }
}

fn change<'b>(words: &Words<'b>, is_up: bool) -> Request<'b> {
    if words.count != 3 && words.count != 4 {
        return Request::Says(ERROR);
    }
    let (key, is_quiet) = (words.at(1), words.is_quiet());
    match unsigned(words.at(2)) {
        _ if key.len() > KEY => refused(is_quiet, BAD_LINE),
        Some(by) => Request::Change { key, by, is_up, is_quiet },
        None => refused(is_quiet, "CLIENT_ERROR invalid numeric delta argument"),
    }
}

fn touch<'b>(words: &Words<'b>) -> Request<'b> {
    if words.count != 3 && words.count != 4 {
        return Request::Says(ERROR);
    }
    let (key, is_quiet) = (words.at(1), words.is_quiet());
    match signed(words.at(2)) {
        _ if key.len() > KEY => refused(is_quiet, BAD_LINE),
        Some(exptime) => Request::Touch { key, exptime, is_quiet },
        None => refused(is_quiet, BAD_TIME),
    }
}

fn delete<'b>(words: &Words<'b>) -> Request<'b> {
    let (key, is_zero, is_quiet) = (words.at(1), words.at(2) == b"0", words.count > 2 && words.is_quiet());
    match words.count {
        2 => {}
        3 if is_zero || is_quiet => {}
        4 if is_zero && is_quiet => {}
        3 | 4 => return refused(is_quiet, "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]"),
        _ => return Request::Says(ERROR),
    }
    if key.len() > KEY { refused(is_quiet, BAD_LINE) } else { Request::Delete { key, is_quiet } }
}

fn flush<'b>(words: &Words<'b>) -> Request<'b> {
    let is_quiet = words.is_quiet();
    match words.count {
        1 => Request::Flush { exptime: 0, is_quiet },
        2 if is_quiet => Request::Flush { exptime: 0, is_quiet },
        2 | 3 => match signed(words.at(1)) {
            Some(exptime) => Request::Flush { exptime, is_quiet },
            None => refused(is_quiet, BAD_TIME),
        },
        _ => Request::Says(ERROR),
    }
}

/// There is nothing to be more or less talkative.
fn verbosity<'b>(words: &Words<'b>) -> Request<'b> {
    match words.count {
        2 | 3 if flags(words.at(1)).is_some() => refused(words.is_quiet(), "OK"),
        2 | 3 => refused(words.is_quiet(), BAD_LINE),
        _ => Request::Says(ERROR),
    }
}

fn other<'b>(words: &Words<'b>) -> Request<'b> {
    match words.at(0) {
        b"shutdown" => Request::Says("ERROR: shutdown not enabled"),
        b"watch" => Request::Says("CLIENT_ERROR watch commands not allowed"),
        b"slabs" if words.count == 4 && words.at(1) == b"reassign" => Request::Says("CLIENT_ERROR slab reassignment disabled"),
        b"lru_crawler" if words.count == 3 && words.at(1) == b"crawl" => Request::Says("CLIENT_ERROR lru crawler disabled"),
        // A page that a browser shows may try to speak to it.
        name if !b"gsacidt".contains(name.first().unwrap_or(&b' ')) && words.at(words.count.max(1) - 1).starts_with(b"HTTP/") => {
            Request::Quit
        }
        _ => Request::Says(ERROR),
    }
}

impl<'b> Request<'b> {
    /// The key that it is about, if it is about one.
    pub(super) fn key(&self) -> &[u8] {
        match self {
            Request::Store(store) => store.key,
            Request::Change { key, .. } | Request::Touch { key, .. } | Request::Delete { key, .. } => key,
            Request::Meta(meta) => &meta.key,
            Request::Debug { key, .. } | Request::TooLarge { key: Some(key), .. } => key,
            _ => b"",
        }
    }

    /// The request, now that its data has come, with what followed that.
    pub(super) fn with_data(self, block: &'b [u8], end: &[u8]) -> Request<'b> {
        match self {
            Request::Store(store) if end != b"\r\n" => refused(store.is_quiet, BAD_DATA),
            Request::Meta(_) if end != b"\r\n" => Request::Says(BAD_DATA),
            Request::Store(store) => Request::Store(Store { data: block, ..store }),
            Request::Meta(meta) => Request::Meta(Meta { data: block, ..meta }),
            other => other,
        }
    }
}

/// Whether a line of these words may have too many of them for a meta command.
pub(super) fn is_meta_too_long(words: usize) -> bool {
    words > META_WORDS
}
