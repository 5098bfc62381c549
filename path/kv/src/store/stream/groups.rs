//! The groups of a stream by name.

use std::collections::BTreeMap;

use super::group::Group;

/// Groups, and what they hold.
#[derive(Debug, Default, Clone)]
pub(crate) struct Groups {
    all: BTreeMap<Box<[u8]>, Group>,
    held: usize,
}

/// Bytes that a group takes, besides what it holds.
fn bytes(name: &[u8]) -> usize {
    size_of::<(Box<[u8]>, Group)>() * 2 + name.len()
}

impl Groups {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Bytes held of the allocator.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// All in the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Group)> {
        self.all.iter().map(|(name, group)| (&**name, group))
    }

    /// The one of that name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&Group> {
        self.all.get(name)
    }

    /// Has the one of that name changed.
    pub(crate) fn change<T>(&mut self, name: &[u8], change: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let group = self.all.get_mut(name)?;
        let before = group.held();
        let changed = change(group);
        self.held = self.held + group.held() - before;
        Some(changed)
    }

    /// Adds one; whether there was none of that name.
    pub(crate) fn add(&mut self, name: &[u8], group: Group) -> bool {
        if self.all.contains_key(name) {
            return false;
        }
        self.held += bytes(name) + group.held();
        self.all.insert(name.into(), group);
        true
    }

    /// Takes one away; whether it was there.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        let Some(group) = self.all.remove(name) else { return false };
        self.held -= bytes(name) + group.held();
        true
    }
}
