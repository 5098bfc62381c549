//! The grid: the world is halved again and again, in turn by longitude and by latitude.
//!
//! A bit says which half, the first the longitude's. The bits of 26 halvings of both are a score.

/// How often both are halved at most.
pub(super) const FINEST: u32 = 26;

/// A position, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
}

/// What is between two meridians and two parallels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) least: Point,
    pub(super) most: Point,
}

/// What is halved; the poles are outside.
pub(super) const WORLD: Frame =
    Frame { least: Point { longitude: -180.0, latitude: -85.051_128_78 }, most: Point { longitude: 180.0, latitude: 85.051_128_78 } };

/// What everybody else halves.
const WHOLE_WORLD: Frame = Frame { least: Point { longitude: -180.0, latitude: -90.0 }, most: Point { longitude: 180.0, latitude: 90.0 } };

/// A cell of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) bits: u64,
    /// How often both were halved.
    pub(super) step: u32,
}

/// The bits of the latitude, and of the longitude.
const EVEN: u64 = 0x5555_5555_5555_5555;
const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
/// For each of the shifts by which bits are spread and gathered, where they are then.
const SPREAD: [(u32, u64); 5] =
    [(16, 0x0000_ffff_0000_ffff), (8, 0x00ff_00ff_00ff_00ff), (4, 0x0f0f_0f0f_0f0f_0f0f), (2, 0x3333_3333_3333_3333), (1, EVEN)];

/// A bit after each bit.
fn spread(number: u32) -> u64 {
    SPREAD.iter().fold(u64::from(number), |bits, (shift, mask)| (bits | bits << shift) & mask)
}

/// Every other bit.
fn gather(bits: u64) -> u32 {
    let masks = SPREAD.iter().rev().skip(1).map(|(_, mask)| *mask).chain([0x0000_0000_ffff_ffff]);
    let shifts = SPREAD.iter().rev().map(|(shift, _)| *shift);
    shifts.zip(masks).fold(bits & EVEN, |bits, (shift, mask)| (bits | bits >> shift) & mask) as u32
}

impl Frame {
    pub(super) fn has(&self, point: Point) -> bool {
        let has = |least: f64, value: f64, most: f64| value >= least && value <= most;
        has(self.least.longitude, point.longitude, self.most.longitude) && has(self.least.latitude, point.latitude, self.most.latitude)
    }

    /// The cell of a point.
    pub(super) fn cell(&self, point: Point, step: u32) -> Cell {
        let cells = (1u64 << step) as f64;
        let part = |least: f64, value: f64, most: f64| ((value - least) / (most - least) * cells) as u32;
        let latitude = part(self.least.latitude, point.latitude, self.most.latitude);
        let longitude = part(self.least.longitude, point.longitude, self.most.longitude);
        Cell { bits: spread(latitude) | spread(longitude) << 1, step }
    }
}

impl Cell {
    /// Of a member with that score.
    pub(super) fn of_score(score: f64) -> Cell {
        Cell { bits: score as u64, step: FINEST }
    }

    /// The lowest score in it.
    pub(super) fn score(self) -> u64 {
        self.bits << (2 * (FINEST - self.step))
    }

    /// The lowest score behind it.
    pub(super) fn end(self) -> u64 {
        Cell { bits: self.bits.wrapping_add(1), ..self }.score()
    }

    /// Where it is.
    pub(super) fn frame(self) -> Frame {
        let (latitude, longitude) = (gather(self.bits), gather(self.bits >> 1));
        let cells = (1u64 << self.step) as f64;
        let at = |least: f64, most: f64, number: u32| least + (f64::from(number) / cells) * (most - least);
        let point = |longitude: u32, latitude: u32| Point {
            longitude: at(WORLD.least.longitude, WORLD.most.longitude, longitude),
            latitude: at(WORLD.least.latitude, WORLD.most.latitude, latitude),
        };
        Frame { least: point(longitude, latitude), most: point(longitude.wrapping_add(1), latitude.wrapping_add(1)) }
    }

    pub(super) fn middle(self) -> Point {
        let Frame { least, most } = self.frame();
        Point {
            longitude: ((least.longitude + most.longitude) / 2.0).clamp(WORLD.least.longitude, WORLD.most.longitude),
            latitude: ((least.latitude + most.latitude) / 2.0).clamp(WORLD.least.latitude, WORLD.most.latitude),
        }
    }

    /// The cell so many cells to the east and to the north, -1 to 1; behind the last comes the first.
    pub(super) fn neighbour(self, east: i32, north: i32) -> Cell {
        let bits = moved(self.bits & ODD, EVEN, ODD, self.step, east) | moved(self.bits & EVEN, ODD, EVEN, self.step, north);
        Cell { bits, ..self }
    }
}

/// Counts in bits with others between them, which are all set for the carry to pass.
fn moved(bits: u64, between: u64, own: u64, step: u32, by: i32) -> u64 {
    let unused = 64 - 2 * step;
    let between = between >> unused;
    let bits = match by {
        1 => bits.wrapping_add(between + 1),
        -1 => (bits | between).wrapping_sub(between + 1),
        _ => return bits,
    };
    bits & own >> unused
}

/// The geohash of a point as others have it, 11 letters, of which the last is not used.
pub(super) fn text(point: Point) -> [u8; 11] {
    const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    let bits = WHOLE_WORLD.cell(point, FINEST).bits;
    let mut text = [b'0'; 11];
    for (at, letter) in text[..10].iter_mut().enumerate() {
        *letter = LETTERS[(bits >> (47 - 5 * at)) as usize & 31];
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_point_is_in_its_cell(longitude in -180.0..180.0f64, latitude in -85.05..85.05f64, step in 1u32..=26) {
            let point = Point { longitude, latitude };
            let cell = WORLD.cell(point, step);
            let frame = cell.frame();
            prop_assert!(frame.has(point), "{frame:?}");
            prop_assert!(frame.has(cell.middle()));
            let score = WORLD.cell(point, FINEST).score();
            prop_assert!((cell.score()..cell.end()).contains(&score));
        }

        #[test]
        fn neighbours_are_where_they_are_said_to_be(bits: u64, step in 2u32..=26) {
            let cell = Cell { bits: bits & ((1 << (2 * step)) - 1), step };
            let frame = cell.frame();
            for (east, north) in [(1, 0), (0, 1), (1, 1), (1, -1)] {
                let neighbour = cell.neighbour(east, north);
                prop_assert_eq!(neighbour.neighbour(-east, -north), cell);
                let there = neighbour.frame();
                if there.least.longitude > frame.least.longitude {
                    prop_assert_eq!(there.least.longitude, if east == 1 { frame.most.longitude } else { frame.least.longitude });
                }
            }
        }
    }
}
