//! Names say what a thing is in the field's words.

use crate::source::Source;

const EMPTY_WORDS: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc", "stuff"];

pub fn offences(source: &Source) -> Vec<String> {
    let path = &source.path;
    let parts = path.split(['/', '.', '_', '-']).filter(|part| EMPTY_WORDS.contains(part));
    let mut offences: Vec<String> = parts
        .map(|part| format!("{path}: `{part}` says nothing; name the file for the one thing it does (DESIGN's glossary, the RFC's words)"))
        .collect();
    if path.ends_with("/mod.rs") {
        offences.push(format!("{path}: call it after its folder, beside it: `accept.rs` and `accept/`"));
    }
    for (line, code) in source.code() {
        let name = declared(code).filter(|name| words(name).iter().any(|word| EMPTY_WORDS.contains(&word.as_str())));
        offences
            .extend(name.map(|name| format!("{path}:{line}: `{name}`: name it for what it is, without manager, helper, common or util")));
    }
    offences
}

/// The name that a line declares.
fn declared(code: &str) -> Option<&str> {
    let mut words = code.split_whitespace().skip_while(|word| !["struct", "enum", "trait", "mod", "fn", "type"].contains(word));
    words.next()?;
    words.next().map(|name| name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
}

/// `PoolManager` and `pool_manager` are both pool and manager.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c.is_uppercase() || c == '_' {
            words.push(String::new());
        }
        words.last_mut().expect("there is always one").extend(c.to_lowercase().filter(|c| *c != '_'));
    }
    words
}

#[test]
fn empty_words_are_seen_inside_names() {
    let source = Source { path: "path/http/src/pool.rs".into(), text: "pub struct PoolManager {\nfn utility() {\n".into(), product: 2 };
    assert_eq!(offences(&source).len(), 1);
    for path in ["path/http/src/http_utils.rs", "path/http/src/accept/mod.rs"] {
        assert_eq!(offences(&Source { path: path.into(), text: String::new(), product: 0 }).len(), 1);
    }
}
