use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::scalar;
use crate::units::{show_duration, show_rate, show_size};
use crate::{Key, Mark, Place, Rate, Secret, Section};

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// true or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A share, above 0 and at most 1.
    Share(f64),
    /// Bytes.
    Size(u64),
    /// A time.
    Duration(Duration),
    /// So many in a time.
    Rate(Rate),
    /// A text, a word of a choice or a URL without a password.
    Text(String),
    /// An address to listen on.
    Listen(SocketAddr),
    /// A path, absolute.
    Path(PathBuf),
    /// Words for `expand`.
    Command(Vec<String>),
    /// A secret.
    Secret(Secret),
    /// A list.
    List(Vec<Item>),
    /// A table.
    Table(Table),
}

/// A value and where it stands; the same value elsewhere is equal.
#[derive(Debug, Clone)]
pub struct Item {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub place: Place,
}

/// A key that was written and its value, absent when that was bad.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name; the user's own under a named section.
    pub name: String,
    /// Its definition.
    pub key: &'static Key,
    /// Where the key stands.
    pub place: Place,
    /// Its value, when that was good.
    pub item: Option<Item>,
}

/// A table of the file, checked; equal to one with the same values elsewhere. Keys that are absent or were bad give
/// their defaults.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its definition.
    pub section: &'static Section,
    /// `http.max`.
    pub path: String,
    /// Where it begins.
    pub place: Place,
    /// What was written, in the order of the file.
    pub entries: Vec<Entry>,
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.value == other.value
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        let same = |a: &Entry, b: &Entry| a.name == b.name && a.item == b.item;
        self.entries.len() == other.entries.len() && self.entries.iter().all(|a| other.entries.iter().any(|b| same(a, b)))
    }
}

/// A key of the whole file, for comparison and for `check`.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// `http.max.body`.
    pub key: String,
    /// What a change of it costs.
    pub mark: Mark,
    /// Its line.
    pub line: usize,
    /// Its value.
    pub value: Value,
}

impl Table {
    /// The entry of a key, when it is written, good or bad.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Whether a key is written, good or bad.
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// Where a key is written; where the table begins when it is not.
    pub fn place_of(&self, name: &str) -> Place {
        self.entry(name).map_or(self.place, |entry| entry.place)
    }

    /// The value of a key, when it is written and good.
    pub fn get(&self, name: &str) -> Option<&Item> {
        self.entry(name).and_then(|entry| entry.item.as_ref())
    }

    /// The table under a key, when it is written.
    pub fn table(&self, name: &str) -> Option<&Table> {
        match &self.get(name)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The tables under the names that the user chose.
    pub fn tables(&self) -> impl Iterator<Item = (&Entry, &Table)> {
        self.entries.iter().filter_map(|entry| match &entry.item.as_ref()?.value {
            Value::Table(table) => Some((entry, table)),
            _ => None,
        })
    }

    /// The items of a list; none when it is absent.
    pub fn list(&self, name: &str) -> &[Item] {
        match self.get(name).map(|item| &item.value) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// The text of a key.
    pub fn text(&self, name: &str) -> Option<&str> {
        match &self.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The path of a key.
    pub fn path_of(&self, name: &str) -> Option<&Path> {
        match &self.get(name)?.value {
            Value::Path(path) => Some(path),
            _ => None,
        }
    }

    /// The words of a command.
    pub fn command(&self, name: &str) -> Option<&[String]> {
        match &self.get(name)?.value {
            Value::Command(words) => Some(words),
            _ => None,
        }
    }

    /// The duration of a key that has a default.
    pub fn duration(&self, name: &str) -> Duration {
        match self.value_or_default(name) {
            Value::Duration(duration) => duration,
            other => unreachable!("`{name}` is defined as a duration, not {other:?}"),
        }
    }

    /// The bytes of a key that has a default.
    pub fn size(&self, name: &str) -> u64 {
        match self.value_or_default(name) {
            Value::Size(size) => size,
            other => unreachable!("`{name}` is defined as a size, not {other:?}"),
        }
    }

    /// The whole number, at least 0, of a key that has a default.
    pub fn count(&self, name: &str) -> usize {
        match self.value_or_default(name) {
            Value::Integer(number) => usize::try_from(number).unwrap_or(0),
            other => unreachable!("`{name}` is defined as a whole number, not {other:?}"),
        }
    }

    /// The answer of a key that has a default.
    pub fn bool(&self, name: &str) -> bool {
        match self.value_or_default(name) {
            Value::Bool(answer) => answer,
            other => unreachable!("`{name}` is defined as true or false, not {other:?}"),
        }
    }

    /// The word of a choice that has a default.
    pub fn choice(&self, name: &str) -> String {
        match self.value_or_default(name) {
            Value::Text(word) => word,
            other => unreachable!("`{name}` is defined as a choice, not {other:?}"),
        }
    }

    /// Every key below this table that is written, in the order of the file.
    pub fn written(&self) -> Vec<Written> {
        let mut all = Vec::new();
        for entry in &self.entries {
            match entry.item.as_ref().map(|item| &item.value) {
                Some(Value::Table(table)) => all.extend(table.written()),
                Some(value) => all.push(Written {
                    key: join(&self.path, &entry.name),
                    mark: entry.key.mark,
                    line: entry.place.line,
                    value: value.clone(),
                }),
                None => {}
            }
        }
        all.sort_by_key(|written| written.line);
        all
    }

    /// An empty table of a section: nothing is written, so that every key has its default.
    pub fn empty(section: &'static Section, path: &str) -> Table {
        Table { section, path: path.into(), place: Place { line: 1, column: 1 }, entries: Vec::new() }
    }

    fn value_or_default(&self, name: &str) -> Value {
        if let Some(item) = self.get(name) {
            return item.value.clone();
        }
        let key = self.section.key(name).unwrap_or_else(|| unreachable!("`{name}` is not defined in [{}]", self.path));
        scalar::default(key).unwrap_or_else(|| unreachable!("`{name}` has no default in [{}]", self.path))
    }
}

/// A key below a path, quoted when TOML asks for it.
pub(crate) fn join(path: &str, name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    let name = if bare { name.to_string() } else { format!("{name:?}") };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// As it would be written in the file; a secret stays hidden.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(answer) => write!(f, "{answer}"),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Share(share) => write!(f, "{share}"),
            Value::Size(bytes) => write!(f, "\"{}\"", show_size(*bytes)),
            Value::Duration(duration) => write!(f, "\"{}\"", show_duration(*duration)),
            Value::Rate(rate) => write!(f, "\"{}\"", show_rate(*rate)),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Listen(address) => write!(f, "\"{address}\""),
            Value::Path(path) => write!(f, "{path:?}"),
            Value::Command(words) => write!(f, "{words:?}"),
            Value::Secret(secret) => write!(f, "{secret}"),
            Value::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if index > 0 { ", " } else { "" }, item.value)?;
                }
                f.write_str("]")
            }
            Value::Table(table) => {
                f.write_str("{ ")?;
                for (index, entry) in table.entries.iter().enumerate() {
                    write!(f, "{}{} = ", if index > 0 { ", " } else { "" }, entry.name)?;
                    match &entry.item {
                        Some(item) => write!(f, "{}", item.value)?,
                        None => f.write_str("?")?,
                    }
                }
                f.write_str(" }")
            }
        }
    }
}
