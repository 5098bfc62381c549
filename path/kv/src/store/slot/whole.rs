//! All that a key holds, apart from its name: as RENAME moves it and COPY copies it.

use super::super::big::Big;
use super::super::entry::{self, Kind, Ms};
use super::super::tag::Tag;
use super::Slot;

/// What a key held, or is to hold.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) kind: Kind,
    /// The mark that the kind gives a meaning.
    pub(crate) mark: bool,
    pub(crate) expiry: Option<Ms>,
    /// What clients of memcached gave it.
    pub(crate) tag: Option<Tag>,
    pub(crate) form: Form,
}

/// Where the value of a [`Whole`] lies.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // it does not live for long
pub(crate) enum Form {
    /// A string, or a small collection as its type packs it.
    Bytes(Vec<u8>),
    Big(Big),
}

impl Slot<'_> {
    /// A copy of all that it holds.
    pub(crate) fn copy(&self) -> Option<Whole> {
        self.place.map(|place| self.keys.copy_of(place))
    }

    /// Takes all that it holds; the key is not there any more.
    pub(crate) fn take(&mut self) -> Option<Whole> {
        self.settle();
        let place = self.place.take()?;
        let bytes = self.keys.entry(place);
        let (kind, mark, expiry, tag) = (entry::kind(bytes), entry::mark(bytes), entry::expiry(bytes), entry::tag(bytes));
        let inline = if entry::is_big(bytes) { Vec::new() } else { entry::value(bytes).into() };
        let form = self.keys.remove(place).map_or(Form::Bytes(inline), |big| Form::Big(*big));
        Some(Whole { kind, mark, expiry, tag, form })
    }

    /// Puts all of it there, in place of what was; as in Redis it is new then.
    pub(crate) fn give(&mut self, whole: Whole) {
        self.remove();
        self.kind = whole.kind;
        match whole.form {
            Form::Bytes(bytes) => self.put_until(&bytes, whole.expiry),
            Form::Big(big) => {
                self.put_big(big);
                if whole.expiry.is_some() {
                    self.set_expiry(whole.expiry);
                }
            }
        }
        self.set_mark(whole.mark);
        if let Some(tag) = whole.tag {
            self.set_tag(tag);
        }
    }
}
