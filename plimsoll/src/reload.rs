//! From the file that runs to the file as it is now: all or nothing.

use std::sync::{Arc, PoisonError};

use settings::Mark;

use crate::assemble::{Now, Running, of};
use crate::file::{self, Plan};
use crate::orders::Answer;

impl Running {
    /// Reads the file again, builds what is new beside the old, goes over to it and drains the old.
    ///
    /// Any failure leaves the old running and says why.
    pub async fn reload(&self) -> Answer {
        match self.go_over().await {
            Ok(changes) => {
                self.log.info("reload", &if changes.is_empty() { "nothing changed".into() } else { changes.join(", ") });
                self.now().refused = None;
                Answer::Reloaded(changes)
            }
            Err(reasons) => {
                let text = reasons.join("; ");
                self.log.warning("reload", &format!("refused: {text}"));
                self.now().refused = Some(text);
                Answer::Refused(reasons)
            }
        }
    }

    async fn go_over(&self) -> Result<Vec<String>, Vec<String>> {
        let old = self.plan();
        let new = self.read(&old)?;
        let changes = file::compare(&old, &new);
        let refused: Vec<_> = changes.iter().filter(|change| change.mark == Mark::Restart).collect();
        if !refused.is_empty() {
            return Err(refused
                .iter()
                .map(|change| format!("`{}` cannot change while Plimsoll runs: stop it and start it again", change.key))
                .collect());
        }
        let mut prepared = self.apps.plan_roll(new.apps.clone()).await.map_err(|refused| vec![refused.to_string()])?;
        prepared.publish();
        let (http, plan, lists) = (self.http.clone(), new.http.clone(), of(&prepared.endpoints()));
        // It waits for every loop: not on a thread that control needs.
        let swapped = tokio::task::spawn_blocking(move || http.swap(plan, lists)).await;
        if let Err(reason) =
            swapped.map_err(|error| error.to_string()).and_then(|swapped| swapped.map_err(|error| format!("http: {error}")))
        {
            prepared.abandon().await;
            return Err(vec![reason]);
        }
        prepared.commit();
        self.now().plan = Arc::new(new);
        Ok(changes.into_iter().map(|change| change.key).collect())
    }

    fn read(&self, old: &Plan) -> Result<Plan, Vec<String>> {
        // The state cannot move: the lock, the socket and the logs are there.
        let state = old.state_given.then_some(old.state.as_path());
        let new = file::load(&old.file, state).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        new.warnings.iter().for_each(|warning| self.log.warning("file", &warning.to_string()));
        Ok(new)
    }

    pub(crate) fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
