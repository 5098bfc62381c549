//! Keys of an app whose tier comes later: checked now, then refused by name.

use settings::{Fault, Key, Kind, Report, Section, Table, Value};

pub(super) const RELEASE: Key =
    Key::new("release", Kind::Command, "Runs once for each release, before its instances start.").drain().unbuilt();

pub(super) const RANGE: Kind = Kind::Unbuilt(&Kind::Table(&MIN_AND_MAX));

pub(super) const SCALE: Key =
    Key::new("scale", Kind::Table(&TARGETS), "Targets of the autoscaler, for each instance; the first reached wins.").unbuilt();

const MIN_AND_MAX: Section = Section::new(
    "How many instances the autoscaler may choose.",
    &[
        Key::new("min", Kind::Integer(0, 1_000), "The fewest.").default("1"),
        Key::new("max", Kind::Integer(1, 1_000), "The most.").required(),
    ],
)
.rule(min_below_max);

const TARGETS: Section = Section::new(
    "Targets of the autoscaler.",
    &[
        Key::new("cpu", Kind::Share, "CPU, of its limit."),
        Key::new("p95", Kind::Duration(1, 3_600_000), "The 95th percentile of its answers."),
        Key::new("requests", Kind::Rate, "Requests."),
    ],
);

/// `min` may not exceed `max`; told of at the later one, naming the first.
fn min_below_max(range: &Table, report: &mut Report) {
    let number = |name: &str| match range.get(name).map(|item| &item.value) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let (Some(min), Some(max)) = (number("min"), number("max")) else { return };
    if min > max {
        let (at, other) = if range.place_of("min") > range.place_of("max") { ("min", "max") } else { ("max", "min") };
        let fault =
            Fault::new(format!("`{}.min` = {min} is over `max` = {max} (`{other}` is in line {})", range.path, range.place_of(other).line));
        report.problem(range.place_of(at), fault.hint("swap the two"));
    }
}

pub(super) fn name(text: &str) -> Result<(), Fault> {
    if text.is_empty() { Err(Fault::new("the name is empty")) } else { Ok(()) }
}
