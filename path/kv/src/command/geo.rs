//! Positions on earth: members of a sorted set whose scores are the cells of a grid.

mod area;
mod grid;
mod search;
mod shape;

use super::sorted_sets::{add_scored, read};
use super::{Command, Flags, GROWS, Group, KeySpec, OnKeys, READS};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;
use crate::store::sorted::Sorted;
use grid::{Cell, Point, WORLD};
use shape::{Unit, distance};

pub(super) const COMMANDS: &[Command] = &[
    geo("geoadd", -5, GROWS, KeySpec::ONE, add).costs(by_words),
    geo("geopos", -2, READS, KeySpec::ONE, positions).costs(by_words),
    geo("geohash", -2, READS, KeySpec::ONE, hashes).costs(by_words),
    geo("geodist", -4, READS, KeySpec::ONE, between),
    geo("geosearch", -7, READS, KeySpec::ONE, search::search).costs(search::search_cost),
    geo("geosearchstore", -8, GROWS, KeySpec::TWO, search::store).costs(search::store_cost),
    geo("georadius", -6, MOVABLE, KeySpec::Found(search::keys), search::around).costs(search::around_cost),
    geo("georadius_ro", -6, READS, KeySpec::ONE, search::around_only).costs(search::around_only_cost),
    geo("georadiusbymember", -5, MOVABLE, KeySpec::Found(search::keys), search::around_member).costs(search::around_member_cost),
    geo("georadiusbymember_ro", -5, READS, KeySpec::ONE, search::around_member_only).costs(search::around_member_only_cost),
];

const MOVABLE: Flags = GROWS.and(Flags::MOVABLE_KEYS);

const fn geo(name: &'static str, arity: i32, flags: Flags, keys: KeySpec, run: OnKeys) -> Command {
    Command::on_keys(name, arity, flags, Group::Geo, keys, run)
}

/// A word is about an element.
fn by_words(_: &View<'_>, args: Args<'_>) -> usize {
    args.len()
}

/// The longitude at a place, and the latitude behind it.
fn read_point(args: Args<'_>, at: usize) -> Result<Point, Fault> {
    let point = Point { longitude: args.float(at)?, latitude: args.float(at + 1)? };
    if WORLD.has(point) {
        return Ok(point);
    }
    let Point { longitude, latitude } = point;
    Err(Fault::made(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}")))
}

/// Where a member is.
fn position(sorted: Option<Sorted<'_>>, member: &[u8]) -> Option<Point> {
    sorted?.score(member).map(|score| Cell::of_score(score).middle())
}

/// `GEOADD`.
fn add(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let is_option = |at: &usize| ["NX", "XX", "CH"].iter().any(|option| args.is(*at, option));
    let options = (2..args.len()).take_while(is_option).count();
    let has = |option: &str| (2..2 + options).any(|at| args.is(at, option));
    let triples = args.from(2 + options);
    if !triples.len().is_multiple_of(3) || triples.is_empty() || (has("NX") && has("XX")) {
        return Err(Fault::SYNTAX);
    }
    let mut pairs = Vec::with_capacity(triples.len() / 3);
    for at in (0..triples.len()).step_by(3) {
        let cell = WORLD.cell(read_point(triples, at)?, grid::FINEST);
        pairs.push((cell.score() as f64, triples.at(at + 2)));
    }
    add_scored(view, args.at(1), args.from(2).before(options), &pairs, reply)
}

/// `GEOPOS`.
fn positions(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let sorted = read(view, args.at(1))?;
    reply.array(args.len() - 2);
    for member in args.from(2).iter() {
        match position(sorted, member) {
            Some(point) => tell_point(point, reply),
            None => reply.null_array(),
        }
    }
    Ok(())
}

fn tell_point(point: Point, reply: &mut Reply<'_>) {
    reply.array(2);
    reply.human(point.longitude);
    reply.human(point.latitude);
}

/// `GEOHASH`.
fn hashes(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let sorted = read(view, args.at(1))?;
    reply.array(args.len() - 2);
    for member in args.from(2).iter() {
        match position(sorted, member) {
            Some(point) => reply.bulk(&grid::text(point)),
            None => reply.null(),
        }
    }
    Ok(())
}

/// `GEODIST`.
fn between(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let unit = match args.len() {
        4 => Unit::METER,
        5 => Unit::read(args, 4)?,
        _ => return Err(Fault::SYNTAX),
    };
    let sorted = read(view, args.at(1))?;
    match (position(sorted, args.at(2)), position(sorted, args.at(3))) {
        (Some(one), Some(other)) => tell_distance(distance(one, other) / unit.meters, reply),
        _ => reply.null(),
    }
    Ok(())
}

/// A distance with four decimals.
fn tell_distance(distance: f64, reply: &mut Reply<'_>) {
    let scaled = (distance * 10_000.0).round_ties_even() as i64;
    reply.bulk(format!("{}.{:04}", scaled / 10_000, scaled % 10_000).as_bytes());
}

#[cfg(test)]
mod tests;
