//! A key as clients of memcached see it: a string with a tag.

use super::super::entry::{self, Head, Kind, Ms};
use super::super::outcome::Class;
use super::super::tag::Tag;
use super::Slot;

impl Slot<'_> {
    /// Counts whether a value of this kind was found.
    pub(crate) fn counted(self, kind: Kind) -> Self {
        let is_found = self.kind() == Some(kind);
        self.keys.asked(self.key, self.hash, is_found);
        if !is_found {
            self.outcome.happened(Class::MISS, "keymiss", self.key);
        }
        self
    }

    /// Puts back what [`View::access`](super::super::View::access) gave, unless the key came since.
    pub(crate) fn put_back_access(&mut self, access: Option<u32>) {
        if let (Some(place), Some(access)) = (self.place, access) {
            self.keys.set_access(place, access);
        }
    }

    /// The tag of what is there.
    pub(crate) fn tag(&self) -> Option<Tag> {
        self.place.and_then(|place| entry::tag(self.keys.entry(place)))
    }

    /// As [`Slot::tag`]; one that has none gets one, so that what it is now can be told from what it will be.
    pub(crate) fn tag_or_new(&mut self) -> Option<Tag> {
        self.place?;
        let tag = self.tag().unwrap_or_else(|| Tag { cas: self.keys.next_cas(), ..Tag::default() });
        self.set_tag(tag);
        Some(tag)
    }

    /// Gives what is there another tag.
    pub(crate) fn set_tag(&mut self, tag: Tag) {
        let Some(place) = self.place else { return };
        let entry = self.keys.entry_mut(place);
        match entry::tag(entry) {
            Some(old) if old == tag => {}
            Some(old) if old.flags == tag.flags => entry::set_tag(entry, tag),
            _ => {
                let head = Head { tag: Some(tag), ..Head::read(entry) };
                let value = self.keys.scratch_of(place);
                self.place = Some(self.keys.put(Some(place), self.key, self.hash, head, &value));
                self.keys.keep_scratch(value);
            }
        }
    }

    /// Puts bytes there that are overdue at `expiry`, or as the class of the key says, with a tag whose `cas` is new.
    pub(crate) fn put_tagged(&mut self, value: &[u8], expiry: Option<Ms>, tag: Tag) {
        let cas = self.keys.next_cas();
        let until = self.or_class(expiry);
        self.replace(value, until, Some(Tag { cas, ..tag }), false);
    }

    /// What has a tag has another `cas` from now on.
    #[inline]
    pub(super) fn change_cas(&mut self) {
        if let Some(place) = self.place
            && entry::is_tagged(self.keys.entry(place))
        {
            let cas = self.keys.next_cas();
            let entry = self.keys.entry_mut(place);
            if let Some(tag) = entry::tag(entry) {
                entry::set_tag(entry, Tag { cas, ..tag });
            }
        }
    }
}
