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

    /// All has been read: what cannot be said is looked for wherever it might stand, in strings and bodies too. Looks at
    /// `most` bytes of `text` or so, and gives what is left to look at.
    pub(super) fn look_for<'t>(&mut self, text: &'t [u8], most: usize) -> &'t [u8] {
        if !self.is_all || self.names.len() == MOST {
            return &[];
        }
        let (part, rest) = text.split_at(end_of_name(text, most));
        dotted(part).for_each(|name| self.name(name));
        rest
    }

    pub(super) fn touched(&self) -> Touched<'_> {
        if self.is_all { Touched::All(&self.names) } else { Touched::Names(&self.names) }
    }
}

/// Where `text` may be cut from `at` on and no name that is looked for is.
fn end_of_name(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let longest = rest.len().min(2 * LONGEST);
    text.len() - rest.len() + rest[..longest].iter().position(|byte| !is_of_names(*byte)).unwrap_or(longest)
}

fn is_of_names(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.') || !byte.is_ascii()
}

/// Everything that could be the name of a custom parameter: `word.word…`.
fn dotted(text: &[u8]) -> impl Iterator<Item = &str> {
    let words = text.split(|byte| !is_of_names(*byte)).filter_map(|word| std::str::from_utf8(word).ok());
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
        assert!(touches.look_for(b"'My.Tenant'", usize::MAX).is_empty());
        assert_eq!(touches.touched(), Touched::All(&["my.tenant".into()]));
    }

    #[test]
    fn no_name_is_cut_where_a_part_of_the_text_ends() {
        let text = format!("'a.b' {} c.d,{},e.f", "x".repeat(70), "y.".repeat(2000));
        for most in 1..text.len() + 2 {
            let (mut touches, mut rest) = (Touches::none(), text.as_bytes());
            touches.all();
            while !rest.is_empty() {
                rest = touches.look_for(rest, most);
            }
            for name in ["a.b", "c.d", "e.f"] {
                assert!(touches.names.contains(&name.into()), "{most}: {:?}", touches.names);
            }
        }
        assert!(Touches::none().look_for(text.as_bytes(), 1).is_empty());
    }
}
