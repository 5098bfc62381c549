//! `GEOSEARCH` and its like: which members are in a shape.

use super::area::cells;
use super::grid::{Cell, Point};
use super::shape::{Shape, Size, Unit};
use super::{position, read_point, tell_distance, tell_point};
use crate::command::sorted_sets::{peek, put, read};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;
use crate::store::sorted::{Sorted, Way};

/// How a command says what is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// `key longitude latitude radius unit`.
    Coordinates,
    /// `key member radius unit`.
    Member,
    /// `key` and options.
    Options,
    /// `destination key` and options.
    Stored,
}

/// A search as a command says it.
#[derive(Debug)]
struct Search<'a> {
    says: Says,
    may_store: bool,
    middle: Option<Point>,
    /// A member was named; without the key nobody knows where it is.
    has_member: bool,
    size: Option<(Size, Unit)>,
    with_distance: bool,
    with_score: bool,
    with_point: bool,
    /// Nearest or farthest first.
    order: Option<Way>,
    /// 0: all.
    count: usize,
    any: bool,
    stored: Option<&'a [u8]>,
    stores_distance: bool,
}

/// A member that was found.
struct Found<'s> {
    member: &'s [u8],
    score: f64,
    point: Point,
    distance: f64,
}

const NO_MEMBER: Fault = Fault::fixed("ERR could not decode requested zset member");

impl<'a> Search<'a> {
    fn read(args: Args<'a>, says: Says, may_store: bool, sorted: Option<Sorted<'_>>) -> Result<Search<'a>, Fault> {
        let mut search = Search {
            says,
            may_store,
            middle: None,
            has_member: false,
            size: None,
            with_distance: false,
            with_score: false,
            with_point: false,
            order: None,
            count: 0,
            any: false,
            stored: (says == Says::Stored).then(|| args.at(1)),
            stores_distance: false,
        };
        let mut at = match says {
            Says::Coordinates => {
                search.middle = Some(read_point(args, 2)?);
                search.size = Some(Size::read_circle(args, 4)?);
                6
            }
            Says::Member => {
                search.set_member(sorted, args.at(2))?;
                if sorted.is_some() {
                    search.size = Some(Size::read_circle(args, 3)?);
                }
                5
            }
            Says::Options => 2,
            Says::Stored => 3,
        };
        while at < args.len() {
            at += search.option(args.from(at), sorted)?;
        }
        search.check(args.at(0))?;
        Ok(search)
    }

    /// Reads an option, and says how many words it has.
    fn option(&mut self, args: Args<'a>, sorted: Option<Sorted<'_>>) -> Result<usize, Fault> {
        let is_search = matches!(self.says, Says::Options | Says::Stored);
        let is_circle = matches!(self.size, Some((Size::Circle { .. }, _)));
        let is_box = matches!(self.size, Some((Size::Box { .. }, _)));
        let takes = |words: usize, name: &str| args.len() > words && args.is(0, name);
        match () {
            () if takes(0, "WITHDIST") => self.with_distance = true,
            () if takes(0, "WITHHASH") => self.with_score = true,
            () if takes(0, "WITHCOORD") => self.with_point = true,
            () if takes(0, "ANY") => self.any = true,
            () if takes(0, "ASC") => self.order = Some(Way::Up),
            () if takes(0, "DESC") => self.order = Some(Way::Down),
            () if takes(1, "COUNT") => {
                let count = args.int(1)?;
                self.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Fault::fixed("ERR COUNT must be > 0"))?;
                return Ok(2);
            }
            () if self.may_store && !is_search && (takes(1, "STORE") || takes(1, "STOREDIST")) => {
                (self.stored, self.stores_distance) = (Some(args.at(1)), args.is(0, "STOREDIST"));
                return Ok(2);
            }
            () if self.says == Says::Stored && takes(0, "STOREDIST") => self.stores_distance = true,
            () if is_search && takes(1, "FROMMEMBER") && (self.has_member || self.middle.is_none()) => {
                self.set_member(sorted, args.at(1))?;
                return Ok(2);
            }
            () if is_search && takes(2, "FROMLONLAT") && !self.has_member => {
                self.middle = Some(read_point(args, 1)?);
                return Ok(3);
            }
            () if is_search && takes(2, "BYRADIUS") && !is_box => {
                self.size = Some(Size::read_circle(args, 1)?);
                return Ok(3);
            }
            () if is_search && takes(3, "BYBOX") && !is_circle => {
                self.size = Some(Size::read_box(args, 1)?);
                return Ok(4);
            }
            () => return Err(Fault::SYNTAX),
        }
        Ok(1)
    }

    fn set_member(&mut self, sorted: Option<Sorted<'_>>, member: &[u8]) -> Result<(), Fault> {
        self.has_member = true;
        if sorted.is_some() {
            self.middle = Some(position(sorted, member).ok_or(NO_MEMBER)?);
        }
        Ok(())
    }

    /// What goes with what, for a command of that name.
    fn check(&self, name: &[u8]) -> Result<(), Fault> {
        let is_search = matches!(self.says, Says::Options | Says::Stored);
        if self.stored.is_some() && (self.with_distance || self.with_score || self.with_point) {
            let what = if self.says == Says::Stored { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            return Err(Fault::made(format!("ERR {what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options")));
        }
        let name = String::from_utf8_lossy(name);
        if is_search && !self.has_member && self.middle.is_none() {
            return Err(Fault::made(format!("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {name}")));
        }
        if is_search && self.size.is_none() {
            return Err(Fault::made(format!("ERR exactly one of BYRADIUS and BYBOX can be specified for {name}")));
        }
        if self.any && self.count == 0 {
            return Err(Fault::fixed("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// What is searched; none for a key that is not there.
    fn shape(&self) -> Option<Shape> {
        let ((size, unit), middle) = (self.size?, self.middle?);
        Some(Shape { middle, size, unit })
    }

    /// The members that are wanted, in the order they are wanted in; their distances are in the unit.
    fn find<'s>(&self, sorted: Sorted<'s>) -> Vec<Found<'s>> {
        let Some(shape) = self.shape() else { return Vec::new() };
        let most = if self.count == 0 { usize::MAX } else { self.count };
        let mut found: Vec<Found<'s>> = members(sorted, &shape).take(if self.any { most } else { usize::MAX }).collect();
        // The nearest are wanted, unless any will do.
        let order = self.order.or((self.count > 0 && !self.any).then_some(Way::Up));
        match order {
            Some(Way::Up) => found.sort_by(|one, other| one.distance.total_cmp(&other.distance)),
            Some(Way::Down) => found.sort_by(|one, other| other.distance.total_cmp(&one.distance)),
            None => {}
        }
        found.truncate(most);
        found.iter_mut().for_each(|found| found.distance /= shape.unit.meters);
        found
    }

    fn tell(&self, found: &[Found<'_>], reply: &mut Reply<'_>) {
        let options = usize::from(self.with_distance) + usize::from(self.with_score) + usize::from(self.with_point);
        reply.array(found.len());
        for found in found {
            if options > 0 {
                reply.array(options + 1);
            }
            reply.bulk(found.member);
            if self.with_distance {
                tell_distance(found.distance, reply);
            }
            if self.with_score {
                reply.int(found.score as i64);
            }
            if self.with_point {
                tell_point(found.point, reply);
            }
        }
    }
}

/// The ranks of the members in a cell: from the first on, how many.
fn within(sorted: Sorted<'_>, cell: Cell) -> (usize, usize) {
    let (least, end) = (cell.score() as f64, cell.end() as f64);
    let from = sorted.count_before(|score, _| score < least);
    (from, sorted.count_before(|score, _| score < end).saturating_sub(from))
}

/// The members in a shape, cell by cell.
fn members<'s>(sorted: Sorted<'s>, shape: &Shape) -> impl Iterator<Item = Found<'s>> {
    let in_cell = move |cell: Cell| {
        let (skip, count) = within(sorted, cell);
        sorted.iter(Way::Up, skip).take(count)
    };
    cells(shape).into_iter().flat_map(in_cell).filter_map(move |(member, score)| {
        let point = Cell::of_score(score).middle();
        Some(Found { member, score, point, distance: shape.distance(point)? })
    })
}

/// The key that is searched.
fn source<'a>(args: Args<'a>, says: Says) -> &'a [u8] {
    args.at(if says == Says::Stored { 2 } else { 1 })
}

