use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A raw client of Redis's protocol, version 2.
pub struct Redis(BufReader<TcpStream>);

impl Redis {
    /// Connects to `host:port` or `redis://host:port`; each answer must come within 10 s.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(address: &str) -> io::Result<Redis> {
        let stream = TcpStream::connect(address.trim_start_matches("redis://"))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Redis(BufReader::new(stream)))
    }

    /// The answer to a command whose words are split at spaces: texts and numbers as they are, errors with their `-`, `nil`, and lists
    /// as `[a, b]`.
    ///
    /// # Errors
    /// The connection ended before, or the answer is no answer.
    pub fn ask(&mut self, line: &str) -> io::Result<String> {
        self.words(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())
    }

    /// As [`Redis::ask`], for words with spaces in them.
    ///
    /// # Errors
    /// As [`Redis::ask`].
    pub fn words(&mut self, words: &[&[u8]]) -> io::Result<String> {
        self.send(words)?;
        self.answer()
    }

    /// Sends a command and does not wait for its answer.
    ///
    /// # Errors
    /// The connection has ended.
    pub fn send(&mut self, words: &[&[u8]]) -> io::Result<()> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&bytes)
    }

    /// The next answer, see [`Redis::ask`].
    ///
    /// # Errors
    /// As [`Redis::ask`].
    pub fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let no_answer = || io::Error::other(format!("{line:?} is no answer"));
        let text = line.strip_suffix("\r\n").ok_or_else(no_answer)?;
        let length = |text: &str| text.parse::<i64>().map_err(|_| no_answer());
        match text.split_at_checked(1).ok_or_else(no_answer)? {
            ("+" | ":", text) => Ok(text.into()),
            ("-", _) => Ok(text.into()),
            ("$" | "*", "-1") => Ok("nil".into()),
            ("$", count) => self.bulk(length(count)? as usize),
            ("*", count) => {
                let items = (0..length(count)?).map(|_| self.answer()).collect::<io::Result<Vec<_>>>()?;
                Ok(format!("[{}]", items.join(", ")))
            }
            _ => Err(no_answer()),
        }
    }

    fn bulk(&mut self, length: usize) -> io::Result<String> {
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
