use std::io::Result;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::process::Command;

use testkit::postgres::{PASSWORD, owner};

use super::super::server::NAME;
use super::{CLIENTS, CONNECTIONS, Work};

/// PgBouncer as its documentation tunes it: transaction mode, no lines per client, prepared statements where it has them.
pub fn command(work: &Work, prepared: bool) -> Result<Command> {
    let (file, users) = (work.scratch.join("pgbouncer.ini"), work.scratch.join("users.txt"));
    std::fs::write(&users, format!("\"{NAME}\" \"{PASSWORD}\"\n"))?;
    let statements = if prepared { "max_prepared_statements = 200\n" } else { "" };
    let text = format!(
        "[databases]\n{NAME} = host=127.0.0.1 port={} dbname={NAME}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}
unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\npool_mode = transaction\nmax_client_conn = {CLIENTS}
default_pool_size = {CONNECTIONS}\nlog_connections = 0\nlog_disconnections = 0\nlog_stats = 0\nlisten_backlog = 4096\n{statements}",
        work.server.postgres.port(),
        work.listen.port(),
        users.display()
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new(work.program);
    command.arg(&file);
    // It refuses to run as root.
    if let Some((user, group)) = owner() {
        for path in [work.scratch, &file, &users] {
            chown(path, Some(user), Some(group))?;
        }
        command.uid(user).gid(group);
    }
    Ok(command)
}

/// `PgBouncer 1.25.2`: since 1.21.
pub fn can_prepare(version: &str) -> bool {
    let mut numbers = version.split(' ').nth(1).unwrap_or_default().split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(1), Some(21))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_came_with_1_21() {
        assert!(can_prepare("PgBouncer 1.25.2") && can_prepare("PgBouncer 1.21.0") && can_prepare("PgBouncer 2.0.0"));
        assert!(!can_prepare("PgBouncer 1.18.0") && !can_prepare("missing") && !can_prepare(""));
    }
}
