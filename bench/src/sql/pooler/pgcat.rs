use std::io::Result;
use std::process::Command;

use testkit::postgres::PASSWORD;

use super::super::server::NAME;
use super::{CONNECTIONS, Work};

/// PgCat as its documentation tunes it, without its query parser, which only sharding and replicas need.
pub fn command(work: &Work) -> Result<Command> {
    let file = work.scratch.join("pgcat.toml");
    let text = format!(
        "[general]\nhost = \"127.0.0.1\"\nport = {}\nworker_threads = {}\nadmin_username = \"admin\"\nadmin_password = \"admin\"
enable_prometheus_exporter = false
[pools.{NAME}]\npool_mode = \"transaction\"\nquery_parser_enabled = false\nprepared_statements_cache_size = 200
[pools.{NAME}.users.0]\nusername = \"{NAME}\"\npassword = \"{PASSWORD}\"\npool_size = {CONNECTIONS}
[pools.{NAME}.shards.0]\ndatabase = \"{NAME}\"\nservers = [[\"127.0.0.1\", {}, \"primary\"]]\n",
        work.listen.port(),
        work.threads,
        work.server.postgres.port()
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new(work.program);
    command.arg("--log-level").arg("warn").arg(file);
    Ok(command)
}
