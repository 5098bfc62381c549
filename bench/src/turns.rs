//! Measuring by turns: in each round everybody is started fresh and then measured in short turns, so that a machine which wanders
//! by the minute wanders for all of them; ratios are made part by part.

use std::time::Duration;

use crate::report::{Row, Target, ratio, spread};

/// Measured without a break, before it is another's turn.
pub const PART: Duration = Duration::from_secs(1);
/// The name of what the ratios are of.
pub const MINE: &str = "plimsoll";

/// What each contender had in every part of every round; `None`: that part of it failed, which voids no comparison but its own.
#[derive(Debug)]
pub struct Turns<S> {
    all: Vec<(String, Vec<Option<S>>)>,
}

/// A row and what it was made of, in the order of the parts.
#[derive(Debug)]
pub struct Figures {
    pub row: Row,
    parts: Vec<(String, Vec<Option<f64>>)>,
}

impl<S> Turns<S> {
    /// So many rounds of `parts` turns of each of `all`, which have their names in tables.
    pub fn take<W, R>(
        all: &[(String, W)],
        (rounds, parts): (usize, u64),
        start: impl Fn(&W) -> Result<R, String>,
        part: impl Fn(&W, &mut R) -> Result<Option<S>, String>,
    ) -> Result<Turns<S>, String> {
        let mut seen: Vec<_> = all.iter().map(|(name, _)| (name.clone(), Vec::new())).collect();
        for _ in 0..rounds {
            let mut running = all.iter().map(|(_, who)| start(who)).collect::<Result<Vec<_>, _>>()?;
            for _ in 0..parts {
                for (((_, who), (name, seen)), running) in all.iter().zip(&mut seen).zip(&mut running) {
                    seen.push(part(who, running).map_err(|error| format!("{name}: {error}"))?);
                }
            }
        }
        seen.retain(|(_, seen)| seen.iter().any(Option::is_some));
        Ok(Turns { all: seen })
    }

    /// Everybody with its parts.
    pub fn each(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &S>)> {
        self.all.iter().map(|(who, seen)| (who.as_str(), seen.iter().flatten()))
    }

    /// A row of one figure of each part.
    pub fn figures(&self, mut row: Row, figure: impl Fn(&S) -> f64) -> Figures {
        let figure = |seen: &Option<S>| seen.as_ref().map(&figure);
        let parts: Vec<_> = self.all.iter().map(|(who, seen)| (who.clone(), seen.iter().map(figure).collect::<Vec<_>>())).collect();
        parts.iter().for_each(|(who, parts)| row.add(who, &parts.iter().copied().flatten().collect::<Vec<_>>()));
        Figures { row, parts }
    }
}

impl Figures {
    /// Bounds the ratio of [`MINE`] to `theirs`, when they were measured.
    pub fn bound(&mut self, theirs: &str, must: f64, aim: f64) {
        self.row.targets.extend(self.ratio(MINE, theirs).map(|ratio| Target::most(&against(theirs), ratio, must, aim)));
    }

    /// The median of the ratios of `mine` to `theirs` part by part.
    pub fn ratio(&self, mine: &str, theirs: &str) -> Option<f64> {
        let of = |name: &str| self.parts.iter().find(|(who, _)| who == name).map(|(_, parts)| parts);
        let ratios: Vec<f64> = of(mine)?.iter().zip(of(theirs)?).filter_map(|(mine, theirs)| Some(ratio((*mine)?, (*theirs)?))).collect();
        (!ratios.is_empty()).then(|| spread(&ratios).0)
    }

    /// That of [`MINE`] to every peer.
    pub fn ratios(&self) -> impl Iterator<Item = f64> {
        self.parts.iter().filter(|(who, _)| who != MINE).filter_map(|(who, _)| self.ratio(MINE, who))
    }
}

/// What a bound on such a ratio is called.
pub fn against(theirs: &str) -> String {
    format!("{MINE} / {theirs}, median of parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_made_part_by_part() {
        let all = [("plimsoll", [Some(1.0), Some(20.0), Some(3.0)]), ("pgbouncer", [Some(2.0), Some(10.0), Some(3.0)])];
        let mut turns = Turns { all: all.map(|(who, parts)| (who.to_string(), parts.to_vec())).to_vec() };
        turns.all.push(("pgdog".into(), vec![None, Some(40.0), None]));
        let mut figures = turns.figures(Row::new("", ""), |seen| *seen);
        assert_eq!(figures.ratio(MINE, "pgbouncer"), Some(1.0), "of 0.5, 2 and 1");
        assert_eq!(figures.ratio(MINE, "pgcat"), None);
        assert_eq!(figures.ratios().collect::<Vec<_>>(), [1.0, 0.5]);
        figures.bound("pgbouncer", 0.9, 0.9);
        figures.bound("pgcat", 0.9, 0.9);
        assert_eq!(figures.row.targets.iter().map(Target::verdict).collect::<Vec<_>>(), ["MISSED"]);
        assert_eq!(figures.row.median("pgbouncer"), Some(3.0));
    }

    #[test]
    fn everybody_has_a_turn_before_anybody_has_another() {
        let order = std::cell::RefCell::new(Vec::new());
        let all = [("a".to_string(), 1), ("b".to_string(), 2)];
        let part = |who: &i32, started: &mut i32| {
            *started += 1;
            order.borrow_mut().push((*who, *started));
            Ok((*who == 1).then_some(()))
        };
        let turns = Turns::take(&all, (2, 2), |_| Ok(0), part).unwrap();
        assert_eq!(*order.borrow(), [(1, 1), (2, 1), (1, 2), (2, 2), (1, 1), (2, 1), (1, 2), (2, 2)]);
        assert_eq!(turns.all.iter().map(|(who, seen)| (who.as_str(), seen.len())).collect::<Vec<_>>(), [("a", 4)], "b never had one");
        let fails = Turns::<()>::take(&all, (1, 1), |_| Ok(0), |who, _| if *who == 2 { Err("gone".into()) } else { Ok(None) });
        assert_eq!(fails.unwrap_err(), "b: gone");
    }
}
