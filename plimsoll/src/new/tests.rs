use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use settings::World;

use super::*;
use crate::file;

/// Programs that PATH has in these tests.
const PROGRAMS: [&str; 17] = [
    "npm", "pnpm", "yarn", "node", "python3", "uv", "gunicorn", "flask", "uvicorn", "bundle", "rackup", "go", "cargo", "php", "composer",
    "sh", "worker",
];

/// What is found in a folder of these files, and what its plimsoll.toml says; it must pass `check`.
fn written(files: &[(&str, &str)]) -> (Found, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = find(folder.path()).expect("something is found");
    let text = text(&found, "My Shop!");
    let bin = folder.path().join(".test-bin");
    std::fs::create_dir(&bin).unwrap();
    for program in PROGRAMS {
        std::fs::write(bin.join(program), "").unwrap();
        std::fs::set_permissions(bin.join(program), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let environment: BTreeMap<String, String> = [("PATH".into(), bin.to_str().unwrap().into())].into();
    let world = World { folder: folder.path().into(), environment, root: false, ipv6: true };
    let plan = file::plan("plimsoll.toml", &text, &folder.path().join("plimsoll.toml"), None, &world);
    assert!(plan.is_ok(), "{}\n{text}", plan.unwrap_err());
    (found, text)
}

/// A folder of these files is found as `what`, and its file has these lines.
fn check(files: &[(&str, &str)], what: &str, lines: &[&str]) {
    let (found, text) = written(files);
    assert!(found.what.contains(what), "{}", found.what);
    for line in lines {
        assert!(text.lines().any(|written| written == *line), "no line {line:?} in\n{text}");
    }
}

#[test]
fn node() {
    let package = r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"5"}}"#;
    let files = [
        ("package.json", package),
        ("package-lock.json", "{}"),
        ("server.js", "app.get('/healthz'); listen(process.env.PORT)"),
        ("web/index.html", ""),
    ];
    check(
        &files,
        "an Express app",
        &["# dir = \"web\"", "[app.my-shop]", "build = \"npm ci\"", "run = \"node server.js\"", "health = \"/healthz\""],
    );
    let package = r#"{"scripts":{"start":"next start","build":"next build"},"dependencies":{"next":"15"}}"#;
    let build = "build = [\"sh\", \"-c\", \"pnpm install --frozen-lockfile && pnpm run build\"]";
    check(&[("package.json", package), ("pnpm-lock.yaml", "")], "a Next.js app", &[build, "run = \"pnpm start\""]);
    check(&[("package.json", r#"{"name":"x"}"#), ("index.js", "")], "a Node app", &["run = \"node index.js\""]);
}

#[test]
fn a_front_is_a_site() {
    let package = r#"{"scripts":{"start":"vite","build":"vite build"},"devDependencies":{"vite":"7"}}"#;
    check(&[("package.json", package), ("dist/index.html", "")], "a front built by vite", &["dir = \"dist\""]);
    check(&[("public/index.html", "<!doctype html>")], "a static site (public/index.html)", &["dir = \"public\""]);
    check(&[("index.html", "")], "a static site", &["dir = \".\""]);
}

#[test]
fn python() {
    let django = [("manage.py", ""), ("shop/wsgi.py", ""), ("requirements.txt", "Django==5\ngunicorn\n")];
    let build = "build = [\"sh\", \"-c\", \"python3 -m venv .venv && .venv/bin/pip install -r requirements.txt\"]";
    check(&django, "a Django app", &[build, "run = \".venv/bin/gunicorn shop.wsgi --bind $HOST:$PORT\""]);
    let flask = [
        ("app.py", "from flask import Flask\nshop = Flask(__name__)\n"),
        ("uv.lock", ""),
        ("pyproject.toml", "dependencies = ['flask','gunicorn']"),
    ];
    check(&flask, "a Flask app (app:shop)", &["build = \"uv sync --frozen\"", "run = \"uv run gunicorn app:shop --bind $HOST:$PORT\""]);
    let factory = [("app/__init__.py", "def create_app():\n    app = Flask(__name__)\n    return app\n")];
    check(&factory, "a Flask app", &["run = \"flask --app 'app:create_app()' run --host $HOST --port $PORT\""]);
    let fastapi = [("main.py", "app = FastAPI()\n@app.get(\"/health\")\n")];
    check(&fastapi, "a FastAPI app (main:app)", &["run = \"uvicorn main:app --host $HOST --port $PORT\"", "health = \"/health\""]);
    check(&[("server.py", "import os\nos.environ['PORT']")], "a Python app", &["run = \"python3 server.py\""]);
}

#[test]
fn ruby() {
    let rails = [
        ("config.ru", ""),
        ("Gemfile", "gem 'rails'\ngem 'puma'"),
        ("config/application.rb", ""),
        ("config/routes.rb", "get \"up\" => \"rails/health#show\""),
        ("public/404.html", ""),
    ];
    let lines = [
        "run = \"bundle exec rails server --binding $HOST --port $PORT\"",
        "health = \"/up\"",
        "dir = \"public\"",
        "build = \"bundle install\"",
    ];
    check(&rails, "a Rails app", &lines);
    check(&[("config.ru", ""), ("Gemfile", "gem \"puma\"")], "a Rack app", &["run = \"bundle exec puma --bind tcp://$HOST:$PORT\""]);
}

#[test]
fn compiled() {
    let go = [("go.mod", "module example.com/shop\n\ngo 1.24\n"), ("main.go", "package main\n")];
    check(&go, "a Go app", &["build = \"go build -o bin/shop .\"", "run = \"./bin/shop\""]);
    let below = [("go.mod", "module example.com/shop\n"), ("lib.go", "package shop\n"), ("cmd/web/main.go", "package main\n")];
    check(&below, "a Go app", &["build = \"go build -o bin/web ./cmd/web\"", "run = \"./bin/web\""]);
    let rust = [("Cargo.toml", "[package]\nname = \"shop\"\n"), ("src/main.rs", "fn main() {}")];
    check(&rust, "a Rust app", &["build = \"cargo build --release\"", "run = \"./target/release/shop\""]);
    let workspace = [
        ("Cargo.toml", "[workspace]\nmembers = [\"lib\", \"web\"]\n"),
        ("lib/Cargo.toml", "[package]\nname = \"lib\"\n"),
        ("web/Cargo.toml", "[package]\nname = \"web\"\n"),
        ("web/src/main.rs", ""),
    ];
    check(&workspace, "a Rust app", &["build = \"cargo build --release --bin web\""]);
}

#[test]
fn php() {
    check(&[("index.php", "<?php")], "a PHP app", &["run = \"php -S $HOST:$PORT -t .\""]);
    let laravel = [("artisan", ""), ("composer.json", "{}"), ("public/index.php", ""), ("package.json", "{}")];
    let lines = ["run = \"php -S $HOST:$PORT -t public public/index.php\"", "build = \"composer install --no-dev --no-interaction\""];
    check(&laravel, "a Laravel app", &lines);
}

#[test]
fn a_procfile_wins_and_needs_no_shell_where_it_can() {
    let procfile = "web: node server.js -p $PORT\nworker: cd jobs && worker run\nrelease: node migrate.js\n# nothing\n";
    let files = [("Procfile", procfile), ("package.json", r#"{"scripts":{"start":"x"}}"#)];
    let lines = [
        "[app.web]",
        "run = \"node server.js -p $PORT\"",
        "[app.worker]",
        "run = [\"sh\", \"-c\", \"cd jobs && worker run\"]",
        "routes = []                          # a worker: no port, no requests",
        "# release = \"node migrate.js\"   # once a release; not built yet",
    ];
    check(&files, "a Procfile of web, worker", &lines);
}

#[test]
fn who_ignores_port_is_told() {
    let note = |source: &str| written(&[("package.json", "{}"), ("server.js", source)]).0.notes.join(" ");
    assert!(note("listen(3000)").contains("nothing here reads PORT"));
    assert_eq!(note("listen(process.env.PORT)"), "");
}

#[test]
fn an_empty_folder_is_nothing() {
    assert_eq!(find(tempfile::tempdir().unwrap().path()), None);
}
