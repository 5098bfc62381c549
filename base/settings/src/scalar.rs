//! Values that are no tables or lists of their own: from TOML, and from the text of a default.

use std::ops::RangeInclusive;

use toml::de::{DeString, DeTable, DeValue};

use crate::units::{duration_choices, parse_duration, parse_rate, parse_size, rate_choices, show_duration, show_size, size_choices};
use crate::{Fault, Key, Kind, Secret, Value, World, address, command, nearest, secret};

/// Reads a value of a kind that is neither table nor list.
pub fn read(kind: &Kind, toml: &DeValue<'_>, world: &World) -> Result<Value, Fault> {
    match (kind, toml) {
        (Kind::Bool, DeValue::Boolean(answer)) => Ok(Value::Bool(*answer)),
        (Kind::Integer(min, max), DeValue::Integer(_)) => integer(toml, *min..=*max).map(Value::Integer),
        (Kind::Share, DeValue::Integer(_) | DeValue::Float(_)) => share(toml),
        (Kind::Secret, DeValue::Table(table)) => from_elsewhere(table, world).map(Value::Secret),
        (Kind::Url(schemes), DeValue::Table(table)) => {
            let secret = from_elsewhere(table, world)?;
            address::parse_url(secret.reveal(), schemes)?;
            Ok(Value::Secret(secret))
        }
        (Kind::Variable, DeValue::Table(table)) => from_elsewhere(table, world).map(Value::Secret),
        (Kind::Variable, DeValue::Integer(_)) => integer(toml, i64::MIN..=i64::MAX).map(|number| Value::Text(number.to_string())),
        (Kind::Variable, DeValue::Boolean(answer)) => Ok(Value::Text(answer.to_string())),
        (Kind::Command, DeValue::Array(_)) => words(toml).map(Value::Command),
        (_, DeValue::String(text)) => from_text(kind, text, world),
        _ => Err(mismatch(kind, toml)),
    }
}

/// The default of a key, when it has one.
pub fn default(key: &Key) -> Option<Value> {
    let text = key.default?;
    let kind = match key.kind {
        Kind::Either(kinds) => &kinds[0],
        ref kind => kind,
    };
    let value = match kind {
        Kind::Bool => Ok(Value::Bool(text == "true")),
        Kind::Integer(..) => text.parse().map(Value::Integer).map_err(|_| Fault::new(text)),
        Kind::Size(..) => parse_size(text).map(Value::Size),
        Kind::Duration(..) => parse_duration(text).map(Value::Duration),
        _ => Ok(Value::Text(text.into())),
    };
    Some(value.unwrap_or_else(|fault| unreachable!("the default of `{}` is good: {}", key.name, fault.reason)))
}

/// A value whose shape does not fit.
pub fn mismatch(kind: &Kind, toml: &DeValue<'_>) -> Fault {
    let number = match toml {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    match (kind, number) {
        (Kind::Size(..), Some(number)) => Fault::new("the size has no unit").hint(size_choices(number)),
        (Kind::Duration(..), Some(number)) => Fault::new("the duration has no unit").hint(duration_choices(number)),
        (Kind::Rate, Some(number)) => Fault::new("the rate has no period").hint(rate_choices(number)),
        (Kind::Listen, Some(number)) => Fault::new("a port alone is no address")
            .hint(format!("write \"127.0.0.1:{number}\" for this machine only or \":{number}\" for everyone")),
        _ => Fault::new(format!("{} does not fit here", shape(toml))).hint(format!("write {}", kind.expects())),
    }
}

/// Whether a plain text in the file gives a secret away to more than this machine.
pub fn is_exposed(kind: &Kind, toml: &DeValue<'_>) -> bool {
    match (kind, toml) {
        (Kind::Secret, DeValue::String(_)) => true,
        (Kind::Url(schemes), DeValue::String(text)) => {
            address::parse_url(text, schemes).is_ok_and(|url| url.password && !url.is_loopback())
        }
        _ => false,
    }
}

/// The name of the environment variable that a secret is taken from.
pub fn variable_of<'a>(toml: &'a DeValue<'_>) -> Option<&'a str> {
    toml.as_table()?.get("env")?.get_ref().as_str()
}

fn from_text(kind: &Kind, text: &DeString<'_>, world: &World) -> Result<Value, Fault> {
    match kind {
        Kind::Size(min, max) => bounded(parse_size(text)?, *min..=*max, show_size).map(Value::Size),
        Kind::Duration(min, max) => {
            let duration = parse_duration(text)?;
            let show = |ms| show_duration(std::time::Duration::from_millis(ms));
            bounded(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), *min..=*max, show)?;
            Ok(Value::Duration(duration))
        }
        Kind::Rate => parse_rate(text).map(Value::Rate),
        Kind::Choice(words) if words.contains(&&**text) => Ok(Value::Text(text.to_string())),
        Kind::Choice(words) => {
            let hint = nearest(text, words.iter().copied())
                .map_or_else(|| format!("write {}", kind.expects()), |near| format!("did you mean \"{near}\"?"));
            Err(Fault::new(format!("\"{text}\" is not known here")).hint(hint))
        }
        Kind::Text(_, check) => check(text).map(|()| Value::Text(text.to_string())),
        Kind::Listen => address::parse_listen(text, world.ipv6).map(Value::Listen),
        Kind::Url(schemes) => {
            let url = address::parse_url(text, schemes)?;
            Ok(if url.password { Value::Secret(Secret::new(text.as_ref())) } else { Value::Text(text.to_string()) })
        }
        Kind::Path if text.is_empty() => Err(Fault::new("the path is empty").hint("write \".\" for the file's own folder")),
        Kind::Path if text.starts_with('~') => Err(Fault::new("`~` is shell syntax").hint("write the whole path")),
        Kind::Path if text.contains('\0') => Err(Fault::new("a path holds no NUL")),
        Kind::Path => Ok(Value::Path(world.path(text))),
        Kind::Command => command::split(text).map(Value::Command),
        Kind::Secret if text.is_empty() => Err(Fault::new("the secret is empty")),
        Kind::Secret => Ok(Value::Secret(Secret::new(text.as_ref()))),
        Kind::Variable if text.contains('\0') => Err(Fault::new("an environment variable holds no NUL")),
        Kind::Variable => Ok(Value::Text(text.to_string())),
        _ => Err(mismatch(kind, &DeValue::String(text.clone()))),
    }
}

