//! Why a server did not start or ended, in words that say what to do: pure.

use std::path::Path;

use process::Exit;

/// What a line of the server's says, and what that means to who runs it.
const ADVICE: &[(&str, &str)] = &[
    ("No space left on device", "the disk that holds DATA is full: free some space"),
    ("Check free disk space", "the disk that holds DATA is full: free some space"),
    ("Disk quota exceeded", "the quota of the disk that holds DATA is used up"),
    ("could not map anonymous shared memory", "there is not enough memory for the database: give the machine or its control group more"),
    ("Cannot allocate memory", "there is not enough memory for the database: give the machine or its control group more"),
    ("could not create shared memory segment", "the system allows no more shared memory: raise kernel.shmmax and kernel.shmall"),
    ("could not create semaphores", "the system allows no more semaphores: raise kernel.sem"),
    ("has invalid permissions", "DATA must be its owner's alone: `chmod 700 DATA`"),
    ("has wrong ownership", "DATA must belong to the user who runs the server"),
    ("Permission denied", "the user who runs the server may not read or write in DATA"),
    ("Read-only file system", "the disk that holds DATA can only be read"),
    ("database files are incompatible with server", "the data were made by another version of Postgres"),
    ("could not locate a valid checkpoint record", "the data in DATA are damaged: put back a dump (`plimsoll db restore`)"),
    ("is already in use", "another server uses the database's socket"),
];

/// One line: how it ended, what it said last, what to do.
pub(crate) fn reason(what: &str, exit: Exit, lines: &[String], data: &Path) -> String {
    let mut reason = format!("{what} ended with {exit}");
    let said = lines.iter().rev().find(|line| is_last_word(line)).or_else(|| lines.iter().rev().find(|line| !line.trim().is_empty()));
    let said = said.map(|line| line.trim());
    if let Some(said) = said {
        reason = format!("{reason}: {said}");
    }
    let advice = ADVICE.iter().find(|(part, _)| lines.iter().any(|line| line.contains(part)));
    match advice {
        Some((_, advice)) => format!("{}; {reason}", advice.replace("DATA", &data.display().to_string())),
        None => reason,
    }
}

fn is_last_word(line: &str) -> bool {
    ["FATAL:  ", "PANIC:  ", ": error: "].iter().any(|part| line.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> String {
        reason("postgres", Exit::Status(1), &lines.iter().map(|line| line.to_string()).collect::<Vec<_>>(), Path::new("/d"))
    }

    #[test]
    fn the_last_word_is_told_with_what_to_do() {
        let full = of(&["PANIC:  could not write to file \"x\": No space left on device", "LOG:  shutting down"]);
        let expected = "the disk that holds /d is full: free some space; postgres ended with status 1: PANIC:  could not write to file \"x\": No space left on device";
        assert_eq!(full, expected);
        assert!(of(&["FATAL:  data directory \"/d\" has invalid permissions"]).contains("`chmod 700 /d`"));
        assert!(
            of(&["2026-11-30 22:03:45.046 UTC [9] FATAL:  could not extend file: No space left on device", "child process exited"])
                .starts_with("the disk")
        );
        assert_eq!(of(&["LOG:  hm", ""]), "postgres ended with status 1: LOG:  hm");
        assert_eq!(of(&[]), "postgres ended with status 1");
    }
}
