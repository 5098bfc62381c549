use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;

/// How long a part may take to answer before it counts as unwell.
pub const PATIENCE: Duration = Duration::from_secs(1);

type Answer = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One part of Plimsoll that can be asked whether it is well.
pub struct Check {
    name: String,
    ask: Box<dyn Fn() -> Answer + Send + Sync>,
}

impl Check {
    /// A part by its name (`loop 0`, `log`) and the question; an error says in words what is wrong, and so does no answer within [`PATIENCE`].
    pub fn new<F, A>(name: impl Into<String>, ask: F) -> Check
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), String>> + Send + 'static,
    {
        Check { name: name.into(), ask: Box::new(move || Box::pin(ask())) }
    }
}

/// What `/healthz` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether every part is well.
    pub ok: bool,
    /// What is wrong, a line for each part that is unwell.
    pub problems: Vec<String>,
}

/// Asks every part at once; takes at most [`PATIENCE`].
pub async fn health(checks: &[Check]) -> Health {
    // Begun together, so that slow ones do not wait for each other.
    let asked: Vec<_> = checks.iter().map(|check| (&check.name, tokio::spawn(tokio::time::timeout(PATIENCE, (check.ask)())))).collect();
    let mut problems = Vec::new();
    for (name, answer) in asked {
        match answer.await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(problem))) => problems.push(format!("{name}: {problem}")),
            Ok(Err(_)) => problems.push(format!("{name}: no answer within {} s", PATIENCE.as_secs())),
            Err(_) => problems.push(format!("{name}: the question panicked")),
        }
    }
    Health { ok: problems.is_empty(), problems }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_part_is_asked_and_silence_is_a_problem() {
        let checks = [
            Check::new("loop 0", || async { Ok(()) }),
            Check::new("loop 1", std::future::pending),
            Check::new("log", || async { Err("disk full".to_string()) }),
        ];
        let asked = tokio::time::Instant::now();
        let Health { ok, problems } = health(&checks).await;
        assert!(!ok);
        assert_eq!(problems, ["loop 1: no answer within 1 s", "log: disk full"]);
        assert_eq!(asked.elapsed(), PATIENCE);
    }

    #[tokio::test]
    async fn nothing_to_ask_is_well() {
        assert_eq!(health(&[]).await, Health { ok: true, problems: Vec::new() });
    }
}
