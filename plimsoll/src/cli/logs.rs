use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::json;
use telemetry::{Follow, LogLine, last_lines, streams};

use super::{Shared, exit};
use crate::reach;

/// How soon a followed line is seen.
const LOOK: Duration = Duration::from_millis(200);

/// Show the logs: of Plimsoll and every app, or of one.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An app's name, `plimsoll` (its own lines) or `access` (the access log); all by default.
    #[arg(value_name = "APP")]
    app: Option<String>,
    /// How many lines.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    lines: u32,
    /// Go on with new lines until interrupted.
    #[arg(short, long)]
    follow: bool,
    /// Print JSON, an object a line.
    #[arg(long)]
    json: bool,
}

/// Prints what the state folder keeps, whether or not a Plimsoll runs.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let folder = reach::state_folder(shared.path(&None), shared.state()).join("logs");
    match show(&folder, arguments, &mut io::stdout().lock()) {
        Ok(()) => exit::DONE,
        Err(reason) => {
            eprintln!("{reason}");
            exit::FAILED
        }
    }
}

/// Whoever reads the output may leave (`| head`): that is no failure.
fn show(folder: &Path, arguments: &Arguments, out: &mut impl Write) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot read the logs in {}: {error}", folder.display());
    let names = chosen(folder, arguments.app.as_deref())?;
    // Before the last lines are read: what is written meanwhile comes twice rather than never.
    let mut following = Following::new(folder, &names, arguments.app.is_none()).map_err(failed)?;
    let lines = last(folder, &names, arguments.lines as usize).map_err(failed)?;
    if print(out, &lines, arguments.json).is_err() {
        return Ok(());
    }
    if !arguments.follow {
        return Ok(());
    }
    loop {
        thread::sleep(LOOK);
        if print(out, &following.read().map_err(failed)?, arguments.json).is_err() {
            return Ok(());
        }
    }
}

fn chosen(folder: &Path, app: Option<&str>) -> Result<Vec<String>, String> {
    let all = streams(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    match app {
        _ if all.is_empty() => Err(format!("there are no logs in {}; has `plimsoll up` run with this state folder?", folder.display())),
        None => Ok(all),
        Some(app) if all.iter().any(|name| name == app) => Ok(vec![app.to_string()]),
        Some(app) => Err(format!("there is no log of {app} in {}; there are: {}", folder.display(), all.join(", "))),
    }
}

/// The last lines of several streams in the order of their times; a line without one stays behind the line before it.
fn last(folder: &Path, names: &[String], count: usize) -> io::Result<Vec<LogLine>> {
    let mut lines = Vec::new();
    for name in names {
        lines.append(&mut last_lines(folder, name, count)?);
    }
    sort(&mut lines);
    lines.drain(..lines.len().saturating_sub(count));
    Ok(lines)
}

fn sort(lines: &mut Vec<LogLine>) {
    let mut time = String::new();
    let mut stream = String::new();
    let mut timed: Vec<(String, LogLine)> = std::mem::take(lines)
        .into_iter()
        .map(|line| {
            if line.stream != stream {
                time.clear();
                stream.clone_from(&line.stream);
            }
            line.time.iter().for_each(|own| time.clone_from(own));
            (time.clone(), line)
        })
        .collect();
    timed.sort_by(|(one, _), (other, _)| one.cmp(other));
    lines.extend(timed.into_iter().map(|(_, line)| line));
}

struct Following {
    folder: PathBuf,
    streams: Vec<(String, Follow)>,
    /// Streams that appear later are followed too.
    all: bool,
}

impl Following {
    fn new(folder: &Path, names: &[String], all: bool) -> io::Result<Following> {
        let streams = names.iter().map(|name| Ok((name.clone(), Follow::from_end(folder, name)?))).collect::<io::Result<_>>()?;
        Ok(Following { folder: folder.to_path_buf(), streams, all })
    }

    fn read(&mut self) -> io::Result<Vec<LogLine>> {
        if self.all {
            for name in streams(&self.folder)? {
                if !self.streams.iter().any(|(known, _)| *known == name) {
                    let follow = Follow::from_start(&self.folder, &name);
                    self.streams.push((name, follow));
                }
            }
        }
        let mut lines = Vec::new();
        for (_, follow) in &mut self.streams {
            lines.append(&mut follow.read()?);
        }
        sort(&mut lines);
        Ok(lines)
    }
}

fn print(out: &mut impl Write, lines: &[LogLine], json: bool) -> io::Result<()> {
    for line in lines {
        if json {
            writeln!(out, "{}", json!({ "time": line.time, "stream": line.stream, "line": line.message() }))?;
        } else {
            writeln!(out, "{}", line.text)?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn arguments(app: Option<&str>, lines: u32, json: bool) -> Arguments {
        Arguments { app: app.map(str::to_string), lines, follow: false, json }
    }

    fn logs() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let own = "2026-11-30T10:00:00.000Z info plimsoll: ready\n2026-11-30T10:00:09.000Z info plimsoll: draining\n";
        fs::write(folder.path().join("plimsoll.log"), own).unwrap();
        fs::write(folder.path().join("shop.log"), "2026-11-30T10:00:03.000Z shop.1 | hello\nno time\n").unwrap();
        folder
    }

    fn shown(arguments: &Arguments) -> Result<String, String> {
        let mut out = Vec::new();
        show(logs().path(), arguments, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn streams_are_merged_by_time() {
        let all = "2026-11-30T10:00:00.000Z info plimsoll: ready\n2026-11-30T10:00:03.000Z shop.1 | hello\nno time\n2026-11-30T10:00:09.000Z info plimsoll: draining\n";
        assert_eq!(shown(&arguments(None, 100, false)).unwrap(), all);
        assert_eq!(shown(&arguments(None, 2, false)).unwrap(), "no time\n2026-11-30T10:00:09.000Z info plimsoll: draining\n");
    }

    #[test]
    fn one_stream_as_json() {
        let expected = "{\"line\":\"shop.1 | hello\",\"stream\":\"shop\",\"time\":\"2026-11-30T10:00:03.000Z\"}\n{\"line\":\"no time\",\"stream\":\"shop\",\"time\":null}\n";
        assert_eq!(shown(&arguments(Some("shop"), 100, true)).unwrap(), expected);
    }

    #[test]
    fn an_unknown_one_names_those_there_are() {
        let reason = shown(&arguments(Some("shap"), 100, false)).unwrap_err();
        assert!(reason.starts_with("there is no log of shap in ") && reason.ends_with("there are: plimsoll, shop"), "{reason}");
        let empty = tempfile::tempdir().unwrap();
        let reason = show(empty.path(), &arguments(None, 1, false), &mut Vec::new()).unwrap_err();
        assert!(reason.starts_with("there are no logs"), "{reason}");
    }

    #[test]
    fn streams_that_appear_later_are_followed() {
        let folder = logs();
        let mut following = Following::new(folder.path(), &["plimsoll".into()], true).unwrap();
        fs::write(folder.path().join("api.log"), "2026-11-30T10:00:03.000Z api.1 | new\n").unwrap();
        let texts: Vec<String> = following.read().unwrap().into_iter().map(|line| line.text).collect();
        assert!(texts.contains(&"2026-11-30T10:00:03.000Z api.1 | new".to_string()), "{texts:?}");
        assert!(following.read().unwrap().is_empty());
    }
}
