use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How large a log may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// A file of this many bytes is set aside; one batch of lines may exceed it.
    pub bytes: u64,
    /// Files kept of each log, the current one included; at least 1.
    pub files: usize,
}

impl Default for Rotation {
    fn default() -> Rotation {
        Rotation { bytes: 10 << 20, files: 5 }
    }
}

/// The `number`th older file of a log: `shop.log`, `shop.log.1`, `shop.log.2`, …
pub(crate) fn older(path: &Path, number: usize) -> PathBuf {
    if number == 0 {
        return path.to_path_buf();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// One log file: lines are gathered and written in batches.
#[derive(Debug)]
pub(crate) struct RotatedFile {
    path: PathBuf,
    rotation: Rotation,
    open: Option<(File, u64)>,
    pending: Vec<u8>,
    /// The last write stopped inside a line.
    torn: bool,
}

impl RotatedFile {
    pub(crate) fn new(path: PathBuf, rotation: Rotation) -> RotatedFile {
        RotatedFile { path, rotation, open: None, pending: Vec::new(), torn: false }
    }

    /// Where a line is added before [`RotatedFile::flush`].
    pub(crate) fn pending(&mut self) -> &mut Vec<u8> {
        &mut self.pending
    }

    /// Writes what is pending, which is given up when it cannot be written; tried afresh at the next call.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let result = self.write_pending();
        self.pending.clear();
        if result.is_err() {
            (self.open, self.torn) = (None, true);
        }
        result
    }

    fn write_pending(&mut self) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|(_, size)| *size >= self.rotation.bytes) {
            self.open = None;
            self.set_aside()?;
        }
        if self.open.is_none() {
            let file = OpenOptions::new().create(true).append(true).mode(0o640).open(&self.path)?;
            let size = file.metadata()?.len();
            self.open = Some((file, size));
        }
        let Some((file, size)) = &mut self.open else { return Ok(()) };
        if std::mem::take(&mut self.torn) {
            file.write_all(b"\n")?;
        }
        file.write_all(&self.pending)?;
        *size += self.pending.len() as u64;
        Ok(())
    }

    /// Shifts every file by one number; the oldest is overwritten.
    fn set_aside(&self) -> io::Result<()> {
        if self.rotation.files <= 1 {
            return fs::remove_file(&self.path);
        }
        for number in (0..self.rotation.files - 1).rev() {
            match fs::rename(older(&self.path, number), older(&self.path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
