//! Rows, their ratios and verdicts, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use serde::Serialize;

use crate::arguments::Arguments;
use crate::machine;
use crate::running::repository;

/// Everything of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What ran, by name.
    pub versions: BTreeMap<String, String>,
    /// The machine and how the run was made.
    pub conditions: String,
    pub rows: Vec<Row>,
    /// What could not be measured, and why.
    pub missing: Vec<String>,
}

/// One row: what was measured for each contender.
#[derive(Debug, Serialize)]
pub struct Row {
    pub name: String,
    /// What the figures are.
    pub unit: String,
    pub cells: Vec<Cell>,
    /// Said below the table: throughput, latency, memory.
    pub notes: Vec<String>,
    pub targets: Vec<Target>,
}

/// One contender's figure: the median of the rounds and their ends.
#[derive(Debug, Serialize)]
pub struct Cell {
    pub who: String,
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// A figure that has a bound.
#[derive(Debug, Serialize)]
pub struct Target {
    pub what: String,
    pub value: f64,
    /// The bound that must hold.
    pub must: f64,
    /// The bound aimed at.
    pub aim: f64,
    /// Whether the bounds are the least instead of the most.
    pub least: bool,
}

impl Target {
    /// `value`, which must be at most `must`.
    pub fn most(what: &str, value: f64, must: f64, aim: f64) -> Target {
        Target { what: what.into(), value, must, aim, least: false }
    }

    /// `value`, which must be at least `must`.
    pub fn least(what: &str, value: f64, must: f64, aim: f64) -> Target {
        Target { least: true, ..Target::most(what, value, must, aim) }
    }

    /// What could not be measured at all and therefore holds nothing.
    pub fn void() -> Target {
        Target::most("void", f64::NAN, 0.0, 0.0)
    }

    /// `held`, `aim missed` or `MISSED`.
    pub fn verdict(&self) -> &'static str {
        // A figure that could not be made holds nothing.
        if self.value.is_nan() || self.beyond(self.must) {
            "MISSED"
        } else if self.beyond(self.aim) {
            "must held, aim missed"
        } else {
            "held"
        }
    }

    fn beyond(&self, bound: f64) -> bool {
        if self.least { self.value < bound } else { self.value > bound }
    }
}

/// `mine / theirs`.
pub fn ratio(mine: f64, theirs: f64) -> f64 {
    if theirs > 0.0 { mine / theirs } else { f64::NAN }
}

impl Row {
    pub fn new(name: &str, unit: &str) -> Row {
        Row { name: name.into(), unit: unit.into(), cells: Vec::new(), notes: Vec::new(), targets: Vec::new() }
    }

    /// Adds the figures that `who` had in the rounds.
    pub fn add(&mut self, who: &str, figures: &[f64]) {
        if !figures.is_empty() {
            let (median, min, max) = spread(figures);
            self.cells.push(Cell { who: who.into(), median, min, max });
        }
    }

    /// The median of `who`, if measured.
    pub fn median(&self, who: &str) -> Option<f64> {
        self.cells.iter().find(|cell| cell.who == who).map(|cell| cell.median)
    }

    /// Bounds the ratio of `mine` to `theirs`, when both were measured.
    pub fn bound(&mut self, mine: &str, theirs: &str, must: f64, aim: f64) {
        if let (Some(a), Some(b)) = (self.median(mine), self.median(theirs)) {
            self.targets.push(Target::most(&format!("{mine} / {theirs}"), ratio(a, b), must, aim));
        }
    }
}

/// Median, least and greatest of `figures`, which are not empty.
pub fn spread(figures: &[f64]) -> (f64, f64, f64) {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
    (median, sorted[0], sorted[sorted.len() - 1])
}

impl Report {
    /// Of contenders with these versions.
    pub fn new(arguments: &Arguments, versions: BTreeMap<String, String>) -> Report {
        let (rounds, seconds) = (arguments.rounds, arguments.measured.as_secs());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let conditions = format!(
            "Linux {}, {} CPUs used, {rounds} rounds of {seconds} s, interleaved, each started fresh",
            kernel.trim(),
            machine::cpus().len().min(2)
        );
        Report { versions, conditions, rows: Vec::new(), missing: Vec::new() }
    }