fn bounded(number: u64, bounds: RangeInclusive<u64>, show: impl Fn(u64) -> String) -> Result<u64, Fault> {
    if bounds.contains(&number) {
        return Ok(number);
    }
    let (side, limit) = if number < *bounds.start() { ("small: at least", bounds.start()) } else { ("large: at most", bounds.end()) };
    Err(Fault::new(format!("{} is too {side} {}", show(number), show(*limit))))
}

fn integer(toml: &DeValue<'_>, bounds: RangeInclusive<i64>) -> Result<i64, Fault> {
    let number = toml.as_integer().and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
    let number = number.ok_or_else(|| Fault::new("the number is too large"))?;
    if number < *bounds.start() {
        return Err(Fault::new(format!("{number} is too small: at least {}", bounds.start())));
    }
    if number > *bounds.end() {
        return Err(Fault::new(format!("{number} is too large: at most {}", bounds.end())));
    }
    Ok(number)
}

fn share(toml: &DeValue<'_>) -> Result<Value, Fault> {
    let text = match toml {
        DeValue::Integer(number) => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => "",
    };
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    match number {
        number if number > 0.0 && number <= 1.0 => Ok(Value::Share(number)),
        number if number > 1.0 && number <= 100.0 => {
            Err(Fault::new(format!("{number} is no share from 0 to 1")).hint(format!("{number} percent is {}", number / 100.0)))
        }
        _ => Err(Fault::new(format!("{text} is no share from 0 to 1"))),
    }
}

fn words(toml: &DeValue<'_>) -> Result<Vec<String>, Fault> {
    let items = toml.as_array().map(|array| array.iter()).into_iter().flatten();
    let words: Option<Vec<String>> = items.map(|word| word.get_ref().as_str().map(command::verbatim)).collect();
    match words {
        Some(words) if words.first().is_some_and(|program| !program.is_empty()) => Ok(words),
        Some(_) => Err(Fault::new("the command is empty")),
        None => Err(Fault::new("a word of the command is no text").hint("quote every word")),
    }
}

fn from_elsewhere(table: &DeTable<'_>, world: &World) -> Result<Secret, Fault> {
    const WAYS: [&str; 3] = ["env", "file", "command"];
    let mut pairs = table.iter();
    let (Some((key, value)), None) = (pairs.next(), pairs.next()) else {
        return Err(Fault::new("a secret comes from exactly one place")
            .hint("write { env = \"NAME\" }, { file = \"path\" } or { command = \"…\" }"));
    };
    let name: &str = key.get_ref();
    let Some(text) = value.get_ref().as_str().filter(|text| !text.is_empty()) else {
        return Err(Fault::new(format!("`{name}` of a secret must be a text")));
    };
    match name {
        "env" => secret::from_variable(text, world),
        "file" => secret::from_file(text, world),
        "command" => secret::from_command(text, world),
        _ => {
            let hint =
                nearest(name, WAYS).map_or_else(|| "known here: env, file, command".into(), |near| format!("did you mean `{near}`?"));
            Err(Fault::new(format!("a secret cannot come from `{name}`")).hint(hint))
        }
    }
}

/// What a value is, in words.
fn shape(toml: &DeValue<'_>) -> &'static str {
    match toml {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
