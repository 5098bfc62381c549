use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Bytes written at once: a pipe that polls writable takes as many without blocking (PIPE_BUF).
const CHUNK: usize = 4096;
/// How long a reader that has fallen behind is waited for, once.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Stderr as a place that may be slow, stuck or gone without stopping who writes.
#[derive(Debug)]
pub(crate) struct Screen {
    /// `None`: there is no stderr.
    out: Option<File>,
    pending: Vec<u8>,
    stuck: bool,
    lost: usize,
}

impl Screen {
    pub(crate) fn stderr() -> Screen {
        Screen::over(io::stderr().as_fd().try_clone_to_owned().ok().map(File::from))
    }

    pub(crate) fn over(out: Option<File>) -> Screen {
        Screen { out, pending: Vec::new(), stuck: false, lost: 0 }
    }

    /// Where a line is added before [`Screen::flush`].
    pub(crate) fn pending(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Writes what is pending; what a stuck reader does not take is lost, counted, and told when it reads again.
    pub(crate) fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while !rest.is_empty() {
            let chunk = &rest[..rest.len().min(CHUNK)];
            match self.write(chunk) {
                Ok(written) => rest = &rest[written..],
                Err(_) => {
                    self.lost += rest.len();
                    break;
                }
            }
        }
        self.pending = pending;
        self.pending.clear();
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        let Some(out) = &mut self.out else { return Err(ErrorKind::BrokenPipe.into()) };
        let patience = if self.stuck { Timespec::default() } else { PATIENCE };
        let mut wanted = [PollFd::new(out, PollFlags::OUT)];
        self.stuck = poll(&mut wanted, Some(&patience))? == 0;
        if self.stuck {
            return Err(ErrorKind::WouldBlock.into());
        }
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            out.write_all(format!("\n… {lost} bytes of log were not shown here: nobody read them …\n").as_bytes())?;
        }
        out.write(chunk)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_reader_that_sleeps_loses_lines_and_is_told() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut screen = Screen::over(Some(File::from(std::os::fd::OwnedFd::from(writer))));
        // More than a pipe holds: this returns although nobody reads.
        screen.pending().extend(std::iter::repeat_n(b'x', 4 << 20));
        screen.flush();
        assert!(screen.lost > 0);
        let held = (4 << 20) - screen.lost;
        reader.read_exact(&mut vec![0; held]).unwrap();
        screen.pending().extend_from_slice(b"awake\n");
        screen.flush();
        drop(screen);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("were not shown here") && rest.ends_with("awake\n"), "{rest}");
    }

    #[test]
    fn no_stderr_is_no_trouble() {
        let mut screen = Screen::over(None);
        screen.pending().extend_from_slice(b"into the void\n");
        screen.flush();
        assert!(screen.pending().is_empty());
    }
}
