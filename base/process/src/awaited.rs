use std::future::Future;
use std::io;

use crate::{Child, Command, Exit, Keeper, Process};

/// Kills its process, if that still runs, when it is dropped.
#[derive(Debug)]
pub struct KilledWhenDropped(Process);

impl Keeper {
    /// As [`Keeper::spawn`], for what is of no use when nobody waits for it: who stops waiting for this drops what it returns, and so
    /// kills the child, even one that had only been asked for.
    ///
    /// # Errors
    /// As [`Keeper::spawn`].
    pub async fn spawn_awaited(&self, command: Command) -> io::Result<(Child, KilledWhenDropped)> {
        let keeper = self.clone();
        let beginning = tokio::spawn(async move {
            let child = keeper.spawn(command).await?;
            let killed = KilledWhenDropped(child.process.clone());
            Ok((child, killed))
        });
        beginning.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Process {
    /// Waits until it has ended and `copying` has read what it printed. What it left (a compiler's server) is ended by the keeper:
    /// then the pipes end, too.
    pub async fn finished(&self, copying: impl Future) -> Exit {
        let ending = async {
            let exit = self.exited().await;
            self.gone().await;
            exit
        };
        tokio::join!(ending, copying).0
    }
}

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
