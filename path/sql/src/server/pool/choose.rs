//! Who gets a connection that came free, and where a client that waits may get one: decided from what the loops have
//! published, done elsewhere.

/// How much longer a client of another loop must wait than one here before a connection is moved to it: at least and at
/// most, and in between as long again as the one here waits; nanoseconds.
const MOVE_LEAST: u64 = 1_000_000;
const MOVE_MOST: u64 = 50_000_000;

/// How much longer a client of another key must wait before a connection is closed to open one for it, nanoseconds.
const REOPEN: u64 = 50_000_000;

/// The client of one loop and key that waits longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) at: usize,
    /// Of the key of the connection that came free.
    pub(super) same: bool,
    /// Nanoseconds on the pool's clock.
    pub(super) since: u64,
    /// Its loop has no connection: none will come free there.
    pub(super) starving: bool,
}

/// What becomes of a connection that came free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goes {
    /// Nobody waits.
    Idle,
    /// To the first client of its key here.
    Here,
    /// It is closed; its place is for the first client of another key here.
    Reopened,
    /// To another loop, which decides again.
    Moved(usize),
}

/// The longest wait wins, where a client elsewhere or of another key starts with a handicap: moving costs two system
/// calls and a wake-up, opening some milliseconds. A loop without a connection has no handicap. `oldest`: since when the
/// first client here waits.
pub(super) fn goes(here: usize, now: u64, oldest: Option<u64>, heads: impl Iterator<Item = Head>) -> Goes {
    let waited = oldest.map_or(0, |oldest| now.saturating_sub(oldest));
    let moving = (MOVE_LEAST + waited).min(MOVE_MOST);
    let handicap = |head: &Head| {
        let moved = if head.at == here || head.starving { 0 } else { moving };
        moved + if head.same { 0 } else { REOPEN }
    };
    match heads.min_by_key(|head| (head.since.saturating_add(handicap(head)), head.at != here, !head.same)) {
        None => Goes::Idle,
        Some(head) if head.at != here => Goes::Moved(head.at),
        Some(head) if head.same => Goes::Here,
        Some(_) => Goes::Reopened,
    }
}

/// Idle connections of one loop and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spare {
    pub(super) at: usize,
    /// Of the key that is wanted.
    pub(super) same: bool,
    pub(super) count: usize,
}

/// The clients of one key that wait on a loop, and what is under way for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) here: usize,
    pub(super) waiting: usize,
    /// Connections being opened here for this key.
    pub(super) opening: usize,
    /// Other loops that were asked and have not answered.
    pub(super) asked: usize,
    /// How many more connections there may be.
    pub(super) free: usize,
}

/// What to do next for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Open a connection.
    Open,
    /// Ask a loop for an idle one, or for the place of one.
    Ask(usize),
    /// Close an idle one of another key here and open one in its place.
    Replace,
    /// Everything that can be done is under way.
    Wait,
    /// More wait than anything under way will serve: whoever gives something back sees them.
    Dry,
}

