//! Which bin has holes of which length: one bin for each length below 64 units, then eight bins for each doubling.

/// Lengths that have a bin of their own.
const EXACT: u32 = 64;
/// Bins of a doubling, as a power of two.
const EIGHTH: u32 = 3;

/// The first hole of each bin, and a bit for each bin that has one.
#[derive(Debug, Default)]
pub(super) struct Bins {
    /// Numbers of handles, 0 for none; as long as the longest hole so far needs.
    firsts: Vec<u32>,
    filled: [u64; 3],
}

/// The bin of holes of `units`.
pub(super) fn bin_of(units: u32) -> usize {
    if units < EXACT {
        return units as usize;
    }
    let doubling = units.ilog2();
    let part = units >> (doubling - EIGHTH) & ((1 << EIGHTH) - 1);
    (EXACT + ((doubling - EXACT.ilog2()) << EIGHTH) + part) as usize
}

/// Whether every hole of the bin of `units` is that long.
pub(super) fn is_exact(units: u32) -> bool {
    units < EXACT || units.trailing_zeros() >= units.ilog2() - EIGHTH
}

impl Bins {
    pub(super) fn first(&self, bin: usize) -> u32 {
        self.firsts.get(bin).copied().unwrap_or(0)
    }

    pub(super) fn set_first(&mut self, bin: usize, first: u32) {
        if bin >= self.firsts.len() {
            self.firsts.reserve_exact(bin + 1 - self.firsts.len());
            self.firsts.resize(bin + 1, 0);
        }
        self.firsts[bin] = first;
        let bit = 1 << (bin % 64);
        if first == 0 {
            self.filled[bin / 64] &= !bit;
        } else {
            self.filled[bin / 64] |= bit;
        }
    }

    /// The first bin from `bin` on that has a hole.
    pub(super) fn filled_from(&self, bin: usize) -> Option<usize> {
        let mut word = bin / 64;
        let mut bits = self.filled.get(word)? & (u64::MAX << (bin % 64));
        while bits == 0 {
            word += 1;
            bits = *self.filled.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// Bytes held.
    pub(super) fn held(&self) -> usize {
        self.firsts.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_rise_with_the_length_and_an_exact_length_is_the_least_of_its_bin() {
        for units in 1..40_000 {
            let step = bin_of(units + 1) - bin_of(units);
            assert!(step <= 1, "{units}");
            assert_eq!(step == 1, is_exact(units + 1), "{units}");
        }
        assert!(bin_of(32_767) < 192, "as many as there are bits");
    }

    #[test]
    fn a_filled_bin_is_found_from_below_and_not_from_above() {
        let mut bins = Bins::default();
        bins.set_first(130, 7);
        assert_eq!((bins.filled_from(2), bins.filled_from(130), bins.filled_from(131)), (Some(130), Some(130), None));
        bins.set_first(130, 0);
        assert_eq!(bins.filled_from(0), None);
    }
}
