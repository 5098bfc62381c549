//! Commands that make one sorted set of several, among which there may be sets.

use std::collections::HashMap;

use super::{Form, put};
use crate::command::find;
use crate::command::ranks::count;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::set::{Set, Text};
use crate::store::sorted::{Sorted, Way, compare};
use crate::store::{Kind, View};

/// What becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combine {
    Union,
    Inter,
    Diff,
}

/// What becomes of the scores of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

/// What is behind the keys.
struct Options {
    weights: Option<Vec<f64>>,
    aggregate: Aggregate,
    with_scores: bool,
    /// How many members are enough; 0: none are.
    limit: usize,
}

/// Which options there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Answer,
    Store,
    Count,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
enum Input<'v> {
    Sorted(Sorted<'v>),
    Set(Set<'v>),
    Nothing,
}

/// Members with their scores, in order.
type Members<'v> = Vec<(Text<'v>, f64)>;

impl<'v> Input<'v> {
    fn of(view: &'v View<'_>, key: &[u8]) -> Option<Input<'v>> {
        let value = |kind: Kind| view.peek(key, kind).ok().flatten();
        Some(match view.kind(key) {
            None => Input::Nothing,
            Some(Kind::Sorted) => Input::Sorted(Sorted::of(value(Kind::Sorted)?)),
            Some(Kind::Set) => Input::Set(Set::of(value(Kind::Set)?)),
            Some(_) => return None,
        })
    }

    fn len(self) -> usize {
        match self {
            Input::Sorted(sorted) => sorted.len(),
            Input::Set(set) => set.len(),
            Input::Nothing => 0,
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Input::Sorted(sorted) => sorted.score(member),
            Input::Set(set) => set.has(member).then_some(1.0),
            Input::Nothing => None,
        }
    }

    fn iter(self) -> Box<dyn Iterator<Item = (Text<'v>, f64)> + 'v> {
        match self {
            Input::Sorted(sorted) => Box::new(sorted.iter(Way::Up, 0).map(|(member, score)| (Text::Lent(member), score))),
            Input::Set(set) => Box::new(set.iter().map(|member| (member, 1.0))),
            Input::Nothing => Box::new(std::iter::empty()),
        }
    }
}

impl Aggregate {
    fn of(self, one: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => number(one + other),
            Aggregate::Min => {
                if other < one {
                    other
                } else {
                    one
                }
            }
            Aggregate::Max => {
                if other > one {
                    other
                } else {
                    one
                }
            }
        }
    }
}

/// What is no number is 0.
fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

impl Options {
    fn read(args: Args<'_>, keys: usize, combine: Combine, purpose: Purpose) -> Result<Options, Fault> {
        let mut options = Options { weights: None, aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        let scores_count = combine != Combine::Diff && purpose != Purpose::Count;
        let mut at = 0;
        while at < args.len() {
            let left = args.len() - at;
            if scores_count && left > keys && args.is(at, "WEIGHTS") {
                options.weights = Some(read_weights(args.from(at + 1).before(keys))?);
                at += keys;
            } else if scores_count && left >= 2 && args.is(at, "AGGREGATE") {
                options.aggregate = read_aggregate(args, at + 1)?;
                at += 1;
            } else if purpose == Purpose::Answer && args.is(at, "WITHSCORES") {
                options.with_scores = true;
            } else if purpose == Purpose::Count && left >= 2 && args.is(at, "LIMIT") {
                options.limit = count(args, at + 1, 0, Fault::fixed("ERR LIMIT can't be negative"))?;
                at += 1;
            } else {
                return Err(Fault::SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }
}

fn read_weights(args: Args<'_>) -> Result<Vec<f64>, Fault> {
    (0..args.len()).map(|at| args.float(at).map_err(|_| Fault::fixed("ERR weight value is not a float"))).collect()
}

fn read_aggregate(args: Args<'_>, at: usize) -> Result<Aggregate, Fault> {
    match () {
        () if args.is(at, "SUM") => Ok(Aggregate::Sum),
        () if args.is(at, "MIN") => Ok(Aggregate::Min),
        () if args.is(at, "MAX") => Ok(Aggregate::Max),
        () => Err(Fault::SYNTAX),
    }
}

/// The keys behind their number at `at`, and what is behind them.
fn keys(args: Args<'_>, at: usize) -> Result<(Args<'_>, Args<'_>), Fault> {
    let many = args.int(at)?;
    if many < 1 {
        let name = find(args.at(0)).expect("it was found").name;
        return Err(Fault::made(format!("ERR at least 1 input key is needed for '{name}' command")));
    }
    let many = usize::try_from(many).ok().filter(|many| *many < args.len() - at).ok_or(Fault::SYNTAX)?;
    Ok((args.from(at + 1).before(many), args.from(at + 1 + many)))
}

/// Reads the inputs and the options, whose number is at `at`.
fn read<'v>(
    view: &'v mut View<'_>,
    args: Args<'_>,
    at: usize,
    combine: Combine,
    purpose: Purpose,
) -> Result<(Vec<(Input<'v>, f64)>, Options), Fault> {
    let (keys, rest) = keys(args, at)?;
    for key in keys.iter() {
        view.touch(key);
        Input::of(view, key).ok_or(Fault::WRONG_TYPE)?;
    }
    let options = Options::read(rest, keys.len(), combine, purpose)?;
    let weight = |index: usize| options.weights.as_ref().map_or(1.0, |weights| weights[index]);
    let view = &*view;
    let inputs = keys.iter().enumerate().map(|(index, key)| (Input::of(view, key).expect("it was looked at"), weight(index)));
    let mut inputs: Vec<(Input<'v>, f64)> = inputs.collect();
    if combine != Combine::Diff {
        inputs.sort_by_key(|(input, _)| input.len());
    }
    Ok((inputs, options))
}

impl Combine {
    fn members<'v>(self, inputs: &[(Input<'v>, f64)], aggregate: Aggregate) -> Members<'v> {
        let mut members = match self {
            Combine::Union => union_of(inputs, aggregate),
            Combine::Inter => inter_of(inputs, aggregate).collect(),
            Combine::Diff => {
                let is_alone = |member: &[u8]| !inputs[1..].iter().any(|(input, _)| input.score(member).is_some());
                inputs[0].0.iter().filter(|(member, _)| is_alone(member)).collect()
            }
        };
        members.sort_unstable_by(|one, other| compare(one.1, other.1).then_with(|| (*one.0).cmp(&*other.0)));
        members
    }
}

fn union_of<'v>(inputs: &[(Input<'v>, f64)], aggregate: Aggregate) -> Members<'v> {
    let mut all: HashMap<Text<'v>, f64> = HashMap::new();
    for (input, weight) in inputs {
        for (member, score) in input.iter() {
            let score = number(weight * score);
            all.entry(member).and_modify(|sum| *sum = aggregate.of(*sum, score)).or_insert(score);
        }
    }
    all.into_iter().collect()
}

