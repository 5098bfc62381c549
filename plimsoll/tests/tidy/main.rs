//! STYLE kept by a test: it reads the manifests and the sources and says what to do about each offence.
//! What is allowed here and nowhere else stands in `allowed.rs`, with its reason.

#![allow(clippy::unwrap_used)]

mod allowed;
mod graph;
mod licences;
mod names;
mod sizes;
mod source;
mod words;

use std::path::{Path, PathBuf};

use source::Source;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository").to_owned()
}

#[track_caller]
fn none(offences: Vec<String>) {
    assert!(offences.is_empty(), "{} to put right:\n  {}\n", offences.len(), offences.join("\n  "));
}

#[test]
fn crates_see_only_what_they_may() {
    none(graph::offences(&root()));
}

#[test]
fn dependencies_say_why_and_are_free_to_use() {
    none(licences::without_reason(&root()));
    none(licences::not_allowed(&root()));
}

#[test]
fn dependencies_are_used() {
    none(licences::taken_by_nobody(&root()));
    none(graph::unused(&root(), &Source::all(&root())));
}

#[test]
fn names_are_the_fields() {
    none(Source::all(&root()).iter().flat_map(names::offences).collect());
}

#[test]
fn files_functions_and_heads_are_small() {
    none(Source::all(&root()).iter().flat_map(sizes::offences).collect());
}

#[test]
fn words_that_need_a_reason_have_one() {
    let sources = Source::all(&root());
    none(sources.iter().flat_map(words::offences).collect());
    none(words::stale(&sources));
}

#[test]
fn nothing_names_a_private_place() {
    none(words::private_places(&root()));
}
