//! One key in the hands of a command that may change it.

mod item;
mod whole;

use super::access::Policy;
use super::big::Big;
use super::entry::{self, Head, Kind, Ms};
use super::keys::Keys;
use super::outcome::{Class, Outcome};
use super::table::Place;
use super::tag::Tag;
use super::view::Value;
pub(crate) use whole::{Form, Whole};

/// A key, there or not.
pub(crate) struct Slot<'s> {
    keys: &'s mut Keys,
    outcome: &'s mut Outcome,
    key: &'s [u8],
    hash: u64,
    place: Option<Place>,
    /// Of what is put there.
    kind: Kind,
    /// What the big value held when it was lent to be changed.
    lent: Option<usize>,
}

impl<'s> Slot<'s> {
    pub(super) fn new(
        keys: &'s mut Keys,
        outcome: &'s mut Outcome,
        key: &'s [u8],
        hash: u64,
        place: Option<Place>,
        kind: Kind,
    ) -> Slot<'s> {
        Slot { keys, outcome, key, hash, place, kind, lent: None }
    }

    /// Counts that a command may change it.
    #[inline]
    pub(super) fn opened(self) -> Self {
        self.keys.opened(self.key, self.hash);
        self
    }

    /// What it is now.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.place.map(|place| entry::kind(self.keys.entry(place)))
    }

    /// What it holds now.
    pub(crate) fn value(&self) -> Option<Value<'_>> {
        let place = self.place?;
        let bytes = self.keys.entry(place);
        Some(if entry::is_big(bytes) { Value::Big(self.keys.big(place)) } else { Value::Bytes(entry::value(bytes)) })
    }

    /// A mark that its kind gives a meaning.
    pub(crate) fn mark(&self) -> bool {
        self.place.is_some_and(|place| entry::mark(self.keys.entry(place)))
    }

    /// Sets the mark of what is there.
    pub(crate) fn set_mark(&mut self, mark: bool) {
        if let Some(place) = self.place {
            entry::set_mark(self.keys.entry_mut(place), mark);
        }
    }

    /// When it is overdue.
    pub(crate) fn expiry(&self) -> Option<Ms> {
        self.place.and_then(|place| entry::expiry(self.keys.entry(place)))
    }

    /// Of what is there.
    pub(crate) fn set_expiry(&mut self, expiry: Option<Ms>) {
        self.outcome.gives_not(self.key);
        if let Some(place) = self.place.filter(|_| self.expiry() != expiry) {
            self.place = Some(self.keys.set_expiry(place, self.key, self.hash, expiry));
        }
    }

    /// It was used last so many milliseconds ago, as `RESTORE` says it.
    pub(crate) fn set_idle(&mut self, idle: Ms) {
        self.set_access(|policy, access, now| policy.with_idle(access, idle, now));
    }

    /// It is used so often, as `RESTORE` says it.
    pub(crate) fn set_frequency(&mut self, frequency: u8) {
        self.set_access(|policy, access, now| policy.with_frequency(access, frequency, now));
    }

    fn set_access(&mut self, set: impl FnOnce(Policy, u32, Ms) -> u32) {
        if let Some(place) = self.place {
            let (policy, now) = (self.keys.eviction().policy, self.keys.now());
            let before = entry::access(self.keys.entry(place));
            self.keys.set_access(place, set(policy, before, now));
        }
    }

    /// Puts bytes there; an expiry stays, and a tag.
    pub(crate) fn put(&mut self, value: &[u8]) {
        let until = self.as_before();
        self.replace(value, until, self.tag(), false);
    }

    /// As [`Slot::put`], but a tag goes.
    pub(crate) fn put_anew(&mut self, value: &[u8]) {
        let until = self.as_before();
        self.replace(value, until, None, false);
    }

    /// Puts bytes there that are overdue at `expiry`, or as the class of the key says; a tag goes.
    pub(crate) fn put_until(&mut self, value: &[u8], expiry: Option<Ms>) {
        let until = self.or_class(expiry);
        self.replace(value, until, None, false);
    }

    /// Puts a big value there; an expiry stays.
    pub(crate) fn put_big(&mut self, big: Big) {
        let number = self.keys.add_big(Box::new(big));
        let until = self.as_before();
        self.replace(&number, until, None, true);
    }

    /// The expiry of what is there; what is not there has that of its class.
    fn as_before(&mut self) -> Option<Ms> {
        if self.place.is_some() { self.expiry() } else { self.or_class(None) }
    }

    /// What has no expiry has that of its class.
    #[inline]
    fn or_class(&mut self, expiry: Option<Ms>) -> Option<Ms> {
        expiry.or_else(|| {
            let expiry = self.keys.class_expiry(self.key)?;
            self.outcome.gives(self.key, expiry);
            Some(expiry)
        })
    }

    fn replace(&mut self, value: &[u8], expiry: Option<Ms>, tag: Option<Tag>, is_big: bool) {
        self.settle();
        let access = self.place.map_or(0, |place| entry::access(self.keys.entry(place)));
        let old = self.place.and_then(|place| self.keys.take_big(place));
        self.outcome.drops(old);
        let tag = tag.filter(|_| self.kind == Kind::Str);
        let head = Head { is_big, expiry, tag, access, ..Head::new(self.kind) };
        if self.place.is_none() {
            self.outcome.happened(Class::NEW, "new", self.key);
        }
        let place = self.keys.put(self.place, self.key, self.hash, head, value);
        self.place = Some(place);
        let due = self.keys.fields_due(place);
        if due < Ms::MAX {
            self.keys.falls_due(place, due);
        }
    }

    /// The bytes that it holds, when they are to be changed where they are.
    pub(crate) fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let place = self.place?;
        let bytes = self.keys.entry_mut(place);
        if entry::is_big(bytes) { None } else { Some(entry::value_mut(bytes)) }
    }

    /// Makes the bytes that it holds `length` long, or puts so many there; what is new are zeros.
    pub(crate) fn resize(&mut self, length: usize) {
        if self.place.is_none() {
            self.put(&[]);
        }
        if let Some(place) = self.place.filter(|place| !entry::is_big(self.keys.entry(*place))) {
            self.keys.resize(place, length);
        }
    }

    /// A copy of the bytes that it holds, none when it is not there or big; [`Slot::put_edited`] puts them back.
    pub(crate) fn edit(&mut self) -> Option<Vec<u8>> {
        match self.place {
            Some(place) if entry::is_big(self.keys.entry(place)) => None,
            Some(place) => Some(self.keys.scratch_of(place)),
            None => None,
        }
    }

    /// As [`Slot::edit`]; when it is not there, no bytes.
    pub(crate) fn edit_or_start(&mut self) -> Option<Vec<u8>> {
        if self.place.is_some() { self.edit() } else { Some(self.keys.scratch()) }
    }

    /// Puts back what [`Slot::edit`] gave; an expiry and the mark stay.
    pub(crate) fn put_edited(&mut self, bytes: Vec<u8>) {
        let mark = self.mark();
        self.put(&bytes);
        self.set_mark(mark);
        self.keys.keep_scratch(bytes);
    }

    /// The end of what [`Slot::edit`] gave, which nobody has changed.
    pub(crate) fn leave(&mut self, bytes: Vec<u8>) {
        self.keys.keep_scratch(bytes);
    }

    /// The end of an edit: the small form is put back, the big one is there already, and what holds nothing any more goes.
    pub(super) fn close_edited(&mut self, small: Option<Vec<u8>>, is_changed: bool, is_there: bool) {
        match small {
            Some(bytes) if !is_changed => self.leave(bytes),
            Some(bytes) if is_there => self.put_edited(bytes),
            None if is_there => {}
            _ => self.remove(),
        }
    }

    /// The big value that it holds.
    pub(crate) fn big(&mut self) -> Option<&mut Big> {
        let place = self.place.filter(|place| entry::is_big(self.keys.entry(*place)))?;
        if self.lent.is_none() {
            self.lent = Some(self.keys.big(place).held());
        }
        Some(self.keys.big_mut(place))
    }

    /// Something in what it holds is overdue at `when`: a walk for what has expired is to look at it then.
    pub(crate) fn falls_due(&mut self, when: Ms) {
        if let Some(place) = self.place {
            self.keys.falls_due(place, when);
        }
    }

    /// Takes the key away.
    pub(crate) fn remove(&mut self) {
        self.settle();
        if let Some(place) = self.place.take() {
            let old = self.keys.remove(place);
            self.outcome.drops(old);
        }
    }

    /// Says that it was changed: to those who watch it or wait for it, and who want its events. Once for each event.
    pub(crate) fn changed(&mut self, class: Class, event: &'static str) {
        self.outcome.changes += 1;
        self.change_cas();
        self.keys.touched(self.key, self.outcome);
        self.outcome.happened(class, event, self.key);
    }

    /// What the log is to say, and other things that follow a command.
    pub(crate) fn outcome(&mut self) -> &mut Outcome {
        self.outcome
    }

    /// Counts what a big value holds by now.
    fn settle(&mut self) {
        if let (Some(before), Some(place)) = (self.lent.take(), self.place) {
            self.keys.big_changed(place, before);
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.settle();
    }
}
