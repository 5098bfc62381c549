//! Postgres's own programs for clients.

use postgres::{Environment, Target, Tools};

use crate::database_url::database_url;
use crate::orders::Entrance;

/// Those beside the embedded server first, for they fit it; else the oldest of this machine that can dump it.
pub(super) fn tools(entrance: &Entrance) -> Result<Tools, String> {
    let environment: Environment = std::env::vars_os().collect();
    let beside = entrance.programs.as_deref().map(|bin| Tools::find(Some(bin), &environment, entrance.major));
    if let Some(Ok(tools)) = beside {
        return Ok(tools);
    }
    let newest = Tools::find(None, &environment, entrance.major)?;
    match entrance.major {
        Some(_) => Ok(newest),
        None => postgres::server_major(&newest, &target(entrance)).map_or(Ok(newest), |major| Tools::find(None, &environment, Some(major))),
    }
}

/// The newest, which read every dump.
pub(super) fn newest(entrance: &Entrance) -> Result<Tools, String> {
    let environment: Environment = std::env::vars_os().collect();
    let beside = entrance.programs.as_deref().and_then(|bin| Tools::find(Some(bin), &environment, None).ok());
    let any = Tools::find(None, &environment, None);
    match (beside, any) {
        (Some(beside), Ok(any)) if beside.major >= any.major => Ok(beside),
        (Some(beside), Err(_)) => Ok(beside),
        (_, any) => any,
    }
}

/// Where they come in: the door.
pub(super) fn target(entrance: &Entrance) -> Target {
    Target::url(&database_url(entrance))
}
