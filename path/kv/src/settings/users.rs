//! `password` and `users`: who comes in with what, and what each may do.

use settings::{Fault, Key, Kind, Named, Report, Section, Table, Value};

use crate::plan::Password;
use crate::users::User;

pub(super) const USERS: Section = Section::named(
    "Users, who come in with their name (`AUTH name password`).",
    &Named { name, key: Key::new("USER", Kind::Table(&USER), "A user.") },
);

const USER: Section = Section::new(
    "A user of the store. It is changed here, not by `ACL SETUSER`.",
    &[
        Key::new("password", Kind::Secret, "What it comes in with.").required(),
        Key::new(
            "allow",
            Kind::Text("rules in the words of Redis's ACL, such as \"+@read ~cache:*\"", rules),
            "What it may do: commands (`+get`, `-@dangerous`), keys (`~cache:*`, `%R~users:*`), channels (`&news:*`), and selectors \
             in brackets. It begins with nothing.",
        )
        .default(EVERYTHING),
    ],
)
.mistaken(&[("rules", "write `allow`"), ("acl", "write `allow`")]);

const EVERYTHING: &str = "+@all ~* &*";
const DEFAULT: &str = "default";

fn name(name: &str) -> Result<(), Fault> {
    let is_plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain {
        Ok(())
    } else {
        Err(Fault::new(format!("{name:?} is no name here")).hint("use letters, digits and signs, without blanks"))
    }
}

/// Rules say what a user may do; how it comes in stands beside them.
fn rules(text: &str) -> Result<(), Fault> {
    let logs_in = |word: &&str| {
        let lower = word.to_ascii_lowercase();
        word.starts_with(['>', '<', '#', '!']) || ["on", "off", "nopass", "resetpass", "reset"].contains(&lower.as_str())
    };
    if let Some(word) = text.split_ascii_whitespace().find(logs_in) {
        let shown = if word.starts_with(['>', '<']) { &word[..1] } else { word };
        return Err(
            Fault::new(format!("{shown:?} is about how a user comes in")).hint("write `password` for that, and here what it may do")
        );
    }
    User::of_file(DEFAULT, None, text).map(drop).map_err(|why| Fault::new(why.replace("Error in ACL SETUSER modifier ", "")))
}

/// Those of the file, as the door keeps them.
pub(super) fn read(kv: &Table) -> Vec<User> {
    let users = kv.table("users").into_iter().flat_map(Table::tables);
    let written =
        users.filter_map(|(entry, user)| User::of_file(&entry.name, Some(&secret(user)?), user.text("allow").unwrap_or(EVERYTHING)).ok());
    let own = secret(kv).and_then(|password| User::of_file(DEFAULT, Some(&password), EVERYTHING).ok());
    written.chain(own).collect()
}

/// What the default user comes in with.
pub(super) fn password(kv: &Table) -> Option<Password> {
    let written = kv.table("users").and_then(|users| users.table(DEFAULT)).and_then(secret);
    secret(kv).or(written).map(Password)
}

fn secret(table: &Table) -> Option<String> {
    match &table.get("password")?.value {
        Value::Secret(secret) => Some(secret.reveal().into()),
        _ => None,
    }
}

/// The default user has one password.
pub(super) fn default_once(kv: &Table, report: &mut Report) {
    let Some(users) = kv.table("users").filter(|users| users.has(DEFAULT) && kv.has("password")) else { return };
    let fault = Fault::new(format!("`{}.{DEFAULT}` clashes with `{}.password`: it is that of this user", users.path, kv.path));
    report.problem(users.place_of(DEFAULT), fault.hint("keep one"));
}
