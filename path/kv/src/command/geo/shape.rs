//! What is searched: what is within a distance of a point, or in a box around it.

use super::grid::{Frame, Point};
use crate::error::Fault;
use crate::frame::Args;

/// Of the earth, in meters.
const RADIUS: f64 = 6_372_797.560856;
const RADIANS: f64 = std::f64::consts::PI / 180.0;

/// What distances are told in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub(super) meters: f64,
}

/// Around a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) middle: Point,
    pub(super) size: Size,
    pub(super) unit: Unit,
}

/// In its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Size {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
}

impl Unit {
    pub(super) const METER: Unit = Unit { meters: 1.0 };

    pub(super) fn read(args: Args<'_>, at: usize) -> Result<Unit, Fault> {
        let units = [("m", 1.0), ("km", 1000.0), ("ft", 0.3048), ("mi", 1609.34)];
        let unit = units.into_iter().find(|(name, _)| args.is(at, name));
        let unknown = Fault::fixed("ERR unsupported unit provided. please use M, KM, FT, MI");
        unit.map(|(_, meters)| Unit { meters }).ok_or(unknown)
    }
}

impl Size {
    /// `radius unit`.
    pub(super) fn read_circle(args: Args<'_>, at: usize) -> Result<(Size, Unit), Fault> {
        let radius = args.float(at).map_err(|_| Fault::fixed("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(Fault::fixed("ERR radius cannot be negative"));
        }
        Ok((Size::Circle { radius }, Unit::read(args, at + 1)?))
    }

    /// `width height unit`.
    pub(super) fn read_box(args: Args<'_>, at: usize) -> Result<(Size, Unit), Fault> {
        let width = args.float(at).map_err(|_| Fault::fixed("ERR need numeric width"))?;
        let height = args.float(at + 1).map_err(|_| Fault::fixed("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(Fault::fixed("ERR height or width cannot be negative"));
        }
        Ok((Size::Box { width, height }, Unit::read(args, at + 2)?))
    }
}

impl Shape {
    /// How far a point is from the middle, if it is in the shape.
    pub(super) fn distance(&self, point: Point) -> Option<f64> {
        match self.size {
            Size::Circle { radius } => Some(distance(self.middle, point)).filter(|far| *far <= radius * self.unit.meters),
            Size::Box { width, height } => {
                let beside = Point { longitude: self.middle.longitude, latitude: point.latitude };
                let is_outside = latitude_distance(point.latitude, self.middle.latitude) > height * self.unit.meters / 2.0
                    || distance(point, beside) > width * self.unit.meters / 2.0;
                if is_outside { None } else { Some(distance(self.middle, point)) }
            }
        }
    }

    /// How far its farthest point is from the middle, in meters.
    pub(super) fn reach(&self) -> f64 {
        let reach = match self.size {
            Size::Circle { radius } => radius,
            Size::Box { width, height } => ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt(),
        };
        reach * self.unit.meters
    }

    /// The frame that it is in.
    pub(super) fn frame(&self) -> Frame {
        let (width, height) = match self.size {
            Size::Circle { radius } => (radius, radius),
            Size::Box { width, height } => (width / 2.0, height / 2.0),
        };
        let (width, height) = (self.unit.meters * width, self.unit.meters * height);
        let Point { longitude, latitude } = self.middle;
        let north = (height / RADIUS) / RADIANS;
        // The side that is farther from the equator is longer, in degrees.
        let far = if latitude < 0.0 { latitude - north } else { latitude + north };
        let east = (width / RADIUS / (far * RADIANS).cos()) / RADIANS;
        Frame {
            least: Point { longitude: longitude - east, latitude: latitude - north },
            most: Point { longitude: longitude + east, latitude: latitude + north },
        }
    }
}

fn latitude_distance(one: f64, other: f64) -> f64 {
    RADIUS * (other * RADIANS - one * RADIANS).abs()
}

/// Along a great circle (haversine), in meters.
pub(super) fn distance(one: Point, other: Point) -> f64 {
    let half = |one: f64, other: f64| ((other * RADIANS - one * RADIANS) / 2.0).sin();
    let east = half(one.longitude, other.longitude);
    if east == 0.0 {
        return latitude_distance(one.latitude, other.latitude);
    }
    let north = half(one.latitude, other.latitude);
    let (one, other) = (one.latitude * RADIANS, other.latitude * RADIANS);
    let square = north * north + one.cos() * other.cos() * east * east;
    2.0 * RADIUS * square.sqrt().asin()
}
