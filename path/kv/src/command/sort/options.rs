//! The options of `SORT`.

use super::Elements;
use crate::error::Fault;
use crate::frame::Args;

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    pub(super) descends: bool,
    /// By their texts, not as numbers.
    pub(super) as_text: bool,
    /// How many are left out, and how many are wanted then; all when it is negative.
    skipped: i64,
    wanted: Option<i64>,
    /// By what keys hold that are found by a pattern.
    pub(super) by: Option<&'a [u8]>,
    /// They stay in the order that they are in.
    stays: bool,
    /// What is told instead of each.
    pub(super) told: Vec<&'a [u8]>,
    /// The key that is to hold the result.
    pub(super) target: Option<&'a [u8]>,
}

/// Whether a pattern stands for different keys.
pub(super) fn is_pattern(text: &[u8]) -> bool {
    text.contains(&b'*')
}

impl<'a> Options<'a> {
    pub(super) fn read(args: Args<'a>, may_store: bool) -> Result<Options<'a>, Fault> {
        let mut options = Options::default();
        let mut at = 2;
        while at < args.len() {
            let value = args.get(at + 1);
            match (&args.at(at).to_ascii_uppercase()[..], value) {
                (b"ASC", _) => options.descends = false,
                (b"DESC", _) => options.descends = true,
                (b"ALPHA", _) => options.as_text = true,
                (b"LIMIT", Some(_)) if at + 2 < args.len() => {
                    (options.skipped, options.wanted) = (args.int(at + 1)?, Some(args.int(at + 2)?));
                }
                (b"STORE", Some(_)) if may_store => options.target = value,
                (b"BY", Some(pattern)) => {
                    options.by = value;
                    options.stays |= !is_pattern(pattern);
                }
                (b"GET", Some(pattern)) => options.told.push(pattern),
                _ => return Err(Fault::SYNTAX),
            }
            at += behind(args, at);
            at += 1;
        }
        Ok(options)
    }

    /// Whether they are sorted at all.
    pub(super) fn sorts(&self) -> bool {
        !self.stays
    }

    /// Those that are wanted.
    pub(super) fn part(&self, mut all: Elements) -> Elements {
        let skipped = usize::try_from(self.skipped).unwrap_or(0).min(all.len());
        all.drain(..skipped);
        if let Some(wanted) = self.wanted.and_then(|wanted| usize::try_from(wanted).ok()) {
            all.truncate(wanted);
        }
        all
    }
}

/// Words behind an option that belong to it.
fn behind(args: Args<'_>, at: usize) -> usize {
    match () {
        () if args.is(at, "LIMIT") => 2,
        () if ["STORE", "BY", "GET"].iter().any(|word| args.is(at, word)) => 1,
        () => 0,
    }
}

/// The key of `SORT_RO`.
pub(super) fn source(_: Args<'_>) -> Vec<usize> {
    vec![1]
}

/// The keys of `SORT` that are said.
pub(super) fn target(args: Args<'_>) -> Vec<usize> {
    let (mut keys, mut at) = (vec![1], 2);
    while at < args.len() {
        if args.is(at, "STORE") && at + 1 < args.len() {
            keys.truncate(1);
            keys.push(at + 1);
        }
        at += 1 + behind(args, at);
    }
    keys
}

/// The first option that leads to other keys than those that are said.
pub(in crate::command) fn leading(args: Args<'_>) -> Option<&'static str> {
    let mut at = 2;
    while at < args.len() {
        if args.is(at, "BY") && args.get(at + 1).is_some_and(is_pattern) {
            return Some("BY");
        }
        if args.is(at, "GET") && at + 1 < args.len() {
            return Some("GET");
        }
        at += 1 + behind(args, at);
    }
    None
}

/// Whether there are patterns, which lead to other keys.
pub(super) fn reaches(args: Args<'_>) -> bool {
    let mut at = 2;
    while at < args.len() {
        if (args.is(at, "BY") || args.is(at, "GET")) && args.get(at + 1).is_some_and(is_pattern) {
            return true;
        }
        at += 1 + behind(args, at);
    }
    false
}
