//! What clients hold in buffers, and what of it is too much: for one of them (`client-output-buffer-limit`), and for all
//! together (`maxmemory-clients`).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Whose answers wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Normal,
    /// It has subscribed to something, or sees all commands.
    Hears,
}

/// Bytes that may wait for one client; 0: any number.
#[derive(Debug, Default)]
pub(crate) struct Bound {
    hard: AtomicUsize,
    soft: AtomicUsize,
    /// For how long there may be more than `soft`.
    seconds: AtomicU64,
}

/// The bounds of a door's clients, and what they hold now.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    bounds: [Bound; 2],
    /// Bytes of all clients.
    held: AtomicUsize,
    /// Bytes of all clients from which on the largest go; 0: they never do.
    most: AtomicUsize,
    /// Somebody is to look.
    pub(crate) crowded: Notify,
}

/// Three numbers as the configuration has them: hard, soft, seconds.
pub(crate) type Said = [u64; 3];

impl Bound {
    fn set(&self, [hard, soft, seconds]: Said) {
        self.hard.store(hard as usize, Ordering::Relaxed);
        self.soft.store(soft as usize, Ordering::Relaxed);
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    /// Whether so many bytes are too many at once.
    pub(crate) fn forbids(&self, bytes: usize) -> bool {
        let hard = self.hard.load(Ordering::Relaxed);
        hard > 0 && bytes > hard
    }

    /// For how many milliseconds so many bytes may wait; none: for ever.
    pub(crate) fn patience(&self, bytes: usize) -> Option<u64> {
        let soft = self.soft.load(Ordering::Relaxed);
        (soft > 0 && bytes > soft).then(|| self.seconds.load(Ordering::Relaxed).saturating_mul(1000))
    }
}

impl Bounds {
    /// For clients of a class.
    pub(crate) fn of(&self, class: Class) -> &Bound {
        &self.bounds[class as usize]
    }

    pub(crate) fn set(&self, normal: Said, hears: Said) {
        self.bounds[Class::Normal as usize].set(normal);
        self.bounds[Class::Hears as usize].set(hears);
    }

    /// All clients together may hold so much; 0: any number.
    pub(crate) fn set_most(&self, bytes: usize) {
        self.most.store(bytes, Ordering::Relaxed);
        self.crowded.notify_one();
    }

    /// Bytes of all clients.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Bytes of all clients that are more than they may hold.
    pub(crate) fn too_much(&self) -> usize {
        let most = self.most.load(Ordering::Relaxed);
        if most == 0 { 0 } else { self.held().saturating_sub(most) }
    }

    /// Whether one client holds more than all of them may.
    pub(super) fn forbid(&self, bytes: usize) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        most > 0 && bytes > most
    }

    pub(super) fn add(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        if self.too_much() > 0 {
            self.crowded.notify_one();
        }
    }

    pub(super) fn take(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether a client could wait for longer than it may.
    pub(crate) fn could_be_slow(&self) -> bool {
        self.bounds.iter().any(|bound| bound.patience(self.held()).is_some())
    }
}

/// The classes as the configuration names them, in its order; those of replicas are only shown.
const NAMES: [&str; 3] = ["normal", "slave", "pubsub"];

/// Changes the bounds `said` as `words` say it.
///
/// # Errors
/// In Redis's text.
pub(crate) fn change(said: &str, words: &str) -> Result<String, String> {
    let mut all = parse(said)?;
    for (at, bound) in classes(words)? {
        all[at] = bound;
    }
    Ok(all.iter().zip(NAMES).map(|([hard, soft, seconds], name)| format!("{name} {hard} {soft} {seconds}")).collect::<Vec<_>>().join(" "))
}

/// The bounds of all classes.
pub(crate) fn parse(said: &str) -> Result<[Said; 3], String> {
    let mut all = [[0; 3]; 3];
    classes(said)?.into_iter().for_each(|(at, bound)| all[at] = bound);
    Ok(all)
}

fn classes(words: &str) -> Result<Vec<(usize, Said)>, String> {
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    if !words.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let class = |name: &str| {
        let name = if name.eq_ignore_ascii_case("replica") { "slave".into() } else { name.to_ascii_lowercase() };
        NAMES.iter().position(|known| **known == name).ok_or("Invalid client class specified in buffer limit configuration.")
    };
    let number =
        |word: &str| crate::config::bytes(word).ok_or("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    let seconds = |word: &str| word.parse().map_err(|_| "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
    let each = words.chunks_exact(4).map(|words| Ok((class(words[0])?, [number(words[1])?, number(words[2])?, seconds(words[3])?])));
    each.collect::<Result<_, &str>>().map_err(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_changed_by_class() {
        let first = "normal 0 0 0 slave 1 2 3 pubsub 4 5 6";
        assert_eq!(change(first, "PubSub 1mb 2k 60 replica 0 0 0").unwrap(), "normal 0 0 0 slave 0 0 0 pubsub 1048576 2000 60");
        for (words, text) in [
            ("normal 1 2", "Wrong number"),
            ("master 1 2 3", "Invalid client class"),
            ("normal 1 2 3s", "soft_seconds"),
            ("normal x 2 3", "hard"),
        ] {
            assert!(change(first, words).is_err_and(|why| why.contains(text)), "{words}");
        }
    }

    #[test]
    fn what_is_above_a_bound_is_too_much() {
        let bounds = Bounds::default();
        bounds.set([100, 0, 0], [1000, 500, 2]);
        assert!(bounds.of(Class::Normal).forbids(101) && !bounds.of(Class::Normal).forbids(100) && !bounds.of(Class::Hears).forbids(1000));
        assert_eq!((bounds.of(Class::Normal).patience(1 << 40), bounds.of(Class::Hears).patience(500)), (None, None));
        assert_eq!(bounds.of(Class::Hears).patience(501), Some(2000));
        bounds.add(700);
        assert!(bounds.could_be_slow() && bounds.too_much() == 0);
        bounds.set_most(600);
        assert_eq!(bounds.too_much(), 100);
        bounds.take(300);
        assert!(!bounds.could_be_slow() && bounds.too_much() == 0);
    }
}
