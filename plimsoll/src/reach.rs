//! From a verb's arguments to the running Plimsoll: which state folder is meant, even by a file that is broken now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use crate::orders::{self, Answer, Order};

/// The state folder of `path` (a file, or the folder of plimsoll.toml), unless `state` overrides it.
pub fn state_folder(path: &Path, state: Option<&Path>) -> PathBuf {
    if let Some(state) = state {
        return std::path::absolute(state).unwrap_or_else(|_| state.to_path_buf());
    }
    let file = file_of(path);
    let folder = file.parent().unwrap_or(Path::new("/"));
    // What cannot be read or parsed writes no `state`: the default is the best guess.
    let text = fs::read_to_string(&file).unwrap_or_default();
    let (table, _problems) = DeTable::parse_recoverable(&text);
    let written = table.get_ref().get("state").and_then(|value| value.get_ref().as_str());
    folder.join(written.unwrap_or(".plimsoll"))
}

/// The file that `path` means, absolute.
pub fn file_of(path: &Path) -> PathBuf {
    let file = if path.is_dir() { path.join("plimsoll.toml") } else { path.to_path_buf() };
    std::path::absolute(&file).unwrap_or(file)
}

/// Asks the Plimsoll that runs with that folder, or says in words why nobody answers.
///
/// Where nobody runs with the folder that the file names now, the one with the default folder is asked: the file's
/// `state` may have changed since it was started, which is for that one to refuse.
pub fn ask(path: &Path, state: Option<&Path>, order: Order, patience: Duration) -> Result<Answer, String> {
    let folder = state_folder(path, state);
    let mut answer = orders::ask(&folder, order.clone(), patience);
    if state.is_none() && matches!(answer, Ok(None)) {
        answer = orders::ask(&file_of(path).with_file_name(".plimsoll"), order, patience);
    }
    match answer {
        Ok(Some(Answer::Ending)) => Err(format!("the Plimsoll of {} is starting or ending; try again", folder.display())),
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => Err(format!(
            "no Plimsoll runs with the state folder {}; start it with `plimsoll up`, or name its folder with --state",
            folder.display()
        )),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Err(format!("the Plimsoll of {} did not answer within {} s", folder.display(), patience.as_secs()))
        }
        Err(error) => Err(format!("cannot ask the Plimsoll of {}: {error}", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_found_in_a_broken_file_too() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("plimsoll.toml");
        assert_eq!(state_folder(scratch.path(), None), scratch.path().join(".plimsoll"));
        fs::write(&file, "state = \"kept\"\n[http\nlisten = 7 7\n").unwrap();
        assert_eq!(state_folder(&file, None), scratch.path().join("kept"));
        assert_eq!(state_folder(&file, Some(Path::new("/var/x"))), Path::new("/var/x"));
    }
}
