//! The order of elements.

use std::cmp::Ordering;

use super::options::Options;
use super::{Elements, lookup};
use crate::error::Fault;
use crate::frame::parse_double;
use crate::store::View;

/// By what an element is sorted.
#[derive(Debug)]
enum Weight {
    Number(f64),
    /// The element itself.
    Itself,
    /// What is there for it, if anything.
    Text(Option<Box<[u8]>>),
}

/// Puts them in order.
///
/// # Errors
/// They, or what they are sorted by, are to be numbers and are none.
pub(super) fn sort(view: &mut View<'_>, all: Elements, options: &Options<'_>) -> Result<Elements, Fault> {
    let weigh = |element: Box<[u8]>| -> Result<(Weight, Box<[u8]>), Fault> { Ok((weight(view, &element, options)?, element)) };
    let mut all = all.into_iter().map(weigh).collect::<Result<Vec<_>, Fault>>()?;
    if options.descends {
        all.sort_by(|one, other| compare(other, one));
    } else {
        all.sort_by(compare);
    }
    Ok(all.into_iter().map(|(_, element)| element).collect())
}

fn weight(view: &mut View<'_>, element: &[u8], options: &Options<'_>) -> Result<Weight, Fault> {
    const NO_NUMBER: Fault = Fault::fixed("ERR One or more scores can't be converted into double");
    let by = options.by.map(|pattern| lookup::one(view, pattern, element));
    match (by, options.as_text) {
        (Some(text), true) => Ok(Weight::Text(text)),
        (None, true) => Ok(Weight::Itself),
        (Some(None), false) => Ok(Weight::Number(0.0)),
        (Some(Some(text)), false) => number(&text).map(Weight::Number).ok_or(NO_NUMBER),
        (None, false) => number(element).map(Weight::Number).ok_or(NO_NUMBER),
    }
}

/// As C's `strtod` reads all of a text: blanks in front are left out, and no text at all is zero.
fn number(text: &[u8]) -> Option<f64> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let from = text.iter().position(|byte| !is_blank(byte));
    match from {
        None if text.is_empty() => Some(0.0),
        None => None,
        Some(from) => parse_double(&text[from..]),
    }
}

fn compare(one: &(Weight, Box<[u8]>), other: &(Weight, Box<[u8]>)) -> Ordering {
    match (&one.0, &other.0) {
        // Numbers are no NaN.
        (Weight::Number(weight), Weight::Number(than)) => {
            weight.partial_cmp(than).unwrap_or(Ordering::Equal).then_with(|| one.1.cmp(&other.1))
        }
        (Weight::Text(weight), Weight::Text(than)) => weight.cmp(than),
        _ => one.1.cmp(&other.1),
    }
}
