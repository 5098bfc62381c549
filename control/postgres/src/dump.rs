//! Dumps while the server runs, by Postgres's own programs, streamed. Blocks, but for those of the night.

mod nightly;
mod unfinished;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::Signal;

use crate::target::Target;
use crate::tools::{Tools, ended};

use unfinished::Unfinished;

pub(crate) use nightly::{Dumped, Nightly, dump_all, folder, keep};

/// What a dump writes: Postgres's own format, compressed, without who owned what.
pub(crate) fn dump_arguments() -> Vec<OsString> {
    ["--format=custom", "--no-owner", "--no-privileges", "--no-password"].map(OsString::from).to_vec()
}

/// Dumps one database to standard output; `false`: whoever read that wanted no more of it.
///
/// # Errors
/// What `pg_dump` said last, or why it could not be run.
pub fn dump_to_stdout(tools: &Tools, target: &Target) -> Result<bool, String> {
    let output = dump_into(tools, target, Stdio::inherit());
    let is_unread = output.as_ref().is_ok_and(|output| output.status.signal() == Some(Signal::PIPE.as_raw()));
    if is_unread { Ok(false) } else { ended("pg_dump", output).map(|()| true) }
}

/// Dumps one database to `file`, which appears when it is whole; returns its size in bytes. A pipe or a device is written to as
/// it is, and a link stays one.
///
/// # Errors
/// As [`dump_to_stdout`], and what the disk says; no file appears then.
pub fn dump_to_file(tools: &Tools, target: &Target, file: &Path) -> Result<u64, String> {
    let file = &file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => return Err(format!("{} is a folder; name a file in it", file.display())),
        Ok(found) if !found.is_file() => return dump_through(tools, target, file),
        _ => {}
    }
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    let unfinished = Unfinished::create(file).map_err(failed)?;
    ended("pg_dump", dump_into(tools, target, unfinished.share().map_err(failed)?.into()))?;
    unfinished.finish().map_err(failed)
}

fn dump_through(tools: &Tools, target: &Target, file: &Path) -> Result<u64, String> {
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    let mut out = OpenOptions::new().write(true).open(file).map_err(failed)?;
    let mut command = Command::new(tools.program("pg_dump"));
    command.args(dump_arguments()).envs(target.environment()).arg("--dbname").arg(target.name());
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("cannot start pg_dump: {error}"))?;
    let copied = io::copy(&mut child.stdout.take().expect("it is piped"), &mut out);
    // One whose output is closed ends by itself.
    let output = child.wait_with_output();
    let bytes = copied.map_err(failed)?;
    ended("pg_dump", output).map(|()| bytes)
}

/// The name of a file until it is whole.
pub(crate) fn aside(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}.partial", file.display()))
}

/// On the disk, then under its name; its size.
pub(crate) fn finish(whole: &File, aside: &Path, file: &Path) -> io::Result<u64> {
    whole.sync_all()?;
    fs::rename(aside, file)?;
    Ok(whole.metadata()?.len())
}

fn dump_into(tools: &Tools, target: &Target, out: Stdio) -> io::Result<Output> {
    let mut command = Command::new(tools.program("pg_dump"));
    command.args(dump_arguments()).envs(target.environment()).arg("--dbname").arg(target.name());
    command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).output()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::tests::programs;

    #[test]
    fn a_pipe_stays_a_pipe_and_a_link_a_link() {
        let (bin, tools) = programs("exit 1");
        let at = |name: &str| bin.path().join(name);
        fs::copy(at("psql"), at("pg_dump")).unwrap();
        fs::write(at("pg_dump"), "#!/bin/sh\necho dumped\n").unwrap();
        let target = Target::url("postgres://app:x@localhost/shop");
        rustix::fs::mknodat(rustix::fs::CWD, at("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let reader = std::thread::spawn({
            let pipe = at("pipe");
            move || fs::read_to_string(pipe).unwrap()
        });
        assert_eq!(dump_to_file(&tools, &target, &at("pipe")), Ok(7));
        assert_eq!(reader.join().unwrap(), "dumped\n");
        std::os::unix::fs::symlink(at("real"), at("link")).unwrap();
        fs::write(at("real"), "").unwrap();
        assert_eq!(dump_to_file(&tools, &target, &at("link")), Ok(7));
        assert!(at("link").is_symlink() && fs::read_to_string(at("real")).unwrap() == "dumped\n");
        assert!(dump_to_file(&tools, &target, bin.path()).unwrap_err().contains("is a folder"));
    }
}
