//! `DUMP` and `RESTORE`: all that a key holds, as bytes of a form of our own.
//!
//! `[what it holds, as `form` writes it][version u16][checksum u64]`.

mod checksum;

use crate::error::Fault;
use crate::form;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, Ms, View};

/// Of the form; the first byte is a letter, so that it is no version of Redis's.
const VERSION: u16 = u16::from_be_bytes([b'P', 1]);
/// The first byte of texts, which is no kind.
const TEXTS: u8 = 100;
/// Bytes that it takes as long to read as an element.
const BYTES: usize = 64;

pub(super) fn dump(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    view.touch(args.at(1));
    match body(view, args.at(1)) {
        Some(mut bytes) => {
            seal(&mut bytes);
            reply.bulk(&bytes);
        }
        None => reply.null(),
    }
    Ok(())
}

/// What a key holds, without the foot; none: it is not there.
pub(super) fn body(view: &mut View<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let kind = view.kind(key)?;
    let value = view.peek(key, kind).ok().flatten()?;
    let mut bytes = Vec::new();
    form::write(kind, value, &mut bytes);
    Some(bytes)
}

/// Texts as bytes, with a foot as all dumps have it.
pub(crate) fn of_texts<'t>(texts: impl Iterator<Item = &'t [u8]>) -> Vec<u8> {
    let mut bytes = vec![TEXTS];
    texts.for_each(|text| form::put(text, &mut bytes));
    seal(&mut bytes);
    bytes
}

/// The texts of which [`of_texts`] made bytes; none: these are of something else.
///
/// # Errors
/// The foot is wrong.
pub(crate) fn texts(bytes: &[u8]) -> Result<Option<Vec<&[u8]>>, Fault> {
    let body = checked(bytes)?;
    Ok(body.strip_prefix(&[TEXTS]).and_then(form::texts))
}

fn seal(bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    let sum = checksum::of(bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    weight(view, args.at(1))
}

/// What it costs to write a key.
pub(super) fn weight(view: &View<'_>, key: &[u8]) -> usize {
    view.weight(key).map_or(0, |(_, bytes)| bytes / BYTES)
}

/// The options of `RESTORE`.
#[derive(Debug, Default)]
struct Options {
    replaces: bool,
    /// The expiry is a moment.
    is_moment: bool,
    /// Seconds since it was used last.
    idle: Option<u64>,
    /// How often it is used.
    often: Option<u8>,
}

impl Options {
    fn read(args: Args<'_>) -> Result<Options, Fault> {
        const IDLE: Fault = Fault::fixed("ERR Invalid IDLETIME value, must be >= 0");
        const OFTEN: Fault = Fault::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
        let (mut options, mut at) = (Options::default(), 4);
        while at < args.len() {
            let has_value = at + 1 < args.len();
            if args.is(at, "REPLACE") {
                options.replaces = true;
            } else if args.is(at, "ABSTTL") {
                options.is_moment = true;
            } else if args.is(at, "IDLETIME") && has_value && options.often.is_none() {
                at += 1;
                options.idle = Some(u64::try_from(args.int(at)?).map_err(|_| IDLE)?);
            } else if args.is(at, "FREQ") && has_value && options.idle.is_none() {
                at += 1;
                options.often = Some(u8::try_from(args.int(at)?).map_err(|_| OFTEN)?);
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }
}

pub(super) fn restore(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const BUSY: Fault = Fault::fixed("BUSYKEY Target key name already exists.");
    const NO_TTL: Fault = Fault::fixed("ERR Invalid TTL value, must be >= 0");
    let (key, options) = (args.at(1), Options::read(args)?);
    if !options.replaces && view.open_any(key, Kind::Str).kind().is_some() {
        return Err(BUSY);
    }
    let ttl = u64::try_from(args.int(2)?).map_err(|_| NO_TTL)?;
    let body = checked(args.at(3))?;
    let expiry = match ttl {
        0 => None,
        _ if options.is_moment => Some(ttl),
        _ => Some(ttl.saturating_add(view.now())),
    };
    let expiry = expiry.map(|expiry| expiry.min(crate::command::strings::LAST));
    put(view, key, body, expiry)?;
    note_use(view, key, &options);
    if let Some(expiry) = expiry.filter(|expiry| !options.is_moment && *expiry > view.now()) {
        view.outcome.effect(&[b"RESTORE", key, expiry.to_string().as_bytes(), args.at(3), b"REPLACE", b"ABSTTL"]);
    }
    reply.ok();
    Ok(())
}

/// Its last use is as it was where it was dumped.
fn note_use(view: &mut View<'_>, key: &[u8], options: &Options) {
    if let Some(idle) = options.idle {
        view.open_any(key, Kind::Str).set_idle(idle.saturating_mul(1000));
    }
    if let Some(often) = options.often {
        view.open_any(key, Kind::Str).set_frequency(often);
    }
}

/// What is in front of the foot, if that is right.
fn checked(bytes: &[u8]) -> Result<&[u8], Fault> {
    const WRONG: Fault = Fault::fixed("ERR DUMP payload version or checksum are wrong");
    let (signed, sum) = bytes.split_last_chunk().ok_or(WRONG)?;
    let (body, version) = signed.split_last_chunk().ok_or(WRONG)?;
    let is_right = u16::from_le_bytes(*version) == VERSION && u64::from_le_bytes(*sum) == checksum::of(signed);
    if is_right { Ok(body) } else { Err(WRONG) }
}

fn put(view: &mut View<'_>, key: &[u8], body: &[u8], expiry: Option<Ms>) -> Result<(), Fault> {
    const BAD: Fault = Fault::fixed("ERR Bad data format");
    let value = form::read(body).ok_or(BAD)?;
    let now = view.now();
    let is_past = expiry.is_some_and(|expiry| expiry <= now);
    let mut slot = view.open_any(key, value.kind());
    let was_there = slot.kind().is_some();
    slot.remove();
    if is_past {
        if was_there {
            slot.changed(Class::GENERIC, "del");
            slot.outcome().effect(&[b"DEL", key]);
        }
        return Ok(());
    }
    value.put(&mut slot);
    // Without one it has that of its class.
    if expiry.is_some() {
        slot.set_expiry(expiry);
    }
    slot.changed(Class::GENERIC, "restore");
    Ok(())
}

pub(super) fn restore_cost(_: &View<'_>, args: Args<'_>) -> usize {
    args.at(3).len() / BYTES
}
