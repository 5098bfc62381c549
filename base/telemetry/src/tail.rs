use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::LINE_LIMIT;
use crate::files::file_name;
use crate::rotate::older;
use crate::timestamp::is_rfc3339;

/// Bytes read at once, from the end backwards or from the front.
const STEP: usize = 64 << 10;
/// Older files looked for; more are never kept by default.
const OLDER: usize = 64;
/// What a line without a newline may grow to before it is given out as it is.
const HELD: usize = 4 * LINE_LIMIT;

/// One line of a log file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `plimsoll`, `access` or an app's name.
    pub stream: String,
    /// RFC 3339, as far as the line says it.
    pub time: Option<String>,
    /// The whole line as it is in the file, without its newline.
    pub text: String,
}

impl LogLine {
    fn new(stream: &str, bytes: &[u8]) -> LogLine {
        let text = String::from_utf8_lossy(bytes).into_owned();
        // Plimsoll's and an app's lines begin with it, an access line is an object that begins with it.
        let start = text.strip_prefix("{\"time\":\"").unwrap_or(&text);
        let time = start.get(..crate::TIMESTAMP_LENGTH).filter(|time| is_rfc3339(time.as_bytes())).map(str::to_string);
        LogLine { stream: stream.to_string(), time, text }
    }

    /// The line without the timestamp that the log put before it.
    pub fn message(&self) -> &str {
        match &self.time {
            Some(time) => self.text.strip_prefix(time.as_str()).map_or(&self.text, str::trim_start),
            None => &self.text,
        }
    }
}

/// The streams that have a log file in `folder`, sorted; none when there is no folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn streams(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut streams: Vec<String> =
        entries.flatten().filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".log")?.to_string())).collect();
    streams.sort();
    Ok(streams)
}

/// The last `count` lines of a stream, the oldest first, over its older files too. A stream without a file has none.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn last_lines(folder: &Path, stream: &str, count: usize) -> io::Result<Vec<LogLine>> {
    let path = path_of(folder, stream);
    let mut lines: Vec<LogLine> = Vec::new();
    for number in 0..OLDER {
        let file = match File::open(older(&path, number)) {
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            file => file?,
        };
        let bytes = last_bytes(&file, count - lines.len())?;
        let mut these: Vec<LogLine> = split(&bytes).map(|line| LogLine::new(stream, line)).collect();
        let more = these.len().saturating_sub(count - lines.len());
        these.drain(..more);
        these.append(&mut lines);
        lines = these;
        if lines.len() >= count {
            break;
        }
    }
    Ok(lines)
}

/// Enough of a file's end to hold `count` lines.
fn last_bytes(file: &File, count: usize) -> io::Result<Vec<u8>> {
    let mut start = file.metadata()?.len();
    let mut bytes = Vec::new();
    let mut newlines = 0;
    // One more than asked for: the newline that ends the line before the first.
    while start > 0 && newlines <= count {
        let step = (STEP as u64).min(start);
        start -= step;
        let mut chunk = vec![0; step as usize];
        file.read_exact_at(&mut chunk, start)?;
        newlines += chunk.iter().filter(|byte| **byte == b'\n').count();
        chunk.append(&mut bytes);
        bytes = chunk;
    }
    Ok(bytes)
}

fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn path_of(folder: &Path, stream: &str) -> PathBuf {
    folder.join(file_name(if stream == "plimsoll" { "" } else { stream }))
}

/// Lines of one stream as they are written, across rotation. It waits for nothing: ask again later.
#[derive(Debug)]
pub struct Follow {
    stream: String,
    path: PathBuf,
    open: Option<File>,
    /// A line whose end is not yet written.
    held: Vec<u8>,
}

impl Follow {
    /// Follows from the end of what is there now.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn from_end(folder: &Path, stream: &str) -> io::Result<Follow> {
        let mut follow = Follow::from_start(folder, stream);
        follow.open = opened(&follow.path)?;
        if let Some(file) = &mut follow.open {
            file.seek(SeekFrom::End(0))?;
        }
        Ok(follow)
    }

    /// Follows from the first line of the current file: for a stream that has only now appeared.
    pub fn from_start(folder: &Path, stream: &str) -> Follow {
        Follow { stream: stream.to_string(), path: path_of(folder, stream), open: None, held: Vec::new() }
    }

    /// The lines written since the last call.
    ///
    /// # Errors
    /// When the file is there and cannot be read; what was read before is not given again.
    pub fn read(&mut self) -> io::Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        if self.open.is_none() {
            self.open = opened(&self.path)?;
        }
        while let Some(file) = &mut self.open {
            rewind_if_cut(file)?;
            read_lines(file, &mut self.held, &self.stream, &mut lines)?;
            let Some(mut next) = successor(file, &self.path)? else { break };
            // What was written between the read and the rotation.
            read_lines(file, &mut self.held, &self.stream, &mut lines)?;
            std::mem::swap(file, &mut next);
        }
        Ok(lines)
    }
}

fn opened(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}

/// Somebody emptied the file: what is there now is new.
fn rewind_if_cut(file: &mut File) -> io::Result<()> {
    if file.metadata()?.len() < file.stream_position()? {
        file.rewind()?;
    }
    Ok(())
}

fn read_lines(file: &mut File, held: &mut Vec<u8>, stream: &str, lines: &mut Vec<LogLine>) -> io::Result<()> {
    let mut chunk = vec![0; STEP];
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(());
        }
        held.extend_from_slice(&chunk[..count]);
        let whole = match held.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if held.len() > HELD => held.len(),
            None => continue,
        };
        lines.extend(split(&held[..whole]).map(|line| LogLine::new(stream, line)));
        held.drain(..whole);
    }
}

/// The file that came after `file` at `path`: `None` while it is still the current one, or is not yet followed by another.
fn successor(file: &File, path: &Path) -> io::Result<Option<File>> {
    let mine = file.metadata()?;
    let is_mine = |found: &fs::Metadata| found.ino() == mine.ino() && found.dev() == mine.dev();
    for number in 0..OLDER {
        let found = match fs::metadata(older(path, number)) {
            // A rotation that is under way leaves a gap.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            found => found?,
        };
        if is_mine(&found) {
            return if number == 0 { Ok(None) } else { opened(&older(path, number - 1)) };
        }
    }
    // It is gone altogether: go on with the current one.
    opened(path)
}

#[cfg(test)]
mod tests;
