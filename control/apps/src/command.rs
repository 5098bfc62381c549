//! From a plan to what the keeper starts: environment, words, user.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use process::{Command, User};

use crate::plan::Run;

/// Variables, sorted by name.
pub(crate) type Environment = BTreeMap<OsString, OsString>;

/// What a process of this app finds: `base` without what is withheld, the file's variables, then `ours`.
pub(crate) fn environment(base: &Environment, run: &Run, ours: &[(&str, String)]) -> Environment {
    let mut all = base.clone();
    for name in &run.withheld {
        all.remove(&OsString::from(name));
    }
    all.insert("PWD".into(), run.dir.clone().into());
    all.extend(run.env.iter().map(|(name, value)| (name.into(), value.into())));
    all.extend(ours.iter().map(|(name, value)| (name.into(), value.into())));
    all
}

/// The command of these words, with `$VAR` filled in from its own environment.
///
/// # Errors
/// A user that this machine does not know, for a person.
pub(crate) fn command(words: &[String], run: &Run, mut environment: Environment) -> Result<Command, String> {
    let user = match &run.user {
        None => None,
        Some(name) => {
            let passwd = std::fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
            let Account { user, home } = account(&passwd, name).ok_or_else(|| format!("there is no user {name} on this machine"))?;
            environment.extend([("HOME".into(), home.into()), ("USER".into(), name.into()), ("LOGNAME".into(), name.into())]);
            Some(user).filter(|user| user.uid != rustix::process::geteuid().as_raw())
        }
    };
    let lookup = |name: &str| environment.get(&OsString::from(name)).map(|value| value.to_string_lossy().into_owned());
    let mut words = words.iter().map(|word| OsString::from(settings::expand(word, lookup)));
    let program = words.next().ok_or("the command is empty")?;
    Ok(Command { program, arguments: words.collect(), dir: run.dir.clone(), user, env: environment.into_iter().collect() })
}

/// The program's file, when the words name one by its path.
pub(crate) fn program_file(run: &Run) -> Option<PathBuf> {
    let program = run.run.first().filter(|program| program.contains('/') && !program.contains('$'))?;
    Some(run.dir.join(program))
}

#[derive(Debug, PartialEq)]
struct Account {
    user: User,
    home: String,
}

/// A line of passwd(5).
fn account(passwd: &str, name: &str) -> Option<Account> {
    let fields: Vec<&str> = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.first() == Some(&name))?;
    Some(Account { user: User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? }, home: fields.get(5)?.to_string() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn run() -> Run {
        Run {
            dir: "/srv/shop".into(),
            build: None,
            run: vec!["./shop".into(), "--bind=$HOST:${PORT}".into(), "$$5".into()],
            env: vec![("MODE".into(), "live".into())],
            withheld: vec!["SECRET".into()],
            user: None,
            instances: 1,
            start: Duration::from_secs(1),
            drain: Duration::from_secs(1),
        }
    }

    #[test]
    fn the_environment_is_inherited_less_what_is_withheld() {
        let base = Environment::from([("SECRET".into(), "s".into()), ("PATH".into(), "/bin".into()), ("PORT".into(), "1".into())]);
        let environment = environment(&base, &run(), &[("PORT", "20000".into())]);
        let shown: Vec<String> = environment.iter().map(|(name, value)| format!("{}={}", name.display(), value.display())).collect();
        assert_eq!(shown, ["MODE=live", "PATH=/bin", "PORT=20000", "PWD=/srv/shop"]);
    }

    #[test]
    fn words_are_expanded_and_stay_words() {
        let environment = Environment::from([("HOST".into(), "127.0.0.1".into()), ("PORT".into(), "20000".into())]);
        let command = command(&run().run, &run(), environment).unwrap();
        assert_eq!((command.program, command.arguments), ("./shop".into(), vec!["--bind=127.0.0.1:20000".into(), "$5".into()]));
    }

    #[test]
    fn users_are_those_of_the_machine() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nshop:x:1001:100::/srv/shop:/bin/false\n";
        assert_eq!(account(passwd, "shop"), Some(Account { user: User { uid: 1001, gid: 100 }, home: "/srv/shop".into() }));
        assert_eq!(account(passwd, "sho"), None);
        let unknown = Run { user: Some("no-such-user-here".into()), ..run() };
        assert!(command(&unknown.run, &unknown, Environment::new()).unwrap_err().contains("no-such-user-here"));
    }

    #[test]
    fn only_a_program_with_a_path_is_a_file() {
        assert_eq!(program_file(&run()), Some("/srv/shop/./shop".into()));
        assert_eq!(program_file(&Run { run: vec!["npm".into()], ..run() }), None);
    }
}
