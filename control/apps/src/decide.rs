//! What to do with an app or an instance: pure, of plans, counts and spans of time.

use std::time::Duration;

use crate::plan::{Plan, Run, Source};

/// A healthy life shorter than this counts as one that was never healthy: restarting at once would spin.
const SHORT_LIFE: Duration = Duration::from_secs(1);
/// So many of them are followed by a restart at once.
const FREE_RESTARTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a reload does to an app that is in the old file and in the new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    Keep,
    /// Only what is read as it goes: `start`, `drain`, `health`.
    Live,
    /// Another number of instances; those that stay do not restart.
    Scale,
    /// New instances in place of all.
    Roll,
}

/// Compares an app's plans; `dir_changed` says whether its files differ from those that its instances were started with.
pub(crate) fn change(old: &Plan, new: &Plan, dir_changed: bool) -> Change {
    let (Source::Run(was), Source::Run(run)) = (&old.source, &new.source) else {
        return if old.source == new.source { keep_or_live(old, new) } else { Change::Roll };
    };
    // What a running instance does not notice is made equal before comparing.
    let like_new = Run { instances: run.instances, start: run.start, drain: run.drain, ..was.clone() };
    // Files come before the count: instances added to old ones would run the new code unbuilt beside them.
    if like_new != *run || old.routed != new.routed || dir_changed {
        Change::Roll
    } else if was.instances != run.instances {
        Change::Scale
    } else {
        keep_or_live(old, new)
    }
}

fn keep_or_live(old: &Plan, new: &Plan) -> Change {
    if old == new { Change::Keep } else { Change::Live }
}

/// An instance's tries that did not become healthy, in a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tries {
    pub(crate) failed: u32,
}

impl Tries {
    /// Notes the end of a life that was healthy for `healthy` (`None`: never); returns how long to wait before the next try.
    pub(crate) fn ended(&mut self, healthy: Option<Duration>) -> Duration {
        match healthy {
            Some(life) if life >= SHORT_LIFE => {
                self.failed = 0;
                Duration::ZERO
            }
            _ => {
                self.failed = self.failed.saturating_add(1);
                // A few short healthy lives in a row may be chance, or somebody's drill.
                let free = if healthy.is_some() { FREE_RESTARTS } else { 0 };
                match self.failed.checked_sub(free + 1) {
                    None => Duration::ZERO,
                    Some(doublings) => (FIRST_WAIT * 2u32.pow(doublings.min(16))).min(LONGEST_WAIT),
                }
            }
        }
    }
}

/// What to do for an instance that shall leave, step by step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Out of the list; open requests finish.
    Drain,
    /// Requests are done, upgraded connections still open.
    Linger,
    /// SIGTERM now.
    Terminate,
}

/// The longest that old instances wait for WebSockets to close.
const LONGEST_LINGER: Duration = Duration::from_secs(3600);

/// A door that chose the endpoint just before it left the list has that long to begin its request.
const SETTLE: Duration = Duration::from_millis(100);

/// The next step of leaving: `since` is how long it has been leaving, `linger` whether upgraded connections may stay.
pub(crate) fn leaving(requests: u32, upgraded: u32, since: Duration, drain: Duration, linger: bool) -> Leaving {
    if since < drain && (requests > 0 || since < SETTLE) {
        Leaving::Drain
    } else if linger && upgraded > 0 && since < LONGEST_LINGER {
        Leaving::Linger
    } else {
        Leaving::Terminate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(edit: impl FnOnce(&mut Run)) -> Plan {
        let mut run = Run {
            dir: "/srv/shop".into(),
            build: None,
            run: vec!["./shop".into()],
            env: vec![("A".into(), "1".into())],
            withheld: Vec::new(),
            user: None,
            instances: 2,
            start: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        };
        edit(&mut run);
        Plan { name: "shop".into(), source: Source::Run(run), health: None, routed: true }
    }

    #[test]
    fn only_what_an_instance_would_notice_rolls() {
        let old = plan(|_| {});
        assert_eq!(change(&old, &plan(|_| {}), false), Change::Keep);
        assert_eq!(change(&old, &plan(|_| {}), true), Change::Roll);
        assert_eq!(change(&old, &plan(|run| run.instances = 5), false), Change::Scale);
        assert_eq!(change(&old, &plan(|run| run.instances = 5), true), Change::Roll);
        assert_eq!(change(&old, &plan(|run| run.drain = Duration::ZERO), false), Change::Live);
        assert_eq!(change(&old, &Plan { health: Some("/up".into()), ..plan(|_| {}) }, false), Change::Live);
        assert_eq!(change(&old, &plan(|run| run.env[0].1 = "2".into()), false), Change::Roll);
        assert_eq!(change(&old, &plan(|run| run.run.push("--x".into())), false), Change::Roll);
        assert_eq!(change(&old, &Plan { routed: false, ..plan(|_| {}) }, false), Change::Roll);
    }

    #[test]
    fn outside_apps_roll_when_their_addresses_change() {
        let outside = |address: &str| Plan { source: Source::External(vec![address.parse().unwrap()]), ..plan(|_| {}) };
        assert_eq!(change(&outside("10.0.0.5:3000"), &outside("10.0.0.5:3000"), false), Change::Keep);
        assert_eq!(change(&outside("10.0.0.5:3000"), &outside("10.0.0.6:3000"), false), Change::Roll);
        assert_eq!(change(&outside("10.0.0.5:3000"), &plan(|_| {}), false), Change::Roll);
    }

    #[test]
    fn a_healthy_life_restarts_at_once_and_a_dying_one_ever_later() {
        let mut tries = Tries::default();
        let life = Some(Duration::from_secs(3));
        assert_eq!(tries.ended(life), Duration::ZERO);
        let waits: Vec<u128> = (0..9).map(|_| tries.ended(None).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
        assert_eq!(tries.ended(life), Duration::ZERO);
        assert_eq!(tries.ended(None).as_millis(), 250);
    }

    #[test]
    fn short_healthy_lives_do_not_spin() {
        let mut tries = Tries::default();
        let short = Some(Duration::from_millis(10));
        let waits: Vec<u128> = (0..8).map(|_| tries.ended(short).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 250, 500, 1000]);
    }

    #[test]
    fn leaving_waits_for_requests_then_for_upgraded_connections() {
        let second = Duration::from_secs;
        assert_eq!(leaving(1, 1, second(0), second(30), true), Leaving::Drain);
        assert_eq!(leaving(0, 0, second(0), second(30), true), Leaving::Drain);
        assert_eq!(leaving(0, 0, second(0), second(0), true), Leaving::Terminate);
        assert_eq!(leaving(1, 0, second(30), second(30), true), Leaving::Terminate);
        assert_eq!(leaving(0, 1, second(1), second(30), true), Leaving::Linger);
        assert_eq!(leaving(0, 1, second(3600), second(30), true), Leaving::Terminate);
        assert_eq!(leaving(0, 1, second(1), second(30), false), Leaving::Terminate);
        assert_eq!(leaving(0, 0, second(1), second(30), true), Leaving::Terminate);
    }
}
