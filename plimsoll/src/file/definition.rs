//! The definition of the whole file: one optional section a tier.

use settings::{Fault, Key, Kind, Section};

use super::later;

/// plimsoll.toml.
pub static FILE: Section = Section::new(
    "",
    &[
        Key::new("name", Kind::Text("a name", name), "What this is called in logs and pictures; absent: the name of the file's folder."),
        Key::new("state", Kind::Path, "The folder of everything kept: logs, keys, the lock. One Plimsoll runs on it.")
            .default(".plimsoll")
            .restart(),
        Key::new("http", Kind::Table(&http_door::HTTP), ""),
        Key::new("site", Kind::Table(&http_door::SITE), ""),
        Key::new("app", Kind::Table(&apps::APPS), ""),
        Key::new("console", Kind::Table(&watch::CONSOLE), ""),
        Key::new("sql", Kind::Table(&sql::SQL), ""),
        Key::new("kv", Kind::Table(&kv::KV), ""),
        Key::new("backup", Kind::Table(&later::BACKUP), "").unbuilt(),
        Key::new("cluster", Kind::Table(&later::CLUSTER), "").unbuilt(),
        Key::new("edge", Kind::Table(&later::EDGE), ""),
    ],
)
.mistaken(&[
    ("apps", "write `[app.NAME]`"),
    ("application", "write `[app.NAME]`"),
    ("service", "write `[app.NAME]`"),
    ("services", "write `[app.NAME]`"),
    ("server", "write `[http]`"),
    ("static", "write `[site]`"),
    ("database", "write `[sql.NAME]`"),
    ("postgres", "write `[sql.NAME]`"),
    ("redis", "write `[kv.NAME]`"),
    ("cache", "write `[http.cache]` for pages, `[kv.NAME]` for an app's own data"),
    ("tls", "write `tls` in `[http]`"),
    ("listen", "write `listen` in `[http]`"),
    ("port", "write `listen = \"127.0.0.1:8080\"` in `[http]`"),
    ("env", "write `env` in `[app.NAME]`"),
    ("run", "write `run` in `[app.NAME]`"),
]);

fn name(text: &str) -> Result<(), Fault> {
    if text.is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
        return Err(Fault::new(format!("{text:?} is no name")).hint("1 to 64 characters"));
    }
    Ok(())
}
