use std::path::Path;

use super::{App, Found, has, read};

/// Files that hold an app's object, in the order that people use them.
const MODULES: [&str; 10] = [
    "app.py",
    "main.py",
    "wsgi.py",
    "asgi.py",
    "server.py",
    "application.py",
    "src/main.py",
    "src/app.py",
    "app/main.py",
    "app/__init__.py",
];

/// A Django, FastAPI, Flask or plain Python app.
pub fn find(dir: &Path) -> Option<Found> {
    let depends = Dependencies::of(dir);
    if has(dir, "manage.py") {
        return Some(django(dir, &depends));
    }
    let asgi = ["FastAPI", "Starlette", "Litestar", "Quart"].into_iter().find_map(|class| Some((class, object(dir, class)?)));
    if let Some((class, object)) = asgi {
        let run = depends.tool(&format!("uvicorn {object} --host $HOST --port $PORT"));
        let found = Found::app(format!("a {class} app ({object})"), App::new(run).build(depends.install()));
        let known = depends.has("uvicorn") || depends.has("fastapi[standard]");
        return Some(if known { found } else { found.note("add uvicorn to the dependencies: it serves the app") });
    }
    if let Some(object) = object(dir, "Flask") {
        return Some(flask(&object, &depends));
    }
    let main = ["server.py", "app.py", "main.py"].into_iter().find(|name| has(dir, name))?;
    Some(Found::app(format!("a Python app ({main})"), App::new(depends.python(main)).build(depends.install())))
}

fn django(dir: &Path, depends: &Dependencies<'_>) -> Found {
    let module = folders(dir).into_iter().find(|name| has(dir, &format!("{name}/wsgi.py")));
    let run = match module {
        Some(module) if depends.has("gunicorn") => depends.tool(&format!("gunicorn {module}.wsgi --bind $HOST:$PORT")),
        Some(module) if depends.has("uvicorn") => depends.tool(&format!("uvicorn {module}.asgi:application --host $HOST --port $PORT")),
        _ => depends.python("manage.py runserver --noreload $HOST:$PORT"),
    };
    let develops = run.contains("runserver");
    let app = App::new(run).build(depends.install()).release(depends.python("manage.py migrate --noinput"));
    let found = Found::app("a Django app (manage.py)", app);
    let found = if develops {
        found.note("runserver is for developing: add gunicorn to the dependencies and run `plimsoll new` again")
    } else {
        found
    };
    found.note("migrate by hand for now: a later version runs it as `release`")
}

fn flask(object: &str, depends: &Dependencies<'_>) -> Found {
    let object = if object.ends_with("()") { format!("'{object}'") } else { object.into() };
    let what = format!("a Flask app ({object})");
    if depends.has("gunicorn") {
        let run = depends.tool(&format!("gunicorn {object} --bind $HOST:$PORT"));
        return Found::app(what, App::new(run).build(depends.install()));
    }
    let run = depends.tool(&format!("flask --app {object} run --host $HOST --port $PORT"));
    Found::app(what, App::new(run).build(depends.install()))
        .note("`flask run` is for developing: add gunicorn to the dependencies and run `plimsoll new` again")
}

/// Where a class becomes an object: `main:app`, or `app:create_app()`.
fn object(dir: &Path, class: &str) -> Option<String> {
    MODULES.iter().find_map(|file| {
        let text = read(dir, file);
        let (before, _) = text.split_once(&format!("{class}("))?;
        let module = file.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".");
        let line = before.rsplit('\n').next().unwrap_or_default();
        let name = line.split('=').next().unwrap_or_default().split(':').next().unwrap_or_default().trim();
        let at_top = !line.starts_with([' ', '\t']) && line.contains('=') && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if at_top {
            return Some(format!("{module}:{name}"));
        }
        ["create_app", "make_app"]
            .into_iter()
            .find(|factory| text.contains(&format!("def {factory}(")))
            .map(|factory| format!("{module}:{factory}()"))
    })
}

fn folders(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// What a project depends on, and how its tools are started.
struct Dependencies<'a> {
    dir: &'a Path,
    text: String,
}

impl<'a> Dependencies<'a> {
    fn of(dir: &'a Path) -> Dependencies<'a> {
        let files = ["requirements.txt", "requirements/base.txt", "requirements/production.txt", "pyproject.toml", "Pipfile", "setup.py"];
        Dependencies { dir, text: files.iter().map(|name| read(dir, name)).collect::<String>().to_lowercase() }
    }

    fn has(&self, package: &str) -> bool {
        self.text.contains(package)
    }

    /// A tool of the project's own environment.
    fn tool(&self, command: &str) -> String {
        match self.runner() {
            Some(runner) => format!("{runner} {command}"),
            None if self.uses_folder() => format!(".venv/bin/{command}"),
            None => command.into(),
        }
    }

    fn python(&self, arguments: &str) -> String {
        match self.runner() {
            Some(runner) => format!("{runner} python {arguments}"),
            None if self.uses_folder() => format!(".venv/bin/python {arguments}"),
            None => format!("python3 {arguments}"),
        }
    }

    fn install(&self) -> Option<String> {
        let pip = "python3 -m venv .venv && .venv/bin/pip install";
        match self.runner() {
            Some("uv run") => Some("uv sync --frozen".into()),
            Some("poetry run") => Some("poetry install --only main".into()),
            Some(_) => Some("pipenv install --deploy".into()),
            None if has(self.dir, "requirements.txt") => Some(format!("{pip} -r requirements.txt")),
            None if self.uses_folder() && has(self.dir, "pyproject.toml") => Some(format!("{pip} .")),
            None => None,
        }
    }

    fn runner(&self) -> Option<&'static str> {
        let by_lock = [("uv.lock", "uv run"), ("poetry.lock", "poetry run"), ("Pipfile.lock", "pipenv run")];
        by_lock.into_iter().find(|(lock, _)| has(self.dir, lock)).map(|(_, runner)| runner)
    }

    /// Whether tools live in `.venv`: it is there, or `build` makes it.
    fn uses_folder(&self) -> bool {
        has(self.dir, ".venv") || has(self.dir, "requirements.txt") || self.text.contains("[project]")
    }
}
