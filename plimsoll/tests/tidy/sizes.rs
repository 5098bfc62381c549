//! Files, functions and module heads stay small; rustfmt's layout tells where a function ends.

use crate::allowed::{LONG_FILES, LONG_FUNCTIONS};
use crate::source::Source;

const FILE: usize = 400;
const FUNCTION: usize = 60;
const HEAD: usize = 10;

pub fn offences(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut offences = Vec::new();
    if source.product > FILE && !LONG_FILES.iter().any(|(allowed, _)| allowed == path) {
        offences
            .push(format!("{path}: {} lines without tests; split it by concept into files of about 150 (limit {FILE})", source.product));
    }
    let head = head(&source.text);
    if head > HEAD {
        offences.push(format!(
            "{path}: {head} lines of module head; say what it does and does not do in {HEAD}, the rest belongs beside the code"
        ));
    }
    for (name, line, length) in functions(source) {
        if length > FUNCTION && !LONG_FUNCTIONS.iter().any(|(file, function, _)| (*file, *function) == (path, &name)) {
            offences.push(format!("{path}:{line}: fn {name} has {length} lines; name its steps as functions (limit {FUNCTION}, aim 10)"));
        }
    }
    offences
}

/// Lines of the module's head; an example in it, between fences, does not count.
fn head(text: &str) -> usize {
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    let mut example = false;
    let mut count = 0;
    for line in lines {
        match line.starts_with("//! ```") {
            true => example = !example,
            false => count += usize::from(!example),
        }
    }
    count
}

/// Name, first line and length of each function of the product.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = source.text.lines().take(source.product).collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end =
            lines[at..].iter().position(|line| line.strip_prefix(indent).is_some_and(|rest| rest == "}" || rest.starts_with(['}', ';'])));
        let one_line = line.ends_with('}') || line.ends_with(';');
        found.extend(end.filter(|_| !one_line).map(|end| (name, at + 1, end + 1)));
    }
    found
}

fn function(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let modifiers = ["pub", "const", "async", "unsafe", "extern"];
    let known = |word: &str| modifiers.contains(&word) || word.starts_with("pub(") || word.ends_with(')') || word.starts_with('"');
    let name = after.split(['(', '<']).next()?;
    (before.split_whitespace().all(known) && !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .then(|| name.to_owned())
}

#[test]
fn a_long_function_is_seen_and_a_short_one_is_not() {
    let long = format!("//! X.\n    pub(crate) async fn long(a: u8) {{\n{}    }}\n\nfn short() {{\n}}\n", "        step();\n".repeat(70));
    let product = long.lines().count();
    let source = Source { path: "path/http/src/x.rs".into(), text: long, product };
    let lengths: Vec<_> = functions(&source).into_iter().map(|(name, _, length)| (name, length)).collect();
    assert_eq!(lengths, [("long".to_owned(), 72), ("short".to_owned(), 2)]);
    assert_eq!(offences(&source).len(), 1);
}
