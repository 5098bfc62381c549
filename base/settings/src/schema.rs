use std::fmt;

use crate::{Fault, Report, Table};

/// What a change of a key costs while Plimsoll runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Nothing: the next request sees it.
    Live,
    /// The app's instances are replaced, the old ones drained.
    Drain,
    /// Plimsoll must be stopped and started; `reload` refuses the change by name.
    Restart,
}

/// A table of the file: the one definition of its keys, from which reading, checks, marks and the reference come.
#[derive(Debug)]
pub struct Section {
    /// What it is for, a sentence or two.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
    /// When names are the user's choice (`[app.NAME]`): what stands under each.
    pub named: Option<&'static Named>,
    /// What must hold between keys; called with every key read, good or bad.
    pub rule: Option<fn(&Table, &mut Report)>,
    /// Names that people write here by mistake, and what they should do instead.
    pub mistaken: &'static [(&'static str, &'static str)],
}

/// What stands under the names of a section that the user chooses.
#[derive(Debug)]
pub struct Named {
    /// What a name is allowed to be.
    pub name: fn(&str) -> Result<(), Fault>,
    /// The key; its own name (`NAME`) stands for the user's in the reference.
    pub key: Key,
}

/// One key of a section.
#[derive(Debug)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// The value when it is absent, as it would be written without quotes.
    pub default: Option<&'static str>,
    /// What a change costs.
    pub mark: Mark,
    /// Whether its tier exists; otherwise its value is checked and the key then refused by name.
    pub built: bool,
    /// Whether its section makes no sense without it.
    pub required: bool,
    /// What it does.
    pub doc: &'static str,
}

/// What a value may be.
#[derive(Debug)]
pub enum Kind {
    /// true or false.
    Bool,
    /// A whole number between two bounds, both allowed.
    Integer(i64, i64),
    /// A number above 0, up to 1.
    Share,
    /// A size between two bounds of bytes, both allowed.
    Size(u64, u64),
    /// A duration between two bounds of milliseconds, both allowed.
    Duration(u64, u64),
    /// So many in a time.
    Rate,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A text that a function accepts; the first part says what it is.
    Text(&'static str, fn(&str) -> Result<(), Fault>),
    /// An address to listen on.
    Listen,
    /// A URL with one of these schemes; one that carries a password is a secret.
    Url(&'static [&'static str]),
    /// A path, relative to the file.
    Path,
    /// A command: a text, split as a shell would, or a list of words.
    Command,
    /// A secret: `{ env = … }`, `{ file = … }`, `{ command = … }`, or with a warning plain text.
    Secret,
    /// The value of an environment variable: text, a number, true or false, or a secret.
    Variable,
    /// A list.
    List(&'static Kind),
    /// One value or a list of them; always read as a list.
    OneOrMany(&'static Kind),
    /// A table.
    Table(&'static Section),
    /// The first of these whose shape (text, number, table, …) fits.
    Either(&'static [Kind]),
    /// Checked, then refused: not built yet.
    Unbuilt(&'static Kind),
}

impl Key {
    /// An optional, built, live key.
    pub const fn new(name: &'static str, kind: Kind, doc: &'static str) -> Key {
        Key { name, kind, default: None, mark: Mark::Live, built: true, required: false, doc }
    }

    /// With a default, as it would be written without quotes.
    #[must_use]
    pub const fn default(mut self, value: &'static str) -> Key {
        self.default = Some(value);
        self
    }

    /// A change replaces the app's instances.
    #[must_use]
    pub const fn drain(mut self) -> Key {
        self.mark = Mark::Drain;
        self
    }

    /// A change needs a stop and a start.
    #[must_use]
    pub const fn restart(mut self) -> Key {
        self.mark = Mark::Restart;
        self
    }

    /// Its tier does not exist yet.
    #[must_use]
    pub const fn unbuilt(mut self) -> Key {
        self.built = false;
        self
    }

    /// Its section needs it.
    #[must_use]
    pub const fn required(mut self) -> Key {
        self.required = true;
        self
    }
}

impl Section {
    /// A section of fixed keys without a rule.
    pub const fn new(doc: &'static str, keys: &'static [Key]) -> Section {
        Section { doc, keys, named: None, rule: None, mistaken: &[] }
    }

    /// A section whose names the user chooses.
    pub const fn named(doc: &'static str, named: &'static Named) -> Section {
        Section { doc, keys: &[], named: Some(named), rule: None, mistaken: &[] }
    }

    /// With what must hold between keys.
    #[must_use]
    pub const fn rule(mut self, rule: fn(&Table, &mut Report)) -> Section {
        self.rule = Some(rule);
        self
    }

    /// With names that people write by mistake.
    #[must_use]
    pub const fn mistaken(mut self, names: &'static [(&'static str, &'static str)]) -> Section {
        self.mistaken = names;
        self
    }

    /// The key of this name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Kind {
    /// The section of a table, or of a list's tables.
    pub fn section(&self) -> Option<&'static Section> {
        match self {
            Kind::Table(section) => Some(section),
            Kind::List(kind) | Kind::OneOrMany(kind) | Kind::Unbuilt(kind) => kind.section(),
            Kind::Either(kinds) => kinds.iter().find_map(Kind::section),
            _ => None,
        }
    }

    /// What is accepted, in words: `a size such as "10MB"`.
    pub fn expects(&self) -> String {
        match self {
            Kind::Bool => "true or false".into(),
            Kind::Integer(min, i64::MAX) => format!("a whole number from {min}"),
            Kind::Integer(min, max) => format!("a whole number from {min} to {max}"),
            Kind::Share => "a share above 0, up to 1".into(),
            Kind::Size(..) => "a size such as \"10MB\"".into(),
            Kind::Duration(..) => "a duration such as \"30s\"".into(),
            Kind::Rate => "a rate such as \"100/min\"".into(),
            Kind::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
            Kind::Text(what, _) => (*what).into(),
            Kind::Listen => "an address such as \"127.0.0.1:8080\"".into(),
            Kind::Url(schemes) => format!("a URL such as \"{}://…\"", schemes[0]),
            Kind::Path => "a path".into(),
            Kind::Command => "a command: a text or a list of words".into(),
            Kind::Secret => "a secret: { env = \"NAME\" }, { file = \"path\" } or { command = \"…\" }".into(),
            Kind::Variable => "a text or a secret".into(),
            Kind::List(kind) => format!("a list, each {}", kind.expects()),
            Kind::OneOrMany(kind) => format!("{}, or a list of those", kind.expects()),
            Kind::Table(section) if section.named.is_some() => "a table".into(),
            Kind::Table(section) => {
                let keys: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
                format!("a table of {}", keys.join(", "))
            }
            Kind::Either(kinds) => kinds.iter().map(Kind::expects).collect::<Vec<_>>().join(", or "),
            Kind::Unbuilt(kind) => kind.expects(),
        }
    }
}

impl Mark {
    /// What it means, for people.
    pub fn meaning(self) -> &'static str {
        match self {
            Mark::Live => "reload changes it at once",
            Mark::Drain => "reload replaces the app's instances and drains the old ones",
            Mark::Restart => "needs a stop and a start",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Mark::Live => "live",
            Mark::Drain => "drain",
            Mark::Restart => "restart",
        })
    }
}
