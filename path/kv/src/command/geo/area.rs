//! Which cells of the grid a shape may touch: the one of its middle, and those around it.

use super::grid::{Cell, FINEST, Frame, WORLD};
use super::shape::Shape;

/// Half of the world's width in a Mercator projection, in meters.
const HALF_WORLD: f64 = 20_037_726.37;

/// Where the cells are from the middle one, to the east and to the north, in the order they are looked at.
const AROUND: [(i32, i32); 9] = [(0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// How fine cells may be for a shape with such a reach to be in nine of them.
fn fineness(mut reach: f64, latitude: f64) -> u32 {
    if reach == 0.0 {
        return FINEST;
    }
    let mut step = 1i32;
    while reach < HALF_WORLD {
        reach *= 2.0;
        step += 1;
    }
    // Towards the poles cells are narrow.
    step -= 2 + i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    step.clamp(1, FINEST as i32) as u32
}

/// Whether the cells around one do not reach as far as a frame.
fn falls_short(cell: Cell, frame: &Frame) -> bool {
    let around = |east: i32, north: i32| cell.neighbour(east, north).frame();
    around(0, 1).most.latitude < frame.most.latitude
        || around(0, -1).least.latitude > frame.least.latitude
        || around(1, 0).most.longitude < frame.most.longitude
        || around(-1, 0).least.longitude > frame.least.longitude
}

/// The cells to look at, in their order.
pub(super) fn cells(shape: &Shape) -> Vec<Cell> {
    let frame = shape.frame();
    let mut cell = WORLD.cell(shape.middle, fineness(shape.reach(), shape.middle.latitude));
    if cell.step > 1 && falls_short(cell, &frame) {
        cell = WORLD.cell(shape.middle, cell.step - 1);
    }
    let own = cell.frame();
    let is_needed = |(east, north): (i32, i32)| {
        cell.step < 2
            || !((own.least.latitude < frame.least.latitude && north < 0)
                || (own.most.latitude > frame.most.latitude && north > 0)
                || (own.least.longitude < frame.least.longitude && east < 0)
                || (own.most.longitude > frame.most.longitude && east > 0))
    };
    let mut cells: Vec<Cell> = Vec::with_capacity(AROUND.len());
    for place in AROUND.into_iter().filter(|place| is_needed(*place)) {
        let neighbour = cell.neighbour(place.0, place.1);
        // In a coarse grid one may be its own neighbour; Redis compares with the one before, but not with the middle one.
        if cells.len() > 1 && cells.last() == Some(&neighbour) {
            continue;
        }
        cells.push(neighbour);
    }
    cells
}
