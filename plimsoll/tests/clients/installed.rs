//! Clients from PyPI, npm and crates.io: installed or built once into the target folder, again when the list changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

const PYTHON: &[&str] = &[
    "psycopg[binary,pool]==3.2.*",
    "asyncpg==0.30.*",
    "django==5.2.*",
    "redis==8.*",
    "flask==3.*",
    "flask-limiter==4.*",
    "gunicorn==23.*",
    "celery[redis]==5.*",
    "rq==3.*",
];
const NODE: &[&str] = &[
    "pg@8",
    "pg-cursor@2",
    "pg-query-stream@4",
    "pg-copy-streams@6",
    "ioredis@6",
    "redis@6",
    "bullmq@6",
    "express@5",
    "express-session@1",
    "connect-redis@10",
    "ws@8",
];

/// Python with the clients.
pub static PYTHON_WITH_CLIENTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = kept("python", PYTHON, |folder| {
        done(Command::new("python3").args(["-m", "venv"]).arg(folder));
        done(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON));
    });
    folder.join("bin/python")
});

/// The folder of the clients' modules for node.
pub static NODE_MODULES: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = kept("node", NODE, |folder| {
        fs::write(folder.join("package.json"), "{ \"private\": true }").unwrap();
        done(Command::new("npm").args(["install", "--silent", "--no-audit", "--no-fund"]).args(NODE).current_dir(folder));
    });
    folder.join("node_modules")
});

/// The program `rust/`, with a lock file and a build folder of its own.
pub static RUST_CLIENTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/rust/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients-rust");
    let mut cargo = Command::new(env!("CARGO"));
    done(cargo.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(source).arg("--target-dir").arg(&target));
    target.join("debug/clients")
});

/// A folder below `target` that holds `packages`; made anew by `install` unless its stamp says the same.
fn kept(name: &str, packages: &[&str], install: impl Fn(&Path)) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("clients-{name}"));
    let (stamp, wanted) = (folder.join("stamp"), packages.join("\n"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return folder;
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    install(&folder);
    fs::write(stamp, wanted).unwrap();
    folder
}

/// Registries have bad moments: three tries.
fn done(command: &mut Command) {
    let mut output = command.output().unwrap();
    for _ in 0..2 {
        if output.status.success() {
            return;
        }
        output = command.output().unwrap();
    }
    assert!(output.status.success(), "{command:?}: {output:?}");
}
