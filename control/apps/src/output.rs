//! What instances print: to the log under their names, and the last lines kept.

use std::sync::Arc;

use process::{Tail, read_lines};
use telemetry::Log;
use tokio::io::AsyncRead;

/// The last lines of one instance, to explain its death.
pub(crate) fn tail() -> Tail {
    Tail::new(12, 300)
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
    pub(crate) async fn copy(self, pipe: impl AsyncRead + Unpin) {
        read_lines(pipe, |lines| self.write(lines)).await;
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
        self.log.raw(&self.stream, lines);
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
        let output = Output { stream: "shop".into(), name: "shop.1".into(), log, tail: tail() };
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
        assert_eq!(tail.lines().len(), 12);
        assert_eq!(tail.lines().last().unwrap(), "last");
    }
}
