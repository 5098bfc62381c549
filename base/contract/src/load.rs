/// The share of what a tier can do that counts as safe, unless the file or a measurement says otherwise.
pub const SAFE_SHARE: f64 = 0.6;

/// A tier's load line: used over safe capacity, 1.0 = at the line, with the reason in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The tier's name in the file: `http`, `app.shop`, `machine`.
    pub tier: String,
    /// Used over safe capacity; 0.0 is idle, above 1.0 is over the line. Never NaN.
    pub load: f64,
    /// Which of the tier's measures decided: one of a few words.
    pub measure: &'static str,
    /// That measure in words, with its figures.
    pub reason: String,
}

impl Load {
    /// The load of a tier that uses `used` of `maximum`, both in the same unit, by this measure; 0 of 0 is 0.
    pub fn of(tier: impl Into<String>, measure: &'static str, used: f64, maximum: f64, reason: impl Into<String>) -> Load {
        let safe = maximum * SAFE_SHARE;
        let load = if used > 0.0 && safe > 0.0 { used / safe } else { 0.0 };
        Load { tier: tier.into(), load, measure, reason: reason.into() }
    }

    /// The higher of two loads of one tier: the first reached decides.
    pub fn max(self, other: Load) -> Load {
        if other.load > self.load { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_safe_share_is_the_line() {
        assert_eq!(Load::of("http", "loop", 0.6, 1.0, "").load, 1.0);
        assert_eq!(Load::of("http", "loop", 0.0, 0.0, "").load, 0.0);
    }

    #[test]
    fn the_first_reached_decides() {
        let cpu = Load::of("app.shop", "cores", 0.3, 1.0, "0.3 of 1");
        let latency = Load::of("app.shop", "p95", 200.0, 250.0, "200 ms of 250 ms");
        assert_eq!(cpu.max(latency).measure, "p95");
    }
}