fn inter_of<'v>(inputs: &[(Input<'v>, f64)], aggregate: Aggregate) -> impl Iterator<Item = (Text<'v>, f64)> {
    let ((first, weight), others) = (inputs[0], &inputs[1..]);
    first.iter().filter_map(move |(member, score)| {
        let mut sum = number(weight * score);
        for (input, weight) in others {
            sum = aggregate.of(sum, input.score(&member)? * weight);
        }
        Some((member, sum))
    })
}

fn answer(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, combine: Combine) -> Result<(), Fault> {
    let (inputs, options) = read(view, args, 1, combine, Purpose::Answer)?;
    let members = combine.members(&inputs, options.aggregate);
    let form = Form::of(options.with_scores, reply);
    form.head(members.len(), reply);
    members.into_iter().for_each(|(member, score)| form.tell(&member, score, reply));
    Ok(())
}

fn store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, combine: Combine, event: &'static str) -> Result<(), Fault> {
    let (inputs, options) = read(view, args, 2, combine, Purpose::Store)?;
    let members = combine.members(&inputs, options.aggregate);
    let members: Vec<(Box<[u8]>, f64)> = members.into_iter().map(|(member, score)| (Box::from(&*member), score)).collect();
    put(view, args.at(1), &members, event);
    reply.int(members.len() as i64);
    Ok(())
}

pub(super) fn union(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    answer(view, args, reply, Combine::Union)
}

pub(super) fn inter(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    answer(view, args, reply, Combine::Inter)
}

pub(super) fn diff(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    answer(view, args, reply, Combine::Diff)
}

pub(super) fn union_store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    store(view, args, reply, Combine::Union, "zunionstore")
}

pub(super) fn inter_store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    store(view, args, reply, Combine::Inter, "zinterstore")
}

pub(super) fn diff_store(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    store(view, args, reply, Combine::Diff, "zdiffstore")
}

/// `ZINTERCARD`.
pub(super) fn inter_count(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (inputs, options) = read(view, args, 1, Combine::Inter, Purpose::Count)?;
    let most = if options.limit == 0 { usize::MAX } else { options.limit };
    reply.int(inter_of(&inputs, Aggregate::Sum).take(most).count() as i64);
    Ok(())
}

/// About how many members are looked at.
fn look(view: &View<'_>, args: Args<'_>, at: usize) -> usize {
    keys(args, at).map_or(0, |(keys, _)| keys.iter().filter_map(|key| Input::of(view, key)).map(Input::len).sum())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    look(view, args, 1)
}

pub(super) fn store_cost(view: &View<'_>, args: Args<'_>) -> usize {
    look(view, args, 2)
}
