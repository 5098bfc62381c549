use std::io::Result;
use std::process::Command;

use super::super::server::NAME;
use super::{CLIENTS, CONNECTIONS, Work};

/// `up` with a written file. The number of loops follows from the CPUs it is tied to.
pub fn command(work: &Work) -> Result<Command> {
    let file = work.scratch.join("plimsoll.toml");
    let primary = work.server.postgres.url(NAME, NAME);
    let text = format!(
        "name = \"bench\"\nstate = \"state\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n\n[http]\nlisten = [\"127.0.0.1:0\"]\n\n\
         [sql.main]\nlisten = \"{}\"\nprimary = \"{primary}\"\npool = {{ server = {CONNECTIONS}, client = {CLIENTS} }}\n",
        work.listen
    );
    std::fs::write(&file, text)?;
    let mut command = Command::new(work.program);
    command.arg("up").arg(file);
    Ok(command)
}
