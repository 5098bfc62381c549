//! Builds an app, unless nothing in its folder changed since that last succeeded.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use process::{Exit, Process};
use tokio::sync::watch;

use crate::command::{self, command, environment};
use crate::fingerprint::Files;
use crate::output::{Output, Tail};
use crate::plan::{Plan, Run, Source};
use crate::tier::{Failure, Setup};
use crate::{events, fingerprint};

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
            result = build(&setup, &plan.name, run) => result,
            () = sender.closed() => return,
        };
        if let Err(failure) = &result {
            events::build_failed(&setup.log, failure);
        }
        sender.send_replace(Some(result));
        if let Some(found) = print_of(&setup, run).await {
            // Nobody else sets it.
            let _ = noted.set(found);
        }
    });
    (built, print)
}

/// A build that was done before.
pub(crate) fn done() -> Built {
    watch::channel(Some(Ok(()))).1
}

/// What the app's code and program are now; `None` when that cannot be told.
pub(crate) async fn print_of(setup: &Setup, run: &Run) -> Option<u64> {
    let (dir, state, program) = (run.dir.clone(), setup.state.clone(), command::program_file(run));
    let look = move || fingerprint::of(&dir, &state, Files::Code, program.as_deref().map(fingerprint::of_file)).ok();
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

async fn build(setup: &Setup, app: &Arc<str>, run: &Run) -> Result<(), Failure> {
    let Some(words) = &run.build else { return Ok(()) };
    let (begun, note) = (Instant::now(), setup.state.join("builds").join(&**app));
    if is_done(setup, run, words, &note).await {
        return Ok(());
    }
    events::building(&setup.log, app);
    let tail = Tail::default();
    let failed = |reason: String| Failure { app: app.clone(), reason, lines: tail.lines() };
    let exit = execute(setup, app, run, words, &tail).await.map_err(&failed)?;
    if exit != Exit::Status(0) {
        return Err(failed(format!("build ended with {exit}")));
    }
    let missing = command::program_file(run).filter(|program| !program.exists());
    if let Some(program) = missing {
        return Err(failed(format!("build succeeded but made no {}", program.display())));
    }
    if let Some(found) = sources(setup, run, words).await {
        remember(&note, found).map_err(|error| failed(format!("{}: {error}", note.display())))?;
    }
    events::built(&setup.log, app, begun.elapsed());
    Ok(())
}

async fn execute(setup: &Setup, app: &Arc<str>, run: &Run, words: &[String], tail: &Tail) -> Result<Exit, String> {
    let environment = environment(&setup.environment, run, &[("PLIMSOLL_APP", app.to_string())]);
    let command = command(words, run, environment)?;
    let child = setup.keeper.spawn(command).await.map_err(|error| format!("cannot start its build, {}: {error}", words[0]))?;
    let killed = KilledWhenDropped(child.process.clone());
    let output = Output { stream: app.clone(), name: format!("{app} build").into(), log: setup.log.clone(), tail: tail.clone() };
    let copying = async { tokio::join!(output.clone().copy(child.stdout), output.clone().copy(child.stderr)) };
    let ending = async {
        let exit = child.process.exited().await;
        // A daemon that it left (a compiler's server) is ended by the keeper: then the pipes end, too.
        child.process.gone().await;
        exit
    };
    let (exit, _) = tokio::join!(ending, copying);
    drop(killed);
    Ok(exit)
}

/// Whether the last build that succeeded was of the folder as it is now, and what it made is still there.
async fn is_done(setup: &Setup, run: &Run, words: &[String], note: &Path) -> bool {
    let made = command::program_file(run).is_none_or(|program| program.exists());
    let found = sources(setup, run, words).await.map(as_text);
    made && found.is_some() && fs::read_to_string(note).ok() == found
}

async fn sources(setup: &Setup, run: &Run, words: &[String]) -> Option<u64> {
    let (dir, state, words) = (run.dir.clone(), setup.state.clone(), words.to_vec());
    tokio::task::spawn_blocking(move || fingerprint::of(&dir, &state, Files::All, words).ok()).await.ok().flatten()
}

fn remember(note: &PathBuf, found: u64) -> std::io::Result<()> {
    fs::create_dir_all(note.parent().unwrap_or(Path::new("/")))?;
    fs::write(note, as_text(found))
}

fn as_text(found: u64) -> String {
    format!("{found:016x}\n")
}

/// A build that nobody waits for is of no use.
struct KilledWhenDropped(Process);

impl Drop for KilledWhenDropped {
    fn drop(&mut self) {
        if self.0.exit().is_none()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let process = self.0.clone();
            runtime.spawn(async move { process.kill().await });
        }
    }
}
