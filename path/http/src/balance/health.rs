//! Active health: how often endpoints are asked, and when an answer changes what is thought of one.

use std::time::Duration;

/// How one app's endpoints are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Path asked for by GET, 2xx and 3xx are well; `None`: a connection is enough.
    pub path: Option<String>,
    /// From one check to the next. 1 s.
    pub every: Duration,
    /// The whole check, connection included. 1 s.
    pub timeout: Duration,
    /// Failures in a row until an endpoint is down. 2.
    pub down_after: u32,
    /// Successes in a row until it is up again. 1.
    pub up_after: u32,
}

impl Check {
    /// The usual rhythm for `path`.
    pub fn new(path: Option<String>) -> Check {
        Check { path, every: Duration::from_secs(1), timeout: Duration::from_secs(1), down_after: 2, up_after: 1 }
    }
}

/// What active checks have found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Not checked yet.
    Unknown,
    /// Well.
    Up,
    /// Not well.
    Down,
}

/// One endpoint's checks so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// What is thought of it.
    pub health: Health,
    /// Results in a row that say otherwise.
    against: u32,
}

impl Tally {
    /// Before the first check.
    pub fn new(health: Health) -> Tally {
        Tally { health, against: 0 }
    }

    /// What is thought after one more result. The first check of an unknown endpoint decides at once.
    pub fn after(self, well: bool, check: &Check) -> Tally {
        let (agrees, needed) = match self.health {
            Health::Unknown => return Tally::new(if well { Health::Up } else { Health::Down }),
            Health::Up => (well, check.down_after),
            Health::Down => (!well, check.up_after),
        };
        let against = if agrees { 0 } else { self.against + 1 };
        match against >= needed && !agrees {
            true => Tally::new(if well { Health::Up } else { Health::Down }),
            false => Tally { health: self.health, against },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(first: Health, results: &[bool]) -> Health {
        let check = Check::new(None);
        results.iter().fold(Tally::new(first), |tally, well| tally.after(*well, &check)).health
    }

    #[test]
    fn down_after_two_in_a_row_up_after_one() {
        assert_eq!(after(Health::Up, &[false]), Health::Up);
        assert_eq!(after(Health::Up, &[false, true, false]), Health::Up);
        assert_eq!(after(Health::Up, &[false, false]), Health::Down);
        assert_eq!(after(Health::Up, &[false, false, true]), Health::Up);
    }

    #[test]
    fn the_first_check_decides() {
        assert_eq!(after(Health::Unknown, &[false]), Health::Down);
        assert_eq!(after(Health::Unknown, &[true]), Health::Up);
    }
}
