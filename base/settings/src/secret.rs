use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::{Fault, World, command, expand};

/// How long the command of a secret may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// The largest secret, bytes.
const SIZE_LIMIT: u64 = 64 << 10;

/// A text that is never printed; only [`Secret::reveal`] gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself; never for a log, a message or an argument.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// The secret in an environment variable.
pub(crate) fn from_variable(name: &str, world: &World) -> Result<Secret, Fault> {
    match world.environment.get(name) {
        Some(value) if value.is_empty() => Err(Fault::new(format!("the environment variable `{name}` is empty"))),
        Some(value) => Ok(Secret::new(value)),
        None => Err(Fault::new(format!("the environment variable `{name}` is not set"))
            .hint(format!("set it before Plimsoll starts: export {name}=…"))),
    }
}

/// The secret in a file, without its last line break.
pub(crate) fn from_file(name: &str, world: &World) -> Result<Secret, Fault> {
    let path = world.path(name);
    let cannot = |error: &dyn fmt::Display| Fault::new(format!("the secret's file {} cannot be read: {error}", path.display()));
    let mut text = String::new();
    std::fs::File::open(&path).and_then(|file| file.take(SIZE_LIMIT).read_to_string(&mut text)).map_err(|error| cannot(&error))?;
    trimmed(text, &format!("the secret's file {}", path.display()))
}

/// The secret that a command prints, without its last line break. No shell; its stderr is the user's.
pub(crate) fn from_command(text: &str, world: &World) -> Result<Secret, Fault> {
    let words = command::split(text)?;
    let words: Vec<String> = words.iter().map(|word| expand(word, |name| world.environment.get(name).cloned())).collect();
    let what = format!("the secret's command `{}`", words[0]);
    let cannot = |error: std::io::Error| Fault::new(format!("{what} cannot be run: {error}"));
    let program = world.program(&words[0], &world.folder, None).ok_or_else(|| Fault::new(format!("{what}: there is no such program")))?;
    let mut run = Command::new(program);
    run.args(&words[1..]).current_dir(&world.folder).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = run.spawn().map_err(cannot)?;
    let stdout = child.stdout.take().expect("it was asked for");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let result = stdout.take(SIZE_LIMIT).read_to_string(&mut text).map(|_| text);
        // Nobody listens any more when the command took too long.
        let _ = sender.send(result);
    });
    let Ok(output) = receiver.recv_timeout(COMMAND_LIMIT) else {
        // It is gone, or about to be: either way there is nothing more to do.
        let _ = child.kill();
        let _ = child.wait();
        return Err(Fault::new(format!("{what} took longer than {} s", COMMAND_LIMIT.as_secs())));
    };
    let status = child.wait().map_err(cannot)?;
    if !status.success() {
        return Err(Fault::new(format!("{what} failed: {status}")));
    }
    trimmed(output.map_err(cannot)?, &what)
}

fn trimmed(text: String, what: &str) -> Result<Secret, Fault> {
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() { Err(Fault::new(format!("{what} gives an empty secret"))) } else { Ok(Secret::new(secret)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        World { folder: "/".into(), environment: [("A".into(), "hush".into())].into(), root: false, ipv6: true }
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = from_variable("A", &world()).unwrap();
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "(secret) (secret) Some((secret))");
        assert_eq!(secret.reveal(), "hush");
    }

    #[test]
    fn a_command_gives_its_output_without_the_line_break() {
        assert_eq!(from_command("printf '%s\\n' $A", &world()).unwrap().reveal(), "hush");
        assert!(from_command("false", &world()).unwrap_err().reason.contains("failed"));
        assert!(from_command("true", &world()).unwrap_err().reason.contains("empty"));
        assert!(from_command("no-such-program-here", &world()).unwrap_err().reason.contains("no such program"));
    }
}
