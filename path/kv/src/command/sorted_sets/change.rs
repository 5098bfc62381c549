//! Commands that give members scores.

use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::sorted::SortedEdit;
use crate::store::{Class, Kind, View};

/// The options of `ZADD`.
#[derive(Debug, Default)]
struct Options {
    only_new: bool,
    only_there: bool,
    only_greater: bool,
    only_less: bool,
    /// Those that are changed are counted, too.
    counts_changed: bool,
    increments: bool,
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Done {
    Nothing,
    Added(f64),
    Changed(f64),
    /// It has that score already.
    Same(f64),
}

impl Options {
    /// Reads what is in front of the first score; gives the rest, too.
    fn read(args: Args<'_>) -> Result<(Options, Args<'_>), Fault> {
        let mut options = Options::default();
        let mut at = 0;
        loop {
            let option = match () {
                () if args.is(at, "NX") => &mut options.only_new,
                () if args.is(at, "XX") => &mut options.only_there,
                () if args.is(at, "GT") => &mut options.only_greater,
                () if args.is(at, "LT") => &mut options.only_less,
                () if args.is(at, "CH") => &mut options.counts_changed,
                () if args.is(at, "INCR") => &mut options.increments,
                () => break,
            };
            *option = true;
            at += 1;
        }
        Ok((options, args.from(at)))
    }

    fn check(&self, pairs: Args<'_>) -> Result<(), Fault> {
        if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
            return Err(Fault::SYNTAX);
        }
        if self.only_new && self.only_there {
            return Err(Fault::fixed("ERR XX and NX options at the same time are not compatible"));
        }
        if (self.only_greater && self.only_less) || (self.only_new && (self.only_greater || self.only_less)) {
            return Err(Fault::fixed("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increments && pairs.len() > 2 {
            return Err(Fault::fixed("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// What a score is to become.
    fn decide(&self, old: Option<f64>, score: f64) -> Result<Done, Fault> {
        const NAN: Fault = Fault::fixed("ERR resulting score is not a number (NaN)");
        let Some(old) = old else {
            return Ok(if self.only_there { Done::Nothing } else { Done::Added(score) });
        };
        if self.only_new {
            return Ok(Done::Nothing);
        }
        let score = if self.increments { old + score } else { score };
        Ok(match () {
            () if score.is_nan() => return Err(NAN),
            () if (self.only_less && score >= old) || (self.only_greater && score <= old) => Done::Nothing,
            () if score == old => Done::Same(score),
            () => Done::Changed(score),
        })
    }
}

/// `ZADD`.
pub(super) fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (options, pairs) = Options::read(args.from(2))?;
    set_scores(view, args.at(1), &options, pairs, reply)
}

/// `ZINCRBY`.
pub(super) fn increment(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (options, pairs) = Options::read(args.from(2))?;
    set_scores(view, args.at(1), &Options { increments: true, ..options }, pairs, reply)
}

fn set_scores(view: &mut View<'_>, key: &[u8], options: &Options, pairs: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    options.check(pairs)?;
    let scores: Vec<f64> = (0..pairs.len()).step_by(2).map(|at| pairs.float(at)).collect::<Result<_, Fault>>()?;
    let members = (1..pairs.len()).step_by(2).map(|at| pairs.at(at));
    let (added, changed, last) = set(view, key, options, scores.into_iter().zip(members))?;
    match (options.increments, last) {
        (true, Done::Nothing) => reply.null(),
        (true, Done::Added(score) | Done::Changed(score) | Done::Same(score)) => reply.double(score),
        (false, _) => reply.int((if options.counts_changed { added + changed } else { added }) as i64),
    }
    Ok(())
}

/// Gives members scores and says so: how many are new, how many have another score, and what became of the last.
fn set<'m>(
    view: &mut View<'_>,
    key: &[u8],
    options: &Options,
    pairs: impl Iterator<Item = (f64, &'m [u8])>,
) -> Result<(usize, usize, Done), Fault> {
    let (mut added, mut changed, mut last) = (0, 0, Done::Nothing);
    let mut slot = view.open(key, Kind::Sorted)?;
    if slot.kind().is_none() && options.only_there {
        return Ok((0, 0, last));
    }
    let mut edit = SortedEdit::open(&mut slot);
    for (score, member) in pairs {
        let mut decided = Ok(Done::Nothing);
        edit.update(member, |old| {
            decided = options.decide(old, score);
            match decided {
                Ok(Done::Added(score) | Done::Changed(score)) => Some(score),
                _ => None,
            }
        });
        // Only an increment can fail, and then it is alone.
        last = match decided {
            Ok(done) => done,
            Err(fault) => {
                edit.close();
                return Err(fault);
            }
        };
        added += usize::from(matches!(last, Done::Added(_)));
        changed += usize::from(matches!(last, Done::Changed(_)));
    }
    edit.close();
    if added + changed > 0 {
        slot.changed(Class::SORTED, if options.increments { "zincr" } else { "zadd" });
    }
    Ok((added, changed, last))
}

/// `GEOADD` with `[NX | XX] [CH]`, whose positions are scores by now.
pub(in crate::command) fn add_scored(
    view: &mut View<'_>,
    key: &[u8],
    words: Args<'_>,
    pairs: &[(f64, &[u8])],
    reply: &mut Reply<'_>,
) -> Result<(), Fault> {
    let (options, _) = Options::read(words)?;
    if options.only_new && options.only_there {
        return Err(Fault::fixed("ERR XX and NX options at the same time are not compatible"));
    }
    let (added, changed, _) = set(view, key, &options, pairs.iter().copied())?;
    reply.int((if options.counts_changed { added + changed } else { added }) as i64);
    Ok(())
}
