//! A role and a database for each `[sql.NAME]`; what is there already is left, but for a new password and for a database of another
//! owner: a role may have made it before the file had a section of that name.

use std::collections::BTreeMap;
use std::path::Path;

use telemetry::Log;

use crate::ask::{Asker, Row, name, text};
use crate::credentials::Credentials;
use crate::events;

/// The question whose answer [`missing`] reads. A role's comment holds the tag of its password; a database is open when a role
/// that nobody gave anything there may connect. Its owner is told when the role called as it may not act as that, and whether
/// it is a superuser.
const QUESTION: &str = "SELECT 'role', rolname, coalesce(shobj_description(oid, 'pg_authid'), ''), '', '' FROM pg_roles \
                        UNION ALL SELECT 'database', datname, \
                        CASE WHEN has_database_privilege('pg_monitor', d.oid, 'CONNECT') THEN 'open' ELSE '' END, \
                        CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = datname AND pg_has_role(oid, datdba, 'MEMBER')) \
                        THEN '' ELSE owner.rolname END, CASE WHEN owner.rolsuper THEN 'superuser' ELSE '' END \
                        FROM pg_database d JOIN pg_roles owner ON owner.oid = datdba";

/// A statement.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Anywhere(String),
    /// Gives a database to its section; to be run in it.
    Within(String, String),
}

/// Makes what is missing; with `anew` every role gets its password once more, for whoever may come in could have changed it.
pub(crate) async fn ensure(socket: &Path, wanted: &[Credentials], anew: bool, log: &Log) -> Result<(), String> {
    let mut asker = Asker::connect(socket, "postgres").await?;
    let there = asker.ask(QUESTION).await?;
    // One at a time: a database is not made within a transaction.
    for step in missing(wanted, &there, anew) {
        match step {
            Step::Anywhere(statement) => drop(asker.ask(&statement).await?),
            Step::Within(database, statement) => {
                Asker::connect(socket, &database).await?.ask(&statement).await?;
                events::handed_over(log, &database);
            }
        }
    }
    Ok(())
}

/// A database as it is there.
struct Found<'r> {
    is_open: bool,
    /// Who owns it, if that is somebody else; whether that is a superuser.
    other: Option<(&'r str, bool)>,
}

impl Found<'_> {
    fn of<'r>(row: &'r Row) -> Option<(&'r str, Found<'r>)> {
        let [kind, name, access, owner, rank] = row.iter().map(|value| value.as_deref()).collect::<Option<Vec<_>>>()?.try_into().ok()?;
        let other = Some((owner, rank == "superuser")).filter(|(owner, _)| !owner.is_empty());
        (kind == "database").then_some((name, Found { is_open: access == "open", other }))
    }
}

/// The steps that make what is wanted out of what is there.
fn missing(wanted: &[Credentials], there: &[Row], anew: bool) -> Vec<Step> {
    let roles: BTreeMap<&str, &str> = there
        .iter()
        .filter(|row| row[0].as_deref() == Some("role"))
        .filter_map(|row| Some((row[1].as_deref()?, row[2].as_deref()?)))
        .collect();
    let databases: BTreeMap<&str, Found<'_>> = there.iter().filter_map(Found::of).collect();
    let mut steps = Vec::new();
    for credentials in wanted {
        let Credentials { user, password, database, tag } = credentials;
        let (role, password, comment) = (name(user), text(password), text(&comment(tag)));
        match roles.get(user.as_str()) {
            Some(there) if text(there) == comment && !anew => {}
            // Rails and Django make databases for their tests.
            None => steps.push(Step::Anywhere(format!(
                "CREATE ROLE {role} LOGIN CREATEDB PASSWORD {password}; COMMENT ON ROLE {role} IS {comment}"
            ))),
            Some(_) => {
                steps.push(Step::Anywhere(format!("ALTER ROLE {role} LOGIN PASSWORD {password}; COMMENT ON ROLE {role} IS {comment}")))
            }
        }
        let found = databases.get(database.as_str());
        if found.is_none() {
            steps.push(Step::Anywhere(format!("CREATE DATABASE {} OWNER {role}", name(database))));
        }
        if let Some((owner, is_superuser)) = found.and_then(|found| found.other) {
            steps.push(Step::Within(database.clone(), hand_over(credentials, owner, is_superuser)));
        }
        // What was cut short between the two is made whole.
        if found.is_none_or(|found| found.is_open) {
            steps.push(Step::Anywhere(format!("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC", name(database))));
        }
    }
    steps
}

