//! parse: what a statement's text does, by a light tokenizer and a hash of the text; no grammar.

mod calls;
mod confirm;
mod constants;
mod fingerprint;
mod hash;
mod literals;
mod lookup;
mod names;
mod reader;
mod recognise;
mod recognised;
mod statement;
mod step;
mod texts;
mod tokens;
mod touched;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use confirm::{confirmed, question};
pub(crate) use constants::Constants;
pub(crate) use fingerprint::normalised;
pub(crate) use recognise::{recognise, recognise_in_turns, statements};
pub(crate) use recognised::{Effects, Name, Recognised, Step};
pub(crate) use texts::{Already, Texts};
pub(crate) use tokens::Strings;
pub(crate) use touched::Touched;
