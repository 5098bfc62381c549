//! Opens files of one folder and never anything outside it; says when doing so could wait for a disk.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat, statat};
use rustix::io::Errno;

use super::place::hides;

/// The site's folder, opened: a folder that is replaced by another one of its name is opened anew.
#[derive(Debug)]
pub(super) struct Folder {
    directory: OwnedFd,
    stamp: Stamp,
}

/// What tells one state of one file from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    pub(super) length: u64,
    /// Last change of the content, in nanoseconds since 1970.
    pub(super) modified: i128,
    /// Last change of content or attributes, in nanoseconds since 1970.
    pub(super) changed: i128,
}

impl Stamp {
    // Widths differ between architectures.
    #[allow(clippy::unnecessary_cast)]
    pub(super) fn of(stat: &Stat) -> Stamp {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Stamp {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            length: stat.st_size as u64,
            modified: nanos(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: nanos(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// Seconds since 1970 of the last change of the content.
    pub(super) fn modified_second(&self) -> u64 {
        u64::try_from(self.modified / 1_000_000_000).unwrap_or(0)
    }

    /// Whether both are the same file, whatever its state.
    fn same_file(&self, other: &Stamp) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing that may be served: absent, forbidden, outside the folder, neither file nor folder.
    Missing,
    Directory,
    File(File, Stamp),
}

/// Whether a look may wait for a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Allowed,
    /// `EAGAIN` when the answer is not in memory, or the kernel cannot tell.
    Never,
}

const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Folder, Errno> {
        let directory = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let stamp = Stamp::of(&fstat(&directory)?);
        Ok(Folder { directory, stamp })
    }

    /// Whether `path` still leads to this folder.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        statat(CWD, path, AtFlags::empty()).is_ok_and(|stat| Stamp::of(&stat).same_file(&self.stamp))
    }

    /// The stamp of what `path` leads to now, links followed; only for comparing with one that [`Folder::look`] gave.
    pub(super) fn stamp(&self, path: &[u8]) -> Option<Stamp> {
        let path = if path.is_empty() { b"." } else { path };
        statat(&self.directory, path, AtFlags::empty()).ok().map(|stat| Stamp::of(&stat))
    }

    /// Opens `path` (relative, without `..`). Links are followed as long as they stay inside and lead to nothing hidden.
    ///
    /// Errors are of the machine (descriptors, disk), or `EAGAIN` under [`Wait::Never`].
    pub(super) fn look(&self, path: &[u8], wait: Wait) -> Result<Found, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let cached = if wait == Wait::Never { ResolveFlags::CACHED } else { ResolveFlags::empty() };
        match openat2(&self.directory, path, READ, Mode::empty(), resolve | cached) {
            Ok(opened) => kind_of(opened),
            Err(Errno::LOOP) if wait == Wait::Allowed => self.look_by_name(path),
            Err(error) if error != Errno::LOOP && is_missing(error) => Ok(Found::Missing),
            Err(Errno::NFILE | Errno::MFILE | Errno::IO | Errno::NOMEM) if wait == Wait::Allowed => Err(Errno::IO),
            Err(_) if wait == Wait::Never => Err(Errno::AGAIN),
            // A rename meanwhile, or no such call here (old kernel, sandbox).
            Err(_) => self.look_by_name(path),
        }
    }

    /// Where in the folder the file lies that `path` leads to, when a link leads there.
    pub(super) fn behind_link(&self, path: &[u8]) -> Option<Vec<u8>> {
        let opened = openat(&self.directory, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let (place, folder) = (place_of(&opened).ok()?, place_of(&self.directory).ok()?);
        let inside = place.strip_prefix(&folder).ok()?.as_os_str().as_bytes();
        (inside != path).then(|| inside.to_vec())
    }

    /// Opens first and then asks the kernel where the opened file is: nothing can be swapped in between.
    fn look_by_name(&self, path: &[u8]) -> Result<Found, Errno> {
        let opened = match openat(&self.directory, path, READ, Mode::empty()) {
            Ok(opened) => opened,
            Err(error) if is_missing(error) => return Ok(Found::Missing),
            Err(error) => return Err(error),
        };
        let may_be_served = match (place_of(&opened), place_of(&self.directory)) {
            (Ok(place), Ok(folder)) => place.strip_prefix(&folder).is_ok_and(|inside| !hides(inside.as_os_str().as_bytes())),
            _ => false,
        };
        if may_be_served { kind_of(opened) } else { Ok(Found::Missing) }
    }
}

fn kind_of(opened: OwnedFd) -> Result<Found, Errno> {
    let stat = fstat(&opened)?;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Found::File(File::from(opened), Stamp::of(&stat)),
        FileType::Directory => Found::Directory,
        _ => Found::Missing,
    })
}

fn place_of(opened: impl AsFd) -> Result<PathBuf, Errno> {
    let link = format!("/proc/self/fd/{}", opened.as_fd().as_raw_fd());
    let place = readlinkat(CWD, link, Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(place.into_bytes())))
}

fn is_missing(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::ACCESS | Errno::NXIO | Errno::NODEV | Errno::INVAL
    )
}
