//! Which percentiles `INFO latencystats` shows.

/// The percentages in `words`, from 0 to 100.
///
/// # Errors
/// In Redis's text.
pub(crate) fn parse(words: &str) -> Result<Vec<f64>, String> {
    let one = |word: &str| word.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent));
    let all: Option<Vec<f64>> = words.split_ascii_whitespace().map(one).collect();
    all.ok_or_else(|| "The percentiles should be a number between 0 and 100".into())
}

/// As they are shown, without zeros at the end.
pub(super) fn said(all: &[f64]) -> String {
    all.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numbers_up_to_100() {
        assert_eq!(parse("0.0 50.0 99.90 100").map(|all| said(&all)), Ok("0 50 99.9 100".into()));
        assert_eq!(parse(""), Ok(Vec::new()));
        for wrong in ["10.0 50.0 a", "101", "-1", "nan"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
