use serde_json::{Value, json};
use settings::{Mark, Problem, Problems};

use super::{AboutFile, Shared, exit};
use crate::file::{self, Plan};

/// Check the file: every problem, the stage, and what each key costs to change.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    about: AboutFile,
}

/// Prints the verdict; 64 when there are problems.
pub fn run(shared: &Shared, arguments: &Arguments) -> u8 {
    let verdict = file::load(shared.path(&arguments.about.path), shared.state());
    match &verdict {
        _ if arguments.about.json => super::print(&format!("{:#}\n", as_json(&verdict))),
        Ok(plan) => super::print(&as_text(plan)),
        Err(problems) => {
            eprint!("{problems}");
            eprintln!("{} {}", problems.len(), if problems.len() == 1 { "problem" } else { "problems" });
        }
    }
    if verdict.is_ok() { exit::DONE } else { exit::USAGE }
}

fn as_text(plan: &Plan) -> String {
    let mut text = format!("{}: stage {}, {}; no problem\n", plan.name, plan.stage, name_of_stage(plan.stage));
    for warning in plan.warnings.iter() {
        text.push_str(&format!("warning: {warning}\n"));
    }
    let width = plan.keys.iter().map(|written| written.key.len()).max().unwrap_or(0);
    for written in &plan.keys {
        text.push_str(&format!("{:>5}  {:width$}  {}\n", written.line, written.key, written.mark));
    }
    for mark in [Mark::Live, Mark::Drain, Mark::Restart] {
        if plan.keys.iter().any(|written| written.mark == mark) {
            text.push_str(&format!("{mark}: {}\n", mark.meaning()));
        }
    }
    text
}

fn as_json(verdict: &Result<Plan, Problems>) -> Value {
    match verdict {
        Ok(plan) => json!({
            "name": plan.name,
            "file": plan.file,
            "state": plan.state,
            "stage": plan.stage,
            "problems": [],
            "warnings": plan.warnings.iter().map(problem).collect::<Vec<_>>(),
            "keys": plan.keys.iter().map(|written| json!({
                "key": written.key, "line": written.line, "change": written.mark.to_string(),
            })).collect::<Vec<_>>(),
        }),
        Err(problems) => json!({ "problems": problems.iter().map(problem).collect::<Vec<_>>() }),
    }
}

fn problem(problem: &Problem) -> Value {
    json!({
        "file": &*problem.file,
        "line": problem.place.map(|place| place.line),
        "column": problem.place.map(|place| place.column),
        "reason": problem.reason,
        "suggestion": problem.suggestion,
    })
}

/// What a stage of the ladder is called.
fn name_of_stage(stage: u8) -> &'static str {
    match stage {
        1 => "single server",
        2 => "three tiers",
        3 => "load balancer",
        4 => "CDN",
        5 => "cache",
        6 => "database",
        _ => "services",
    }
}
