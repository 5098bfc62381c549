use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::value::join;
use crate::{Entry, Fault, Item, Key, Kind, Place, Report, Section, Table, Value, World, nearest, scalar};

/// Reads a file by its definition: every problem is in the report, what was good is in the table.
///
/// `file` is the name to print.
pub fn read(file: &str, text: &str, section: &'static Section, world: &World) -> (Table, Report) {
    let mut report = Report::new(file, text);
    let (toml, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { report: &mut report, root: section, world };
    let table = reader.table(section, "", Place { line: 1, column: 1 }, toml.get_ref());
    if errors.is_empty() {
        return (table, report);
    }
    syntax(text, &errors, &mut report);
    (table, report)
}

/// Tells of the syntax, and no more of what a broken line or the table under a broken header was taken for.
fn syntax(text: &str, errors: &[toml::de::Error], report: &mut Report) {
    let places: Vec<Place> = errors.iter().map(|error| report.place(error.span().map_or(0, |span| span.start))).collect();
    let is_broken = |line: usize| places.iter().any(|place| place.line == line);
    let headers: Vec<usize> =
        (1..).zip(text.lines()).filter(|(_, line)| line.trim_start().starts_with('[')).map(|(line, _)| line).collect();
    let header = |line: usize| headers.iter().rev().find(|header| **header <= line).copied().unwrap_or(0);
    report.problems.retain(|problem| !problem.place.is_some_and(|place| is_broken(place.line) || is_broken(header(place.line))));
    let mut told = 0;
    for (error, place) in errors.iter().zip(&places) {
        if std::mem::replace(&mut told, place.line) != place.line {
            let message = error.message().replace('\n', ", ");
            report.problem(*place, Fault { suggestion: syntax_hint(&message), reason: format!("this is no TOML: {message}") });
        }
    }
}

struct Reader<'a> {
    report: &'a mut Report,
    root: &'static Section,
    world: &'a World,
}

impl Reader<'_> {
    fn table(&mut self, section: &'static Section, path: &str, place: Place, toml: &DeTable<'_>) -> Table {
        let mut table = Table { section, path: path.into(), place, entries: Vec::new() };
        let mut pairs: Vec<_> = toml.iter().collect();
        pairs.sort_by_key(|(key, _)| key.span().start);
        for (name, value) in pairs {
            let place = self.report.place(name.span().start);
            let name: &str = name.get_ref();
            if let Some(key) = self.definition(section, path, name, value.get_ref().is_table(), place) {
                let item = self.entry(key, &join(path, name), place, value);
                table.entries.push(Entry { name: name.into(), key, place, item });
            }
        }
        for key in section.keys.iter().filter(|key| key.required && !table.has(key.name)) {
            self.report.problem(
                place,
                Fault::new(format!("{} needs `{}`", shown(path), key.name)).hint(format!("add it: {}", key.kind.expects())),
            );
        }
        if let Some(rule) = section.rule {
            rule(&table, self.report);
        }
        table
    }

    fn definition(&mut self, section: &'static Section, path: &str, name: &str, table: bool, place: Place) -> Option<&'static Key> {
        if let Some(key) = section.key(name) {
            return Some(key);
        }
        let Some(named) = section.named else {
            let fault = self.unknown(section, path, name, table);
            self.report.problem(place, fault);
            return None;
        };
        if let Err(fault) = (named.name)(name) {
            self.report.problem(place, fault);
        }
        Some(&named.key)
    }

    fn entry(&mut self, key: &'static Key, path: &str, place: Place, toml: &Spanned<DeValue<'_>>) -> Option<Item> {
        let is_header = matches!(toml.get_ref(), DeValue::Table(_)) && key.kind.section().is_some();
        let item = self.value(&key.kind, path, place, toml);
        if !key.built {
            let name = if is_header { shown(path) } else { format!("`{path}`") };
            self.report.problem(place, not_built(&name));
        }
        item
    }

    fn value(&mut self, kind: &'static Kind, path: &str, key: Place, toml: &Spanned<DeValue<'_>>) -> Option<Item> {
        let place = self.report.place(toml.span().start);
        let value = match (kind, toml.get_ref()) {
            (Kind::Unbuilt(inner), _) => {
                let item = self.value(inner, path, key, toml);
                self.report.problem(key, not_built(&format!("`{path}` as {}", inner.expects())));
                return item;
            }
            (Kind::Either(kinds), value) => match kinds.iter().find(|kind| fits(kind, value)) {
                Some(kind) => return self.value(kind, path, key, toml),
                None => Err(scalar::mismatch(kind, value)),
            },
            (Kind::Table(section), DeValue::Table(inner)) => Ok(Value::Table(self.table(section, path, key, inner))),
            (Kind::Table(section), other) => Err(self.not_a_table(kind, section, path, other)),
            (Kind::List(inner) | Kind::OneOrMany(inner), DeValue::Array(items)) => {
                let read: Vec<Item> =
                    items.iter().filter_map(|item| self.value(inner, path, self.report.place(item.span().start), item)).collect();
                if read.is_empty() && !items.is_empty() {
                    return None;
                }
                Ok(Value::List(read))
            }
            (Kind::OneOrMany(inner), _) => {
                let item = self.value(inner, path, key, toml)?;
                return Some(Item { place, value: Value::List(vec![item]) });
            }
            (kind, value) => self.scalar(kind, path, place, value),
        };
        match value {
            Ok(value) => Some(Item { value, place }),
            Err(fault) => {
                self.report.problem(place, Fault { reason: format!("`{path}`: {}", fault.reason), suggestion: fault.suggestion });
                None
            }
        }
    }

    fn scalar(&mut self, kind: &Kind, path: &str, place: Place, toml: &DeValue<'_>) -> Result<Value, Fault> {
        let value = scalar::read(kind, toml, self.world)?;
        if scalar::is_exposed(kind, toml) {
            let fault = Fault::new(format!("`{path}` is a secret in plain text"));
            self.report.warning(place, fault.hint("write { env = \"NAME\" }, { file = \"path\" } or { command = \"…\" }"));
        }
        if matches!(value, Value::Secret(_))
            && let Some(name) = scalar::variable_of(toml)
            && !self.report.secret_variables.iter().any(|known| known == name)
        {
            self.report.secret_variables.push(name.into());
        }
        Ok(value)
    }

    fn not_a_table(&self, kind: &Kind, section: &Section, path: &str, other: &DeValue<'_>) -> Fault {
        let roof = path.rsplit_once('.').map_or("", |(roof, _)| roof);
        let is_name =
            self.root.keys.iter().any(|key| key.name == roof && key.kind.section().is_some_and(|section| section.named.is_some()));
        let key = path.rsplit('.').next().unwrap_or(path);
        if is_name && section.key(key).is_some() {
            return Fault::new(format!("`{key}` stands where a name belongs"))
                .hint(format!("write it below [{roof}.NAME], with a name of your choice"));
        }
        scalar::mismatch(kind, other)
    }

    fn unknown(&self, section: &'static Section, path: &str, name: &str, table: bool) -> Fault {
        let fault = Fault::new(match table {
            true => format!("unknown section `[{}]`", join(path, name)),
            false => format!("unknown key `{name}` in {}", shown(path)),
        });
        if let Some((_, hint)) = section.mistaken.iter().find(|(mistaken, _)| *mistaken == name) {
            return fault.hint(*hint);
        }
        if let Some(near) = nearest(name, section.keys.iter().map(|key| key.name)) {
            return fault.hint(format!("did you mean `{near}`?"));
        }
        let mut places = Vec::new();
        find(self.root, "", name, &mut places);
        if !places.is_empty() {
            return fault.hint(format!("it belongs in {}", places.join(" or ")));
        }
        let known: Vec<&str> = section.keys.iter().map(|key| key.name).collect();
        fault.hint(format!("known here: {}", known.join(", ")))
    }
}

