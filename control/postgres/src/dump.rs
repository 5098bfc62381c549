//! Dumps and restores while the server runs, by Postgres's own programs, streamed. Blocks: for verbs, not for the server.

mod nightly;
mod script;
mod target;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::read::MultiGzDecoder;
use rustix::process::{Pid, Signal, kill_process};

use crate::fetch;
use crate::find;
use crate::tier::Environment;

pub(crate) use nightly::{Dumped, Nightly, dump_all, folder, keep};
use script::Script;
pub use target::Target;

/// How a dump in Postgres's own compressed format begins.
const CUSTOM: &[u8] = b"PGDMP";
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Postgres's client programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    bin: PathBuf,
    /// Of these programs: they dump servers up to it.
    pub major: u32,
}

impl Tools {
    /// Those of `bin` or of this machine that can dump a server of the major version `server`; the smallest that can.
    ///
    /// # Errors
    /// There are none; says how to get some.
    pub fn find(bin: Option<&Path>, environment: &Environment, server: Option<u32>) -> Result<Tools, String> {
        let folders = match find::places(bin, environment, &fetch::fetched(environment)) {
            find::Places::Only(folder, _) => vec![folder],
            find::Places::Any(folders) => folders,
        };
        let mut found: Vec<Tools> = folders.iter().filter_map(|folder| Tools::of(folder)).collect();
        found.sort_by_key(|tools| tools.major);
        let fits = |tools: &&Tools| server.is_none_or(|server| tools.major >= server);
        let best = match server {
            Some(_) => found.iter().find(fits),
            None => found.last(),
        };
        let wanted = server.map_or(String::new(), |server| format!(" of version {server} or newer"));
        best.cloned().ok_or_else(|| format!("this machine has no pg_dump{wanted}; `plimsoll setup` gets one"))
    }

    fn of(folder: &Path) -> Option<Tools> {
        let program = folder.join("pg_dump").canonicalize().ok()?;
        let bin = program.parent()?.to_path_buf();
        // Debian's pg_dump in PATH is a script that chooses among versions; the folders of each come later.
        let are_there = ["pg_dump", "pg_restore", "psql"].iter().all(|name| bin.join(name).exists());
        let said = are_there.then(|| Command::new(bin.join("pg_dump")).arg("--version").stdin(Stdio::null()).output().ok())??;
        Some(Tools { bin, major: find::version(&String::from_utf8_lossy(&said.stdout))?.major })
    }

    /// One of them, as a command line's first word.
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// What a dump writes: Postgres's own format, compressed, without who owned what.
pub(crate) fn dump_arguments() -> Vec<OsString> {
    ["--format=custom", "--no-owner", "--no-privileges", "--no-password"].map(OsString::from).to_vec()
}

/// Dumps one database to standard output.
///
/// # Errors
/// What `pg_dump` said last, or why it could not be run.
pub fn dump_to_stdout(tools: &Tools, target: &Target) -> Result<(), String> {
    dump_into(tools, target, Stdio::inherit())
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
    let aside = aside(file);
    let failed = |error: io::Error| format!("{}: {error}", aside.display());
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside).map_err(failed)?;
    let whole = written.try_clone().map_err(failed)?;
    let dumped = dump_into(tools, target, written.into()).and_then(|()| finish(&whole, &aside, file).map_err(failed));
    if dumped.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&aside);
    }
    dumped
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

fn dump_into(tools: &Tools, target: &Target, out: Stdio) -> Result<(), String> {
    let mut command = Command::new(tools.program("pg_dump"));
    command.args(dump_arguments()).envs(target.environment()).arg("--dbname").arg(target.name());
    let output = command.stdin(Stdio::null()).stdout(out).stderr(Stdio::piped()).output();
    ended("pg_dump", output)
}

/// Puts a dump back: what it holds replaces what the database has under the same names, all of it or nothing.
///
/// Takes what `db dump` writes, and SQL as text or gzip.
///
/// # Errors
/// What the program said last that takes it, why that could not be run, or why the dump cannot be read; nothing has changed then.
pub fn restore(tools: &Tools, target: &Target, mut from: impl Read + Send + 'static) -> Result<(), String> {
    let mut begin = Vec::new();
    from.by_ref().take(CUSTOM.len() as u64).read_to_end(&mut begin).map_err(|error| format!("the dump cannot be read: {error}"))?;
    if begin.is_empty() {
        return Err("the dump is empty".into());
    }
    let all = io::Cursor::new(begin.clone()).chain(from);
    let source: Box<dyn Read + Send> = match begin.as_slice() {
        CUSTOM => Box::new(Script::begin(tools, all).map_err(|error| format!("cannot start pg_restore: {error}"))?),
        gzip if gzip.starts_with(GZIP) => Box::new(MultiGzDecoder::new(all)),
        _ => Box::new(all),
    };
    feed(tools, target, source)
}

/// The major version of the server that is there.
pub fn server_major(tools: &Tools, target: &Target) -> Option<u32> {
    let mut command = Command::new(tools.program("psql"));
    command.args(["-XAtq", "--no-password", "-c", "SHOW server_version_num"]).envs(target.environment()).arg("--dbname").arg(target.name());
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let number: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    Some(number / 10_000)
}

