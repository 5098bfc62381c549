//! A member as text: lent by the set, or an integer that was written out.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use crate::frame::digits;

/// A member of a set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Text<'a> {
    Lent(&'a [u8]),
    /// The last bytes, from one on.
    Written([u8; 20], usize),
}

impl<'a> Text<'a> {
    /// An integer.
    pub(super) fn of(number: i64) -> Text<'a> {
        let mut text = [0; 20];
        let mut from = digits(number.unsigned_abs(), &mut text);
        if number < 0 {
            from -= 1;
            text[from] = b'-';
        }
        Text::Written(text, from)
    }
}

impl Deref for Text<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Text::Lent(text) => text,
            Text::Written(text, from) => &text[*from..],
        }
    }
}

/// Two are the same if their bytes are, so that one is found by bytes.
impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text<'_> {}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl Borrow<[u8]> for Text<'_> {
    fn borrow(&self) -> &[u8] {
        self
    }
}
