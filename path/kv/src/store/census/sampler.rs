//! Which of many things is looked at: one in each run of so many, by chance, each as likely as the others of its run. Whoever counts
//! it for the whole run is right on average, whatever pattern the things come in.

use super::super::entry::Ms;
use super::super::random::Random;

/// Looks in a second: with more of them runs become longer, with fewer shorter.
const FEW: u64 = 32;
const MANY: u64 = 128;
/// The longest run is two to the power of this.
const MOST: u32 = 10;
const SECOND: Ms = 1000;

/// Says when to look.
#[derive(Debug)]
pub(crate) struct Sampler {
    /// Things up to and with the next that is looked at.
    left: u32,
    /// Things behind it in its run.
    behind: u32,
    /// Its run has two to the power of this.
    run: u32,
    /// Since when looks are counted, and how many there were.
    since: Ms,
    looks: u64,
}

impl Sampler {
    /// One that looks at each thing as long as they are few.
    pub(crate) fn new() -> Sampler {
        Sampler { left: 1, behind: 0, run: 0, since: 0, looks: 0 }
    }

    /// Something comes; whether it is looked at. [`Sampler::weight`] must follow then.
    #[inline]
    pub(crate) fn is_due(&mut self) -> bool {
        self.left -= 1;
        self.left == 0
    }

    /// How many things the one counts for that is due.
    pub(crate) fn weight(&mut self, now: Ms, random: &mut Random) -> u64 {
        let weight = 1 << self.run;
        self.run = self.next_run(now);
        let run = 1 << self.run;
        let ahead = random.below(run) as u32;
        self.left = self.behind + ahead + 1;
        self.behind = run as u32 - ahead - 1;
        weight
    }

    fn next_run(&mut self, now: Ms) -> u32 {
        self.looks += 1;
        let passed = now.saturating_sub(self.since);
        if passed < SECOND && self.looks < MANY {
            return self.run;
        }
        let looks = self.looks;
        (self.since, self.looks) = (now, 0);
        if passed < SECOND {
            return (self.run + 1).min(MOST);
        }
        // Each half of a run doubles the looks.
        let mut halves = 0;
        while halves < self.run && (looks << halves) * SECOND < FEW * passed {
            halves += 1;
        }
        self.run - halves
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is counted of things that come in a cycle of so many, at so many in a millisecond, each kind of the cycle apart.
    fn counted(cycle: usize, pace: usize, things: usize, seed: u64) -> (Vec<u64>, u64) {
        let (mut sampler, mut random) = (Sampler::new(), Random::seeded(seed));
        let (mut counts, mut looks) = (vec![0; cycle], 0);
        for thing in 0..things {
            if sampler.is_due() {
                counts[thing % cycle] += sampler.weight((thing / pace) as Ms, &mut random);
                looks += 1;
            }
        }
        (counts, looks)
    }

    #[test]
    fn few_things_are_all_looked_at() {
        let (mut sampler, mut random) = (Sampler::new(), Random::seeded(1));
        for at in 0..200 {
            assert!(sampler.is_due());
            assert_eq!(sampler.weight(at * 100, &mut random), 1);
        }
    }

    #[test]
    fn many_things_are_counted_right_although_they_come_in_a_pattern() {
        for cycle in [2, 3, 16, 64] {
            let (counts, looks) = counted(cycle, 100, 4_000_000, 7);
            // 40 s at 100,000 in a second: few of them are looked at.
            assert!(looks < 20_000, "{looks}");
            let even = 4_000_000 / cycle as u64;
            let error = counts.iter().map(|count| count.abs_diff(even)).max().unwrap();
            // As far off as chance has it where so many of each kind are looked at.
            let allowed = 5.0 / (looks as f64 / cycle as f64).sqrt();
            assert!((error as f64) < even as f64 * allowed, "{cycle}: {looks} {counts:?}");
        }
    }

    #[test]
    fn when_it_is_quiet_again_each_is_looked_at_again() {
        let (mut sampler, mut random) = (Sampler::new(), Random::seeded(3));
        let mut all = |from: Ms, things: u64, apart: Ms| {
            let mut last = 0;
            for thing in 0..things {
                if sampler.is_due() {
                    last = sampler.weight(from + thing * apart / 1000, &mut random);
                }
            }
            last
        };
        assert!(all(0, 1_000_000, 10) > 64);
        assert_eq!(all(20_000, 5_000, 100_000), 1);
    }

    proptest! {
        /// Every run has one look, so that the sum is never further off than two runs.
        #[test]
        fn the_sum_is_right_to_two_runs(things in 1_usize..200_000, pace in 1_usize..5000, seed in any::<u64>()) {
            let (counts, _) = counted(1, pace, things, seed);
            prop_assert!(counts[0].abs_diff(things as u64) <= 2 << MOST, "{} of {things}", counts[0]);
        }
    }
}
