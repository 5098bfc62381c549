//! Who sees whom, out of the manifests: `plimsoll -> path | control -> base`, and siblings never.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::allowed::BASE_SEES;
use crate::source::Source;

/// The crates by the name that dependents write, with their folders.
fn crates(root: &Path) -> BTreeMap<String, String> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let lines = manifest.lines().filter(|line| line.contains("path = \""));
    let named = lines.filter_map(|line| Some((line.split_once(" = ")?.0.to_owned(), line.split('"').nth(1)?.to_owned())));
    let mut crates: BTreeMap<String, String> = named.collect();
    crates.extend([("plimsoll".into(), "plimsoll".into()), ("bench".into(), "bench".into())]);
    assert!(crates.len() >= 10, "the root manifest names its crates with `path = `");
    crates
}

/// Dependencies of a manifest, and whether each is one of development only.
fn dependencies(manifest: &str) -> Vec<(String, bool)> {
    let (mut section, mut found) = ("", Vec::new());
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if let ("dependencies" | "build-dependencies" | "dev-dependencies", Some((name, _))) =
            (section, line.split_once(['.', ' ', '=']))
        {
            found.push((name.to_owned(), section == "dev-dependencies"));
        }
    }
    found
}

pub fn offences(root: &Path) -> Vec<String> {
    let crates = crates(root);
    let mut offences = Vec::new();
    for folder in crates.values() {
        let path = root.join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if !manifest.contains("[lints]\nworkspace = true") {
            offences
                .push(format!("{folder}/Cargo.toml: write `[lints]` and `workspace = true`, so that the workspace's lints hold there too"));
        }
        for (name, development) in dependencies(&manifest) {
            offences.extend(crates.get(&name).and_then(|to| refuse(folder, to, development)));
        }
    }
    offences
}

/// Dependencies that no source of their crate names.
pub fn unused(root: &Path, sources: &[Source]) -> Vec<String> {
    let unused = |folder: &String| {
        let manifest = fs::read_to_string(root.join(folder).join("Cargo.toml")).unwrap();
        let own = format!("{folder}/");
        let names = dependencies(&manifest).into_iter().filter(|(name, _)| {
            let library = if name == "md-5" { "md5".into() } else { name.replace('-', "_") };
            !sources.iter().any(|source| source.path.starts_with(&own) && words(&source.text).any(|word| word == library))
        });
        names.map(|(name, _)| format!("{folder}/Cargo.toml: nothing uses {name}; take the line out")).collect::<Vec<_>>()
    };
    crates(root).values().flat_map(unused).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Why the crate in folder `from` may not see the one in folder `to`, and what to do instead.
fn refuse(from: &str, to: &str, development: bool) -> Option<String> {
    let place = |folder: &str| folder.split('/').next().unwrap_or_default().to_owned();
    let advice = match (place(from).as_str(), place(to).as_str()) {
        _ if development && to == "testkit" => return None,
        ("bench", "testkit") | ("plimsoll", "path" | "control" | "base") | ("path" | "control", "base") => return None,
        ("base", "base") if BASE_SEES.iter().any(|(a, b, _)| (*a, *b) == (from, to)) => return None,
        ("path" | "control", "path" | "control") => "put the type that crosses into base/contract and hand it over in assemble.rs",
        ("base", "base") => "let the caller join them, or list the pair in tidy/allowed.rs with the reason",
        (_, "testkit") => "testkit is for tests: move it to [dev-dependencies]",
        _ => "turn the dependency round: plimsoll sees path and control, they see base, nothing sees upwards",
    };
    Some(format!("{from}/Cargo.toml: may not see {to}; {advice}"))
}

#[test]
fn the_rules_refuse_what_they_should() {
    let refused = |from, to| refuse(from, to, false).is_some();
    assert!(refused("path/http", "control/apps") && refused("control/apps", "control/watch") && refused("base/process", "path/http"));
    assert!(refused("path/http", "testkit") && refused("testkit", "plimsoll") && refused("base/contract", "base/settings"));
    assert!(!refused("plimsoll", "path/http") && !refused("control/apps", "base/contract"));
    assert_eq!(refuse("path/http", "testkit", true), None);
    let manifest = "[dependencies]\napps.workspace = true\ntokio = { workspace = true }\n[dev-dependencies]\ntestkit.workspace = true\n";
    let expected = [("apps".to_owned(), false), ("tokio".to_owned(), false), ("testkit".to_owned(), true)];
    assert_eq!(dependencies(manifest), expected);
}
