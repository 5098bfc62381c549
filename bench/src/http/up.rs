//! From the command to ready, and what an empty server weighs.

use super::present;
use crate::arguments::Arguments;
use crate::contender::{Contender, Work};
use crate::machine;
use crate::report::{Row, Target, spread};

/// The row.
pub fn up(arguments: &Arguments) -> Result<Row, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    std::fs::write(folder.path().join("index.html"), "<h1>bench</h1>").map_err(|error| error.to_string())?;
    let cpus = machine::cpus();
    let work = Work { threads: cpus.len(), ..Work::files(folder.path()) };
    let mut row = Row::new("up: to ready without an app", "ms");
    let all = present(&[Contender::Plimsoll, Contender::Nginx]);
    let mut figures = vec![(Vec::new(), Vec::new()); all.len()];
    for _ in 0..arguments.rounds.max(5) {
        for (who, (millis, megabytes)) in all.iter().zip(&mut figures) {
            let running = who.start(&work, &cpus)?;
            millis.push(running.ready_after.as_secs_f64() * 1000.0);
            megabytes.push(running.tree().rss() as f64 / f64::from(1 << 20));
        }
    }
    for (who, (millis, megabytes)) in all.iter().zip(&figures) {
        row.add(who.name(), millis);
        let weight = spread(megabytes).0;
        row.notes.push(format!("{}: RSS of its processes {weight:.1} MB", who.name()));
        if *who == Contender::Plimsoll {
            row.targets.push(Target::most("ready, ms", spread(millis).0, 300.0, 100.0));
            row.targets.push(Target::most("RSS, MB", weight, 20.0, 12.0));
        }
    }
    Ok(row)
}
