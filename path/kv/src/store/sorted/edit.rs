//! A sorted set that is changed.

use std::ops::Range;

use super::super::big::Big;
use super::super::packed::{Edit, MOST_BYTES, MOST_ENTRIES, Row, SHORT, is_small};
use super::super::slot::Slot;
use super::{Ranked, STEP, Sorted, Way, compare, read_score, scored, write_score};

/// A sorted set in the hands of a command; [`SortedEdit::close`] puts it back.
pub(crate) struct SortedEdit<'e, 's> {
    slot: &'e mut Slot<'s>,
    /// The packed form while it is edited; none when it is big.
    packed: Option<Vec<u8>>,
    is_changed: bool,
    mark: bool,
}

impl<'e, 's> SortedEdit<'e, 's> {
    /// The sorted set of a slot that has one, or nothing.
    #[must_use = "what was changed must be put back"]
    pub(crate) fn open(slot: &'e mut Slot<'s>) -> SortedEdit<'e, 's> {
        let (mut packed, mark) = (slot.edit_or_start(), slot.mark());
        packed.as_mut().map(Edit::<false>::of);
        SortedEdit { slot, packed, is_changed: false, mark }
    }

    /// What it is now.
    pub(crate) fn sorted(&self) -> Sorted<'_> {
        match &self.packed {
            Some(bytes) => Sorted::Packed(Row::of(bytes)),
            None => Sorted::of(self.slot.value().expect("a big one is there")),
        }
    }

    /// So many members are about to come, the longest of that length: Redis chooses its form for all of them.
    pub(crate) fn expect(&mut self, count: usize, longest: usize) {
        self.mark = self.mark || count > MOST_ENTRIES || longest > SHORT;
    }

    /// Gives a member a score, which is a number.
    pub(crate) fn set(&mut self, member: &[u8], score: f64) {
        self.update(member, |_| Some(score));
    }

    /// Gives a member a score, if `decide` has one for it when it knows the old one.
    pub(crate) fn update(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) {
        if member.len() > MOST_BYTES {
            self.unpack();
        }
        // In Redis's packed form zero has no sign.
        let is_plain = !self.mark && member.len() <= SHORT;
        let decide = |old| decide(old).map(|score| if is_plain { score + 0.0 } else { score });
        let is_changed = match &mut self.packed {
            Some(bytes) => update(&mut Edit::of(bytes), member, decide),
            None => ranked(self.slot).update(member, decide),
        };
        if is_changed {
            self.is_changed = true;
            self.unpack_large();
            self.mark = self.mark || member.len() > SHORT || self.sorted().len() > MOST_ENTRIES;
        }
    }

    /// Takes a member away; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(bytes) = &mut self.packed else { return ranked(self.slot).remove(member) };
        let mut edit = Edit::<false>::of(bytes);
        let at = edit.packed().find(member, STEP);
        if let Some(at) = at {
            edit.remove(at, STEP);
            self.is_changed = true;
        }
        at.is_some()
    }

    /// Takes away the members of these ranks, which are there.
    pub(crate) fn remove_ranks(&mut self, ranks: Range<usize>) {
        self.is_changed = true;
        if let Some(bytes) = &mut self.packed {
            let mut edit = Edit::<false>::of(bytes);
            let at = edit.packed().nth(ranks.start * STEP);
            return edit.remove(at, ranks.len() * STEP);
        }
        let ranked = ranked(self.slot);
        let gone: Vec<Box<[u8]>> = ranked.iter(Way::Up, ranks.start).take(ranks.len()).map(|(member, _)| member.into()).collect();
        gone.iter().for_each(|member| {
            ranked.remove(member);
        });
    }

    /// Puts it back, or takes the key away when no member is left; whether one is.
    pub(crate) fn close(self) -> bool {
        let is_there = self.sorted().len() > 0;
        self.slot.close_edited(self.packed, self.is_changed, is_there);
        self.slot.set_mark(self.mark);
        is_there
    }

    /// Makes it a big one when it is not small any more.
    fn unpack_large(&mut self) {
        let row = self.packed.as_deref().map(Row::of);
        if row.is_some_and(|row| !is_small(row.len() / STEP, row.end())) {
            self.unpack();
        }
    }

    fn unpack(&mut self) {
        let Some(bytes) = self.packed.take() else { return };
        let mut all = Ranked::new();
        scored(Row::of(&bytes)).for_each(|(member, score)| all.set(member, score));
        self.slot.put_big(Big::Sorted(all));
    }
}

/// As [`SortedEdit::update`]; whether it has another score then.
fn update(edit: &mut Edit<'_, false>, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) -> bool {
    let row = edit.packed();
    let there = row.find(member, STEP);
    let old = there.map(|at| read_score(row.get(row.behind(at))));
    let Some(score) = decide(old).filter(|score| old != Some(*score)) else { return false };
    if let Some(at) = there {
        edit.remove(at, STEP);
    }
    let at = place(edit.packed(), member, score);
    let behind = edit.insert(at, member);
    edit.insert(behind, write_score(score, &mut [0; 8]));
    true
}

/// Where a member with that score belongs.
fn place(row: Row<'_>, member: &[u8], score: f64) -> usize {
    let mut at = Row::start();
    while at < row.end() {
        let behind = row.behind(at);
        let order = compare(read_score(row.get(behind)), score).then_with(|| row.get(at).cmp(member));
        if order.is_gt() {
            break;
        }
        at = row.behind(behind);
    }
    at
}

fn ranked<'r>(slot: &'r mut Slot<'_>) -> &'r mut Ranked {
    match slot.big() {
        Some(Big::Sorted(ranked)) => ranked,
        _ => unreachable!("what is not packed is a big sorted set"),
    }
}
