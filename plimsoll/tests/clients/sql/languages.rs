//! Clients of other languages, each a script of `scripts/`.

use std::fs;
use std::path::Path;

use super::ground::same;
use crate::installed::{NODE_MODULES, PYTHON_WITH_CLIENTS, RUST_CLIENTS};
use crate::scripts::{script, without};

#[test]
fn tokio_postgres() {
    rust("tokio-postgres");
}

#[test]
fn sqlx() {
    rust("sqlx");
}

fn rust(client: &str) {
    let told = same(&client.replace('-', "_"), |place| place.run(place.command(&*RUST_CLIENTS).arg(client)));
    assert!(told.contains("the end\n") && told.ends_with("--- exit status: 0\n"), "{told}");
}

fn python(name: &str, file: &str, arguments: &[&str], end: &str) {
    if without("python") {
        return;
    }
    let told = same(name, |place| {
        let mut python = place.command(&*PYTHON_WITH_CLIENTS);
        place.run(python.arg(script(file)).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1"))
    });
    assert!(told.contains(end) && told.ends_with("--- exit status: 0\n"), "{told}");
}

#[test]
fn psycopg() {
    python("psycopg", "psycopg_script.py", &[], "task: CancelledError\nusable: (1,)");
}

#[test]
fn asyncpg() {
    python("asyncpg", "asyncpg_script.py", &[], "no cache: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]");
}

#[test]
fn django() {
    python("django", "django_script.py", &[], "flushed: 0\n--: test_run\ntest database: test_DATABASE 1\nown database: DATABASE 0");
}

/// Parameters bound by the server instead of the client.
#[test]
fn django_binding_at_the_server() {
    python("django_bound", "django_script.py", &["bound"], "own database: DATABASE 0");
}

#[test]
fn node_postgres() {
    if without("node") {
        return;
    }
    let told = same("node", |place| {
        let mut node = place.command("node");
        place.run(node.arg("--no-warnings").arg(script("node_script.cjs")).env("NODE_PATH", &*NODE_MODULES))
    });
    assert!(told.contains("pool: true") && told.ends_with("--- exit status: 0\n"), "{told}");
}

/// Debian's libpostgresql-jdbc-java, or another driver by variable.
fn driver() -> String {
    std::env::var("PLIMSOLL_JDBC").unwrap_or_else(|_| "/usr/share/java/postgresql.jar".into())
}

#[test]
fn jdbc() {
    if without("java") {
        return;
    }
    assert!(Path::new(&driver()).exists(), "libpostgresql-jdbc-java is installed, or PLIMSOLL_JDBC names the driver's jar");
    let told = same("jdbc", |place| {
        fs::copy(script("Jdbc.java"), place.folder.path().join("Jdbc.java")).unwrap();
        let classes = format!("{}:.", driver());
        place.run(place.command("java").args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", &classes, "Jdbc.java"]))
    });
    assert!(told.contains("binary 123456789012") && told.ends_with("--- exit status: 0\n"), "{told}");
}