/// As long as there is room one is opened for everybody who waits, and an idle one elsewhere is asked for as well: it is
/// here sooner. Only when there is neither, an idle one of another key makes room.
pub(super) fn step(need: &Need, spares: impl Iterator<Item = Spare>) -> Step {
    if need.opening < need.waiting && need.free > 0 {
        return Step::Open;
    }
    let (mut same, mut other, mut other_here) = (None::<Spare>, None::<Spare>, false);
    for spare in spares.filter(|spare| spare.count > 0) {
        let slot = if spare.same { &mut same } else { &mut other };
        other_here |= !spare.same && spare.at == need.here;
        if spare.at != need.here && slot.is_none_or(|best| best.count < spare.count) {
            *slot = Some(spare);
        }
    }
    match (same, other) {
        (Some(spare), _) if need.asked < need.waiting => Step::Ask(spare.at),
        _ if need.opening + need.asked >= need.waiting => Step::Wait,
        _ if other_here => Step::Replace,
        (None, Some(spare)) => Step::Ask(spare.at),
        _ => Step::Dry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(at: usize, same: bool, since_millis: u64) -> Head {
        Head { at, same, since: since_millis * 1_000_000, starving: false }
    }

    /// At 200 ms, on loop 0.
    fn chosen(heads: &[Head]) -> Goes {
        let oldest = heads.iter().filter(|head| head.at == 0).map(|head| head.since).min();
        goes(0, 200_000_000, oldest, heads.iter().copied())
    }

    #[test]
    fn who_waits_longest_gets_it_but_for_the_cost_of_moving() {
        assert_eq!(chosen(&[]), Goes::Idle);
        assert_eq!(chosen(&[head(0, true, 140), head(1, true, 100)]), Goes::Here);
        assert_eq!(chosen(&[head(0, true, 151), head(1, true, 100)]), Goes::Moved(1));
        assert_eq!(chosen(&[head(0, true, 198), head(1, true, 194)]), Goes::Moved(1));
        assert_eq!(chosen(&[head(0, true, 198), head(1, true, 196)]), Goes::Here);
        assert_eq!(chosen(&[head(1, true, 160), head(2, true, 100)]), Goes::Moved(2));
    }

    #[test]
    fn a_loop_without_a_connection_is_served_in_turn() {
        let starving = |since| Head { starving: true, ..head(1, true, since) };
        assert_eq!(chosen(&[head(0, true, 100), starving(99)]), Goes::Moved(1));
        assert_eq!(chosen(&[head(0, true, 100), starving(101)]), Goes::Here);
    }

    #[test]
    fn another_key_waits_a_little_longer() {
        assert_eq!(chosen(&[head(0, false, 100), head(0, true, 140)]), Goes::Here);
        assert_eq!(chosen(&[head(0, false, 100), head(0, true, 160)]), Goes::Reopened);
        assert_eq!(chosen(&[head(0, false, 100)]), Goes::Reopened);
        assert_eq!(chosen(&[head(0, false, 140), head(1, true, 141)]), Goes::Reopened);
        assert_eq!(chosen(&[head(1, false, 100)]), Goes::Moved(1));
    }

    const NEED: Need = Need { here: 0, waiting: 1, opening: 0, asked: 0, free: 1 };

    fn spare(at: usize, same: bool, count: usize) -> Spare {
        Spare { at, same, count }
    }

    #[test]
    fn one_is_opened_and_an_idle_one_elsewhere_asked_for() {
        assert_eq!(step(&NEED, [].into_iter()), Step::Open);
        let opening = Need { opening: 1, ..NEED };
        assert_eq!(step(&opening, [].into_iter()), Step::Wait);
        assert_eq!(step(&opening, [spare(1, true, 1), spare(2, true, 3)].into_iter()), Step::Ask(2));
        assert_eq!(step(&Need { asked: 1, ..opening }, [spare(1, true, 1)].into_iter()), Step::Wait);
        assert_eq!(step(&Need { waiting: 2, ..opening }, [spare(1, false, 1)].into_iter()), Step::Open);
    }

    #[test]
    fn another_key_makes_room_only_when_there_is_none() {
        let full = Need { free: 0, ..NEED };
        assert_eq!(step(&full, [spare(0, false, 1), spare(1, true, 1)].into_iter()), Step::Ask(1));
        assert_eq!(step(&full, [spare(0, false, 1), spare(1, false, 5)].into_iter()), Step::Replace);
        assert_eq!(step(&full, [spare(0, false, 0), spare(1, false, 5)].into_iter()), Step::Ask(1));
        assert_eq!(step(&full, [].into_iter()), Step::Dry);
        assert_eq!(step(&Need { asked: 1, ..full }, [spare(1, false, 5)].into_iter()), Step::Wait);
    }
}
