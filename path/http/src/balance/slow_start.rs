//! How much of its share an endpoint takes that has just come (back): a cold cache is not flooded.

use std::time::Duration;

/// From a tenth of its share to all of it. 10 s.
pub const SLOW_START: Duration = Duration::from_secs(10);

/// All of an endpoint's share.
pub const WHOLE: u32 = 1024;

/// The share in 1/1024 that an endpoint takes `age` nanoseconds after it came: grows evenly from a tenth to the whole.
pub fn share(age: u64, slow_start: u64) -> u32 {
    if age >= slow_start {
        return WHOLE;
    }
    let grown = u128::from(age) * u128::from(WHOLE) / u128::from(slow_start);
    102.max(grown as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_from_a_tenth_to_the_whole() {
        assert_eq!(share(0, 1000), 102);
        assert_eq!(share(500, 1000), 512);
        assert_eq!(share(1000, 1000), 1024);
        assert_eq!(share(0, 0), 1024);
    }
}
