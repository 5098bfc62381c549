/// Keys that are kept.
pub(crate) const KEPT: usize = 64;

/// The keys with the most bytes among those that were shown to it, by the hashes of their names.
#[derive(Debug)]
pub(crate) struct Most {
    all: [(usize, u64); KEPT],
    used: usize,
    /// The least of a full list.
    floor: usize,
}

impl Most {
    pub(crate) const NONE: Most = Most { all: [(0, 0); KEPT], used: 0, floor: 0 };

    /// Whether a key of so many bytes would be kept.
    #[inline]
    pub(crate) fn takes(&self, bytes: usize) -> bool {
        self.used < KEPT || bytes > self.floor
    }

    /// A key of so many bytes.
    pub(crate) fn add(&mut self, bytes: usize, hash: u64) {
        if self.used < KEPT {
            self.all[self.used] = (bytes, hash);
            self.used += 1;
        } else if bytes > self.floor {
            let least = (0..KEPT).min_by_key(|place| self.all[*place].0).expect("there are some");
            self.all[least] = (bytes, hash);
        }
        if self.used == KEPT {
            self.floor = self.all.iter().map(|(bytes, _)| *bytes).min().unwrap_or(0);
        }
    }

    /// The hashes of their names, in no order.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = u64> {
        self.all[..self.used].iter().map(|(_, hash)| *hash)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_most_are_kept(sizes in proptest::collection::vec(0_usize..1000, 0..300)) {
            let mut most = Most::NONE;
            for (number, bytes) in sizes.iter().enumerate() {
                if most.takes(*bytes) {
                    most.add(*bytes, number as u64);
                }
            }
            let mut kept: Vec<usize> = most.hashes().map(|number| sizes[number as usize]).collect();
            let mut real = sizes.clone();
            kept.sort_unstable_by(|one, other| other.cmp(one));
            real.sort_unstable_by(|one, other| other.cmp(one));
            real.truncate(KEPT);
            prop_assert_eq!(kept, real);
        }
    }
}
