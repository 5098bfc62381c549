//! Values with units: sizes, durations, rates.

use std::time::Duration;

use crate::Fault;

const SIZES: [(&str, u64); 5] = [("B", 1), ("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30), ("TB", 1 << 40)];
const DURATIONS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const PERIODS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)];

/// So many in a time, `"100/min"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub count: u64,
    /// In how long.
    pub per: Duration,
}

/// Bytes of `"256MB"`; KB, MB, GB and TB are powers of 1024.
///
/// # Errors
/// No unit, an unknown one, or not a whole number.
pub fn parse_size(text: &str) -> Result<u64, Fault> {
    let (number, unit) = split(text);
    let number = whole(text, number, "size", &SIZES)?;
    let factor = factor(text, number, unit, "size", &SIZES)?;
    number.checked_mul(factor).ok_or_else(|| Fault::new(format!("\"{text}\" is too large for a size")))
}

/// The time of `"30s"`, `"250ms"` or `"1h30m"`.
///
/// # Errors
/// No unit, an unknown one, or not a whole number.
pub fn parse_duration(text: &str) -> Result<Duration, Fault> {
    let too_long = || Fault::new(format!("\"{text}\" is too long for a duration"));
    let (mut rest, mut total) = (text, 0_u64);
    loop {
        let (number, after) = split(rest);
        let number = whole(text, number, "duration", &DURATIONS)?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let factor = factor(text, number, &after[..end], "duration", &DURATIONS)?;
        total = number.checked_mul(factor).and_then(|part| total.checked_add(part)).ok_or_else(too_long)?;
        rest = &after[end..];
        if rest.is_empty() {
            return Ok(Duration::from_millis(total));
        }
    }
}

/// The rate of `"100/min"` or `"200/s"`.
///
/// # Errors
/// No period, an unknown one, or not a whole number above 0.
pub fn parse_rate(text: &str) -> Result<Rate, Fault> {
    let (number, unit) = text.split_once('/').unwrap_or((text, ""));
    let count = number.parse().ok().filter(|count| *count > 0);
    let count = count.ok_or_else(|| Fault::new(format!("\"{text}\" is no rate")).hint("write a whole number and a period, \"100/min\""))?;
    match PERIODS.iter().find(|(name, _)| *name == unit) {
        Some((_, seconds)) => Ok(Rate { count, per: Duration::from_secs(*seconds) }),
        None if unit.is_empty() => Err(Fault::new(format!("the rate \"{text}\" has no period")).hint(choices(count, "/", &PERIODS))),
        None => Err(Fault::new(format!("the rate \"{text}\" has an unknown period `{unit}`")).hint(choices(count, "/", &PERIODS))),
    }
}

/// A size as it is written in the file.
pub fn show_size(bytes: u64) -> String {
    show(bytes, &SIZES)
}

/// A duration as it is written in the file.
pub fn show_duration(duration: Duration) -> String {
    show(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATIONS)
}

/// A rate as it is written in the file.
pub fn show_rate(rate: Rate) -> String {
    let unit = PERIODS.iter().find(|(_, seconds)| *seconds == rate.per.as_secs()).map_or("s", |(name, _)| name);
    format!("{}/{unit}", rate.count)
}

/// What to write for a bare number of sizes.
pub(crate) fn size_choices(number: u64) -> String {
    choices(number, "", &SIZES[..4])
}

/// What to write for a bare number of a duration.
pub(crate) fn duration_choices(number: u64) -> String {
    choices(number, "", &DURATIONS[..4])
}

/// What to write for a bare number of a rate.
pub(crate) fn rate_choices(number: u64) -> String {
    choices(number, "/", &PERIODS)
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn whole(text: &str, number: &str, what: &str, units: &[(&str, u64)]) -> Result<u64, Fault> {
    number.parse().map_err(|_| {
        let example = units.get(1).map_or("", |unit| unit.0);
        Fault::new(format!("\"{text}\" is no {what}")).hint(format!("write a whole number and a unit, \"10{example}\""))
    })
}

fn factor(text: &str, number: u64, unit: &str, what: &str, units: &[(&str, u64)]) -> Result<u64, Fault> {
    if let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    if unit.is_empty() {
        return Err(Fault::new(format!("the {what} \"{text}\" has no unit")).hint(choices(number, "", units)));
    }
    if unit.starts_with('.') {
        return Err(Fault::new(format!("the {what} \"{text}\" has a fraction")).hint("write a whole number of a smaller unit"));
    }
    let fault = Fault::new(format!("the {what} \"{text}\" has an unknown unit `{}`", unit.trim()));
    let plain = unit.trim().to_ascii_lowercase().replace('i', "");
    let alias = match (what, plain.as_str()) {
        ("size", "k" | "m" | "g" | "t") => Some(format!("{}B", plain.to_ascii_uppercase())),
        ("duration", "sec" | "secs" | "second" | "seconds") => Some("s".into()),
        ("duration", "mn" | "mns" | "mnute" | "mnutes") => Some("m".into()),
        ("duration", "hour" | "hours") => Some("h".into()),
        ("duration", "day" | "days") => Some("d".into()),
        _ => units.iter().find(|(name, _)| name.eq_ignore_ascii_case(&plain)).map(|(name, _)| (*name).to_string()),
    };
    Err(fault.hint(alias.map_or_else(|| choices(number, "", units), |unit| format!("write \"{number}{unit}\""))))
}

fn choices(number: u64, between: &str, units: &[(&str, u64)]) -> String {
    let written: Vec<String> = units.iter().map(|(unit, _)| format!("\"{number}{between}{unit}\"")).collect();
    let (last, first) = written.split_last().expect("there are units");
    format!("write {} or {last}", first.join(", "))
}

fn show(number: u64, units: &[(&str, u64)]) -> String {
    let unit = units.iter().rev().find(|(_, factor)| number > 0 && number.is_multiple_of(*factor)).unwrap_or(&units[0]);
    format!("{}{}", number / unit.1, unit.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(parse_size("256MB"), Ok(256 << 20));
        assert_eq!(parse_size("0B"), Ok(0));
        assert_eq!(show_size(10 << 20), "10MB");
        assert_eq!(show_size(1000), "1000B");
        assert!(parse_size("99999999999TB").is_err());
    }

    #[test]
    fn durations_may_be_joined() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(show_duration(Duration::from_secs(90)), "90s");
        assert!(parse_duration("").is_err());
        assert!(parse_duration("-5s").is_err());
    }

    #[test]
    fn a_missing_or_wrong_unit_names_the_units() {
        let hint = |fault: Fault| fault.suggestion.unwrap_or_default();
        assert_eq!(hint(parse_duration("10").unwrap_err()), r#"write "10ms", "10s", "10m", "10h" or "10d""#);
        assert_eq!(hint(parse_size("10MiB").unwrap_err()), r#"write "10MB""#);
        assert_eq!(hint(parse_size("10 mb").unwrap_err()), r#"write "10MB""#);
        assert_eq!(hint(parse_duration("5min").unwrap_err()), r#"write "5m""#);
        assert_eq!(hint(parse_rate("7").unwrap_err()), r#"write "7/s", "7/min", "7/h" or "7/d""#);
    }

    #[test]
    fn rates_count_in_a_period() {
        assert_eq!(parse_rate("100/min"), Ok(Rate { count: 100, per: Duration::from_secs(60) }));
        assert_eq!(show_rate(parse_rate("200/s").unwrap()), "200/s");
        assert!(parse_rate("0/s").is_err());
    }
}
