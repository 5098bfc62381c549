//! Two threads instead of one, everybody free to run on both CPUs.

use super::cells::{Cell, Kind, note};
use super::store::{Store, Work, present};
use crate::arguments::Arguments;
use crate::load::Outcome;
use crate::machine::{self, Pins};
use crate::report::{Row, Target};

/// The rows: reads and writes, alone and in batches.
pub fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    if machine::cpus().len() < 2 {
        return Err("needs two CPUs".into());
    }
    let cells = [1, 16].into_iter().flat_map(|batch| [Kind::Get, Kind::Set].map(|kind| Cell { kind, batch }));
    cells.map(|cell| row(cell, arguments)).collect()
}

fn row(cell: Cell, arguments: &Arguments) -> Result<Row, String> {
    let stores = present().filter(|store| store.has_threads());
    let all: Vec<_> = stores.flat_map(|store| [1, 2].map(|threads| (label(store, threads), (store, threads)))).collect();
    let turns = cell.turns(&all, arguments, |(store, threads)| {
        let free = Pins::free();
        // One CPU at the start makes Plimsoll take one loop.
        let running = store.start(Work { threads: *threads, bound: None }, &free.contender[..*threads])?;
        machine::pin_processes(&running.tree().0, &free.contender);
        Ok((*store, running, free.load))
    })?;
    let row = Row::new(&format!("loops: two instead of one, {}, free", cell.name()), "CPU µs/op");
    let mut figures = turns.figures(row, Outcome::cpu_micros);
    let (one, two) = (label(Store::Plimsoll, 1), label(Store::Plimsoll, 2));
    let ratio = figures.ratio(&two, &one);
    figures.row.targets.extend(ratio.map(|ratio| Target::most(&format!("{two} / {one}, median of parts"), ratio, 1.15, 1.05)));
    figures.row.notes.extend(turns.each().map(|(who, seen)| note(who, seen)));
    Ok(figures.row)
}

fn label(store: Store, threads: usize) -> String {
    format!("{} x{threads}", store.name())
}
