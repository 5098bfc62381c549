//! `XREAD` and `XREADGROUP`: what they are asked, and when they are to wait.
//!
//! One that waits is tried again each time that one of its keys has changed, with words that say what `$` was.

use std::ops::Range;

use super::serve::{Answer, deliver, tell};
use super::{ids, look, no_group, peek};
use crate::command::KeySpec;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::stream::Id;
use crate::store::{Kind, Turn, View, Wait, Went};

/// Most entries for one that waits and does not say how many it wants.
const AFTER_WAIT: &[u8] = b"1000";

/// The keys are behind `STREAMS`.
pub(super) const KEYS: KeySpec = KeySpec::Found(|args| keys(args).unwrap_or(0..0).collect());

/// Where the keys are among the words; none if they make no sense.
fn keys(args: Args<'_>) -> Option<Range<usize>> {
    let mut at = 1;
    while at < args.len() && !args.is(at, "STREAMS") {
        at += match () {
            () if args.is(at, "BLOCK") || args.is(at, "COUNT") => 2,
            () if args.is(at, "GROUP") => 3,
            () if args.is(at, "NOACK") => 1,
            () => return None,
        };
    }
    let words = args.from(at + 1).len();
    (words > 0 && words.is_multiple_of(2)).then(|| at + 1..at + 1 + words / 2)
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    /// Milliseconds to wait for entries; 0: for ever.
    block: Option<u64>,
    pub(super) count: Option<usize>,
    pub(super) acknowledged: bool,
    /// The group and the consumer.
    pub(super) group: Option<(&'a [u8], &'a [u8])>,
    keys: Args<'a>,
    ids: Args<'a>,
}

