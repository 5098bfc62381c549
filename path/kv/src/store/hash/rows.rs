//! Packed hashes: a field is followed by its value, and in a flagged one, which has a field that expires, by its expiry (u48, or
//! nothing).

use super::super::entry::Ms;
use super::super::packed::{Edit, Row};

/// Bytes of an expiry.
pub(super) const EXPIRY: usize = 6;

/// Elements of a field.
#[inline]
pub(super) fn step(row: Row<'_>) -> usize {
    if row.flag() { 3 } else { 2 }
}

/// An expiry as it is stored.
pub(super) fn stored(until: Option<Ms>) -> ([u8; 8], usize) {
    until.map_or(([0; 8], 0), |until| (until.to_le_bytes(), EXPIRY))
}

/// An expiry that is stored in these bytes.
pub(super) fn read(stored: &[u8]) -> Option<Ms> {
    (!stored.is_empty()).then(|| {
        let mut bytes = [0; 8];
        bytes[..EXPIRY].copy_from_slice(stored);
        Ms::from_le_bytes(bytes)
    })
}

#[inline]
pub(super) fn get<'a>(row: Row<'a>, field: &[u8]) -> Option<&'a [u8]> {
    row.find(field, step(row)).map(|at| row.get(row.behind(at)))
}

/// When a field is overdue, if it is there; the inner one is none when that is never.
pub(super) fn expiry(row: Row<'_>, field: &[u8]) -> Option<Option<Ms>> {
    let at = row.find(field, step(row))?;
    Some(if row.flag() { read(row.get(row.behind(row.behind(at)))) } else { None })
}

/// Every field with its value and expiry.
pub(super) fn each<'a>(row: Row<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8], Option<Ms>)> {
    let (mut elements, is_timed) = (row.iter(), row.flag());
    std::iter::from_fn(move || {
        let (field, value) = (elements.next()?, elements.next()?);
        Some((field, value, if is_timed { elements.next().and_then(read) } else { None }))
    })
}

/// No field is overdue before this.
pub(super) fn soonest(row: Row<'_>) -> Ms {
    if row.flag() { each(row).filter_map(|(_, _, until)| until).min().unwrap_or(Ms::MAX) } else { Ms::MAX }
}

/// Gives a field a value, and an expiry or none; whether it is new.
pub(super) fn put(bytes: &mut Vec<u8>, field: &[u8], value: &[u8], until: Option<Ms>) -> bool {
    if until.is_some() && !Row::of(bytes).flag() {
        rebuild(bytes, true, |_| true);
    }
    let mut edit = Edit::<false>::of(bytes);
    let (row, until) = (edit.packed(), stored(until));
    let (is_timed, at) = (row.flag(), row.find(field, step(row)));
    match at {
        Some(at) => {
            let behind = edit.replace(row_behind(&edit, at), value);
            if is_timed {
                edit.replace(behind, &until.0[..until.1]);
            }
        }
        None => {
            edit.push(field);
            edit.push(value);
            if is_timed {
                edit.push(&until.0[..until.1]);
            }
        }
    }
    at.is_none()
}

fn row_behind(edit: &Edit<'_, false>, at: usize) -> usize {
    edit.packed().behind(at)
}

/// Gives a field that is there an expiry, or none.
pub(super) fn set_expiry(bytes: &mut Vec<u8>, field: &[u8], until: Option<Ms>) {
    if !Row::of(bytes).flag() {
        rebuild(bytes, true, |_| true);
    }
    let row = Row::of(bytes);
    let at = row.find(field, step(row)).expect("it is there");
    let (at, until) = (row.behind(row.behind(at)), stored(until));
    Edit::<false>::of(bytes).replace(at, &until.0[..until.1]);
}

/// Takes a field away; whether it was there.
pub(super) fn remove(bytes: &mut Vec<u8>, field: &[u8]) -> bool {
    let row = Row::of(bytes);
    let (at, step) = (row.find(field, step(row)), step(row));
    if let Some(at) = at {
        Edit::<false>::of(bytes).remove(at, step);
    }
    at.is_some()
}

/// Takes away what is overdue, and says which fields those were.
pub(crate) fn purge(bytes: &mut Vec<u8>, now: Ms) -> Vec<Box<[u8]>> {
    let is_due = |until: Option<Ms>| until.is_some_and(|until| until <= now);
    let gone: Vec<Box<[u8]>> = each(Row::of(bytes)).filter(|(_, _, until)| is_due(*until)).map(|(field, _, _)| field.into()).collect();
    if !gone.is_empty() {
        let is_timed = each(Row::of(bytes)).any(|(_, _, until)| until.is_some_and(|until| until > now));
        rebuild(bytes, is_timed, |until| !is_due(until));
    }
    gone
}

/// Writes it anew, with room for expiries or without, and only the fields whose expiry is to `stay`.
fn rebuild(bytes: &mut Vec<u8>, is_timed: bool, stay: impl Fn(Option<Ms>) -> bool) {
    let mut new = Vec::with_capacity(bytes.len() + 2 * EXPIRY);
    let mut edit = Edit::<false>::of(&mut new);
    edit.set_flag(is_timed);
    for (field, value, until) in each(Row::of(bytes)).filter(|(_, _, until)| stay(*until)) {
        edit.push(field);
        edit.push(value);
        if is_timed {
            let until = stored(until);
            edit.push(&until.0[..until.1]);
        }
    }
    *bytes = new;
}
