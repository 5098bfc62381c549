use std::io::Result;
use std::process::Command;

use testkit::postgres::PASSWORD;

use super::super::server::NAME;
use super::{CONNECTIONS, Work};

/// PgDog as its documentation tunes it (statements are kept by default); `workers = 0` is its runtime of one thread.
pub fn command(work: &Work) -> Result<Command> {
    let (file, users) = (work.scratch.join("pgdog.toml"), work.scratch.join("users.toml"));
    let workers = if work.threads == 1 { 0 } else { work.threads };
    let text = format!(
        "[general]\nhost = \"127.0.0.1\"\nport = {}\nworkers = {workers}\npooler_mode = \"transaction\"\nauth_type = \"scram\"
default_pool_size = {CONNECTIONS}
[[databases]]\nname = \"{NAME}\"\nhost = \"127.0.0.1\"\nport = {}\ndatabase_name = \"{NAME}\"\n",
        work.listen.port(),
        work.server.postgres.port()
    );
    std::fs::write(&file, text)?;
    std::fs::write(&users, format!("[[users]]\nname = \"{NAME}\"\ndatabase = \"{NAME}\"\npassword = \"{PASSWORD}\"\n"))?;
    let mut command = Command::new(work.program);
    command.env("RUST_LOG", "warn").arg("--config").arg(file).arg("--users").arg(users);
    Ok(command)
}
