//! What `/metrics` says: valid Prometheus text, every family of it in docs/metrics.md, and nothing there that is not scraped.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::wire::Login;
use testkit::{Plimsoll, Redis, Wire, app_command, get, request, serve_app, until};

/// Families by name: type and names of labels.
type Families = BTreeMap<String, (String, BTreeSet<String>)>;

fn scrape(plimsoll: &Plimsoll) -> String {
    let answer = get(&plimsoll.doors().console, "/metrics").unwrap();
    assert_eq!(answer.status, 200);
    let kind = answer.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
    String::from_utf8(answer.body).unwrap()
}

/// Every row of the page that begins with a name in backquotes: name, type, labels, meaning.
fn documented() -> Families {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split(',').map(|label| label.trim().trim_matches('`').to_string()).filter(|label| !label.is_empty());
        (cells[1].trim_matches('`').to_string(), (cells[2].to_string(), labels.collect()))
    })
    .collect()
}

/// Reads Prometheus text as strictly as `promtool check metrics` does; panics with the line that is wrong.
fn families(text: &str) -> Families {
    let (mut families, mut series) = (Families::new(), BTreeSet::new());
    let (mut helped, mut current) = ("", "");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
            assert!(!help.trim().is_empty(), "no help: {line}");
            helped = name;
        } else if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (name, kind) = typed.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
            assert_eq!(name, helped, "HELP and TYPE belong together: {line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "counters and only counters end in _total: {line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert!(families.insert(name.to_string(), (kind.to_string(), BTreeSet::new())).is_none(), "twice: {line}");
            current = name;
        } else {
            let (name, labels) = sample(line);
            let (kind, known) = families.get_mut(current).unwrap_or_else(|| panic!("a sample before its TYPE: {line}"));
            let base = if kind == "histogram" { histogram_base(name) } else { name };
            assert_eq!(base, current, "a sample of another family: {line}");
            assert!(series.insert(line.rsplit_once(' ').map(|(key, _)| key)), "the same series twice: {line}");
            known.extend(labels.into_iter().filter(|label| *label != "le").map(str::to_string));
        }
    }
    families
}

fn histogram_base(name: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// A sample's name and the names of its labels.
fn sample(line: &str) -> (&str, Vec<&str>) {
    let (name, mut rest) = line.split_at(line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}")));
    assert!(is_name(name), "not a name: {line}");
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("not a label: {line}"));
            assert!(is_name(label), "not a label: {line}");
            labels.push(label);
            rest = &value[closing_quote(value).unwrap_or_else(|| panic!("a value without an end: {line}")) + 1..];
            let Some(more) = rest.strip_prefix(',') else { break };
            rest = more;
        }
        rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("labels without an end: {line}"));
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no value: {line}"));
    assert!(value.parse::<f64>().is_ok_and(|value| !value.is_nan()), "not a number: {line}");
    (name, labels)
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    name.starts_with(is_letter) && name.chars().all(|letter| is_letter(letter) || letter.is_ascii_digit())
}

fn closing_quote(value: &str) -> Option<usize> {
    let mut escaped = false;
    value.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Where the prometheus package is installed, its own tool is asked too.
fn ask_promtool(text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut promtool) = command.spawn() else { return };
    // node_exporter's names for memory are the field's, whatever promtool thinks of their capitals.
    let text: String = text.lines().filter(|line| !line.contains("node_memory_")).map(|line| format!("{line}\n")).collect();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn busy_plimsoll() -> Plimsoll {
    let app = app_command();
    let file = format!(
        "name = \"shop\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[console]\nlisten = \"127.0.0.1:0\"\n[app.shop]\nrun = {app}\nhealth = \"/healthz\"\n"
    );
    let plimsoll = Plimsoll::start(env!("CARGO_BIN_EXE_plimsoll"), &file);
    assert_eq!(get(plimsoll.http(), "/hello").unwrap().status, 200);
    assert_eq!(request(plimsoll.http(), "POST", "/hello", &[], b"x").unwrap().status, 200);
    plimsoll
}

/// What there is only once a nightly dump was made.
const AFTER_A_NIGHT: [&str; 2] = ["postgres_dump_age_seconds", "postgres_dump_bytes"];

fn use_the_database(plimsoll: &Plimsoll) {
    let state = plimsoll.folder().join("state");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let output = command.args(["db", "url", "--json", "--file"]).arg(plimsoll.path()).arg("--state").arg(state).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error} in {output:?}"));
    let login = Login { password: told["password"].as_str().unwrap().into(), ..Login::new("main", "main") };
    Wire::connect(plimsoll.sql(), &login).unwrap().query("SELECT 1").unwrap();
}

