//! How many retries one loop may make for an app: a fifth of its recent requests, and a few a second at least.

/// Seconds that count as recent.
const WINDOW: usize = 10;

/// Retries for every hundred requests.
const PERCENT: u64 = 20;

/// Retries a second that are always allowed, over all loops.
const LEAST: u64 = 10;

/// One loop's account. Times are nanoseconds from one origin.
#[derive(Debug, Clone, Default)]
pub struct Budget {
    slots: [Slot; WINDOW],
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    second: u64,
    requests: u32,
    retries: u32,
}

impl Budget {
    /// A request was taken (its first attempt).
    pub fn deposit(&mut self, now: u64) {
        self.slot(now).requests += 1;
    }

    /// Takes one retry out, if there is one left; `loops` share the least.
    pub fn withdraw(&mut self, now: u64, loops: usize) -> bool {
        let second = now / 1_000_000_000;
        let recent = self.slots.iter().filter(|slot| slot.second + WINDOW as u64 > second);
        let (requests, retries) =
            recent.fold((0, 0), |(requests, retries), slot| (requests + u64::from(slot.requests), retries + u64::from(slot.retries)));
        let allowed = requests * PERCENT / 100 + (LEAST * WINDOW as u64).div_ceil(loops.max(1) as u64);
        if retries >= allowed {
            return false;
        }
        self.slot(now).retries += 1;
        true
    }

    fn slot(&mut self, now: u64) -> &mut Slot {
        let second = now / 1_000_000_000;
        let slot = &mut self.slots[second as usize % WINDOW];
        if slot.second != second {
            *slot = Slot { second, requests: 0, retries: 0 };
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    fn drain(budget: &mut Budget, now: u64, loops: usize) -> usize {
        (0..10_000).take_while(|_| budget.withdraw(now, loops)).count()
    }

    #[test]
    fn a_quiet_app_has_the_least() {
        assert_eq!(drain(&mut Budget::default(), 0, 1), 100);
        assert_eq!(drain(&mut Budget::default(), 100 * S, 4), 25);
    }

    #[test]
    fn a_fifth_of_recent_requests_and_what_is_old_is_forgotten() {
        let mut budget = Budget::default();
        for index in 0..1000 {
            budget.deposit(50 * S + index);
        }
        assert_eq!(drain(&mut budget, 55 * S, 1), 300);
        assert_eq!(drain(&mut budget, 59 * S, 1), 0);
        assert_eq!(drain(&mut budget, 60 * S, 1), 0, "the requests of second 50 are forgotten, the retries of 55 are not");
        assert_eq!(drain(&mut budget, 66 * S, 1), 100);
    }
}
