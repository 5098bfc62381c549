//! Keys of a database whose rooms come later: checked now, then refused by name.

use settings::{Fault, Key, Kind, Section};

use super::POSTGRES;

pub(super) const STANDBY: Key = Key::new("standby", POSTGRES, "The server that takes over.").unbuilt();

pub(super) const REPLICAS: Key = Key::new("replicas", Kind::OneOrMany(&POSTGRES), "Servers that read.").unbuilt();

pub(super) const SHARDS: Key = Key::new("shards", Kind::Table(&SHARED_OUT), "Servers that share the rows.").unbuilt();

const SHARED_OUT: Section = Section::new(
    "Servers that share the rows.",
    &[
        Key::new("key", Kind::Text("a column such as \"users.id\"", column), "The column that decides.").required(),
        Key::new("by", Kind::Choice(&["hash", "range", "list"]), "How it decides.").default("hash"),
        Key::new("servers", Kind::List(&POSTGRES), "The servers, in order.").required(),
    ],
);

fn column(text: &str) -> Result<(), Fault> {
    match text.split_once('.') {
        Some((table, column)) if !table.is_empty() && !column.is_empty() => Ok(()),
        _ => Err(Fault::new(format!("\"{text}\" is no column")).hint("write \"table.column\"")),
    }
}
