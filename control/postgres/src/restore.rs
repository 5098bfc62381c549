//! Puts dumps back while the server runs, by Postgres's own programs, streamed. Blocks: for verbs, not for the server.

mod script;

use std::io::{self, ErrorKind, Read, Write};
use std::process::{Command, Stdio};

use flate2::read::MultiGzDecoder;
use rustix::process::{Pid, Signal, kill_process};

use crate::target::Target;
use crate::tools::{Tools, ended};
use script::Script;

/// How a dump in Postgres's own compressed format begins.
const CUSTOM: &[u8] = b"PGDMP";
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Bytes of it that are looked at.
const BEGIN: u64 = 512;

/// Puts a dump back: what it holds replaces what the database has under the same names, all of it or nothing.
///
/// Takes what `db dump` writes, and SQL as text or gzip.
///
/// # Errors
/// What the program said last that takes it, why that could not be run, or why the dump cannot be read; nothing has changed then.
pub fn restore(tools: &Tools, target: &Target, mut from: impl Read + Send + 'static) -> Result<(), String> {
    let mut begin = Vec::new();
    from.by_ref().take(BEGIN).read_to_end(&mut begin).map_err(|error| format!("the dump cannot be read: {error}; nothing has changed"))?;
    if begin.is_empty() {
        return Err("the dump is empty".into());
    }
    let all = io::Cursor::new(begin.clone()).chain(from);
    let source: Box<dyn Read + Send> = match begin.as_slice() {
        custom if custom.starts_with(CUSTOM) => {
            Box::new(Script::begin(tools, all).map_err(|error| format!("cannot start pg_restore: {error}"))?)
        }
        gzip if gzip.starts_with(GZIP) => Box::new(MultiGzDecoder::new(all)),
        other if other.iter().any(is_no_text) => {
            return Err("this is no dump: neither what `plimsoll db dump` writes nor SQL, plain or as gzip; nothing has changed".into());
        }
        _ => Box::new(all),
    };
    feed(tools, target, source)
}

/// SQL has none of these in any encoding that a dump may have.
fn is_no_text(byte: &u8) -> bool {
    byte.is_ascii_control() && !byte.is_ascii_whitespace() && *byte != 0x0b
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tools::tests::programs;

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
        let (bin, tools) = programs("exit 1");
        fs::write(tools.program("psql"), format!("#!/bin/sh\ncat >/dev/null\ntouch {}/committed\n", bin.path().display())).unwrap();
        let target = Target::url("postgres://app:x@localhost/shop");
        let reason = restore(&tools, &target, Broken(false)).unwrap_err();
        assert_eq!(reason, "the dump cannot be read: the disk is broken; nothing has changed");
        assert!(!bin.path().join("committed").exists());
        restore(&tools, &target, &b"SELECT 1;"[..]).unwrap();
        assert!(bin.path().join("committed").exists());
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