#[test]
#[ignore = "the app of the other tests"]
fn app() {
    serve_app();
}

#[test]
fn the_page_and_the_scrape_agree() {
    let plimsoll = busy_plimsoll();
    use_the_database(&plimsoll);
    assert!(Redis::connect(plimsoll.kv()).unwrap().ask("GET").unwrap().starts_with("-ERR"));
    assert_eq!(Redis::connect(plimsoll.kv()).unwrap().ask("GET a").unwrap(), "nil");
    until("the embedded server was looked at", || scrape(&plimsoll).contains("postgres_memory_bytes"));
    // Counted when the answer has ended, which its reader may see first.
    until("a request is counted", || scrape(&plimsoll).contains("http_requests_total{"));
    let text = scrape(&plimsoll);
    ask_promtool(&text);
    let (scraped, documented) = (families(&text), documented());
    for (name, (kind, labels)) in &scraped {
        let Some((told, explained)) = documented.get(name) else { panic!("document `{name}` ({kind}, {labels:?}) in docs/metrics.md") };
        assert_eq!((kind, labels), (told, explained), "docs/metrics.md is wrong about {name}");
    }
    for name in documented.keys().filter(|name| !AFTER_A_NIGHT.contains(&name.as_str())) {
        assert!(scraped.contains_key(name), "docs/metrics.md tells of {name}, which is not scraped:\n{text}");
    }
}

#[test]
fn requests_are_counted_and_the_console_is_well() {
    let plimsoll = busy_plimsoll();
    let counted = |method: &str| {
        let text = scrape(&plimsoll);
        let wanted = format!("method=\"{method}\"");
        let line = text.lines().find(|line| {
            line.starts_with("http_requests_total{")
                && line.contains("app=\"shop\"")
                && line.contains("status=\"200\"")
                && line.contains(&wanted)
        });
        line.and_then(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
    };
    until("both requests are counted", || counted("GET") == Some(1) && counted("POST") == Some(1));
    let text = scrape(&plimsoll);
    for tier in ["http", "app.shop", "machine"] {
        assert!(text.contains(&format!("load{{tier=\"{tier}\"}} ")), "{text}");
    }
    let health = || get(&plimsoll.doors().console, "/healthz").unwrap();
    // On a machine that does much else a loop may need more than a second once.
    until("every part is well", || health().status == 200);
    assert!(String::from_utf8_lossy(&health().body).starts_with("{\"ok\":"));
}

/// Its own lines and an app's, in files and by the verb, while it runs and afterwards.
#[test]
fn logs_are_kept_and_shown() {
    let mut plimsoll = busy_plimsoll();
    let state = plimsoll.folder().join("state").display().to_string();
    let logs = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(["logs", "--state", &state]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    until("the app's line is there", || logs(&["shop"]).1.contains("Z shop.1 | serving\n"));
    let (code, text, _) = logs(&["-n", "1", "shop", "--json"]);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, line["stream"].as_str()), (Some(0), Some("shop")), "{text}");
    assert!(logs(&["plimsoll"]).1.contains("info "), "{}", logs(&["plimsoll"]).1);
    let (code, _, reason) = logs(&["shap"]);
    assert!(code == Some(1) && reason.contains("there are: plimsoll, shop"), "{reason}");
    assert!(plimsoll.stop().log.contains("shop.1 | serving\n"));
    assert!(logs(&[]).1.contains("shop.1 | serving"));
}
