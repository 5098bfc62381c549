/// The share of what a tier can do that counts as safe, unless the file or a measurement says otherwise.
pub const SAFE_SHARE: f64 = 0.6;

/// A tier's load line: used over safe capacity, 1.0 = at the line, with the reason in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The tier's name in the file: `http`, `app.shop`, `machine`.
    pub tier: String,
    /// Used over safe capacity; 0.0 is idle, above 1.0 is over the line. Never NaN.
    pub load: f64,
    /// Which of the tier's measures decided, with its figures.
    pub reason: String,
}

impl Load {
    /// The load of a tier that uses `used` of `maximum`, both in the same unit; 0 of 0 is 0.
    pub fn of(tier: impl Into<String>, used: f64, maximum: f64, reason: impl Into<String>) -> Load {
        let safe = maximum * SAFE_SHARE;
        let load = if used > 0.0 && safe > 0.0 { used / safe } else { 0.0 };
        Load { tier: tier.into(), load, reason: reason.into() }
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
        assert_eq!(Load::of("http", 0.6, 1.0, "").load, 1.0);
        assert_eq!(Load::of("http", 0.0, 0.0, "").load, 0.0);
    }

    #[test]
    fn the_first_reached_decides() {
        let cpu = Load::of("app.shop", 0.3, 1.0, "cpu");
        let latency = Load::of("app.shop", 200.0, 250.0, "p95");
        assert_eq!(cpu.max(latency).reason, "p95");
    }
}