impl<'a> Ask<'a> {
    fn read(args: Args<'a>) -> Result<Ask<'a>, Fault> {
        let of_group = args.at(0).len() == "xreadgroup".len();
        let (mut ask, mut at) = (Ask { block: None, count: None, acknowledged: false, group: None, keys: args, ids: args }, 1);
        loop {
            let more = args.len().saturating_sub(at + 1);
            match () {
                () if more > 0 && args.is(at, "BLOCK") => ask.block = Some(timeout(args.at(at + 1))?),
                () if more > 0 && args.is(at, "COUNT") => ask.count = usize::try_from(args.int(at + 1)?).ok().filter(|count| *count > 0),
                () if more > 0 && args.is(at, "STREAMS") => break,
                () if more > 1 && args.is(at, "GROUP") => {
                    only_of_group(of_group, "GROUP")?;
                    ask.group = Some((args.at(at + 1), args.at(at + 2)));
                    at += 1;
                }
                () if args.is(at, "NOACK") => {
                    only_of_group(of_group, "NOACK")?;
                    ask.acknowledged = true;
                    at -= 1;
                }
                () => return Err(Fault::SYNTAX),
            }
            at += 2;
        }
        let words = args.from(at + 1);
        if words.len() % 2 == 1 {
            return Err(Fault::fixed("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified."));
        }
        if of_group && ask.group.is_none() {
            return Err(Fault::fixed("ERR Missing GROUP option for XREADGROUP"));
        }
        (ask.keys, ask.ids) = (words.before(words.len() / 2), words.from(words.len() / 2));
        Ok(ask)
    }

    /// The ID behind which each stream is read; the greatest for what its group was not given yet.
    fn marks(&self, view: &mut View<'_>) -> Result<Vec<Id>, Fault> {
        self.keys.iter().zip(self.ids.iter()).map(|(key, id)| self.mark(view, key, id)).collect()
    }

    fn mark(&self, view: &mut View<'_>, key: &[u8], id: &[u8]) -> Result<Id, Fault> {
        let stream = look(view, key)?;
        if let Some((group, _)) = self.group
            && stream.and_then(|stream| stream.groups.get(group)).is_none()
        {
            return Err(no_group(key, group, " in XREADGROUP with GROUP option"));
        }
        match (id, self.group) {
            (b"$", None) => Ok(stream.map_or(Id::MIN, |stream| stream.log.last())),
            (b"$", Some(_)) => Err(Fault::fixed(
                "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a \
                 proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
            )),
            (b">", Some(_)) => Ok(Id::MAX),
            (b">", None) => {
                Err(Fault::fixed("ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option."))
            }
            _ => ids::strict(id),
        }
    }

    /// Whether one that waits finds the stream.
    fn may_be_served(&self, view: &View<'_>, key: &[u8]) -> Result<bool, Fault> {
        match (peek(view, key), self.group) {
            (Some(stream), Some((group, _))) if stream.groups.get(group).is_none() => {
                Err(Fault::fixed("NOGROUP the consumer group this client was blocked on no longer exists"))
            }
            (None, Some(_)) => Err(Fault::fixed("UNBLOCKED the stream key no longer exists")),
            (stream, _) => Ok(stream.is_some()),
        }
    }

    /// What is to be waited for, with words that say what `$` was.
    fn waits(&self, name: &[u8], marks: &[Id], timeout: u64) -> Wait {
        let count = self.count.map(|count| count.to_string().into_bytes());
        let mut words: Vec<&[u8]> = vec![name, b"COUNT", count.as_deref().unwrap_or(AFTER_WAIT)];
        if let Some((group, consumer)) = self.group {
            words.extend([b"GROUP", group, consumer]);
        }
        if self.acknowledged {
            words.push(b"NOACK");
        }
        words.push(b"STREAMS");
        let from = words.len();
        words.extend(self.keys.iter());
        let keys = from..words.len();
        let marks: Vec<_> = marks.iter().map(|mark| mark.text()).collect();
        words.extend(marks.iter().map(|mark| &**mark));
        Wait { keys, kind: Kind::Stream, timeout, instead: Some(words.into_iter().collect()) }
    }
}

fn only_of_group(of_group: bool, option: &str) -> Result<(), Fault> {
    let said = || format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.");
    if of_group { Ok(()) } else { Err(Fault::made(said())) }
}

fn timeout(text: &[u8]) -> Result<u64, Fault> {
    let timeout = crate::frame::parse_int(text).ok_or(Fault::fixed("ERR timeout is not an integer or out of range"))?;
    u64::try_from(timeout).map_err(|_| Fault::fixed("ERR timeout is negative"))
}

/// `XREAD` or `XREADGROUP`.
pub(super) fn read(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, turn: Turn<'_>) -> Result<Went, Fault> {
    let ask = Ask::read(args)?;
    if let Turn::Ready(key) = turn {
        return again(view, &ask, args, key, reply);
    }
    let marks = ask.marks(view)?;
    let mut answer = Answer::new();
    for (key, mark) in ask.keys.iter().zip(&marks) {
        serve(view, &ask, key, *mark, &mut answer, reply)?;
    }
    if answer.end(reply) {
        return Ok(Went::Done);
    }
    match ask.block {
        Some(timeout) if turn == Turn::First => Ok(Went::Wait(ask.waits(args.at(0), &marks, timeout))),
        _ => {
            reply.null_array();
            Ok(Went::Done)
        }
    }
}

/// A command that waits, for what there is in `key` by now.
///
/// # Errors
/// What it waits for will never be.
fn again(view: &mut View<'_>, ask: &Ask<'_>, args: Args<'_>, key: &[u8], reply: &mut Reply<'_>) -> Result<Went, Fault> {
    let marks = ids::all(ask.ids)?;
    let mut answer = Answer::new();
    if let Some(place) = ask.keys.iter().position(|each| each == key)
        && ask.may_be_served(view, key)?
    {
        serve(view, ask, key, marks[place], &mut answer, reply)?;
    }
    // Its time is known to whoever has it wait.
    Ok(if answer.end(reply) { Went::Done } else { Went::Wait(ask.waits(args.at(0), &marks, 0)) })
}

fn serve(view: &mut View<'_>, ask: &Ask<'_>, key: &[u8], mark: Id, answer: &mut Answer, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match ask.group {
        None => tell(view, ask, key, mark, answer, reply),
        Some(names) => deliver(view, ask, names, key, mark, answer, reply),
    }
}

/// What there is in all its streams, up to as much as is asked for; nothing if it would find nothing.
pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let Ok(ask) = Ask::read(args) else { return 0 };
    let most = ask.count.unwrap_or(usize::MAX);
    let weights = ask.keys.iter().zip(ask.ids.iter()).map(|(key, id)| {
        let Some(stream) = peek(view, key) else { return 0 };
        let group = ask.group.and_then(|(group, _)| stream.groups.get(group));
        let mark = match (id, group) {
            (b">", Some(group)) => group.last,
            (_, Some(group)) => return group.pending_count().min(most),
            // The end is not far.
            (id, None) => Id::parse(id, 0).unwrap_or(Id::MAX),
        };
        // What finds nothing may wait, which a worker does not.
        if stream.log.has_behind(mark) { stream.log.weight(mark, Id::MAX, most) } else { 0 }
    });
    weights.sum()
}
