//! The one query that asks a server what a session has, and the reading of its answer. No IO.
//!
//! It means the same under every `search_path`, role, encoding and default of the client's: names and operators are
//! written with their schema, so `IN`, `LIKE`, `CASE x WHEN` and `IS DISTINCT FROM` are not to be had.

use std::collections::{BTreeMap, BTreeSet};

use super::super::quote;
use super::super::settle::{AT_ONCE, ROLE, SESSION_USER, is_custom};
use super::super::touched::is_of_sessions;
use crate::listening::MOST_CHANNELS;
use crate::server::Rows;

/// What shall be asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Values of these parameters.
    pub(crate) names: BTreeSet<Box<str>>,
    /// All parameters that are set in the session, custom ones only if they are among `names`.
    pub(crate) all: bool,
    pub(crate) temporary: bool,
    pub(crate) locks: bool,
    pub(crate) cursors: bool,
    pub(crate) prepared: bool,
    pub(crate) channels: bool,
    /// Whether there is any statement of the door's.
    pub(crate) kept: bool,
    /// Whether [`COMPUTED`] is still set.
    pub(crate) computed: bool,
}

/// What a session has, as far as was asked.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Parameters that are set in the session.
    pub(crate) values: BTreeMap<Box<str>, Box<[u8]>>,
    /// Those of them that the user who logged in could not set.
    pub(crate) unmovable: BTreeSet<Box<str>>,
    pub(crate) temporary: bool,
    pub(crate) locks: bool,
    pub(crate) cursors: bool,
    pub(crate) prepared: bool,
    pub(crate) kept: bool,
    pub(crate) computed: bool,
    /// Channels that the connection itself listens on.
    pub(crate) channels: BTreeSet<Box<[u8]>>,
    /// What was asked by [`MARK`].
    pub(crate) is_marked: bool,
}

/// A parameter of ours that follows the transaction: set together with what makes the connection listen on what its
/// client listens on. Where it holds, what the connection listens on is all that the client does.
pub(crate) const MARK: &str = "plimsoll.unlistens";

/// A parameter of ours that is set behind those whose names nobody knows: what resets all of them resets it.
pub(crate) const COMPUTED: &str = "plimsoll.computed";

/// What the answer cannot be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Whose session it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    /// Who logged in.
    pub(crate) user: &'a str,
    /// The server's `server_version`.
    pub(crate) version: &'a str,
}