/// Gives a database to its section's role, with all in it that its owner has; what a superuser has in it stays.
///
/// `REASSIGN OWNED` takes every database of the owner, so that the others are given back, at once or not at all.
fn hand_over(Credentials { user, database, .. }: &Credentials, owner: &str, is_superuser: bool) -> String {
    let (role, owned, from) = (name(user), name(database), name(owner));
    if is_superuser {
        return format!("ALTER DATABASE {owned} OWNER TO {role}");
    }
    let (owner, database) = (text(owner), text(database));
    format!(
        "DO $hand_over$ DECLARE one name; others name[] := ARRAY(SELECT datname FROM pg_database JOIN pg_roles r ON r.oid = datdba \
         WHERE rolname = {owner} AND datname <> {database}); BEGIN REASSIGN OWNED BY {from} TO {role}; FOREACH one IN ARRAY others LOOP \
         EXECUTE format('ALTER DATABASE %I OWNER TO %I', one, {owner}); END LOOP; END $hand_over$"
    )
}

fn comment(tag: &str) -> String {
    format!("made by Plimsoll; password {tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: [&str; 5]) -> Row {
        words.iter().map(|word| Some(word.to_string())).collect()
    }

    fn statements(steps: Vec<Step>) -> Vec<String> {
        let statement = |step| match step {
            Step::Anywhere(statement) => statement,
            Step::Within(database, statement) => format!("{database}: {statement}"),
        };
        steps.into_iter().map(statement).collect()
    }

    fn main() -> Credentials {
        Credentials { user: "main".into(), password: "secret".into(), database: "main".into(), tag: "t1".into() }
    }

    #[test]
    fn only_what_is_missing_is_made() {
        let main = main();
        let missing = |wanted: &Credentials, there: &[Row], anew| statements(missing(std::slice::from_ref(wanted), there, anew));
        let made = missing(&main, &[], false);
        assert_eq!(made.len(), 3);
        assert!(made[0].starts_with("CREATE ROLE \"main\" LOGIN CREATEDB PASSWORD 'secret'; COMMENT ON ROLE"), "{}", made[0]);
        let role = row(["role", "main", "made by Plimsoll; password t1", "", ""]);
        let there = [role.clone(), row(["database", "main", "", "", ""])];
        assert_eq!(missing(&main, &there, false), [""; 0]);
        assert!(missing(&main, &there, true)[0].starts_with("ALTER ROLE \"main\" LOGIN PASSWORD 'secret'"));
        let open = [role, row(["database", "main", "open", "", ""])];
        assert_eq!(missing(&main, &open, false), ["REVOKE CONNECT, TEMPORARY ON DATABASE \"main\" FROM PUBLIC"]);
        let changed = missing(&Credentials { tag: "t2".into(), ..main }, &there, false);
        assert_eq!(changed.len(), 1);
        assert!(changed[0].starts_with("ALTER ROLE \"main\" LOGIN PASSWORD"), "{}", changed[0]);
    }

    #[test]
    fn a_database_of_another_becomes_the_sections() {
        let role = row(["role", "main", "made by Plimsoll; password t1", "", ""]);
        let steps = |owner, rank| statements(missing(&[main()], &[role.clone(), row(["database", "main", "open", owner, rank])], false));
        let [given, closed] = &steps("o'x", "")[..] else { panic!("two steps") };
        assert!(given.starts_with("main: DO $hand_over$") && given.contains("REASSIGN OWNED BY \"o'x\" TO \"main\""), "{given}");
        assert!(given.contains("rolname = 'o''x' AND datname <> 'main'") && closed.starts_with("REVOKE CONNECT"), "{given}");
        assert_eq!(steps("plimsoll", "superuser")[0], "main: ALTER DATABASE \"main\" OWNER TO \"main\"");
    }
}
