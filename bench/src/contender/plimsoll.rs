use std::fmt::Write;
use std::io::Result;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::Work;

/// `up` with a written file. The number of loops follows from the CPUs it is tied to.
pub fn command(program: &Path, work: &Work, address: SocketAddr, scratch: &Path) -> Result<Command> {
    let file = scratch.join("plimsoll.toml");
    std::fs::write(&file, settings(work, address))?;
    let mut command = Command::new(program);
    command.arg("up").arg(file);
    Ok(command)
}

fn settings(work: &Work, address: SocketAddr) -> String {
    let mut text =
        format!("name = \"bench\"\nstate = \"state\"\n\n[console]\nlisten = \"127.0.0.1:0\"\n\n[http]\nlisten = [\"{address}\"]\n\n");
    // All clients of a bench have one address.
    text += "[http.max]\nbody = \"64MB\"\nconnections = 20000\nconnections_per_ip = 20000\n\n";
    if work.health {
        text += "[http.timeout]\nfirst_byte = \"1s\"\n\n";
    }
    if let Some(folder) = &work.folder {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[site]\ndir = {:?}\n", folder.display().to_string());
    }
    if !work.endpoints.is_empty() {
        let endpoints: Vec<String> = work.endpoints.iter().map(|endpoint| format!("\"{endpoint}\"")).collect();
        let _ = writeln!(text, "[app.origin]\nexternal = [{}]", endpoints.join(", "));
        if work.health {
            text += "health = \"/healthz\"\n";
        }
    }
    text
}