impl Needs {
    /// Whether there is nothing to ask.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Needs::default()
    }

    /// Whether the answer says what became of parameter `name`.
    pub(crate) fn asks(&self, name: &str) -> bool {
        self.names.contains(name) || self.all && !is_custom(name)
    }

    /// The query; `self` is something.
    pub(crate) fn question(&self, whose: Whose<'_>) -> String {
        let mut parts = Vec::new();
        if self.all || self.names.iter().any(|name| is_listed(name)) {
            parts.push(self.listed(whose));
        }
        if self.all || self.names.contains(ROLE) || self.names.contains(SESSION_USER) {
            parts.push(identity());
        }
        parts.extend(self.custom().map(|name| custom(name, whose)));
        for (is_asked, part) in [
            (self.temporary, temporary()),
            (self.locks, locks()),
            (self.cursors, exists('h', "pg_catalog.pg_cursors WHERE is_holdable")),
            (self.prepared, exists('s', "pg_catalog.pg_prepared_statements WHERE from_sql")),
            (self.kept, exists('k', "pg_catalog.pg_prepared_statements WHERE NOT from_sql")),
            (self.channels, channels()),
            (self.computed, format!("SELECT 'm',pg_catalog.current_setting('{COMPUTED}',true),NULL,NULL")),
            (self.channels, format!("SELECT 'u',pg_catalog.current_setting('{MARK}',true),NULL,NULL")),
        ] {
            if is_asked {
                parts.push(part);
            }
        }
        format!("{AT_ONCE}{}", parts.join(" UNION ALL "))
    }

    fn custom(&self) -> impl Iterator<Item = &Box<str>> {
        self.names.iter().filter(|name| is_custom(name))
    }

    /// Those of `pg_settings`, where names are written as they please: what is set in the session, and that an extension's
    /// is not. Listing them all is most of the query's cost: not done for names that only sessions made.
    fn listed(&self, whose: Whose<'_>) -> String {
        let name = "pg_catalog.lower(name COLLATE pg_catalog.\"C\")";
        let is_set = "source OPERATOR(pg_catalog.=) 'session'";
        let value = quote::spelled("setting");
        let mut sql = format!(
            "SELECT 'p',{name},CASE WHEN {is_set} THEN {value} END,\
             CASE WHEN context OPERATOR(pg_catalog.=) 'superuser' AND NOT ({}) THEN '' END FROM pg_catalog.pg_settings \
             WHERE ({is_set} OR pg_catalog.strpos(name,'.') OPERATOR(pg_catalog.>) 0)",
            whose.may_set()
        );
        if self.all {
            return sql;
        }
        sql.push_str(&format!(" AND {name} OPERATOR(pg_catalog.=) ANY ("));
        quote::array(&mut sql, self.names.iter().map(|name| name.as_bytes()));
        sql.push(')');
        if whose.knows_flags() && self.names.iter().all(|name| is_custom(name) || !is_listed(name)) {
            let real: Vec<_> = self.custom().map(|name| format!("NOT {}", is_made(name))).collect();
            sql.push_str(&format!(" AND ({})", real.join(" OR ")));
        }
        sql
    }

    /// Reads the answer.
    pub(crate) fn read(&self, rows: &Rows, user: &str) -> Result<Found, Unreadable> {
        let (mut found, mut custom, mut real) = (Found::default(), BTreeMap::new(), BTreeSet::new());
        for row in rows {
            let [Some(kind), rest @ ..] = &row[..] else { return Err(Unreadable) };
            let [first, second, third] = rest else { return Err(Unreadable) };
            let (first, second) = (first.as_deref(), second.as_deref());
            match (&kind[..], second) {
                (b"p", None) => drop(real.insert(name(first)?)),
                (b"p", _) => read_listed(&mut found, name(first)?, second, third.is_some())?,
                (b"r", _) => read_identity(&mut found, [first, second], user, third.is_some())?,
                (b"c", Some(_)) => drop(custom.insert(spelled_name(first)?, spelled(second)?)),
                (b"c", None) => {}
                (b"t", _) => found.temporary = true,
                (b"l", _) => found.locks = true,
                (b"h", _) => found.cursors = true,
                (b"s", _) => found.prepared = true,
                (b"k", _) => found.kept = true,
                (b"m", _) => found.computed = first == Some(b"1"),
                (b"n", _) => drop(found.channels.insert(spelled(first)?)),
                (b"u", _) => found.is_marked = first == Some(b"1"),
                _ => return Err(Unreadable),
            }
        }
        for (name, value) in custom.into_iter().filter(|(name, _)| !real.contains(name)) {
            found.values.entry(name).or_insert(value);
        }
        Ok(found)
    }
}

