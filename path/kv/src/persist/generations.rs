//! Which files of a store count: a decision of what there is. This holds at every moment, whatever is killed between two steps:
//!
//! 1. The base is whole, for it is on the disk before it gets its name. Its generation is G; where there is none all begins empty,
//!    with log 1.
//! 2. Log G has what was done since the moment of the base, log G + 1 what was done since log G ended, and so on, without a gap. The
//!    disk has a log to its end before the next one says anything: only the last may be torn.
//! 3. A log that does not go on from the one before it, since nothing was logged then or some of it is lost, is marked: it counts only
//!    with a base of its own generation. That base is begun together with it, and may never come.
//! 4. Logs before G are needless. One that is no longer than its head says nothing: it may as well not be there.

/// A log that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) generation: u64,
    /// It says nothing.
    pub(super) is_empty: bool,
    /// It is marked.
    pub(super) needs_base: bool,
}

/// What becomes of the logs at a start.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// What they say is done, in this order.
    pub(super) counted: Vec<u64>,
    /// They may go.
    pub(super) needless: Vec<u64>,
    /// Their base never came.
    pub(super) orphans: Vec<u64>,
    /// Of the log that is begun now.
    pub(super) next: u64,
}

/// No kill leaves such files.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The base, or a newer one, which this log goes on from.
    Base(u64),
    /// The first of these logs, while the other is there.
    Log(u64, u64),
}

/// Decides with the generation of the base, if there is one, and all logs in ascending order.
pub(super) fn chain(base: Option<u64>, logs: &[Found]) -> Result<Chain, Missing> {
    let first = base.unwrap_or(1);
    let (before, logs) = logs.split_at(logs.partition_point(|log| log.generation < first));
    let is_orphan = |log: &Found| log.needs_base && base != Some(log.generation);
    let (line, orphans) = logs.split_at(logs.iter().position(is_orphan).unwrap_or(logs.len()));
    if orphans.iter().any(|log| !log.needs_base && !log.is_empty) {
        return Err(Missing::Base(orphans[0].generation));
    }
    let (line, empty) = line.split_at(line.iter().rposition(|log| !log.is_empty).map_or(0, |last| last + 1));
    let gap = line.iter().zip(first..).find(|(log, expected)| log.generation != *expected);
    if let Some((log, expected)) = gap {
        let is_first = base.is_none() && expected == first;
        return Err(if is_first { Missing::Base(log.generation) } else { Missing::Log(expected, log.generation) });
    }
    let (orphans, no_orphans): (Vec<_>, Vec<_>) = orphans.iter().partition(|log| !log.is_empty);
    let generations = |logs: &[&Found]| logs.iter().map(|log| log.generation).collect();
    Ok(Chain {
        counted: generations(&line.iter().collect::<Vec<_>>()),
        needless: generations(&before.iter().chain(empty).chain(no_orphans).collect::<Vec<_>>()),
        orphans: generations(&orphans),
        next: first + line.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs as text: `3` says something, `3-` nothing, `3!` is marked.
    fn logs(text: &str) -> Vec<Found> {
        let log = |word: &str| Found {
            generation: word.trim_end_matches(['-', '!']).parse().unwrap(),
            is_empty: word.contains('-'),
            needs_base: word.contains('!'),
        };
        text.split_whitespace().map(log).collect()
    }

    #[test]
    fn what_a_kill_leaves_counts_up_to_where_it_was() {
        // Base, logs; which of them count, are needless, have no base; the next.
        for (base, text, counted, needless, orphans, next) in [
            (None, "", &[][..], &[][..], &[][..], 1),
            (None, "1-", &[], &[1], &[], 1),
            (None, "1 2 3-", &[1, 2], &[3], &[], 3),
            (None, "1- 2 3", &[1, 2, 3], &[], &[], 4),
            // A log was begun with the first base, which never came.
            (None, "1!", &[], &[], &[1], 1),
            (None, "1 3! 4!- 5!", &[1], &[4], &[3, 5], 2),
            (Some(17), "", &[], &[], &[], 17),
            (Some(17), "17", &[17], &[], &[], 18),
            (Some(17), "17! 18", &[17, 18], &[], &[], 19),
            // The base is in place, and the logs before it are not gone yet, or not all.
            (Some(18), "17 18-", &[], &[17, 18], &[], 18),
            (Some(18), "16 17", &[], &[16, 17], &[], 18),
            (Some(18), "15 17 18 19", &[18, 19], &[15, 17], &[], 20),
            (Some(18), "18- 19-", &[], &[18, 19], &[], 18),
            (Some(18), "18- 19 20-", &[18, 19], &[20], &[], 20),
            // Nothing was logged for a while, or something was lost.
            (Some(4), "6!", &[], &[], &[6], 4),
            (Some(4), "4 5- 6! 7!", &[4], &[5], &[6, 7], 5),
            (Some(6), "4 6! 7", &[6, 7], &[4], &[], 8),
        ] {
            let expected = Chain { counted: counted.into(), needless: needless.into(), orphans: orphans.into(), next };
            assert_eq!(chain(base, &logs(text)), Ok(expected), "{base:?} {text}");
        }
    }

    #[test]
    fn what_no_kill_leaves_is_refused() {
        for (base, text, missing) in [
            (None, "2", Missing::Base(2)),
            (None, "1 3", Missing::Log(2, 3)),
            (Some(17), "18", Missing::Log(17, 18)),
            (Some(17), "17 18 20", Missing::Log(19, 20)),
            (Some(17), "17 19! 20", Missing::Base(19)),
            (None, "2! 3", Missing::Base(2)),
        ] {
            assert_eq!(chain(base, &logs(text)), Err(missing), "{base:?} {text}");
        }
    }
}
