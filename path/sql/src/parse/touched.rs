//! Which parameters of the session a text may have changed.

use super::names;

/// Which parameters a text may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched<'a> {
    /// These, as `pg_settings` names them; none: it changes no parameter.
    Names(&'a [Box<str>]),
    /// It cannot be said which.
    All,
}

/// Most names kept of one text; with more it is all.
const MOST: usize = 64;

/// What is gathered for [`Touched`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touches {
    /// `None`: all.
    names: Option<Vec<Box<str>>>,
}

impl Touches {
    pub(super) fn none() -> Touches {
        Touches { names: Some(Vec::new()) }
    }

    pub(super) fn all(&mut self) {
        self.names = None;
    }

    pub(super) fn name(&mut self, name: &str) {
        let Some(names) = &mut self.names else { return };
        let name = names::parameter(name);
        if names.contains(&name) {
            return;
        }
        if names.len() == MOST { self.all() } else { names.push(name) }
    }

    pub(super) fn join(&mut self, other: &Touches) {
        match &other.names {
            Some(names) => names.iter().for_each(|name| self.name(name)),
            None => self.all(),
        }
    }

    pub(super) fn touched(&self) -> Touched<'_> {
        self.names.as_deref().map_or(Touched::All, Touched::Names)
    }
}
