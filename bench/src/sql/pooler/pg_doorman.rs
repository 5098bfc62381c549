use std::io::Result;
use std::process::Command;

use super::super::server::NAME;
use super::{CLIENTS, CONNECTIONS, Work};

/// pg_doorman as its documentation tunes it; it passes the client's SCRAM key on, so that it needs the server's verifier.
pub fn command(work: &Work) -> Result<Command> {
    let file = work.scratch.join("pg_doorman.toml");
    let text = format!(
        "[general]\nhost = \"127.0.0.1\"\nport = {}\nbacklog = 4096\nworker_threads = {}\nmax_connections = {CLIENTS}
log_client_connections = false\nlog_client_disconnections = false\nserver_tls_mode = \"disable\"\nprepared_statements = true
admin_username = \"admin\"\nadmin_password = \"admin\"\n[pools.{NAME}]\nserver_host = \"127.0.0.1\"\nserver_port = {}
pool_mode = \"transaction\"\n[[pools.{NAME}.users]]\nusername = \"{NAME}\"\npassword = \"{}\"\npool_size = {CONNECTIONS}\n",
        work.listen.port(),
        work.threads,
        work.server.postgres.port(),
        work.server.verifier
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new(work.program);
    command.arg("--log-level").arg("warn").arg(file);
    Ok(command)
}
