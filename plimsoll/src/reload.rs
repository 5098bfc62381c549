//! From the file that runs to the file as it is now: all or nothing.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use settings::Mark;

use crate::assemble::{Now, Running, bind_console, of};
use crate::descriptors;
use crate::file::{self, Change, Plan};
use crate::orders::Answer;

impl Running {
    /// Reads the file again, builds what is new beside the old, goes over to it and drains the old.
    ///
    /// Any failure leaves the old running and says why.
    pub async fn reload(self: &Arc<Self>) -> Answer {
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

    /// Whether `file`, however it is written, is what runs.
    pub fn runs(&self, file: &Path) -> Result<(), String> {
        let ours = self.plan().file.clone();
        let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        if real(file) == real(&ours) {
            return Ok(());
        }
        Err(format!("this Plimsoll runs {}, not {}; a reload reads the same file again", ours.display(), file.display()))
    }

    async fn go_over(self: &Arc<Self>) -> Result<Vec<String>, Vec<String>> {
        let old = self.plan();
        let new = read(old.clone()).await?;
        new.warnings.iter().for_each(|warning| self.log.warning("file", &warning.to_string()));
        let changes = file::compare(&old, &new);
        let refused: Vec<_> = changes.iter().filter(|change| change.mark == Mark::Restart).map(cannot_change).collect();
        if !refused.is_empty() {
            return Err(refused);
        }
        let console = self.new_console(&old, &new).map_err(|reason| vec![reason])?;
        let new = Arc::new(new);
        let (running, plan) = (self.clone(), new.clone());
        let doors = blocking(move || running.prepare(&plan)).await.map_err(|reason| vec![reason])?;
        let mut changed = match self.roll(&new, doors.apps(&new)).await {
            Ok(rolled) => in_words(changes, &rolled, doors.renewed()),
            Err(reason) => {
                let undo = || {
                    doors.abandon();
                    Ok(())
                };
                return Err(blocking(undo).await.err().into_iter().chain([reason]).collect());
            }
        };
        let left = doors.left_behind();
        left.iter().for_each(|line| self.log.warning("reload", line));
        let failed = blocking(move || Ok(doors.commit())).await.unwrap_or_else(|error| vec![error]);
        failed.iter().for_each(|reason| self.log.error("reload", reason));
        changed.extend(failed.into_iter().map(|reason| format!("not wholly: {reason}")));
        changed.extend(left);
        if let Some(console) = console {
            *self.console() = console;
        }
        descriptors::check(&new, &self.log);
        self.now().plan = new;
        Ok(changed)
    }

    /// The apps and the door before them; returns the apps that were rolled.
    async fn roll(&self, new: &Plan, apps: Vec<apps::Plan>) -> Result<Vec<Arc<str>>, String> {
        let mut prepared = self.apps.plan_roll(apps).await.map_err(|refused| refused.to_string())?;
        let rolled = prepared.rolled();
        prepared.publish();
        let (http, plan, lists) = (self.http.clone(), new.http.clone(), of(&prepared.endpoints()));
        if let Err(reason) = blocking(move || http.swap(plan, lists).map_err(|error| format!("http: {error}"))).await {
            prepared.abandon().await;
            return Err(reason);
        }
        prepared.commit();
        Ok(rolled)
    }

    /// The console at its new address, beside the one that runs.
    fn new_console(&self, old: &Plan, new: &Plan) -> Result<Option<watch::Handle>, String> {
        if old.console == new.console {
            return Ok(None);
        }
        let listener = bind_console(&new.console, &self.log)?;
        watch::Tier::start(listener, self.sources.clone()).map(Some).map_err(|error| error.to_string())
    }

    pub(crate) fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits for every loop, on a thread that control does not need.
async fn blocking<T: Send + 'static>(act: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(act).await.unwrap_or_else(|error| Err(error.to_string()))
}

/// Reads the file on a thread that may wait: names are looked up and commands of secrets run.
async fn read(old: Arc<Plan>) -> Result<Plan, Vec<String>> {
    let load = move || file::load(&old.file, old.state_given.then_some(old.state.as_path()));
    match tokio::task::spawn_blocking(load).await {
        Ok(loaded) => loaded.map_err(|problems| problems.iter().map(ToString::to_string).collect()),
        Err(error) => Err(vec![error.to_string()]),
    }
}

/// The keys that changed; the apps that were rolled though none of their keys did, and the doors whose certificates were renewed:
/// their files changed.
fn in_words(changes: Vec<Change>, rolled: &[Arc<str>], renewed: &[Arc<str>]) -> Vec<String> {
    let mut words: Vec<String> = changes.into_iter().map(|change| change.key).collect();
    for app in rolled {
        if !words.iter().any(|key| key.starts_with(&format!("app.{app}."))) {
            words.push(format!("app.{app} (its files)"));
        }
    }
    words.extend(renewed.iter().map(|door| format!("sql.{door} (its certificates)")));
    words
}

fn cannot_change(change: &Change) -> String {
    format!("`{}` cannot change while Plimsoll runs: stop it and start it again", change.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_rolled_for_its_files_is_told() {
        let key = |key: &str| Change { key: key.into(), mark: Mark::Live };
        assert_eq!(in_words(vec![key("app.a.env")], &["a".into(), "ab".into()], &[]), ["app.a.env", "app.ab (its files)"]);
        assert_eq!(in_words(Vec::new(), &[], &["main".into()]), ["sql.main (its certificates)"]);
        assert!(in_words(Vec::new(), &[], &[]).is_empty());
    }
}
