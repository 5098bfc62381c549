//! From `plimsoll up` without a `primary` to the first answer: with an empty state folder, and with the one it left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::Wire;
use testkit::wire::Login;

use super::pooler::Pooler;
use crate::arguments::Arguments;
use crate::machine;
use crate::report::{Row, Target};
use crate::running::{Running, free_address};

const NAME: &str = "main";
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Both rows.
pub fn rows(arguments: &Arguments) -> Result<Vec<Row>, String> {
    let mut fresh = Row::new("embedded: from nothing to the first query", "s");
    let mut warm = Row::new("embedded: warm `up` to the first query", "s");
    let (mut of_fresh, mut of_warm) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds.max(3) {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        // Run as root, the server is another user and must get to its data.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        of_fresh.push(first_query(folder.path())?);
        of_warm.push(first_query(folder.path())?);
    }
    fresh.add("plimsoll", &of_fresh);
    warm.add("plimsoll", &of_warm);
    fresh.targets.extend(fresh.median("plimsoll").map(|seconds| Target::most("plimsoll, s", seconds, 1.2, 0.8)));
    warm.targets.extend(warm.median("plimsoll").map(|seconds| Target::most("plimsoll, s", seconds, 0.4, 0.2)));
    Ok(vec![fresh, warm])
}

/// Seconds from the start of the process to the answer; it has ended when this returns.
fn first_query(folder: &Path) -> Result<f64, String> {
    let fault = |error: std::io::Error| error.to_string();
    let (file, scratch) = (folder.join("plimsoll.toml"), tempfile::tempdir().map_err(fault)?);
    let address = free_address().map_err(fault)?;
    let text = format!(
        "name = \"bench\"\nstate = \"state\"\n[console]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n\
         [sql.{NAME}]\nlisten = \"{address}\"\n"
    );
    fs::write(&file, text).map_err(fault)?;
    let mut command = Command::new(Pooler::Plimsoll.program()?);
    command.arg("up").arg(file);
    let running = Running::start(command, address, scratch, &machine::cpus(), |_| true)?;
    loop {
        match ask(&folder.join("state"), &running) {
            Ok(()) => return Ok(running.began.elapsed().as_secs_f64()),
            Err(reason) if Instant::now() > running.began + PATIENCE => return Err(format!("{reason}\n{}", running.log())),
            Err(_) => std::thread::sleep(LOOK_AGAIN),
        }
    }
}

/// One query as an app would ask it; the password is the one that Plimsoll keeps beside the data.
fn ask(state: &Path, running: &Running) -> Result<(), String> {
    let kept = fs::read_to_string(state.join("postgres/passwords").join(NAME)).map_err(|error| error.to_string())?;
    let password = kept.split(' ').next().unwrap_or_default().to_string();
    let login = Login { password, ..Login::new(NAME, NAME) };
    let mut wire = Wire::connect(&running.address.to_string(), &login).map_err(|error| error.to_string())?;
    let answer = wire.query("SELECT 1").map_err(|error| error.to_string())?;
    if answer.rows == [[Some("1".to_string())]] { Ok(()) } else { Err(format!("a wrong answer: {answer:?}")) }
}
