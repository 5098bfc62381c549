use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of a line without an end that are held back; a longer one is cut into several.
const LONGEST: usize = 8 << 10;

/// Reads what a child prints until the pipe's end, and an error is one: gives each time all whole lines that have come, with the
/// newlines between them. The last may lack its own: it was the last of all, or is longer than 8 KiB and goes on.
pub async fn read_lines(mut pipe: impl AsyncRead + Unpin, mut each: impl FnMut(&[u8])) {
    let (mut held, mut buffer) = (Vec::new(), vec![0; LONGEST]);
    loop {
        let count = pipe.read(&mut buffer).await.unwrap_or(0);
        held.extend_from_slice(&buffer[..count]);
        let whole = match held.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if count == 0 || held.len() >= LONGEST => held.len(),
            None => 0,
        };
        if whole > 0 {
            each(&held[..whole]);
            held.drain(..whole);
        }
        if count == 0 {
            return;
        }
    }
}

/// The last lines that a child printed, to explain its death. Clones mean the same lines.
#[derive(Debug, Clone)]
pub struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    most: usize,
    longest: usize,
}

impl Tail {
    /// Keeps `most` lines, and of each the first `longest` characters.
    pub fn new(most: usize, longest: usize) -> Tail {
        Tail { lines: Arc::default(), most, longest }
    }

    /// Keeps a line, without the white space at its end; the oldest goes when there are too many.
    pub fn push(&self, line: &[u8]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == self.most {
            lines.pop_front();
        }
        lines.push_back(String::from_utf8_lossy(line).trim_end().chars().take(self.longest).collect());
    }

    /// The lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    async fn read(text: &str, at_once: usize) -> Vec<String> {
        let (mut pipe, end) = tokio::io::duplex(at_once);
        let mut runs = Vec::new();
        let writing = async move { pipe.write_all(text.as_bytes()).await.unwrap() };
        tokio::join!(read_lines(end, |lines| runs.push(String::from_utf8(lines.to_vec()).unwrap())), writing);
        runs
    }

    #[test]
    fn lines_come_whole_however_they_were_written() {
        block_on(async {
            assert_eq!(read("one\ntwo\nlast", 64).await, ["one\ntwo\n", "last"]);
            assert_eq!(read("one\ntwo\nlast", 5).await, ["one\n", "two\n", "last"]);
            assert!(read("", 5).await.is_empty());
        });
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let runs = block_on(read(&"x".repeat(2 * LONGEST + 1), LONGEST));
        assert_eq!(runs.iter().map(String::len).collect::<Vec<_>>(), [LONGEST, LONGEST, 1]);
    }

    #[test]
    fn the_last_lines_are_kept_and_cut() {
        let tail = Tail::new(2, 3);
        for line in ["one", "two ", "three"] {
            tail.clone().push(line.as_bytes());
        }
        assert_eq!(tail.lines(), ["two", "thr"]);
    }
}
