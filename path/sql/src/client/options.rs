//! The startup parameter `options`: a command line whose switches set parameters.

use super::startup::Setting;
use crate::error::{Fault, code};

/// The parameters of `-c name=value` and `--name=value`, in order, names with `_` for `-`.
///
/// Blanks divide; a backslash keeps the character behind it (`pg_split_opts` of Postgres).
pub(super) fn read(line: &str) -> Result<Vec<Setting>, Fault> {
    let (words, mut found) = (split(line), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let setting = match word.as_bytes() {
            [b'-', b'-', ..] => &word[2..],
            [b'-', b'c'] => words.next().ok_or_else(|| invalid(word))?,
            [b'-', b'c', ..] => &word[2..],
            _ => return Err(invalid(word)),
        };
        let (name, value) = setting.split_once('=').ok_or_else(|| valueless(word, setting))?;
        found.push((name.replace('-', "_").into(), value.into()));
    }
    Ok(found)
}

fn split(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(characters.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

fn invalid(word: &str) -> Fault {
    Fault::new(code::SYNTAX_ERROR, format!("invalid command-line argument for server process: {word}"))
        .hint("In \"options\" only \"-c name=value\" and \"--name=value\" are understood.")
}

fn valueless(word: &str, setting: &str) -> Fault {
    let dashes = if word.starts_with("--") { "--" } else { "-c " };
    Fault::new(code::SYNTAX_ERROR, format!("{dashes}{setting} requires a value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str) -> Vec<(String, String)> {
        read(line).unwrap().into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    fn one(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.into(), value.into())]
    }

    #[test]
    fn switches_set_parameters_as_in_postgres() {
        assert_eq!(seen("-c a=b"), one("a", "b"));
        assert_eq!(seen("  -cWork_Mem=4MB "), one("Work_Mem", "4MB"));
        assert_eq!(seen("--statement-timeout=5s"), one("statement_timeout", "5s"));
        assert_eq!(seen(r"-c search_path=a\ b,\\c"), one("search_path", r"a b,\c"));
        assert_eq!(seen("-c a="), one("a", ""));
        assert_eq!(seen("-c a=b=c"), one("a", "b=c"));
        assert_eq!(seen("-c a=b --c=d").len(), 2);
        assert!(seen(" ").is_empty());
    }

    #[test]
    fn what_sets_nothing_is_refused() {
        for bad in ["-c", "x", "-x", "-d 5", "-c a", "--a", r"\"] {
            assert_eq!(read(bad).unwrap_err().code, code::SYNTAX_ERROR, "{bad}");
        }
        assert_eq!(read("--a").unwrap_err().message, "--a requires a value");
        assert_eq!(read("-c a").unwrap_err().message, "-c a requires a value");
    }
}
