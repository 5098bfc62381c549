//! What the server prints: to the log with its level, and the last lines kept.

use process::{Tail, read_lines};
use telemetry::{Level, Log};
use tokio::io::AsyncRead;

use crate::events::TIER;

/// The last lines of one process, to explain its death.
pub(crate) fn tail() -> Tail {
    Tail::new(20, 8 << 10)
}

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    log: Option<Log>,
    tail: Tail,
}

impl Output {
    /// To the log, too.
    pub(crate) fn told(log: &Log, tail: Tail) -> Output {
        Output { log: Some(log.clone()), tail }
    }

    /// Only kept.
    pub(crate) fn silent(tail: Tail) -> Output {
        Output { log: None, tail }
    }

    /// Copies `pipe` until its end.
    pub(crate) async fn copy(self, pipe: impl AsyncRead + Unpin) {
        let mut more = Some(Level::Info);
        let each = |lines: &[u8]| {
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                self.line(&String::from_utf8_lossy(line), &mut more);
            }
        };
        read_lines(pipe, each).await;
    }

    /// `more` is the level of lines that go on the one before.
    fn line(&self, line: &str, more: &mut Option<Level>) {
        self.tail.push(line.as_bytes());
        let (level, text) = match read(line) {
            Some(Read { level, text, goes_on }) => {
                *more = goes_on;
                (level, text)
            }
            None => (*more, line),
        };
        if let (Some(log), Some(level)) = (&self.log, level) {
            log.line(level, TIER, text);
        }
    }
}

/// The first line of what the server says. A level of `None`: nobody wants to know.
struct Read<'a> {
    level: Option<Level>,
    text: &'a str,
    /// The level of its DETAIL, HINT and further lines.
    goes_on: Option<Level>,
}

fn read(line: &str) -> Option<Read<'_>> {
    let (severity, text) = line.split_once(":  ")?;
    let level = match severity {
        "LOG" | "INFO" | "NOTICE" => Some(Level::Info).filter(|_| !is_routine(text)),
        // A client's error is told to the client; one of the system's is for who runs it.
        "ERROR" if text.starts_with("could not ") => Some(Level::Warning),
        // Its DETAIL may hold what people wrote.
        "ERROR" => return Some(Read { level: Some(Level::Info), text, goes_on: None }),
        "WARNING" => Some(Level::Warning),
        "FATAL" | "PANIC" => Some(Level::Error).filter(|_| !is_refusal(text)),
        _ => return None,
    };
    Some(Read { level, text, goes_on: level })
}

/// What every start and stop says.
fn is_routine(text: &str) -> bool {
    const ROUTINE: &[&str] = &[
        "starting PostgreSQL ",
        "listening on Unix socket ",
        "database system was shut down at ",
        "database system is ready ",
        "database system is shut down",
        "received fast shutdown request",
        "aborting any active transactions",
        "shutting down",
        "background worker \"logical replication launcher\" ",
        "checkpoint starting: ",
        "checkpoint complete: ",
    ];
    ROUTINE.iter().any(|begin| text.starts_with(begin))
}

/// What a client hears that comes too early or stays too long.
fn is_refusal(text: &str) -> bool {
    const REFUSALS: &[&str] =
        &["the database system is ", "terminating connection due to administrator command", "terminating background worker "];
    REFUSALS.iter().any(|begin| text.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Seen(mpsc::Sender<String>);

    impl telemetry::Sink for Seen {
        fn write(&mut self, _stream: &str, lines: &[u8]) {
            self.0.send(String::from_utf8_lossy(lines).into_owned()).unwrap();
        }
        fn flush(&mut self) {}
    }

    async fn logged(text: &str) -> (Vec<String>, Vec<String>) {
        let (sender, seen) = mpsc::channel();
        let (log, writer) = Log::start(Box::new(Seen(sender)));
        let tail = tail();
        Output::told(&log, tail.clone()).copy(text.as_bytes()).await;
        writer.finish();
        (seen.try_iter().collect(), tail.lines())
    }

    #[tokio::test]
    async fn lines_have_their_level_and_what_goes_on_has_its_firsts() {
        let said = "LOG:  starting PostgreSQL 15.18\nFATAL:  could not write: No space left on device\nHINT:  Free some.\n\tmore\nLOG:  x\nWARNING:  y\nERROR:  duplicate key\nDETAIL:  Key (mail)=(x@y) exists.\nERROR:  could not extend file\n";
        let (lines, tail) = logged(said).await;
        let expected = [
            "error postgres: could not write: No space left on device\n",
            "error postgres: HINT:  Free some.\n",
            "error postgres: \tmore\n",
            "info postgres: x\n",
            "warning postgres: y\n",
            "info postgres: duplicate key\n",
            "warning postgres: could not extend file\n",
        ];
        assert_eq!(lines, expected);
        assert_eq!(tail.len(), 9);
    }

    #[tokio::test]
    async fn what_is_of_no_interest_is_kept_but_not_told() {
        let (lines, tail) = logged("FATAL:  the database system is starting up\nLOG:  shutting down").await;
        assert_eq!((lines.len(), tail.len()), (0, 2));
    }
}
