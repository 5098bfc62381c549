use std::time::Duration;

const USAGE: &str = "usage: bench http|kv|sql [--only ROW] [--rounds N] [--seconds N] [--dry]
  --only ROW     the rows whose name begins with ROW
  --rounds N     rounds of each row, contenders interleaved (3)
  --seconds N    measured in each round, after 1 s of warm-up (4)
  --dry          print only, write nothing to bench/results
with PLIMSOLL_BENCH_BIN, PLIMSOLL_BENCH_NGINX, PLIMSOLL_BENCH_HAPROXY, PLIMSOLL_BENCH_PGBOUNCER, PLIMSOLL_BENCH_PG_DOORMAN,
PLIMSOLL_BENCH_PGCAT, PLIMSOLL_BENCH_PGDOG, PLIMSOLL_BENCH_REDIS, PLIMSOLL_BENCH_REDIS_NEW, PLIMSOLL_BENCH_VALKEY and
PLIMSOLL_BENCH_MEMCACHED other binaries are measured";

/// The command line.
#[derive(Debug, Clone)]
pub struct Arguments {
    /// `http`, `kv` or `sql`.
    pub door: String,
    /// Only rows whose name begins so.
    pub only: Option<String>,
    /// Rounds of each row.
    pub rounds: usize,
    /// Measured time of a round.
    pub measured: Duration,
    /// Write no results.
    pub dry: bool,
}

impl Arguments {
    /// Reads the words after the program's name; the error is the usage text.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut parsed = Arguments { door: String::new(), only: None, rounds: 3, measured: Duration::from_secs(4), dry: false };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{word} needs a value\n{USAGE}"));
            let number = |text: String| {
                text.parse::<u64>().ok().filter(|number| *number > 0).ok_or(format!("`{text}` is no number above 0\n{USAGE}"))
            };
            match word.as_str() {
                "--only" => parsed.only = Some(value()?),
                "--rounds" => parsed.rounds = number(value()?)? as usize,
                "--seconds" => parsed.measured = Duration::from_secs(number(value()?)?),
                "--dry" => parsed.dry = true,
                door if parsed.door.is_empty() && !door.starts_with('-') => parsed.door = door.into(),
                _ => return Err(format!("`{word}` is not understood\n{USAGE}")),
            }
        }
        if parsed.door.is_empty() { Err(USAGE.into()) } else { Ok(parsed) }
    }

    /// Whether the row `name` is to run.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.starts_with(only.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_line_is_read_whole_or_refused() {
        let parsed = parse("http --only file --rounds 5 --seconds 2 --dry").unwrap();
        assert_eq!((parsed.rounds, parsed.measured.as_secs(), parsed.dry), (5, 2, true));
        assert!(parsed.wants("file 1 KiB") && !parsed.wants("proxy"));
        for wrong in ["", "http --rounds", "http --rounds 0", "http --rounds x", "http --what", "http sql"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
