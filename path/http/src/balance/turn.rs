//! Whose turn it is: gathers the looks that `choice` compares. One loop's own, without a lock or a shared line.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use super::choice::{self, FEW, Look};
use super::slow_start::WHOLE;

/// What can be chosen.
pub trait Candidate {
    /// How it stands for the choice.
    fn look(&self, now: u64) -> Look;
    /// The part in 1/1024 of its share that it takes: slow start.
    fn share(&self, now: u64) -> u32;
}

/// One loop's place in the round and its dice. Only that loop uses them; atomic, so that it needs no lock to.
#[derive(Debug)]
pub struct Turn {
    next: AtomicUsize,
    dice: AtomicU64,
}

impl Turn {
    /// A turn whose dice start from `seed`.
    pub fn new(seed: u64) -> Turn {
        // A multiplier that spreads neighbouring seeds (splitmix64); xorshift must not start from 0.
        let dice = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Turn { next: AtomicUsize::new(0), dice: AtomicU64::new(dice) }
    }

    /// The best of those that are `free`: of few all are compared, of many the next in the round and a random one.
    pub fn choose<'a, C: Candidate>(&self, all: &'a [C], now: u64, free: impl Fn(&C) -> bool) -> Option<&'a C> {
        let index = match all.len() {
            0 => None,
            1 => free(&all[0]).then_some(0),
            count if count <= FEW => self.of_few(all, now, free),
            _ => self.of_many(all, now, free),
        }?;
        Some(&all[index])
    }

    fn of_few<C: Candidate>(&self, all: &[C], now: u64, free: impl Fn(&C) -> bool) -> Option<usize> {
        let mut found = [(0, 0); FEW];
        let mut count = 0;
        let next = self.next.load(Relaxed);
        for step in 0..all.len() {
            let index = (next + step) % all.len();
            if free(&all[index]) {
                found[count] = (index, all[index].share(now));
                count += 1;
            }
        }
        let most = found[..count].iter().map(|(_, share)| *share).max()?;
        let mut looks = [Look::default(); FEW];
        let mut kept = 0;
        for at in 0..count {
            let (index, share) = found[at];
            let starting = share < most;
            if starting && self.roll(most * count as u32) >= share {
                continue;
            }
            looks[kept] = all[index].look(now);
            found[kept] = (index, share);
            // One in slow start that won its lot goes first: it wins among equals.
            if starting {
                looks[..=kept].rotate_right(1);
                found[..=kept].rotate_right(1);
            }
            kept += 1;
        }
        let (index, share) = found[choice::least(&looks[..kept])?];
        if share == most {
            self.next.store(index + 1, Relaxed);
        }
        Some(index)
    }

    fn of_many<C: Candidate>(&self, all: &[C], now: u64, free: impl Fn(&C) -> bool) -> Option<usize> {
        let from = |start: usize| (0..all.len()).map(move |step| (start + step) % all.len());
        let most = most_share(all, now, &free)?;
        // One in slow start takes part when the round comes to it and the dice say so; never as the random one.
        let next = self.next.load(Relaxed);
        let first = from(next).find(|index| {
            let share = if free(&all[*index]) { all[*index].share(now) } else { 0 };
            share > 0 && (share >= most || self.roll(most) < share)
        });
        let first = first.or_else(|| from(next).find(|index| free(&all[*index])))?;
        self.next.store(first + 1, Relaxed);
        let start = self.roll(all.len() as u32) as usize;
        let second = from(start).find(|index| *index != first && free(&all[*index]) && all[*index].share(now) >= most);
        let Some(second) = second else { return Some(first) };
        choice::least(&[all[first].look(now), all[second].look(now)]).map(|best| [first, second][best])
    }

    /// A number below `below`: xorshift64*, Marsaglia 2003 and Vigna 2016.
    fn roll(&self, below: u32) -> u32 {
        let mut dice = self.dice.load(Relaxed);
        dice ^= dice >> 12;
        dice ^= dice << 25;
        dice ^= dice >> 27;
        self.dice.store(dice, Relaxed);
        let high = dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        ((high * u64::from(below)) >> 32) as u32
    }
}

/// The highest share of those that are free; most often the first one asked has all of it.
fn most_share<C: Candidate>(all: &[C], now: u64, free: impl Fn(&C) -> bool) -> Option<u32> {
    let mut most = None;
    for share in all.iter().filter(|one| free(one)).map(|one| one.share(now)) {
        most = most.max(Some(share));
        if share >= WHOLE {
            break;
        }
    }
    most
}
