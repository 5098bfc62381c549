use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Seconds over which a rate is told.
const WINDOW: usize = 5;

/// How much each door had answered at each of the last seconds, by the door's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace(Arc<Mutex<HashMap<String, VecDeque<u64>>>>);

impl Pace {
    /// Looks at the doors once a second, on the control runtime.
    pub(crate) fn start(look: impl Fn() -> Vec<(String, u64)> + Send + 'static) -> Pace {
        let pace = Pace::default();
        let counts = pace.clone();
        tokio::spawn(async move {
            loop {
                counts.note(look());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        pace
    }

    /// A door that is gone is forgotten.
    fn note(&self, seen: Vec<(String, u64)>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|door, _| seen.iter().any(|(name, _)| name == door));
        for (door, count) in seen {
            let counts = all.entry(door).or_default();
            counts.push_back(count);
            if counts.len() > WINDOW + 1 {
                counts.pop_front();
            }
        }
    }

    /// What a door answered each second, over the last seconds.
    pub(crate) fn per_second(&self, door: &str) -> f64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counts) = all.get(door) else { return 0.0 };
        match (counts.front(), counts.back()) {
            (Some(first), Some(last)) if counts.len() > 1 => last.saturating_sub(*first) as f64 / (counts.len() - 1) as f64,
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_seconds() {
        let pace = Pace::default();
        assert_eq!(pace.per_second("http"), 0.0);
        for requests in [0, 1000, 1010, 1020, 1030, 1040, 1050] {
            pace.note(vec![("http".into(), requests)]);
        }
        assert_eq!((pace.per_second("http"), pace.per_second("sql.main")), (10.0, 0.0));
        pace.note(Vec::new());
        assert_eq!(pace.per_second("http"), 0.0);
    }
}
