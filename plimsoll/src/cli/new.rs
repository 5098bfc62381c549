use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Shared, exit};
use crate::{file, new};

/// Write the file for the app found in a folder.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The app's folder; by default this one.
    #[arg(value_name = "DIR", conflicts_with = "file")]
    dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Looks, writes, and says what is left to do; never overwrites.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let beside = shared.file.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let dir = arguments.dir.as_deref().or(beside).unwrap_or(Path::new("."));
    if !dir.is_dir() {
        eprintln!("{}: there is no such folder", dir.display());
        return exit::USAGE;
    }
    let beside_app = arguments.dir.as_ref().map_or_else(|| "plimsoll.toml".into(), |dir| dir.join("plimsoll.toml"));
    let target = shared.file.clone().unwrap_or(beside_app);
    let Some(found) = new::find(dir) else {
        eprintln!("{}: nothing here that Plimsoll knows how to run", dir.display());
        eprintln!("it looks for a Procfile, package.json, Python, Ruby, Go, Rust or PHP app, or an index.html");
        eprintln!("write {} by hand: [app.NAME] with `run`, or [site] with `dir`", target.display());
        return exit::FAILED;
    };
    let name = std::path::absolute(dir).ok().and_then(|dir| Some(dir.file_name()?.to_string_lossy().into_owned())).unwrap_or_default();
    if let Err(error) = write(&target, &new::text(&found, &name)) {
        let hint = if error.kind() == std::io::ErrorKind::AlreadyExists {
            "it exists already, and is left as it is".into()
        } else {
            error.to_string()
        };
        eprintln!("{}: {hint}", target.display());
        return exit::FAILED;
    }
    say(&found, &target, arguments.json);
    exit::DONE
}

/// Writes a file that must not exist yet.
fn write(target: &Path, text: &str) -> std::io::Result<()> {
    std::fs::File::create_new(target)?.write_all(text.as_bytes())
}

fn say(found: &new::Found, target: &Path, as_json: bool) {
    let left: Vec<String> = match file::load(target, None) {
        Ok(plan) => plan.warnings.iter().map(ToString::to_string).collect(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    };
    let next = if target == Path::new("plimsoll.toml") { "plimsoll up".into() } else { format!("plimsoll up {}", target.display()) };
    if as_json {
        println!("{:#}", json!({ "found": found.what, "file": target, "notes": found.notes, "left": left, "next": next }));
        return;
    }
    println!("found {}", found.what);
    println!("wrote {}", target.display());
    found.notes.iter().for_each(|note| println!("note: {note}"));
    left.iter().for_each(|problem| println!("left to do: {problem}"));
    println!("next: {next}");
}