impl Whose<'_> {
    fn major(self) -> u32 {
        let digits = self.version.split(|byte: char| !byte.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Whether there is `pg_settings_get_flags`.
    fn knows_flags(self) -> bool {
        self.major() >= 15
    }

    /// Whether the user who logged in may set the superuser's parameter of a row.
    fn may_set(self) -> String {
        let mut user = String::new();
        quote::literal(&mut user, self.user.as_bytes());
        if self.major() >= 15 {
            return format!("pg_catalog.has_parameter_privilege({user}::pg_catalog.name,name,'SET')");
        }
        format!("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) {user}::pg_catalog.name")
    }
}

fn read_listed(found: &mut Found, name: Box<str>, value: Option<&[u8]>, needs_rights: bool) -> Result<(), Unreadable> {
    if is_of_sessions(&name) {
        found.unmovable.extend(needs_rights.then(|| name.clone()));
        found.values.insert(name, spelled(value)?);
    }
    Ok(())
}

fn name(value: Option<&[u8]>) -> Result<Box<str>, Unreadable> {
    value.and_then(|value| std::str::from_utf8(value).ok()).map(Box::from).ok_or(Unreadable)
}

fn spelled_name(value: Option<&[u8]>) -> Result<Box<str>, Unreadable> {
    name(value.and_then(quote::bytes).as_deref())
}

fn spelled(value: Option<&[u8]>) -> Result<Box<[u8]>, Unreadable> {
    value.and_then(quote::bytes).ok_or(Unreadable)
}

/// Whether `pg_settings` may have it.
fn is_listed(name: &str) -> bool {
    name != ROLE && name != SESSION_USER
}

/// The role and the session's user; the last column says that a role is set for new sessions, too.
fn identity() -> String {
    let [role, user] = [ROLE, SESSION_USER].map(|name| quote::spelled(&format!("pg_catalog.current_setting('{name}')")));
    format!(
        "SELECT 'r',{role},{user},CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_db_role_setting s,\
         pg_catalog.unnest(s.setconfig) c WHERE pg_catalog.left(c,5) OPERATOR(pg_catalog.=) 'role=') THEN '' END"
    )
}

/// `none` is no role; where new sessions have one, it is a choice to have none.
fn read_identity(found: &mut Found, values: [Option<&[u8]>; 2], user: &str, is_choice: bool) -> Result<(), Unreadable> {
    let [role, session] = values;
    let (role, session) = (spelled(role)?, spelled(session)?);
    if &*role != b"none" || is_choice {
        found.values.insert(ROLE.into(), role);
    }
    if &*session != user.as_bytes() {
        found.values.insert(SESSION_USER.into(), session);
    }
    Ok(())
}

/// One that sessions made, if it has a value.
fn custom(name: &str, whose: Whose<'_>) -> String {
    let (mut literal, mut hex) = (String::new(), String::new());
    quote::literal(&mut literal, name.as_bytes());
    quote::hex(&mut hex, name.as_bytes());
    let value = quote::spelled(&format!("pg_catalog.current_setting({literal},true)"));
    let condition = if whose.knows_flags() { is_made(name) } else { "true".into() };
    format!("SELECT 'c','{hex}',{value},NULL WHERE {condition}")
}

/// Whether a name with a dot is not an extension's.
fn is_made(name: &str) -> String {
    let mut literal = String::new();
    quote::literal(&mut literal, name.as_bytes());
    format!("COALESCE('NO_SHOW_ALL' OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_settings_get_flags({literal})),true)")
}

/// Whatever was made in the session's temporary schema depends on it; 2615 are the schemas.
fn temporary() -> String {
    let depends = "pg_catalog.pg_depend WHERE refclassid OPERATOR(pg_catalog.=) 2615::pg_catalog.oid \
                   AND refobjid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()";
    exists('t', depends)
}

/// Asked between transactions: those of a transaction are gone.
fn locks() -> String {
    let held = "pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory' \
                AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND granted";
    exists('l', held)
}

/// Those that the connection listens on: at most one more than it may.
fn channels() -> String {
    let most = MOST_CHANNELS + 1;
    format!("(SELECT 'n',{},NULL,NULL FROM pg_catalog.pg_listening_channels() c LIMIT {most})", quote::spelled("c"))
}

fn exists(kind: char, what: &str) -> String {
    format!("SELECT '{kind}',NULL,NULL,NULL WHERE EXISTS (SELECT 1 FROM {what})")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOSE: Whose<'static> = Whose { user: "app", version: "15.4 (Debian)" };

    fn needs(names: &[&str]) -> Needs {
        Needs { names: names.iter().map(|name| Box::from(*name)).collect(), ..Needs::default() }
    }

    fn row(values: [Option<&str>; 4]) -> Vec<Option<Vec<u8>>> {
        values.map(|value| value.map(|value| value.as_bytes().to_vec())).to_vec()
    }

    #[test]
    fn only_what_is_needed_is_asked() {
        assert!(Needs::default().is_nothing());
        let sql = needs(&["work_mem"]).question(WHOSE);
        assert!(sql.contains("pg_settings") && !sql.contains("UNION") && !sql.contains("flags"), "{sql}");
        let sql = needs(&["role"]).question(WHOSE);
        assert!(!sql.contains("pg_settings") && sql.contains("'role'"), "{sql}");
        let sql = Needs { locks: true, cursors: true, ..Needs::default() }.question(WHOSE);
        assert_eq!((sql.matches("UNION").count(), sql.matches("pg_locks").count()), (1, 1), "{sql}");
    }

    #[test]
    fn an_older_server_is_asked_without_what_it_lacks() {
        let sql = needs(&["a.b"]).question(Whose { version: "14.9", ..WHOSE });
        assert!(!sql.contains("flags") && sql.contains("rolsuper"), "{sql}");
        assert!(needs(&["a.b"]).question(WHOSE).contains("flags"));
    }

    #[test]
    fn answers_are_read() {
        let rows = vec![
            row([Some("p"), Some("search_path"), Some("61"), None]),
            row([Some("p"), Some("transaction_isolation"), Some("61"), None]),
            row([Some("p"), Some("ext.real"), None, None]),
            row([Some("c"), Some("6578742e7265616c"), Some("62"), None]),
            row([Some("c"), Some("612e62"), Some(""), None]),
            row([Some("c"), Some("612e63"), None, None]),
            row([Some("r"), Some("6e6f6e65"), Some("626f62"), None]),
            row([Some("l"), None, None, None]),
        ];
        let found = Needs::default().read(&rows, "app").unwrap();
        let values: Vec<_> = found.values.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(values, [("a.b", &b""[..]), ("search_path", b"a"), ("session_authorization", b"bob")]);
        assert!(found.locks && !found.temporary && found.unmovable.is_empty());
        assert_eq!(Needs::default().read(&vec![row([Some("x"), None, None, None])], "app"), Err(Unreadable));
    }
}
