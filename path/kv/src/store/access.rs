//! Which keys go when memory is full, and what the 24 bits of an entry say of its use for that.
//!
//! By sample: the time of the last use (`lru`, and all that need no use), or a logarithmic counter beside the minute in which it was
//! last looked at (`lfu`), as Redis has them. In order: which queue a key stands in, its turn, and a frequency up to 3 (`s3fifo`).

use super::entry::Ms;

/// Which keys go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// None goes.
    #[default]
    None,
    /// Those used longest ago, by sample.
    Lru,
    /// Those used least often, by sample.
    Lfu,
    /// Those that came first.
    Fifo,
    /// Those that expire next, by sample.
    Ttl,
    /// Any.
    Random,
    /// Those that came lately and were not used again, then those used least since their last turn.
    S3Fifo,
}

/// Which keys may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Among {
    /// Those that expire.
    #[default]
    Ttl,
    /// Whether they expire or not.
    All,
}

/// What goes when memory is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Eviction {
    /// Which keys go first.
    pub policy: Policy,
    /// Which keys may go.
    pub among: Among,
}

/// Which queue a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queue {
    Small,
    Main,
}

/// What the policies that have queues keep in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Seconds, 16 bits of them.
    pub(super) seconds: u32,
    /// Tells apart a key that went and came again while the queue still named it.
    pub(super) turn: u32,
    pub(super) queue: Option<Queue>,
    /// Uses since the last turn, 3 at most.
    pub(super) frequency: u32,
}

const fn eviction(policy: Policy, among: Among) -> Eviction {
    Eviction { policy, among }
}

/// As Redis names them; `allkeys-ttl` and those of `fifo` and `s3fifo` are ours.
const ALL: [(&str, Eviction); 13] = [
    ("noeviction", eviction(Policy::None, Among::Ttl)),
    ("volatile-lru", eviction(Policy::Lru, Among::Ttl)),
    ("volatile-lfu", eviction(Policy::Lfu, Among::Ttl)),
    ("volatile-random", eviction(Policy::Random, Among::Ttl)),
    ("volatile-ttl", eviction(Policy::Ttl, Among::Ttl)),
    ("volatile-fifo", eviction(Policy::Fifo, Among::Ttl)),
    ("volatile-s3fifo", eviction(Policy::S3Fifo, Among::Ttl)),
    ("allkeys-lru", eviction(Policy::Lru, Among::All)),
    ("allkeys-lfu", eviction(Policy::Lfu, Among::All)),
    ("allkeys-random", eviction(Policy::Random, Among::All)),
    ("allkeys-ttl", eviction(Policy::Ttl, Among::All)),
    ("allkeys-fifo", eviction(Policy::Fifo, Among::All)),
    ("allkeys-s3fifo", eviction(Policy::S3Fifo, Among::All)),
];

/// A tick of the clock of the last use is so many milliseconds, as a power of two: 24 bits of them are 49 days.
const TICK: u32 = 8;
const CLOCK: u32 = (1 << 24) - 1;
const SECONDS: u32 = (1 << 16) - 1;
const MINUTES: u32 = (1 << 16) - 1;
/// What a key counts when it comes, so that it is not the first to go.
const NEW: u32 = 5;
/// How much slower the counter rises with each step.
const FACTOR: u64 = 10;
/// The most that a frequency in a queue counts.
const OFTEN: u32 = 3;

impl Eviction {
    /// Reads a policy as Redis's `maxmemory-policy` names it.
    pub(crate) fn parse(name: &str) -> Option<Eviction> {
        ALL.iter().find(|(known, _)| *known == name).map(|(_, eviction)| *eviction)
    }

    /// As `maxmemory-policy` shows it.
    pub(crate) fn name(self) -> &'static str {
        let known = ALL.iter().find(|(_, eviction)| *eviction == self || self.policy == Policy::None);
        known.map_or("noeviction", |(name, _)| name)
    }
}

impl Policy {
    /// Whether keys stand in queues.
    pub(super) fn has_queues(self) -> bool {
        matches!(self, Policy::Fifo | Policy::S3Fifo)
    }

    /// The bits of an entry that comes.
    pub(super) fn first(self, now: Ms) -> u32 {
        match self {
            Policy::Lfu => minutes(now) << 8 | NEW,
            Policy::Fifo | Policy::S3Fifo => Standing { seconds: seconds(now), turn: 0, queue: None, frequency: 0 }.bits(),
            _ => clock(now),
        }
    }

    /// The bits of an entry after a use.
    #[inline]
    pub(super) fn used(self, access: u32, now: Ms, chance: impl FnOnce() -> u64) -> u32 {
        match self {
            Policy::Lfu => {
                let count = decayed(access, now);
                minutes(now) << 8 | if rises(count, chance) { count + 1 } else { count }
            }
            Policy::Fifo | Policy::S3Fifo => {
                let often = if access & OFTEN == OFTEN { access } else { access + 1 };
                often & 0xff | seconds(now) << 8
            }
            _ => clock(now),
        }
    }

    /// Milliseconds since the last use.
    pub(super) fn idle(self, access: u32, now: Ms) -> Ms {
        match self {
            Policy::Lfu => Ms::from(minutes(now).wrapping_sub(access >> 8) & MINUTES) * 60_000,
            Policy::Fifo | Policy::S3Fifo => Ms::from(seconds(now).wrapping_sub(access >> 8) & SECONDS) * 1000,
            _ => Ms::from(clock(now).wrapping_sub(access) & CLOCK) << TICK,
        }
    }

    /// How often it was used of late, as the policy counts.
    pub(super) fn frequency(self, access: u32, now: Ms) -> Option<u32> {
        (self == Policy::Lfu).then(|| decayed(access, now))
    }

