//! Sections whose tiers come later: checked now, then refused by name.

use settings::{Fault, Key, Kind, Named, Section};

const DAY: u64 = 86_400_000;

pub const BACKUP: Section = Section::new(
    "Backups of the database.",
    &[
        Key::new("to", Kind::Url(&["file", "s3"]), "Where they go.").required(),
        Key::new("keep", Kind::Duration(DAY, 3_650 * DAY), "How long they are kept.").default("30d"),
        Key::new("key", Kind::Secret, "The key that encrypts them."),
    ],
);

pub const CLUSTER: Section = Section::new(
    "Many machines.",
    &[
        Key::new("etcd", Kind::OneOrMany(&Kind::Url(&["http", "https"])), "Where the machines meet.").required(),
        Key::new("node", Kind::Text("a name", any), "This machine's name; absent: its host name."),
    ],
);

pub const EDGE: Section = Section::named("", &Named { name: any, key: Key::new("NAME", Kind::Table(&POINT), "").unbuilt() });

const POINT: Section =
    Section::new("A point of presence.", &[Key::new("origin", Kind::Url(&["http", "https"]), "The Plimsoll that it asks.").required()]);

fn any(text: &str) -> Result<(), Fault> {
    if text.is_empty() { Err(Fault::new("the text is empty")) } else { Ok(()) }
}
