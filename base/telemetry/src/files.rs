use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::rotate::RotatedFile;
use crate::screen::Screen;
use crate::timestamp::rfc3339;
use crate::{Collect, Exposition, Rotation, Sink};

/// A longer line is cut here, in bytes.
pub const LINE_LIMIT: usize = 16 << 10;
/// A batch is written when it has grown to this, even while more lines wait.
const BATCH: usize = 64 << 10;
/// Streams with an open file; beyond it all are closed and opened again as needed.
const OPEN_STREAMS: usize = 256;

/// The log of a running Plimsoll: everything to stderr, and each stream to a rotated file of its own.
///
/// - Plimsoll's own lines: with a timestamp, to stderr and `plimsoll.log`.
/// - `access`: as they are, to stderr and `access.log`.
/// - an app's name: the lines (`shop.1 | …`) as they are to stderr, with a timestamp to `shop.log`.
///
/// What is not UTF-8 is replaced, control bytes in Plimsoll's own lines too, a line beyond [`LINE_LIMIT`] is cut. A disk that fails stops nothing: it is said
/// once on stderr, again when it works, and lines meanwhile are in stderr only. A stderr that nobody reads does not
/// hold up the files.
#[derive(Debug)]
pub struct FilesAndStderr {
    folder: PathBuf,
    rotation: Rotation,
    files: BTreeMap<Box<str>, RotatedFile>,
    screen: Screen,
    health: LogHealth,
    clock: fn() -> SystemTime,
    line: Vec<u8>,
}

/// Whether log files can be written. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LogHealth(Arc<Mutex<Option<String>>>);

impl LogHealth {
    /// Why lines are missing from the files at this moment; `None` when all is well.
    pub fn problem(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets it, and says whether it changed between well and not well.
    fn set(&self, problem: Option<String>) -> bool {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = place.is_some() != problem.is_some();
        *place = problem;
        changed
    }
}

impl Collect for LogHealth {
    fn collect(&self, out: &mut Exposition) {
        let well = if self.problem().is_none() { 1.0 } else { 0.0 };
        out.gauge("log_files_ok", "1 when the log files can be written, else 0.", &[], well);
    }
}

impl FilesAndStderr {
    /// A sink over `folder` (`state/logs`), which is made when it is missing; a folder that cannot be made is a problem
    /// told like a full disk.
    pub fn new(folder: &Path, rotation: Rotation) -> (FilesAndStderr, LogHealth) {
        FilesAndStderr::onto(folder, rotation, Screen::stderr(), SystemTime::now)
    }

    fn onto(folder: &Path, rotation: Rotation, screen: Screen, clock: fn() -> SystemTime) -> (FilesAndStderr, LogHealth) {
        let health = LogHealth::default();
        let sink = FilesAndStderr {
            folder: folder.to_path_buf(),
            rotation,
            files: BTreeMap::new(),
            screen,
            health: health.clone(),
            clock,
            line: Vec::new(),
        };
        (sink, health)
    }

    fn file(&mut self, stream: &str) -> &mut RotatedFile {
        if !self.files.contains_key(stream) {
            if self.files.len() >= OPEN_STREAMS {
                self.flush_files();
                self.files.clear();
            }
            // The write that follows meets the error, if any, and tells it.
            let _ = DirBuilder::new().recursive(true).mode(0o750).create(&self.folder);
            let path = self.folder.join(file_name(stream));
            self.files.insert(stream.into(), RotatedFile::new(path, self.rotation));
        }
        self.files.get_mut(stream).expect("it was put there just now")
    }

    /// Flushes every file and tells when the disk began or ceased to fail.
    fn flush_files(&mut self) {
        let (mut tried, mut problem) = (false, None);
        for (stream, file) in &mut self.files {
            tried |= !file.pending().is_empty();
            if let Err(error) = file.flush() {
                problem = Some(format!("{} cannot be written: {error}", self.folder.join(file_name(stream)).display()));
            }
        }
        let text = match &problem {
            Some(problem) => format!("error log: {problem}; lines go to stderr only until it can"),
            None => "info log: the files can be written again".to_string(),
        };
        if tried && self.health.set(problem) {
            stamp(self.screen.pending(), (self.clock)(), text.as_bytes());
        }
    }
}

impl Sink for FilesAndStderr {
    fn write(&mut self, stream: &str, lines: &[u8]) {
        let now = (self.clock)();
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let mut clean = std::mem::take(&mut self.line);
            clean.clear();
            clean_line(line.strip_suffix(b"\n").unwrap_or(line), &mut clean);
            if stream.is_empty() {
                disarm(&mut clean);
            }
            let screen = self.screen.pending();
            if stream.is_empty() {
                stamp(screen, now, &clean)
            } else {
                plain(screen, &clean)
            }
            let file = self.file(stream).pending();
            if stream == "access" {
                plain(file, &clean)
            } else {
                stamp(file, now, &clean)
            }
            self.line = clean;
            if self.file(stream).pending().len() >= BATCH {
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        self.flush_files();
        self.screen.flush();
    }
}

/// `plimsoll.log`, `access.log`, `shop.log`.
pub(crate) fn file_name(stream: &str) -> String {
    // An app's name has no separator by the file's own rules; nothing outside the folder even so.
    if stream.is_empty() { "plimsoll.log".into() } else { format!("{}.log", stream.replace(['/', '\0'], "_")) }
}

fn clean_line(line: &[u8], out: &mut Vec<u8>) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let kept = &line[..line.len().min(LINE_LIMIT)];
    match std::str::from_utf8(kept) {
        Ok(_) => out.extend_from_slice(kept),
        Err(_) => out.extend_from_slice(String::from_utf8_lossy(kept).as_bytes()),
    }
    if kept.len() < line.len() {
        out.extend_from_slice(format!(" … ({} more bytes)", line.len() - kept.len()).as_bytes());
    }
}

/// Plimsoll's own lines quote text from outside, which must not command a terminal; an app's colours are its own.
fn disarm(line: &mut [u8]) {
    line.iter_mut().filter(|byte| byte.is_ascii_control() && **byte != b'\t').for_each(|byte| *byte = b'?');
}

fn stamp(out: &mut Vec<u8>, now: SystemTime, line: &[u8]) {
    out.extend_from_slice(&rfc3339(now));
    out.push(b' ');
    plain(out, line);
}

fn plain(out: &mut Vec<u8>, line: &[u8]) {
    out.extend_from_slice(line);
    out.push(b'\n');
}

#[cfg(test)]
mod tests;
