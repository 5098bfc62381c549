use std::collections::BTreeMap;

use super::*;
use crate::{Named, Problems, Secret};

static FILE: Section = Section::new(
    "",
    &[
        Key::new("url", Kind::Url(&["postgres"]), ""),
        Key::new("token", Kind::Secret, ""),
        Key::new("size", Kind::Size(1, 100), "").default("7B"),
        Key::new("either", Kind::Either(&[Kind::Integer(1, 9), Kind::Unbuilt(&Kind::Bool)]), ""),
        Key::new("later", Kind::Table(&INNER), "").unbuilt(),
        Key::new("by_name", Kind::Table(&NAMED), ""),
        Key::new("list", Kind::OneOrMany(&Kind::Integer(0, 9)), "").restart(),
    ],
);
static INNER: Section = Section::new("", &[Key::new("size", Kind::Size(1, 100), "").required()]);
static NAMED: Section = Section::named("", &Named { name: |_| Ok(()), key: Key::new("NAME", Kind::Table(&INNER), "").drain() });

fn check(text: &str) -> (Table, Report) {
    let environment: BTreeMap<String, String> = [("A".into(), "hush".into()), ("U".into(), "postgres://a:hush@db".into())].into();
    read("f", text, &FILE, &World { folder: "/".into(), environment, root: false, ipv6: true })
}

fn problems(text: &str) -> String {
    check(text).1.problems.to_string()
}

#[test]
fn a_plain_secret_is_a_warning_unless_it_stays_on_this_machine() {
    let warned = |text: &str| {
        let (_, report) = check(text);
        assert_eq!(report.problems, Problems::none(), "{text}");
        report.warnings.to_string()
    };
    assert!(warned("token = 'hush'").starts_with("f:1:9: `token` is a secret in plain text; "));
    assert!(warned("url = 'postgres://a:hush@db/x'").starts_with("f:1:7: `url` is a secret in plain text; "));
    for fine in ["url = 'postgres://a:hush@127.0.0.1/x'", "url = 'postgres://a@db/x'", "url.env = 'U'", "token.env = 'A'"] {
        assert_eq!(warned(fine), "", "{fine}");
    }
}

#[test]
fn a_secret_is_read_named_and_hidden() {
    let (table, report) = check("token = { env = 'A' }\nurl = { env = 'U' }");
    assert_eq!(report.secret_variables, ["A", "U"]);
    assert!(matches!(&table.get("token").unwrap().value, Value::Secret(secret) if *secret == Secret::new("hush")));
    let shown = format!("{table:?} {} {}", table.get("token").unwrap().value, table.get("url").unwrap().value);
    assert!(!shown.contains("hush"), "{shown}");
    assert!(problems("url = { env = 'A' }").contains("the URL has no scheme"), "what a secret holds is checked too");
}

#[test]
fn what_is_not_built_is_checked_and_refused() {
    assert_eq!(problems("either = 3"), "");
    assert!(problems("either = true").starts_with("f:1:1: `either` as true or false is not built yet"));
    let both = problems("[later]\nsize = 3");
    assert!(both.starts_with("f:1:2: `[later]` is not built yet") && both.contains("f:2:8: `later.size`: the size has no unit"), "{both}");
}

#[test]
fn keys_are_told_with_path_mark_and_value() {
    let (table, report) = check("list = 1\n[by_name.\"a b\"]\nsize = '2B'");
    assert_eq!(report.problems.to_string(), "");
    let told: Vec<String> =
        table.written().iter().map(|written| format!("{} {} {} {}", written.line, written.key, written.mark, written.value)).collect();
    assert_eq!(told, ["1 list restart [1]", "3 by_name.\"a b\".size live \"2B\""]);
}

#[test]
fn a_bad_value_gives_the_default_and_is_still_written() {
    let (table, report) = check("size = '101B'");
    assert_eq!((report.problems.len(), table.size("size"), table.has("size"), table.get("size").is_none()), (1, 7, true, true));
}

#[test]
fn a_broken_header_keeps_its_keys_from_misleading() {
    let report = problems("[by_name.a\nsize = 3\nnonsense = 1\n[by_name.b]\nnonsense = 2");
    let lines: Vec<&str> = report.lines().collect();
    assert!(lines[0].starts_with("f:1:") && lines[0].contains("no TOML"), "{report}");
    assert!(lines[1..].iter().all(|line| line.starts_with("f:4:") || line.starts_with("f:5:")) && lines.len() == 3, "{report}");
}
