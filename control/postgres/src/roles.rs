//! A role and a database for each `[sql.NAME]`; what is there already is left, but for a new password.

use std::collections::BTreeMap;

use crate::ask::{Asker, Row, name, text};
use crate::credentials::Credentials;

/// The question whose answer [`missing`] reads. A role's comment holds the tag of its password; a database is open when a role
/// that nobody gave anything there may connect.
const QUESTION: &str = "SELECT 'role', rolname, coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles \
                        UNION ALL SELECT 'database', datname, \
                        CASE WHEN has_database_privilege('pg_monitor', oid, 'CONNECT') THEN 'open' ELSE '' END FROM pg_database";

/// Makes what is missing; with `anew` every role gets its password once more, for whoever may come in could have changed it.
pub(crate) async fn ensure(asker: &mut Asker, wanted: &[Credentials], anew: bool) -> Result<(), String> {
    let there = asker.ask(QUESTION).await?;
    // One at a time: a database is not made within a transaction.
    for statement in missing(wanted, &there, anew) {
        asker.ask(&statement).await?;
    }
    Ok(())
}

/// The statements that make what is wanted out of what is there.
fn missing(wanted: &[Credentials], there: &[Row], anew: bool) -> Vec<String> {
    let of = |kind: &str| -> BTreeMap<&str, &str> {
        let rows = there.iter().filter(|row| row[0].as_deref() == Some(kind));
        rows.filter_map(|row| Some((row[1].as_deref()?, row[2].as_deref()?))).collect()
    };
    let (roles, databases) = (of("role"), of("database"));
    let mut statements = Vec::new();
    for Credentials { user, password, database, tag } in wanted {
        let (role, password, comment) = (name(user), text(password), text(&comment(tag)));
        match roles.get(user.as_str()) {
            Some(there) if text(there) == comment && !anew => {}
            // Rails and Django make databases for their tests.
            None => statements.push(format!("CREATE ROLE {role} LOGIN CREATEDB PASSWORD {password}; COMMENT ON ROLE {role} IS {comment}")),
            Some(_) => statements.push(format!("ALTER ROLE {role} LOGIN PASSWORD {password}; COMMENT ON ROLE {role} IS {comment}")),
        }
        let is_there = databases.get(database.as_str());
        let database = name(database);
        if is_there.is_none() {
            statements.push(format!("CREATE DATABASE {database} OWNER {role}"));
        }
        // What was cut short between the two is made whole.
        if is_there.is_none_or(|access| *access == "open") {
            statements.push(format!("REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC"));
        }
    }
    statements
}

fn comment(tag: &str) -> String {
    format!("made by Plimsoll; password {tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(words: [&str; 3]) -> Row {
        words.iter().map(|word| Some(word.to_string())).collect()
    }

    #[test]
    fn only_what_is_missing_is_made() {
        let main = Credentials { user: "main".into(), password: "secret".into(), database: "main".into(), tag: "t1".into() };
        let made = missing(std::slice::from_ref(&main), &[], false);
        assert_eq!(made.len(), 3);
        assert!(made[0].starts_with("CREATE ROLE \"main\" LOGIN CREATEDB PASSWORD 'secret'; COMMENT ON ROLE"), "{}", made[0]);
        let there = [row(["role", "main", "made by Plimsoll; password t1"]), row(["database", "main", ""])];
        assert_eq!(missing(std::slice::from_ref(&main), &there, false), [""; 0]);
        assert!(missing(std::slice::from_ref(&main), &there, true)[0].starts_with("ALTER ROLE \"main\" LOGIN PASSWORD 'secret'"));
        let open = [row(["role", "main", "made by Plimsoll; password t1"]), row(["database", "main", "open"])];
        let closed = missing(std::slice::from_ref(&main), &open, false);
        assert_eq!(closed, ["REVOKE CONNECT, TEMPORARY ON DATABASE \"main\" FROM PUBLIC"]);
        let changed = missing(&[Credentials { tag: "t2".into(), ..main }], &there, false);
        assert_eq!(changed.len(), 1);
        assert!(changed[0].starts_with("ALTER ROLE \"main\" LOGIN PASSWORD"), "{}", changed[0]);
    }
}