/// Whether a value has the shape that a kind reads.
fn fits(kind: &Kind, toml: &DeValue<'_>) -> bool {
    match kind {
        Kind::Bool => toml.is_bool(),
        Kind::Integer(..) => toml.is_integer(),
        Kind::Share => toml.is_integer() || toml.is_float(),
        Kind::Secret | Kind::Url(_) => toml.is_str() || toml.is_table(),
        Kind::Variable => toml.is_str() || toml.is_table() || toml.is_integer() || toml.is_bool(),
        Kind::Command => toml.is_str() || toml.is_array(),
        Kind::List(_) => toml.is_array(),
        Kind::OneOrMany(inner) => toml.is_array() || fits(inner, toml),
        Kind::Table(_) => toml.is_table(),
        Kind::Either(kinds) => kinds.iter().any(|kind| fits(kind, toml)),
        Kind::Unbuilt(inner) => fits(inner, toml),
        _ => toml.is_str(),
    }
}

/// Every section that knows a key of this name.
fn find(section: &Section, path: &str, name: &str, places: &mut Vec<String>) {
    if section.keys.iter().any(|key| key.name == name && key.built) {
        places.push(shown(path));
    }
    for key in section.keys.iter().chain(section.named.map(|named| &named.key)).filter(|key| key.built) {
        if let Some(inner) = key.kind.section() {
            find(inner, &if path.is_empty() { key.name.into() } else { format!("{path}.{}", key.name) }, name, places);
        }
    }
}

fn not_built(what: &str) -> Fault {
    Fault::new(format!("{what} is not built yet")).hint("remove it; a later version will take it as it is written")
}

/// A table's name as people write it.
fn shown(path: &str) -> String {
    if path.is_empty() { "the file".into() } else { format!("`[{path}]`") }
}

fn syntax_hint(message: &str) -> Option<String> {
    let hint = if message.contains("duplicate key") {
        "a key or a table is written once: join the two"
    } else if message.contains("string values must be quoted")
        || message.contains("invalid mantissa")
        || message.contains("invalid unquoted")
    {
        "put texts between double quotes"
    } else {
        return None;
    };
    Some(hint.into())
}

#[cfg(test)]
mod tests;
