use std::path::Path;

use super::{App, Found, has, read};

/// A Go module with a main package at its root or below `cmd`.
pub fn find(dir: &Path) -> Option<Found> {
    if !has(dir, "go.mod") {
        return None;
    }
    let module = read(dir, "go.mod");
    let module = module.lines().find_map(|line| line.strip_prefix("module ")).unwrap_or("app").trim();
    let package = if is_main(dir) { ".".into() } else { below_cmd(dir).map(|name| format!("./cmd/{name}"))? };
    let name = package.rsplit('/').next().filter(|name| *name != ".").or(module.rsplit('/').next()).unwrap_or("app").to_string();
    let app = App::new(format!("./bin/{name}")).build(Some(format!("go build -o bin/{name} {package}")));
    Some(Found::app(format!("a Go app (go.mod, {package})"), app))
}

fn is_main(dir: &Path) -> bool {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "go"))
        .any(|path| std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.trim_end() == "package main")))
}

fn below_cmd(dir: &Path) -> Option<String> {
    let entries = std::fs::read_dir(dir.join("cmd")).ok()?.flatten();
    let mut names: Vec<String> =
        entries.filter(|entry| is_main(&entry.path())).filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names.into_iter().next()
}