    /// The bits that say it was last used so long ago, where all else is as before.
    pub(super) fn with_idle(self, access: u32, idle: Ms, now: Ms) -> u32 {
        match self {
            Policy::Lfu => access,
            Policy::Fifo | Policy::S3Fifo => access & 0xff | seconds(now.saturating_sub(idle)) << 8,
            // Not a tick less than so long.
            _ => clock(now).wrapping_sub(idle.div_ceil(1 << TICK).min(CLOCK.into()) as u32) & CLOCK,
        }
    }

    /// The bits that say it is used so often.
    pub(super) fn with_frequency(self, access: u32, frequency: u8, now: Ms) -> u32 {
        if self == Policy::Lfu { minutes(now) << 8 | u32::from(frequency) } else { access }
    }

    /// Of those that are looked at, that with the most goes.
    #[inline]
    pub(super) fn score(self, access: u32, expiry: Option<Ms>, now: Ms) -> u64 {
        match self {
            Policy::Lfu => u64::from(255 - decayed(access, now)),
            Policy::Ttl => u64::MAX - expiry.unwrap_or(Ms::MAX),
            Policy::Random => 0,
            _ => self.idle(access, now),
        }
    }
}

impl Standing {
    pub(super) fn of(access: u32) -> Standing {
        let queue = match access >> 2 & 3 {
            1 => Some(Queue::Small),
            2 => Some(Queue::Main),
            _ => None,
        };
        Standing { seconds: access >> 8, turn: access >> 4 & 15, queue, frequency: access & OFTEN }
    }

    pub(super) fn bits(self) -> u32 {
        let queue = match self.queue {
            None => 0,
            Some(Queue::Small) => 1,
            Some(Queue::Main) => 2,
        };
        (self.seconds & SECONDS) << 8 | (self.turn & 15) << 4 | queue << 2 | self.frequency.min(OFTEN)
    }
}

fn clock(now: Ms) -> u32 {
    (now >> TICK) as u32 & CLOCK
}

fn seconds(now: Ms) -> u32 {
    (now / 1000) as u32 & SECONDS
}

fn minutes(now: Ms) -> u32 {
    (now / 60_000) as u32 & MINUTES
}

/// The counter, less one for each minute that has passed.
fn decayed(access: u32, now: Ms) -> u32 {
    let passed = minutes(now).wrapping_sub(access >> 8) & MINUTES;
    (access & 0xff).saturating_sub(passed)
}

/// Whether the counter rises with this use: the higher, the less likely.
fn rises(count: u32, chance: impl FnOnce() -> u64) -> bool {
    let odds = u64::from(count.saturating_sub(NEW)) * FACTOR + 1;
    count < 255 && chance().is_multiple_of(odds)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Ms = 1_790_000_000_000;

    #[test]
    fn the_time_of_the_last_use_is_kept() {
        for (policy, error) in [(Policy::Lru, 256), (Policy::None, 256), (Policy::S3Fifo, 1000), (Policy::Lfu, 60_000)] {
            let access = policy.used(policy.first(NOW), NOW, || 0);
            let idle = policy.idle(access, NOW + 3_600_000);
            assert!(idle.abs_diff(3_600_000) <= error, "{policy:?} {idle}");
            assert!(policy.first(NOW) < 1 << 24 && access < 1 << 24);
        }
        for now in NOW..NOW + 256 {
            let access = Policy::Lru.with_idle(0, 50_000, now);
            assert!((50_000..50_256).contains(&Policy::Lru.idle(access, now)), "{now}");
        }
    }

    #[test]
    fn a_counter_rises_ever_more_slowly_and_sinks_with_the_minutes() {
        let mut random = super::super::random::Random::seeded(3);
        let mut access = Policy::Lfu.first(NOW);
        let mut count = |uses: usize, access: &mut u32| {
            (0..uses).for_each(|_| *access = Policy::Lfu.used(*access, NOW, || random.next()));
            Policy::Lfu.frequency(*access, NOW).unwrap()
        };
        let (hundred, thousands) = (count(100, &mut access), count(100_000, &mut access));
        // Redis's documentation gives 10 and 142 for these.
        assert!((8..=13).contains(&hundred) && (130..=155).contains(&thousands), "{hundred} {thousands}");
        assert_eq!(Policy::Lfu.frequency(access, NOW + 10 * 60_000), Some(thousands - 10));
        assert_eq!(Policy::Lfu.frequency(access, NOW + 300 * 60_000), Some(0));
    }

    #[test]
    fn a_standing_is_kept_in_its_bits_whatever_uses_come() {
        let standing = Standing { seconds: seconds(NOW), turn: 13, queue: Some(Queue::Main), frequency: 2 };
        assert_eq!(Standing::of(standing.bits()), standing);
        let mut access = standing.bits();
        (0..5).for_each(|_| access = Policy::S3Fifo.used(access, NOW + 1000, || 0));
        assert_eq!(Standing::of(access), Standing { seconds: seconds(NOW + 1000), frequency: 3, ..standing });
    }

    #[test]
    fn policies_are_read_as_redis_names_them() {
        let read = |name| Eviction::parse(name).map(|eviction| (eviction.policy, eviction.among));
        assert_eq!(read("allkeys-lru"), Some((Policy::Lru, Among::All)));
        assert_eq!(read("volatile-ttl"), Some((Policy::Ttl, Among::Ttl)));
        assert_eq!(read("noeviction"), Some((Policy::None, Among::Ttl)));
        assert!(ALL.iter().all(|(name, eviction)| eviction.name() == *name));
        assert_eq!((read("lru"), read("some-lru")), (None, None));
    }
}
