//! The file of a dump until it is whole: without a name, so that nothing is left of one that never is, however it ends.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, OFlags, linkat};

use super::{aside, finish};

/// A dump that is being written.
pub(super) struct Unfinished {
    out: File,
    file: PathBuf,
    /// Where the file system knows no files without a name.
    named: Option<RemovedWhenDropped>,
}

/// What is left of a dump that failed is of no use to anybody.
pub(super) struct RemovedWhenDropped(pub(super) PathBuf);

impl Unfinished {
    /// Of what is to be `file`.
    pub(super) fn create(file: &Path) -> io::Result<Unfinished> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let nameless = private().custom_flags(OFlags::TMPFILE.bits() as i32).open(folder);
        if let Ok(out) = nameless {
            return Ok(Unfinished { out, file: file.into(), named: None });
        }
        let named = RemovedWhenDropped(aside(file));
        let out = private().create(true).truncate(true).open(&named.0)?;
        Ok(Unfinished { out, file: file.into(), named: Some(named) })
    }

    /// For who writes it.
    pub(super) fn share(&self) -> io::Result<File> {
        self.out.try_clone()
    }

    /// It is whole: gives it its name; its size.
    pub(super) fn finish(self) -> io::Result<u64> {
        let aside = aside(&self.file);
        if self.named.is_none() {
            // Left by another one, which is not there any more, or is about to fail.
            let _ = fs::remove_file(&aside);
            let nameless = format!("/proc/self/fd/{}", self.out.as_raw_fd());
            linkat(CWD, nameless, CWD, &aside, AtFlags::SYMLINK_FOLLOW)?;
        }
        finish(&self.out, &aside, &self.file)
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

impl Drop for RemovedWhenDropped {
    fn drop(&mut self) {
        // One that became whole has another name by now.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_a_whole_one_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (file, seen) = (folder.path().join("k.dump"), || fs::read_dir(folder.path()).unwrap().count());
        let broken = Unfinished::create(&file).unwrap();
        broken.share().unwrap().write_all(b"half").unwrap();
        assert_eq!(seen(), 0, "it may be interrupted now");
        drop(broken);
        fs::write(&file, "of before").unwrap();
        fs::write(aside(&file), "of one that was killed").unwrap();
        let whole = Unfinished::create(&file).unwrap();
        whole.share().unwrap().write_all(b"whole").unwrap();
        assert_eq!((whole.finish().unwrap(), seen(), fs::read_to_string(&file).unwrap()), (5, 1, "whole".into()));
    }
}
