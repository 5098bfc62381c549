//! Programs that run to their end, by the keeper.

use process::{Child, Command, Exit, Keeper, Process};

use crate::output::{self, Output};

/// How a program ended, and the last lines of its standard error.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) lines: Vec<String>,
}

/// Runs a command to its end; it is killed when nobody waits for it any more.
pub(crate) async fn run(keeper: &Keeper, command: Command) -> std::io::Result<Ran> {
    let (child, killed) = begin(keeper, command).await?;
    let tail = output::tail();
    let (out, error) = (Output::silent(output::tail()), Output::silent(tail.clone()));
    let copying = async { tokio::join!(out.copy(child.stdout), error.copy(child.stderr)) };
    let ending = async {
        let exit = child.process.exited().await;
        child.process.gone().await;
        exit
    };
    let (exit, _) = tokio::join!(ending, copying);
    drop(killed);
    Ok(Ran { exit, lines: tail.lines() })
}

/// In a task of its own: whoever stops waiting meanwhile drops what it returns, and so kills the program.
pub(crate) async fn begin(keeper: &Keeper, command: Command) -> std::io::Result<(Child, KilledWhenDropped)> {
    let keeper = keeper.clone();
    let beginning = tokio::spawn(async move {
        let child = keeper.spawn(command).await?;
        let killed = KilledWhenDropped(child.process.clone());
        Ok((child, killed))
    });
    beginning.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

/// A program that nobody waits for is of no use.
pub(crate) struct KilledWhenDropped(Process);

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
