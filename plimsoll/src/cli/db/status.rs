use std::time::Duration;

use serde_json::json;
use watch::Snapshot;

use super::Failed;
use crate::cli::Shared;
use crate::orders::{Answer, Order};
use crate::reach;

/// Show clients, server connections, who waits, who is pinned, what takes the time, and the embedded server.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The database; all when it is left out.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failed> {
    let answer = reach::ask(shared.path(&None), shared.state(), Order::Status, Duration::from_secs(10))?;
    let Answer::Status(value) = answer else { return Err(format!("unexpected answer: {answer:?}").into()) };
    let mut snapshot: Snapshot =
        serde_json::from_value(value).map_err(|error| format!("the running Plimsoll is another version: {error}"))?;
    if let Some(name) = &arguments.name {
        let names = snapshot.sql.iter().map(|door| door.name.as_str()).collect::<Vec<_>>().join(", ");
        snapshot.sql.retain(|door| door.name == *name);
        if snapshot.sql.is_empty() {
            return Err(super::misused(format!("there is no database {name}; there are: {names}")));
        }
    }
    let text = match arguments.json {
        true => format!("{}\n", json!({ "sql": snapshot.sql, "postgres": snapshot.postgres })),
        false if snapshot.sql.is_empty() => "no database: the file has neither a `[sql.NAME]` nor an app that Plimsoll runs\n".into(),
        false => watch::database_picture(&snapshot),
    };
    crate::cli::print(&text);
    Ok(())
}
