//! Which parameters of the session a text may have changed.

use super::names;

/// Which parameters a text may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched<'a> {
    /// These, as `pg_settings` names them; none: it changes no parameter.
    Names(&'a [Box<str>]),
    /// It cannot be said which. Those that only sessions know nobody could ask for by any other name than one of these,
    /// which stand in it.
    All(&'a [Box<str>]),
}

/// Most names kept of one text; with more it is all.
const MOST: usize = 64;

/// Longest name of a custom parameter that is looked for, bytes.
const LONGEST: usize = 255;

/// What is gathered for [`Touched`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Touches {
    names: Vec<Box<str>>,
    is_all: bool,
}

impl Touches {
    pub(super) fn none() -> Touches {
        Touches { names: Vec::new(), is_all: false }
    }

    pub(super) fn all(&mut self) {
        self.is_all = true;
    }

    pub(super) fn name(&mut self, name: &str) {
        let name = names::parameter(name);
        if self.names.contains(&name) {
            return;
        }
        if self.names.len() == MOST { self.all() } else { self.names.push(name) }
    }

    pub(super) fn join(&mut self, other: &Touches) {
        other.names.iter().for_each(|name| self.name(name));
        self.is_all |= other.is_all;
    }

    /// All has been read: what cannot be said is looked for wherever it might stand, in strings and bodies too.
    pub(super) fn end(&mut self, text: &[u8]) {
        if self.is_all {
            dotted(text).for_each(|name| self.name(name));
        }
    }

    pub(super) fn touched(&self) -> Touched<'_> {
        if self.is_all { Touched::All(&self.names) } else { Touched::Names(&self.names) }
    }
}

/// Everything that could be the name of a custom parameter: `word.word…`.
fn dotted(text: &[u8]) -> impl Iterator<Item = &str> {
    let is_of_names = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.') || !byte.is_ascii();
    let words = text.split(move |byte| !is_of_names(byte)).filter_map(|word| std::str::from_utf8(word).ok());
    words.map(|word| word.trim_matches(['.', '$'])).filter(|word| {
        let starts_well = word.split('.').all(|part| part.starts_with(|first: char| first == '_' || first.is_alphabetic()));
        word.len() <= LONGEST && word.contains('.') && starts_well
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_might_be_meant_are_found_anywhere() {
        let text = "SELECT set_config(n, t.v, false) FROM (VALUES ('My.Tenant', 1.5)) t(n, v); DO $$SET app.user_id.x = 1..2$$";
        assert_eq!(dotted(text.as_bytes()).collect::<Vec<_>>(), ["t.v", "My.Tenant", "app.user_id.x"]);
        let mut touches = Touches::none();
        touches.all();
        touches.end(b"'My.Tenant'");
        assert_eq!(touches.touched(), Touched::All(&["my.tenant".into()]));
    }
}
