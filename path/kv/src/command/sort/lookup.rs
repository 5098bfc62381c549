//! What keys hold that are named after elements.

use super::Elements;
use crate::command::strings::text;
use crate::store::hash::Hash;
use crate::store::{Kind, View};

/// A pattern, taken apart: what stands before the star and behind it, and the field of a hash.
#[derive(Debug, Clone, Copy)]
struct Pattern<'a> {
    before: &'a [u8],
    behind: &'a [u8],
    field: Option<&'a [u8]>,
}

impl<'a> Pattern<'a> {
    /// None: it has no star.
    fn of(pattern: &'a [u8]) -> Option<Pattern<'a>> {
        let star = pattern.iter().position(|byte| *byte == b'*')?;
        let (before, rest) = (&pattern[..star], &pattern[star + 1..]);
        // An arrow with nothing behind it is part of the name.
        let arrow = rest.windows(2).position(|two| two == b"->").filter(|at| at + 2 < rest.len());
        let (behind, field) = arrow.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 2..])));
        Some(Pattern { before, behind, field })
    }
}

/// What a pattern stands for, for one element.
pub(super) fn one(view: &mut View<'_>, pattern: &[u8], element: &[u8]) -> Option<Box<[u8]>> {
    if pattern == b"#" {
        return Some(element.into());
    }
    let Pattern { before, behind, field } = Pattern::of(pattern)?;
    let key = [before, element, behind].concat();
    let kind = if field.is_some() { Kind::Hash } else { Kind::Str };
    // What is of another kind is not there for it.
    let value = view.read(&key, kind).ok().flatten()?;
    match field {
        Some(field) => Hash::of(value).get(field).map(Box::from),
        None => Some(text(value).into()),
    }
}

/// What the patterns stand for, for each element; the elements themselves when there are none.
pub(super) fn all(view: &mut View<'_>, patterns: &[&[u8]], all: Elements) -> Vec<Option<Box<[u8]>>> {
    if patterns.is_empty() {
        return all.into_iter().map(Some).collect();
    }
    all.iter()
        .flat_map(|element| patterns.iter().map(move |pattern| (pattern, element)))
        .map(|(pattern, element)| one(view, pattern, element))
        .collect()
}