fn run(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>, says: Says, may_store: bool) -> Result<(), Fault> {
    let sorted = read(view, source(args, says))?;
    let search = Search::read(args, says, may_store, sorted)?;
    let found = sorted.map_or(Vec::new(), |sorted| search.find(sorted));
    let Some(key) = search.stored else {
        search.tell(&found, reply);
        return Ok(());
    };
    let score = |found: &Found<'_>| if search.stores_distance { found.distance } else { found.score };
    let members: Vec<(Box<[u8]>, f64)> = found.iter().map(|found| (found.member.into(), score(found))).collect();
    let is_search = search.says == Says::Stored;
    put(view, key, &members, if is_search { "geosearchstore" } else { "georadiusstore" });
    reply.int(members.len() as i64);
    Ok(())
}

/// About how many members are looked at.
fn cost(view: &View<'_>, args: Args<'_>, says: Says, may_store: bool) -> usize {
    let Some(sorted @ Sorted::Big(_)) = peek(view, source(args, says)) else { return 0 };
    let search = Search::read(args, says, may_store, Some(sorted)).ok();
    let shape = search.and_then(|search| search.shape());
    shape.map_or(0, |shape| cells(&shape).into_iter().map(|cell| within(sorted, cell).1).sum())
}

macro_rules! searches {
    ($($run:ident, $cost:ident: $says:expr, $may_store:expr;)*) => {$(
        pub(super) fn $run(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
            run(view, args, reply, $says, $may_store)
        }

        pub(super) fn $cost(view: &View<'_>, args: Args<'_>) -> usize {
            cost(view, args, $says, $may_store)
        }
    )*};
}

searches! {
    search, search_cost: Says::Options, false;
    store, store_cost: Says::Stored, true;
    around, around_cost: Says::Coordinates, true;
    around_only, around_only_cost: Says::Coordinates, false;
    around_member, around_member_cost: Says::Member, true;
    around_member_only, around_member_only_cost: Says::Member, false;
}

/// The keys of `GEORADIUS` and `GEORADIUSBYMEMBER`: the last that is stored to is one.
pub(super) fn keys(args: Args<'_>) -> Vec<usize> {
    let (mut keys, mut at) = (vec![1], 5);
    while at + 1 < args.len() {
        if args.is(at, "STORE") || args.is(at, "STOREDIST") {
            keys.truncate(1);
            keys.push(at + 1);
            at += 1;
        }
        at += 1;
    }
    keys
}
