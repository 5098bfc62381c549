//! Postgres's own programs for clients.

use postgres::{Environment, Target, Tools};

use crate::database_url::database_url;
use crate::orders::Entrance;

/// Those beside the embedded server first, for they fit it; else any of this machine that can dump it.
pub(super) fn tools(entrance: &Entrance) -> Result<Tools, String> {
    let environment: Environment = std::env::vars_os().collect();
    let beside = entrance.programs.as_deref().map(|bin| Tools::find(Some(bin), &environment, entrance.major));
    match beside {
        Some(Ok(tools)) => Ok(tools),
        _ => Tools::find(None, &environment, entrance.major),
    }
}

/// Where they come in: the door.
pub(super) fn target(entrance: &Entrance) -> Target {
    Target::url(&database_url(entrance))
}
