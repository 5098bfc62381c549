//! What one loop remembers of texts it has seen: a bounded map with second chances.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::recognise::{hash_of, recognise};
use super::recognised::Recognised;
use super::tokens::Strings;

/// Longest text that is kept, bytes.
const LONGEST: usize = 16 << 10;

/// What an entry costs beside its text, bytes or so.
const ENTRY: usize = 256;

/// Hashes of texts seen once; a power of two.
const SEEN: usize = 2048;

/// Texts with what they do. A text is kept when it comes a second time soon: one that never comes again, because its constants
/// are written into it, pushes nothing out.
#[derive(Debug)]
pub(crate) struct Texts {
    places: HashMap<u64, usize, BuildHasherDefault<Already>>,
    entries: Vec<Entry>,
    hand: usize,
    bytes: usize,
    most: usize,
    most_bytes: usize,
    seen: Box<[u64]>,
}

#[derive(Debug)]
struct Entry {
    text: Box<[u8]>,
    strings: Strings,
    recognised: Arc<Recognised>,
    used: bool,
}

impl Entry {
    fn cost(&self) -> usize {
        self.text.len() + ENTRY
    }
}

/// An odd number with its bits spread, so that numbers in a row differ in all of theirs.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// The keys are hashes already.
#[derive(Debug, Default)]
pub(crate) struct Already(u64);

impl Hasher for Already {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = super::hash::of(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Numbers of the door's own: nobody chooses them so that they collide.
    fn write_u32(&mut self, number: u32) {
        self.0 = u64::from(number).wrapping_mul(SPREAD);
    }
}

impl Texts {
    /// Keeps at most `most` texts of about `most_bytes` together.
    pub(crate) fn new(most: usize, most_bytes: usize) -> Texts {
        let seen = vec![0; SEEN].into();
        Texts { places: HashMap::default(), entries: Vec::new(), hand: 0, bytes: 0, most, most_bytes, seen }
    }

    /// What `text` does, remembered or read now.
    pub(crate) fn recognise(&mut self, text: &[u8], strings: Strings) -> Arc<Recognised> {
        let hash = hash_of(text, strings);
        let place = self.places.get(&hash).copied();
        if let Some(place) = place {
            let entry = &mut self.entries[place];
            if *entry.text == *text && entry.strings == strings {
                entry.used = true;
                return entry.recognised.clone();
            }
        }
        let recognised = Arc::new(recognise(text, strings));
        // two texts of one hash: the first one stays
        if place.is_none() && text.len() <= LONGEST && self.comes_again(hash) {
            self.keep(Entry { text: text.into(), strings, recognised: recognised.clone(), used: false });
        }
        recognised
    }

    /// Whether this hash was the last one seen at its place.
    fn comes_again(&mut self, hash: u64) -> bool {
        let seen = &mut self.seen[hash as usize % SEEN];
        std::mem::replace(seen, hash) == hash
    }

    fn keep(&mut self, entry: Entry) {
        self.bytes += entry.cost();
        let hash = entry.recognised.hash;
        while !self.entries.is_empty() && (self.bytes > self.most_bytes || self.entries.len() >= self.most) {
            self.evict();
        }
        self.places.insert(hash, self.entries.len());
        self.entries.push(entry);
    }

    /// Drops the first entry from the hand on that was not used since the hand last came by.
    fn evict(&mut self) {
        loop {
            self.hand = if self.hand >= self.entries.len() { 0 } else { self.hand };
            let entry = &mut self.entries[self.hand];
            if !std::mem::take(&mut entry.used) {
                break;
            }
            self.hand += 1;
        }
        let gone = self.entries.swap_remove(self.hand);
        self.bytes -= gone.cost();
        self.places.remove(&gone.recognised.hash);
        if let Some(moved) = self.entries.get(self.hand) {
            self.places.insert(moved.recognised.hash, self.hand);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(most: usize, bytes: usize, kept: &[&str]) -> Texts {
        let mut texts = Texts::new(most, bytes);
        for text in kept.iter().chain(kept) {
            texts.recognise(text.as_bytes(), Strings::Standard);
        }
        texts
    }

    fn is_kept(texts: &mut Texts, text: &str) -> bool {
        let hash = hash_of(text.as_bytes(), Strings::Standard);
        texts.places.contains_key(&hash)
    }

    #[test]
    fn the_second_time_keeps_and_the_third_finds() {
        let mut texts = Texts::new(10, 1 << 20);
        let first = texts.recognise(b"SELECT 1", Strings::Standard);
        let second = texts.recognise(b"SELECT 1", Strings::Standard);
        let third = texts.recognise(b"SELECT 1", Strings::Standard);
        assert!(!Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&second, &third));
        assert_eq!(first, third);
        let other = texts.recognise(b"SELECT 1", Strings::Backslash);
        assert!(!Arc::ptr_eq(&other, &third));
    }

    #[test]
    fn entries_and_bytes_are_bounded() {
        let mut texts = Texts::new(8, 8 * (ENTRY + 20));
        for number in 0..100 {
            for _ in 0..2 {
                texts.recognise(format!("SELECT {number:>10}").as_bytes(), Strings::Standard);
            }
            assert!(texts.entries.len() <= 8 && texts.places.len() == texts.entries.len());
        }
        assert_eq!(texts.entries.len(), 8);
        let long = format!("SELECT '{}'", "x".repeat(1000));
        for _ in 0..2 {
            texts.recognise(long.as_bytes(), Strings::Standard);
        }
        assert!(is_kept(&mut texts, &long) && texts.entries.len() < 8);
        assert!(texts.bytes <= 8 * (ENTRY + 20));
        let too_long = format!("SELECT '{}'", "x".repeat(LONGEST));
        for _ in 0..3 {
            assert_eq!(texts.recognise(too_long.as_bytes(), Strings::Standard).steps.len(), 1);
        }
        assert!(!is_kept(&mut texts, &too_long));
    }

    #[test]
    fn what_is_used_stays() {
        let mut texts = texts(3, 1 << 20, &["SELECT 1", "SELECT 2", "SELECT 3"]);
        texts.recognise(b"SELECT 1", Strings::Standard);
        texts.recognise(b"SELECT 3", Strings::Standard);
        for _ in 0..2 {
            texts.recognise(b"SELECT 4", Strings::Standard);
        }
        assert!(is_kept(&mut texts, "SELECT 1") && is_kept(&mut texts, "SELECT 3") && is_kept(&mut texts, "SELECT 4"));
        assert!(!is_kept(&mut texts, "SELECT 2"));
    }
}