    /// Takes the rows of `name` if they were asked for.
    pub fn measure(&mut self, name: &str, arguments: &Arguments, rows: impl FnOnce() -> Result<Vec<Row>, String>) {
        if !arguments.wants(name) {
            return;
        }
        eprintln!("bench: {name} …");
        match rows() {
            Ok(rows) => self.rows.extend(rows),
            // A row that could not be made must not look like one that holds.
            Err(reason) => {
                eprintln!("bench: {name} is void: {reason}");
                self.rows.push(Row { notes: vec![reason], targets: vec![Target::void()], ..Row::new(name, "void") });
            }
        }
    }

    /// Whether there are bounds and every one that must hold does.
    pub fn holds(&self) -> bool {
        let mut targets = self.rows.iter().flat_map(|row| &row.targets).peekable();
        targets.peek().is_some() && targets.all(|target| target.verdict() != "MISSED")
    }

    /// The whole as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Plimsoll beside its peers\n\n{}.\n", self.conditions);
        // Writing to a String cannot fail.
        for (name, version) in &self.versions {
            let _ = write!(text, "{name}: {version}. ");
        }
        text += "\n\n| row | unit | who | median | min..max |\n|---|---|---|---|---|\n";
        for row in &self.rows {
            for cell in &row.cells {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {:.2} | {:.2}..{:.2} |",
                    row.name, row.unit, cell.who, cell.median, cell.min, cell.max
                );
            }
        }
        text += "\n| row | what | value | must | aim | |\n|---|---|---|---|---|---|\n";
        for row in &self.rows {
            for target in &row.targets {
                let sign = if target.least { ">=" } else { "<=" };
                let _ = writeln!(
                    text,
                    "| {} | {} | {:.3} | {sign} {} | {sign} {} | {} |",
                    row.name,
                    target.what,
                    target.value,
                    target.must,
                    target.aim,
                    target.verdict()
                );
            }
        }
        for row in self.rows.iter().filter(|row| !row.notes.is_empty()) {
            let _ = writeln!(text, "\n**{}**", row.name);
            row.notes.iter().for_each(|note| text += &format!("- {note}\n"));
        }
        if !self.missing.is_empty() {
            text += "\nNot measured:\n";
            self.missing.iter().for_each(|what| text += &format!("- {what}\n"));
        }
        text
    }

    /// Writes `bench/results/DOOR.{json,md}`; a part of the rows goes to `DOOR-part`.
    pub fn write(&self, door: &str, whole: bool) -> std::io::Result<()> {
        let folder = repository().join("bench/results");
        fs::create_dir_all(&folder)?;
        let name = if whole { door.to_string() } else { format!("{door}-part") };
        fs::write(folder.join(format!("{name}.md")), self.markdown())?;
        fs::write(folder.join(format!("{name}.json")), serde_json::to_string_pretty(self)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_bounds() {
        let mut row = Row::new("proxy", "µs");
        row.add("plimsoll", &[11.0, 10.0, 30.0]);
        row.add("nginx", &[20.0, 22.0]);
        row.add("haproxy", &[]);
        row.bound("plimsoll", "nginx", 0.9, 0.5);
        row.bound("plimsoll", "haproxy", 1.0, 0.88);
        assert_eq!((row.median("plimsoll"), row.median("nginx"), row.targets.len()), (Some(11.0), Some(21.0), 1));
        assert_eq!(row.targets[0].verdict(), "must held, aim missed");
        assert_eq!(Target::most("", ratio(2.0, 1.0), 1.0, 0.9).verdict(), "MISSED");
        assert_eq!(Target::most("", ratio(2.0, 0.0), 1.0, 0.9).verdict(), "MISSED");
        let least = |value| Target::least("", value, 0.9, 1.15).verdict();
        assert_eq!([least(0.8), least(0.9), least(1.2)], ["MISSED", "must held, aim missed", "held"]);
    }
}
