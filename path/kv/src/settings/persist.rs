//! `persist`: what is kept of the keys over a stop.

use std::time::Duration;

use settings::{Fault, Key, Kind};

use crate::plan::{Fsync, When};

pub(super) const DEFAULT: &str = "stop";

pub(super) const PERSIST: Key = Key::new(
    "persist",
    Kind::Text("\"stop\", \"off\", \"snapshot 5m\" or \"log\"", check),
    "What is kept of the keys over a stop, in files under `state`. `stop`: all, at a clean stop; what changed since the last one is lost when \
     Plimsoll is killed. `snapshot 5m`: also every 5 minutes in which something changed; at most so much is lost. `log`: whatever is done, at \
     once; `log everysec`, which `log` means, waits for the disk once a second, `log always` before a client is answered, `log no` never. \
     `off`: nothing.",
)
.default(DEFAULT);

/// The shortest pause between two snapshots.
const SHORTEST: Duration = Duration::from_secs(1);

fn check(text: &str) -> Result<(), Fault> {
    read(text).map(drop)
}

/// What a text says that was checked.
pub(super) fn when(text: &str) -> When {
    read(text).unwrap_or(When::Stop)
}

fn read(text: &str) -> Result<When, Fault> {
    const HINT: &str = "write \"stop\", \"off\", \"snapshot 5m\", \"log\", \"log always\" or \"log no\"";
    Ok(match text {
        "off" => When::Off,
        "stop" => When::Stop,
        "log" | "log everysec" => When::Log(Fsync::EverySecond),
        "log always" => When::Log(Fsync::Always),
        "log no" => When::Log(Fsync::No),
        _ => {
            let Some(pause) = text.strip_prefix("snapshot ") else {
                return Err(Fault::new(format!("\"{text}\" is not known here")).hint(HINT));
            };
            let pause = settings::parse_duration(pause)?;
            if pause < SHORTEST {
                return Err(Fault::new(format!("\"{text}\" is too often")).hint("write \"snapshot 1s\" or more, or \"log\""));
            }
            When::Snapshot(pause)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_is_read() {
        for (text, expected) in [
            ("off", When::Off),
            ("stop", When::Stop),
            ("snapshot 5m", When::Snapshot(Duration::from_secs(300))),
            ("log", When::Log(Fsync::EverySecond)),
            ("log everysec", When::Log(Fsync::EverySecond)),
            ("log always", When::Log(Fsync::Always)),
            ("log no", When::Log(Fsync::No)),
        ] {
            assert_eq!(read(text).unwrap(), expected);
        }
        for text in ["", "snapshot", "snapshot 5", "snapshot 10ms", "log sometimes", "Stop"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
