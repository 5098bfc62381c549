//! parse: what a statement's text does, by a light tokenizer and a hash of the text; no grammar.

mod recognised;

pub(crate) use recognised::{Effects, Name, Recognised, Step};
