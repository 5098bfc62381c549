//! Builds an app, unless nothing in its folder changed since that last succeeded.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use process::{Exit, Tail};
use tokio::sync::watch;

use crate::command::{self, command, environment};
use crate::events;
use crate::fingerprint::{self, Files, Look};
use crate::output::{self, Output};
use crate::plan::{Plan, Run, Source};
use crate::tier::{Failure, Setup};

/// How a build went; `None` while it goes on.
pub(crate) type Built = watch::Receiver<Option<Result<(), Failure>>>;

/// What an app's code was when its instances were started; unset while nobody knows.
pub(crate) type Print = Arc<OnceLock<u64>>;

/// Builds in the background. The build is killed when nobody waits for it any more.
pub(crate) fn start(setup: &Setup, plan: &Arc<Plan>) -> (Built, Print) {
    let (sender, built) = watch::channel(None);
    let print = Print::default();
    let (setup, plan, noted) = (setup.clone(), plan.clone(), print.clone());
    tokio::spawn(async move {
        let Source::Run(run) = &plan.source else { return };
        let result = tokio::select! {
            result = build_and_note(&setup, &plan.name, run, &noted) => result,
            () = sender.closed() => return,
        };
        if let Err(failure) = &result {
            events::build_failed(&setup.log, failure);
        }
        sender.send_replace(Some(result));
    });
    (built, print)
}

/// A build that was done before.
pub(crate) fn done() -> Built {
    watch::channel(Some(Ok(()))).1
}

/// What the app's code and program are now; `None` when that cannot be told.
pub(crate) async fn print_of(setup: &Setup, run: &Run) -> Option<u64> {
    look(setup, run, Files::Code).await.map(|code| print(&code, run))
}

fn print(code: &Look, run: &Run) -> u64 {
    code.print(command::program_file(run).as_deref().map(fingerprint::of_file))
}

/// What is saved from here on shows as a change, for nobody knows whether the build or a start still read it.
async fn build_and_note(setup: &Setup, app: &Arc<str>, run: &Run, noted: &Print) -> Result<(), Failure> {
    let before = look(setup, run, Files::Code).await;
    let result = build(setup, app, run).await;
    let code = match (&result, before) {
        (Ok(Some(made)), Some(before)) => look(setup, run, Files::Code).await.map(|after| before.built(&after, made)),
        (_, before) => before,
    };
    if let Some(code) = code {
        // Nobody else sets it.
        let _ = noted.set(print(&code, run));
    }
    result.map(drop)
}

/// `None`: there was nothing to do; else which of the files that were there are known to be made by the build.
async fn build(setup: &Setup, app: &Arc<str>, run: &Run) -> Result<Option<BTreeSet<String>>, Failure> {
    let Some(words) = &run.build else { return Ok(None) };
    let (begun, file) = (Instant::now(), setup.state.join("builds").join(&**app));
    let (before, last) = (look(setup, run, Files::All).await, Note::read(&file));
    let program = command::program_file(run);
    let is_made = program.as_ref().is_none_or(|program| program.exists());
    if is_made && before.as_ref().is_some_and(|before| last.is_of(before.print(words))) {
        return Ok(None);
    }
    events::building(&setup.log, app);
    let tail = output::tail();
    let failed = |reason: String| Failure { app: app.clone(), reason, lines: tail.lines() };
    let exit = execute(setup, app, run, words, &tail).await.map_err(&failed)?;
    if exit != Exit::Status(0) {
        return Err(failed(format!("build ended with {exit}")));
    }
    if let Some(missing) = program.as_ref().filter(|program| !program.exists()) {
        return Err(failed(format!("build succeeded but made no {}", missing.display())));
    }
    let mut made = last.wrote;
    made.extend(program.and_then(|program| Some(program.strip_prefix(&run.dir).ok()?.to_string_lossy().into_owned())));
    if let (Some(before), Some(after)) = (before, look(setup, run, Files::All).await) {
        let wrote = after.changed_since(&before);
        let note = Note { print: as_text(before.built(&after, &made).print(words)), wrote };
        note.write(&file).map_err(|error| failed(format!("{}: {error}", file.display())))?;
    }
    events::built(&setup.log, app, begun.elapsed());
    Ok(Some(made))
}

async fn execute(setup: &Setup, app: &Arc<str>, run: &Run, words: &[String], tail: &Tail) -> Result<Exit, String> {
    let environment = environment(&setup.environment, run, &[("PLIMSOLL_APP", app.to_string())]);
    let command = command(words, run, environment)?;
    let (child, killed) =
        setup.keeper.spawn_awaited(command).await.map_err(|error| format!("cannot start its build, {}: {error}", words[0]))?;
    let output = Output { stream: app.clone(), name: format!("{app} build").into(), log: setup.log.clone(), tail: tail.clone() };
    let copying = async { tokio::join!(output.clone().copy(child.stdout), output.clone().copy(child.stderr)) };
    let exit = child.process.finished(copying).await;
    drop(killed);
    Ok(exit)
}

async fn look(setup: &Setup, run: &Run, files: Files) -> Option<Look> {
    let (dir, state) = (run.dir.clone(), setup.state.clone());
    tokio::task::spawn_blocking(move || Look::at(&dir, &state, files).ok()).await.ok().flatten()
}

/// What is kept of the last build that succeeded: a line with the fingerprint of what it was of, then what it wrote, a path a line.
#[derive(Default)]
struct Note {
    print: String,
    wrote: BTreeSet<String>,
}

impl Note {
    fn read(file: &Path) -> Note {
        let text = fs::read_to_string(file).unwrap_or_default();
        let mut lines = text.lines().map(String::from);
        Note { print: lines.next().unwrap_or_default(), wrote: lines.collect() }
    }

    fn is_of(&self, print: u64) -> bool {
        self.print == as_text(print)
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
        let lines = std::iter::once(&self.print).chain(&self.wrote);
        fs::write(file, lines.flat_map(|line| [line.as_str(), "\n"]).collect::<String>())
    }
}

fn as_text(found: u64) -> String {
    format!("{found:016x}")
}