fn feed(tools: &Tools, target: &Target, mut from: impl Read + Send + 'static) -> Result<(), String> {
    let words = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--no-password", "--output=/dev/null"];
    let program = "psql";
    let mut command = Command::new(tools.program(program));
    command.args(words).envs(target.environment()).arg("--dbname").arg(target.name());
    let started = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("cannot start {program}: {error}"))?;
    let mut input = child.stdin.take().expect("it is piped");
    let pid = Pid::from_child(&child);
    // Beside the wait: a program that ends early must not leave us writing.
    let feeding = std::thread::spawn(move || {
        let fed = io::copy(&mut from, &mut input).and_then(|_| input.flush());
        if is_unread(&fed) {
            // It must not take the end of what could be read for the end of the dump, and commit. It is not waited for yet.
            let _ = kill_process(pid, Signal::KILL);
        }
        fed
    });
    let output = child.wait_with_output();
    let fed = feeding.join().unwrap_or_else(|_| Err(io::Error::other("reading it failed")));
    match fed {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("the dump cannot be read: {error}; nothing has changed")),
        _ => ended(program, output),
    }
}

/// Whether the dump broke off, and not the program that takes it.
fn is_unread(fed: &io::Result<()>) -> bool {
    fed.as_ref().is_err_and(|error| error.kind() != ErrorKind::BrokenPipe)
}

fn ended(program: &str, output: io::Result<std::process::Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("cannot start {program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).take(5).collect();
    Err(if said.is_empty() { format!("{program} ended with {}", output.status) } else { said.join("; ") })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// SQL that breaks off.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            match std::mem::replace(&mut self.0, true) {
                true => Err(io::Error::other("the disk is broken")),
                false => (&b"DELETE FROM kept;"[..]).read(into),
            }
        }
    }

    #[test]
    fn what_broke_off_is_not_committed() {
        let bin = tempfile::tempdir().unwrap();
        let psql = bin.path().join("psql");
        fs::write(&psql, format!("#!/bin/sh\ncat >/dev/null\ntouch {}/committed\n", bin.path().display())).unwrap();
        fs::set_permissions(&psql, fs::Permissions::from_mode(0o755)).unwrap();
        let (tools, target) = (Tools { bin: bin.path().into(), major: 17 }, Target::url("postgres://app:x@localhost/shop"));
        let reason = restore(&tools, &target, Broken(false)).unwrap_err();
        assert_eq!(reason, "the dump cannot be read: the disk is broken; nothing has changed");
        assert!(!bin.path().join("committed").exists());
        restore(&tools, &target, &b"SELECT 1;"[..]).unwrap();
        assert!(bin.path().join("committed").exists());
    }

    /// Programs that do what the scripts say; what psql was given is in the file.
    fn programs(pg_restore: &str) -> (tempfile::TempDir, Tools) {
        let bin = tempfile::tempdir().unwrap();
        let psql = format!("cat >{}/given", bin.path().display());
        for (name, script) in [("psql", psql.as_str()), ("pg_restore", pg_restore)] {
            let program = bin.path().join(name);
            fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let tools = Tools { bin: bin.path().into(), major: 18 };
        (bin, tools)
    }

    #[test]
    fn newer_programs_restore_into_an_older_server() {
        let (bin, tools) = programs("cat >/dev/null; echo 'SET lock_timeout = 0;'; echo 'SET transaction_timeout = 0;'; echo 'SELECT 1;'");
        restore(&tools, &Target::url("postgres://app:x@localhost/shop"), &b"PGDMP and more"[..]).unwrap();
        let given = fs::read_to_string(bin.path().join("given")).unwrap();
        let lines: Vec<&str> = given.lines().collect();
        assert_eq!([lines[0], lines[2]], ["SET lock_timeout = 0;", "SELECT 1;"]);
        assert!(lines[1].starts_with("SELECT set_config(name, '0', false) FROM pg_settings") && lines.len() == 3, "{given}");
    }

    #[test]
    fn a_dump_that_is_no_whole_one_is_not_committed() {
        let (_bin, tools) =
            programs("cat >/dev/null; echo 'DROP TABLE kept;'; echo 'pg_restore: error: unexpected end of file' >&2; exit 1");
        let reason = restore(&tools, &Target::url("postgres://app:x@localhost/shop"), &b"PGDMP and"[..]).unwrap_err();
        assert_eq!(reason, "the dump cannot be read: pg_restore: error: unexpected end of file; nothing has changed");
    }

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

    #[test]
    fn every_member_of_a_gzip_file_is_restored() {
        let (bin, tools) = programs("exit 1");
        let member = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let both = [member("SELECT 1;\n"), member("SELECT 2;\n")].concat();
        restore(&tools, &Target::url("postgres://app:x@localhost/shop"), io::Cursor::new(both)).unwrap();
        assert_eq!(fs::read_to_string(bin.path().join("given")).unwrap(), "SELECT 1;\nSELECT 2;\n");
    }
}
