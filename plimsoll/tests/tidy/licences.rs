//! Every dependency has a reason in the root manifest and a licence that deny.toml allows.

use std::fs;
use std::path::Path;
use std::process::Command;

pub fn without_reason(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the root manifest lists dependencies");
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let bare = lines.filter(|line| line.contains(" = ") && !line.contains("path = \"") && !line.contains(" # "));
    let mut offences: Vec<String> =
        bare.map(|line| format!("Cargo.toml: say after `{line}` with ` # ` why this crate and what for")).collect();
    for (at, name) in members(root).into_iter().flat_map(|path| own_versions(root, &path)) {
        offences.push(format!("{at}: write `{name}.workspace = true` and put the version with its reason into the root manifest"));
    }
    offences
}

/// Lines of the root manifest that no member takes.
pub fn taken_by_nobody(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the root manifest lists dependencies");
    let names = section.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once(" = ").map(|(name, _)| name));
    let manifests: Vec<String> = members(root).iter().map(|path| fs::read_to_string(root.join(path)).unwrap()).collect();
    let takes = |manifest: &String, name: &str| {
        manifest.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(".workspace") || rest.starts_with(" = ")))
    };
    let idle = names.filter(|name| !manifests.iter().any(|manifest| takes(manifest, name)));
    idle.map(|name| format!("Cargo.toml: no crate takes {name}; take the line out")).collect()
}

fn members(root: &Path) -> Vec<String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let list = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).expect("the root manifest lists members");
    list.split('"').skip(1).step_by(2).map(|folder| format!("{folder}/Cargo.toml")).collect()
}

/// Dependencies of a member that do not come from the root manifest.
fn own_versions(root: &Path, path: &str) -> Vec<(String, String)> {
    let manifest = fs::read_to_string(root.join(path)).unwrap();
    let sections = manifest.split("\n[").filter(|section| section.split(']').next().is_some_and(|name| name.ends_with("dependencies")));
    let lines =
        sections.flat_map(|section| section.lines().skip(1)).filter(|line| line.contains('=') && !line.contains("workspace = true"));
    lines.map(|line| (path.to_owned(), line.split([' ', '.', '=']).next().unwrap_or_default().to_owned())).collect()
}

pub fn not_allowed(root: &Path) -> Vec<String> {
    let deny = fs::read_to_string(root.join("deny.toml")).unwrap();
    let list = deny.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).expect("deny.toml lists what is allowed");
    let allowed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(["metadata", "--format-version", "1"]).current_dir(root).output().unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().expect("cargo lists packages");
    let offending = packages.iter().filter(|package| !satisfied(package["license"].as_str().unwrap_or_default(), &allowed));
    offending
        .map(|package| format!("{} is under {}: find another crate, or decide on it in deny.toml", package["name"], package["license"]))
        .collect()
}

/// Whether one side of every `OR` holds only allowed licences. Brackets, as in `(MIT OR Apache-2.0) AND Unicode-3.0`.
fn satisfied(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ");
    let any =
        |part: &str| part.split(" OR ").any(|side| side.split(" AND ").all(|name| allowed.contains(&name.trim_matches([' ', '(', ')']))));
    match expression.contains('(') {
        true => expression.split(" AND ").all(any),
        false => any(&expression),
    }
}

#[test]
fn expressions_are_read() {
    let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"];
    assert!(
        satisfied("MIT OR GPL-3.0", &allowed) && satisfied("(MIT OR GPL-3.0) AND Unicode-3.0", &allowed) && satisfied("MIT/X", &allowed)
    );
    assert!(!satisfied("GPL-3.0", &allowed) && !satisfied("MIT AND GPL-3.0", &allowed) && !satisfied("", &allowed));
}
