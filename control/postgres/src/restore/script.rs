//! The SQL that a dump in Postgres's own format stands for, written by `pg_restore` as it reads.
//!
//! A server takes the script of newer programs, too: what they set and it does not know is set where it is known.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

use crate::tools::Tools;

/// What `pg_restore` 17 and newer begin with, which an older server does not know, and what does the same where it is known.
const NEWER: &[(&[u8], &[u8])] =
    &[(b"SET transaction_timeout = 0;\n", b"SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout';\n")];
/// The settings stand in the first lines.
const HEAD: usize = 100;

pub(super) struct Script {
    child: Child,
    out: BufReader<ChildStdout>,
    feeding: Option<JoinHandle<io::Result<()>>>,
    said: Option<JoinHandle<String>>,
    /// Lines that are still looked at.
    head: usize,
    line: io::Cursor<Vec<u8>>,
}

impl Script {
    pub(super) fn begin(tools: &Tools, mut dump: impl Read + Send + 'static) -> io::Result<Script> {
        let mut command = Command::new(tools.program("pg_restore"));
        command.args(["--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (mut input, out) = (child.stdin.take().expect("it is piped"), child.stdout.take().expect("it is piped"));
        let mut errors = child.stderr.take().expect("it is piped");
        let feeding = std::thread::spawn(move || io::copy(&mut dump, &mut input).map(drop));
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            // What could be read of it is told.
            let _ = errors.read_to_end(&mut said);
            String::from_utf8_lossy(&said).trim().replace('\n', "; ")
        });
        let (feeding, said) = (Some(feeding), Some(said));
        Ok(Script { child, out: BufReader::new(out), feeding, said, head: HEAD, line: io::Cursor::default() })
    }

    /// The next line of the head, into `line`.
    fn next_line(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        self.out.read_until(b'\n', &mut line)?;
        self.head -= 1;
        let known = NEWER.iter().find(|(newer, _)| *newer == line);
        self.line = io::Cursor::new(known.map_or(line, |(_, same)| same.to_vec()));
        Ok(())
    }

    /// The end of what it wrote is the end of the dump only if it says so.
    fn ended(&mut self) -> io::Result<usize> {
        let Some(feeding) = self.feeding.take() else { return Ok(0) };
        let status = self.child.wait()?;
        match feeding.join().unwrap_or_else(|_| Err(io::Error::other("reading it failed"))) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
            _ if status.success() => return Ok(0),
            _ => {}
        }
        let said = self.said.take().and_then(|said| said.join().ok()).filter(|said| !said.is_empty());
        Err(io::Error::other(said.unwrap_or_else(|| format!("pg_restore ended with {status}"))))
    }
}

impl Read for Script {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.head > 0 {
            match self.line.read(into)? {
                0 => self.next_line()?,
                count => return Ok(count),
            }
            if self.line.get_ref().is_empty() {
                self.head = 0;
            }
        }
        let count = match self.line.read(into)? {
            0 => self.out.read(into)?,
            count => count,
        };
        if count == 0 && !into.is_empty() { self.ended() } else { Ok(count) }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // Whoever took the script wants no more of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
