//! Where registries are: as npm and pip were told on this machine, else the public ones.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::tier::Environment;

const NPM: &str = "https://registry.npmjs.org";
const PYPI: &str = "https://pypi.org/simple";
const SCOPE: &str = "@embedded-postgres:registry";

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registry {
    pub(crate) kind: Kind,
    /// Without a slash at its end.
    pub(crate) base: String,
    /// For its `Authorization`.
    pub(crate) token: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Npm,
    Pypi,
}

/// npm's: `npm_config_registry`, `.npmrc`, the public one.
pub(crate) fn npm(environment: &Environment) -> Registry {
    let rc = home(environment).and_then(|home| fs::read_to_string(home.join(".npmrc")).ok()).unwrap_or_default();
    let told = ["npm_config_registry", "NPM_CONFIG_REGISTRY"].iter().find_map(|name| of(environment, name));
    let base = value(&rc, SCOPE).or(told).or_else(|| value(&rc, "registry")).unwrap_or_else(|| NPM.into());
    let base = base.trim_end_matches('/').to_string();
    let key = base.split_once("://").map(|(_, rest)| format!("//{rest}/:_authToken"));
    let token = key.and_then(|key| value(&rc, &key)).map(|token| format!("Bearer {}", expanded(&token, environment)));
    Registry { kind: Kind::Npm, base, token }
}

/// pip's: `PIP_INDEX_URL`, its files, the public one.
pub(crate) fn pypi(environment: &Environment) -> Registry {
    let files = pip_files(environment);
    let written = || files.iter().find_map(|file| value(&fs::read_to_string(file).ok()?, "index-url"));
    let base = of(environment, "PIP_INDEX_URL").or_else(written).unwrap_or_else(|| PYPI.into());
    Registry { kind: Kind::Pypi, base: base.trim_end_matches('/').to_string(), token: None }
}

/// The strongest first.
fn pip_files(environment: &Environment) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = of(environment, "PIP_CONFIG_FILE").map(PathBuf::from).into_iter().collect();
    if let Some(home) = home(environment) {
        let config = of(environment, "XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from);
        files.extend([config.join("pip/pip.conf"), home.join(".pip/pip.conf")]);
    }
    files.push("/etc/pip.conf".into());
    files
}

fn home(environment: &Environment) -> Option<PathBuf> {
    of(environment, "HOME").map(|home| Path::new(&home).to_path_buf())
}

fn of(environment: &Environment, name: &str) -> Option<String> {
    environment.get(OsStr::new(name)).map(|value| value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

/// The last value of a key in a file of `key = value` lines; sections are not looked at.
fn value(text: &str, key: &str) -> Option<String> {
    let lines = text.lines().rev().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let mut pairs = lines.filter_map(|line| line.split_once('=').map(|(name, value)| (name.trim(), value.trim())));
    pairs.find(|(name, value)| *name == key && !value.is_empty()).map(|(_, value)| value.trim_matches('"').to_string())
}

/// `${NAME}`, as npm reads it.
fn expanded(text: &str, environment: &Environment) -> String {
    match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => of(environment, name).unwrap_or_default(),
        None => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn without_a_word_they_are_the_public_ones() {
        let nowhere = environment(&[("HOME", "/no/such/home"), ("PIP_CONFIG_FILE", "/dev/null")]);
        assert_eq!((npm(&nowhere).base.as_str(), npm(&nowhere).token), (NPM, None));
        // The machine may have its own file for all users.
        if !Path::new("/etc/pip.conf").exists() {
            assert_eq!(pypi(&nowhere).base, PYPI);
        }
    }

    #[test]
    fn npms_own_configuration_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let rc = "registry=https://npm.example.com/all/\n; x\n//npm.example.com/all/:_authToken=${TOKEN}\n";
        fs::write(home.path().join(".npmrc"), rc).unwrap();
        let of_home = environment(&[("HOME", home.path().to_str().unwrap()), ("TOKEN", "t0k")]);
        let found = npm(&of_home);
        assert_eq!((found.base.as_str(), found.token.as_deref()), ("https://npm.example.com/all", Some("Bearer t0k")));
        let mut told = of_home.clone();
        told.insert("npm_config_registry".into(), "http://127.0.0.1:1/".into());
        assert_eq!(npm(&told), Registry { kind: Kind::Npm, base: "http://127.0.0.1:1".into(), token: None });
        fs::write(home.path().join(".npmrc"), format!("{rc}@embedded-postgres:registry = https://scope.example.com\n")).unwrap();
        assert_eq!(npm(&told).base, "https://scope.example.com");
    }

    #[test]
    fn pips_own_configuration_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".config/pip");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("pip.conf"), "[global]\nindex-url = https://pypi.example.com/simple/\n").unwrap();
        let of_home = environment(&[("HOME", home.path().to_str().unwrap())]);
        assert_eq!(pypi(&of_home).base, "https://pypi.example.com/simple");
        let mut told = of_home;
        told.insert("PIP_INDEX_URL".into(), "http://127.0.0.1:1/simple".into());
        assert_eq!(pypi(&told).base, "http://127.0.0.1:1/simple");
    }
}
