use std::time::Duration;

use serde_json::json;

use super::{AboutFile, Shared, exit};
use crate::orders::{Answer, Order};
use crate::reach;

/// Read the file again and go over to it, or keep the old one and say why.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    about: AboutFile,
}

/// Builds and new instances take as long as they take; the running process bounds them by `start`.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Waits for the verdict and prints it; 1 when the old file keeps running.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let path = shared.path(&arguments.about.path);
    let answer = reach::ask(path, shared.state(), Order::Reload(reach::file_of(path)), PATIENCE);
    let reached = answer.is_ok();
    let (done, lines) = match answer {
        Ok(Answer::Reloaded(changes)) => (true, changes),
        Ok(Answer::Refused(reasons)) => (false, reasons),
        Ok(other) => (false, vec![format!("unexpected answer: {other:?}")]),
        Err(reason) => (false, vec![reason]),
    };
    if arguments.about.json {
        let key = if done { "changes" } else { "reasons" };
        super::print(&format!("{}\n", json!({ "reloaded": done, key: lines })));
    } else if done && lines.is_empty() {
        super::print("reloaded: nothing changed\n");
    } else if done {
        super::print(&format!("reloaded: {}\n", lines.join(", ")));
    } else {
        for line in &lines {
            eprintln!("{line}");
        }
        if reached {
            eprintln!("not reloaded; what ran before keeps running");
        }
    }
    if done { exit::DONE } else { exit::FAILED }
}
