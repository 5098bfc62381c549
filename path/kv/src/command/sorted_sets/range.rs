//! Commands that read a range of members: by rank, score or text, from either end.

use super::bounds::{Scores, Texts};
use super::{Form, peek, read};
use crate::command::ranks::{ranks, read_ranks};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::sorted::{Sorted, SortedEdit, Way};
use crate::store::{Class, Kind, View};

/// What a range is between.
#[derive(Debug, Clone, Copy)]
enum Between<'a> {
    Ranks(i64, i64),
    Scores(Scores),
    Texts(Texts<'a>),
}

/// Which kind of range it is, when it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Text,
}

/// A range as a command says it.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    between: Between<'a>,
    way: Way,
    offset: i64,
    /// How many; all, when it is negative.
    limit: i64,
    with_scores: bool,
}

impl<'a> Wanted<'a> {
    /// Reads `key min max [options]`; what `by` and `way` do not say may be said by an option.
    fn read(args: Args<'a>, by: Option<By>, way: Option<Way>, is_stored: bool) -> Result<Wanted<'a>, Fault> {
        const LIMITED: Fault = Fault::fixed("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
        const SCORED: Fault = Fault::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
        let (mut said_by, mut said_way, mut limit, mut with_scores) = (by, way, (0, -1), false);
        let mut at = 3;
        while at < args.len() {
            if !is_stored && args.is(at, "WITHSCORES") {
                with_scores = true;
            } else if args.is(at, "LIMIT") && at + 2 < args.len() {
                limit = read_ranks(args, at + 1)?;
                at += 2;
            } else if way.is_none() && args.is(at, "REV") && said_way.is_none() {
                said_way = Some(Way::Down);
            } else if said_by.is_none() && args.is(at, "BYLEX") {
                said_by = Some(By::Text);
            } else if said_by.is_none() && args.is(at, "BYSCORE") {
                said_by = Some(By::Score);
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 1;
        }
        let (by, way) = (said_by.unwrap_or(By::Rank), said_way.unwrap_or(Way::Up));
        match by {
            By::Rank if limit.1 != -1 => return Err(LIMITED),
            By::Text if with_scores => return Err(SCORED),
            _ => {}
        }
        let between = Between::read(args, by, way)?;
        Ok(Wanted { between, way, offset: limit.0, limit: limit.1, with_scores })
    }

    /// How many members it leaves out at its end, and how many there are in it.
    fn select(&self, sorted: Sorted<'_>) -> (usize, usize) {
        let within = match self.between {
            Between::Ranks(start, end) => {
                let within = ranks(start, end, sorted.len());
                return (within.start, within.len());
            }
            Between::Scores(scores) => scores.within(sorted),
            Between::Texts(texts) => texts.within(sorted),
        };
        let skip = if self.way == Way::Up { within.start } else { sorted.len() - within.end };
        // A negative offset is never reached.
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX).min(within.len());
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        (skip + offset, limit.min(within.len() - offset))
    }

    fn members<'s>(&self, sorted: Sorted<'s>) -> impl Iterator<Item = (&'s [u8], f64)> {
        let (skip, count) = self.select(sorted);
        sorted.iter(self.way, skip).take(count)
    }
}

impl<'a> Between<'a> {
    /// Reads the two words behind the key; from the highest on, the higher one comes first.
    fn read(args: Args<'a>, by: By, way: Way) -> Result<Between<'a>, Fault> {
        let (least, most) = if way == Way::Up { (1, 2) } else { (2, 1) };
        Ok(match by {
            By::Rank => {
                let (start, end) = read_ranks(args, 1)?;
                Between::Ranks(start, end)
            }
            By::Score => Between::Scores(Scores::read(args, least, most)?),
            By::Text => Between::Texts(Texts::read(args, least, most)?),
        })
    }
}

fn answer(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, by: Option<By>, way: Option<Way>) -> Result<(), Fault> {
    let wanted = Wanted::read(args.from(1), by, way, false)?;
    let Some(sorted) = read(view, args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    let form = Form::of(wanted.with_scores, reply);
    form.head(wanted.select(sorted).1, reply);
    wanted.members(sorted).for_each(|(member, score)| form.tell(member, score, reply));
    Ok(())
}

fn cost(view: &View<'_>, args: Args<'_>, by: Option<By>, way: Option<Way>) -> usize {
    let (Some(sorted), Ok(wanted)) = (peek(view, args.at(1)), Wanted::read(args.from(1), by, way, false)) else { return 0 };
    sorted.weight(wanted.select(sorted).1)
}

macro_rules! ranges {
    ($($run:ident, $cost:ident: $by:expr, $way:expr;)*) => {$(
        pub(super) fn $run(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
            answer(view, args, reply, $by, $way)
        }

        pub(super) fn $cost(view: &View<'_>, args: Args<'_>) -> usize {
            cost(view, args, $by, $way)
        }
    )*};
}

ranges! {
    any, any_cost: None, None;
    by_rank_down, by_rank_down_cost: Some(By::Rank), Some(Way::Down);
    by_score, by_score_cost: Some(By::Score), Some(Way::Up);
    by_score_down, by_score_down_cost: Some(By::Score), Some(Way::Down);
    by_text, by_text_cost: Some(By::Text), Some(Way::Up);
    by_text_down, by_text_down_cost: Some(By::Text), Some(Way::Down);
}

/// `ZRANGESTORE`.
pub(super) fn store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let wanted = Wanted::read(args.from(2), None, None, true)?;
    let sorted = read(view, args.at(2))?;
    let members: Vec<(Box<[u8]>, f64)> =
        sorted.map_or(Vec::new(), |sorted| wanted.members(sorted).map(|(member, score)| (member.into(), score)).collect());
    put(view, args.at(1), &members, "zrangestore");
    reply.int(members.len() as i64);
    Ok(())
}

pub(super) fn store_cost(view: &View<'_>, args: Args<'_>) -> usize {
    let (Some(sorted), Ok(wanted)) = (peek(view, args.at(2)), Wanted::read(args.from(2), None, None, true)) else { return 0 };
    sorted.weight(wanted.select(sorted).1)
}

/// Puts members in a key in place of all that it held, or takes it away when there are none; says so.
pub(in crate::command) fn put(view: &mut View<'_>, key: &[u8], members: &[(Box<[u8]>, f64)], event: &'static str) {
    if members.is_empty() {
        view.delete(key, Class::GENERIC, "del");
        return;
    }
    let mut slot = view.open_any(key, Kind::Sorted);
    // In place of what was there: it is no new key.
    slot.put_until(&[], None);
    let mut edit = SortedEdit::open(&mut slot);
    edit.expect(members.len(), members.iter().map(|(member, _)| member.len()).max().unwrap_or(0));
    members.iter().for_each(|(member, score)| edit.set(member, *score));
    edit.close();
    slot.changed(Class::SORTED, event);
}

/// `ZCOUNT`.
pub(super) fn count_scores(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let scores = Scores::read(args, 2, 3)?;
    reply.int(read(view, args.at(1))?.map_or(0, |sorted| scores.within(sorted).len()) as i64);
    Ok(())
}

/// `ZLEXCOUNT`.
pub(super) fn count_texts(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let texts = Texts::read(args, 2, 3)?;
    reply.int(read(view, args.at(1))?.map_or(0, |sorted| texts.within(sorted).len()) as i64);
    Ok(())
}
