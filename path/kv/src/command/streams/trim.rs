//! `XTRIM`, and the options that `XADD` has in common with it.

use super::ids::{self, INVALID};
use super::peek;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::{Id, Keep, Log, Stream, Trim};
use crate::store::{Class, Kind, View};

/// Most entries that are trimmed roughly, if nothing else is said.
const MOST: i64 = 10_000;

/// The ID of a new entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum New {
    /// Of the time it is now.
    Now,
    /// Of a time.
    At(u64),
    Id(Id),
}

/// What is said before the fields.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) trim: Option<Trim>,
    limit: Option<i64>,
    /// No stream is made where there is none.
    pub(super) only_there: bool,
    pub(super) id: New,
    /// Where the ID is among the words.
    pub(super) at: usize,
}

impl Options {
    /// Of `XADD`, or of `XTRIM`.
    pub(super) fn read(args: Args<'_>, adds: bool) -> Result<Options, Fault> {
        let mut options = Options { trim: None, limit: None, only_there: false, id: New::Now, at: 2 };
        while options.at < args.len() && !(adds && args.at(options.at) == b"*") {
            let (at, has_more) = (options.at, options.at + 1 < args.len());
            match () {
                () if has_more && args.is(at, "MAXLEN") => options.keep(args, false)?,
                () if has_more && args.is(at, "MINID") => options.keep(args, true)?,
                () if has_more && args.is(at, "LIMIT") => options.limit(args)?,
                () if adds && args.is(at, "NOMKSTREAM") => options.only_there = true,
                () if adds => {
                    options.id = Id::parse_open(args.at(at)).ok_or(INVALID)?.map_or_else(New::At, New::Id);
                    break;
                }
                () => return Err(Fault::SYNTAX),
            }
            options.at += 1;
        }
        options.settle(adds)
    }

    /// `MAXLEN [~|=] count` or `MINID [~|=] id`.
    fn keep(&mut self, args: Args<'_>, by_id: bool) -> Result<(), Fault> {
        if self.trim.is_some() {
            return Err(Fault::fixed("ERR syntax error, MAXLEN and MINID options at the same time are not compatible"));
        }
        let sign = args.at(self.at + 1);
        let has_sign = self.at + 2 < args.len() && matches!(sign, b"~" | b"=");
        self.at += 1 + usize::from(has_sign);
        let keep = if by_id {
            Keep::From(ids::strict(args.at(self.at))?)
        } else {
            let count = usize::try_from(args.int(self.at)?);
            Keep::Newest(count.map_err(|_| Fault::fixed("ERR The MAXLEN argument must be >= 0."))?)
        };
        self.trim = Some(Trim { keep, roughly: has_sign && sign == b"~", most: 0 });
        Ok(())
    }

    fn limit(&mut self, args: Args<'_>) -> Result<(), Fault> {
        self.at += 1;
        let limit = args.int(self.at)?;
        if limit < 0 {
            return Err(Fault::fixed("ERR The LIMIT argument must be >= 0."));
        }
        self.limit = Some(limit);
        Ok(())
    }

    fn settle(mut self, adds: bool) -> Result<Options, Fault> {
        if self.limit.is_some_and(|limit| limit > 0) && self.trim.is_none() {
            return Err(Fault::fixed("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"));
        }
        if !adds && self.trim.is_none() {
            return Err(Fault::fixed("ERR syntax error, XTRIM must be called with a trimming strategy"));
        }
        match &mut self.trim {
            Some(trim) if trim.roughly => trim.most = self.limit.unwrap_or(MOST) as usize,
            _ if self.limit.is_some() => {
                return Err(Fault::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option"));
            }
            _ => {}
        }
        Ok(self)
    }
}

/// How to trim exactly, so that a stream becomes what it is now.
pub(super) fn exactly(trim: Trim, log: &Log) -> (&'static [u8], Vec<u8>) {
    match trim.keep {
        Keep::Newest(_) => (b"MAXLEN", log.len().to_string().into_bytes()),
        Keep::From(_) => (b"MINID", if log.len() == 0 { Id::MAX } else { log.first() }.text().to_vec()),
    }
}

pub(super) fn trim(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some(trim) = Options::read(args, false)?.trim else { return Err(Fault::SYNTAX) };
    let mut slot = view.open(args.at(1), Kind::Stream)?;
    let Some(stream) = Stream::in_slot(&mut slot) else {
        reply.int(0);
        return Ok(());
    };
    let gone = stream.log.trim(trim);
    reply.int(gone as i64);
    if gone > 0 {
        let (how, what) = exactly(trim, &stream.log);
        slot.changed(Class::STREAM, "xtrim");
        if trim.roughly {
            slot.outcome().effect(&[b"XTRIM", args.at(1), how, b"=", &what]);
        }
    }
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    weight(view, args, Options::read(args, false).ok().and_then(|options| options.trim))
}

/// About how long it takes to trim the stream of the first key.
pub(super) fn weight(view: &View<'_>, args: Args<'_>, trim: Option<Trim>) -> usize {
    let Some((trim, stream)) = trim.zip(peek(view, args.at(1))) else { return 0 };
    let all = stream.log.trim_weight(trim);
    if trim.most > 0 { all.min(trim.most) } else { all }
}
