//! Programs that run to their end, by the keeper.

use process::{Command, Exit, Keeper};

use crate::output::{self, Output};

/// How a program ended, and the last lines of its standard error.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) lines: Vec<String>,
}

/// Runs a command to its end; it is killed when nobody waits for it any more.
pub(crate) async fn run(keeper: &Keeper, command: Command) -> std::io::Result<Ran> {
    let (child, killed) = keeper.spawn_awaited(command).await?;
    let tail = output::tail();
    let (out, error) = (Output::silent(output::tail()), Output::silent(tail.clone()));
    let copying = async { tokio::join!(out.copy(child.stdout), error.copy(child.stderr)) };
    let exit = child.process.finished(copying).await;
    drop(killed);
    Ok(Ran { exit, lines: tail.lines() })
}
