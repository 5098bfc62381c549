//! Whose turn it is: gathers the looks that `choice` compares. One loop's own, without a lock or a shared line.

use super::choice::{self, FEW, Look};

/// What can be chosen.
pub trait Candidate {
    /// How it stands for the choice.
    fn look(&self, now: u64) -> Look;
    /// The part in 1/1024 of its share that it takes: slow start.
    fn share(&self, now: u64) -> u32;
}

/// One loop's place in the round and its dice.
#[derive(Debug, Clone)]
pub struct Turn {
    next: usize,
    dice: u64,
}

impl Turn {
    /// A turn whose dice start from `seed`.
    pub fn new(seed: u64) -> Turn {
        // A multiplier that spreads neighbouring seeds (splitmix64); xorshift must not start from 0.
        Turn { next: 0, dice: seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// The best of those that are `free`: of few all are compared, of many the next in the round and a random one.
    pub fn choose<'a, C: Candidate>(&mut self, all: &'a [C], now: u64, free: impl Fn(&C) -> bool) -> Option<&'a C> {
        let index = match all.len() {
            0 => None,
            1 => free(&all[0]).then_some(0),
            count if count <= FEW => self.of_few(all, now, free),
            _ => self.of_many(all, now, free),
        }?;
        self.next = index + 1;
        Some(&all[index])
    }

    fn of_few<C: Candidate>(&mut self, all: &[C], now: u64, free: impl Fn(&C) -> bool) -> Option<usize> {
        let mut found = [(0, 0); FEW];
        let mut count = 0;
        for step in 0..all.len() {
            let index = (self.next + step) % all.len();
            if free(&all[index]) {
                found[count] = (index, all[index].share(now));
                count += 1;
            }
        }
        let found = &found[..count];
        let most = found.iter().map(|(_, share)| *share).max()?;
        let mut looks = [Look::default(); FEW];
        let mut indices = [0; FEW];
        let mut kept = 0;
        for (index, share) in found {
            if *share == most || self.roll(most) < *share {
                (looks[kept], indices[kept]) = (all[*index].look(now), *index);
                kept += 1;
            }
        }
        choice::least(&looks[..kept]).map(|best| indices[best])
    }

    fn of_many<C: Candidate>(&mut self, all: &[C], now: u64, free: impl Fn(&C) -> bool) -> Option<usize> {
        let count = all.len();
        let from = |start: usize| (0..count).map(move |step| (start + step) % count);
        let whole = |dice: &mut Turn, index: usize| {
            let share = all[index].share(now);
            share >= 1024 || dice.roll(1024) < share
        };
        let first = from(self.next).find(|index| free(&all[*index]) && whole(self, *index));
        let first = first.or_else(|| from(self.next).find(|index| free(&all[*index])))?;
        let start = self.roll(count as u32) as usize;
        let second = from(start).find(|index| *index != first && free(&all[*index]) && whole(self, *index));
        let Some(second) = second else { return Some(first) };
        choice::least(&[all[first].look(now), all[second].look(now)]).map(|best| [first, second][best])
    }

    /// A number below `below`: xorshift64*, Marsaglia 2003 and Vigna 2016.
    fn roll(&mut self, below: u32) -> u32 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        let high = self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * u64::from(below)) >> 32) as u32
    }
}
