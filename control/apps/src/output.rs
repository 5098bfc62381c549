//! What instances print: whole lines to the log, and the last ones kept to explain a death.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use telemetry::Log;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Lines kept.
const KEPT: usize = 12;
/// Of a kept line, in characters.
const KEPT_LENGTH: usize = 300;
/// A longer line is cut into several.
const LONGEST: usize = 8 << 10;

/// The last lines of one instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn push(&self, line: &[u8]) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(line).trim_end().chars().take(KEPT_LENGTH).collect());
    }
}

/// Where an instance's lines go.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    /// The stream: the app's name.
    pub(crate) stream: Arc<str>,
    /// Put before each line: the instance's name.
    pub(crate) name: Arc<str>,
    pub(crate) log: Log,
    pub(crate) tail: Tail,
}

impl Output {
    /// Copies `pipe` until its end.
    pub(crate) async fn copy(self, mut pipe: impl AsyncRead + Unpin) {
        let (mut held, mut buffer) = (Vec::new(), vec![0; LONGEST]);
        loop {
            // An error is the end, too.
            let count = pipe.read(&mut buffer).await.unwrap_or(0);
            held.extend_from_slice(&buffer[..count]);
            let whole = match held.iter().rposition(|byte| *byte == b'\n') {
                Some(last) => last + 1,
                None if count == 0 || held.len() >= LONGEST => held.len(),
                None => 0,
            };
            self.write(&held[..whole]);
            held.drain(..whole);
            if count == 0 {
                return self.write(&held);
            }
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut lines = Vec::with_capacity(bytes.len() + 64);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.tail.push(line);
            lines.extend_from_slice(self.name.as_bytes());
            lines.extend_from_slice(b" | ");
            lines.extend_from_slice(line);
            lines.push(b'\n');
        }
        if !lines.is_empty() {
            self.log.raw(&self.stream, lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Seen(mpsc::Sender<String>);

    impl telemetry::Sink for Seen {
        fn write(&mut self, stream: &str, lines: &[u8]) {
            self.0.send(format!("{stream}: {}", String::from_utf8_lossy(lines))).unwrap();
        }
        fn flush(&mut self) {}
    }

    #[tokio::test]
    async fn lines_are_whole_named_and_remembered() {
        let (sender, seen) = mpsc::channel();
        let (log, writer) = Log::start(Box::new(Seen(sender)));
        let output = Output { stream: "shop".into(), name: "shop.1".into(), log, tail: Tail::default() };
        let tail = output.tail.clone();
        let (mut pipe, end) = tokio::io::duplex(4);
        let writing = async move {
            let text: String = (0..20).map(|number| format!("line {number}\n")).collect();
            tokio::io::AsyncWriteExt::write_all(&mut pipe, format!("{text}last").as_bytes()).await.unwrap();
        };
        tokio::join!(output.copy(end), writing);
        writer.finish();
        let all: String = seen.try_iter().map(|batch| batch.strip_prefix("shop: ").unwrap().to_string()).collect();
        let expected: String = (0..20).map(|number| format!("shop.1 | line {number}\n")).collect();
        assert_eq!(all, expected + "shop.1 | last\n");
        assert_eq!(tail.lines().len(), KEPT);
        assert_eq!(tail.lines().last().unwrap(), "last");
    }
}
