use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{App, Found, has, read};

/// A Cargo package with a program, or the first such member of a workspace.
pub fn find(dir: &Path) -> Option<Found> {
    if !has(dir, "Cargo.toml") {
        return None;
    }
    let text = read(dir, "Cargo.toml");
    let manifest = DeTable::parse(&text).ok()?.into_inner();
    if let Some(name) = program(dir, &manifest) {
        return Some(found(&name, "cargo build --release"));
    }
    let members = manifest.get("workspace")?.get_ref().get("members")?.get_ref().as_array()?;
    members.iter().filter_map(|member| member.get_ref().as_str()).find_map(|member| {
        let inner = dir.join(member);
        let text = read(&inner, "Cargo.toml");
        let name = program(&inner, &DeTable::parse(&text).ok()?.into_inner())?;
        Some(found(&name, &format!("cargo build --release --bin {name}")))
    })
}

fn found(name: &str, build: &str) -> Found {
    let app = App::new(format!("./target/release/{name}")).build(Some(build.into()));
    Found::app(format!("a Rust app (Cargo.toml, {name})"), app)
}

/// The name of a package's first program.
fn program(dir: &Path, manifest: &DeTable<'_>) -> Option<String> {
    let name = |value: &DeValue<'_>| value.get("name").and_then(|name| name.get_ref().as_str().map(String::from));
    let bins = manifest.get("bin").and_then(|bins| bins.get_ref().as_array());
    if let Some(bin) = bins.and_then(|bins| bins.iter().next()) {
        return name(bin.get_ref());
    }
    let package = manifest.get("package")?;
    has(dir, "src/main.rs").then(|| name(package.get_ref())).flatten()
}
