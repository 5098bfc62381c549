use std::path::Path;

use serde_json::Value;

use super::{App, Found, Site, has, read};

/// Frameworks worth naming, by their package.
const FRAMEWORKS: [(&str, &str); 12] = [
    ("next", "Next.js"),
    ("nuxt", "Nuxt"),
    ("@remix-run/serve", "Remix"),
    ("@sveltejs/kit", "SvelteKit"),
    ("astro", "Astro"),
    ("@nestjs/core", "NestJS"),
    ("fastify", "Fastify"),
    ("express", "Express"),
    ("koa", "Koa"),
    ("@hapi/hapi", "hapi"),
    ("hono", "Hono"),
    ("polka", "Polka"),
];

/// Tools whose `start` is a server for developing; what they build is a static site.
const BUILDERS: [(&str, &str); 4] = [("vite", "dist"), ("react-scripts", "build"), ("@vue/cli-service", "dist"), ("parcel", "dist")];

/// A package.json with a `start` script, a server's file, or a front that is built.
pub fn find(dir: &Path) -> Option<Found> {
    let package: Value = serde_json::from_str(&read(dir, "package.json")).ok()?;
    let depends = |name: &str| ["dependencies", "devDependencies"].iter().any(|kind| package[kind].get(name).is_some());
    let script = |name: &str| package["scripts"][name].as_str();
    let packager = packager(dir, &package);
    let framework = FRAMEWORKS.iter().find(|(name, _)| depends(name)).map_or("Node", |(_, framework)| framework);
    let builder = BUILDERS.iter().find(|(name, _)| depends(name) && script("start").is_none_or(|start| start.starts_with(name)));
    let main = || ["server.js", "index.js", "app.js", "src/server.js", "src/index.js", "main.js"].into_iter().find(|name| has(dir, name));
    let (run, why) = match (script("start"), package["main"].as_str().filter(|main| has(dir, main)).or_else(main)) {
        (Some(start), _) if builder.is_none() => (start_command(start, packager), format!("package.json: `start` is `{start}`")),
        (_, Some(main)) if builder.is_none() => (format!("node {main}"), format!("package.json, {main}")),
        _ => {
            let (builder, out) = builder?;
            return Some(front(dir, builder, out, packager, script("build").is_some()));
        }
    };
    let article = if framework.starts_with(['A', 'E']) { "an" } else { "a" };
    Some(Found::app(format!("{article} {framework} app ({why})"), App::new(run).build(build(dir, &package, packager))))
}

/// `node server.js` itself where the script is no more than that: one process less, and signals go straight to it.
fn start_command(start: &str, packager: &str) -> String {
    if start.starts_with("node ") && settings::split(start).is_ok() { start.into() } else { format!("{packager} start") }
}

fn packager(dir: &Path, package: &Value) -> &'static str {
    let named = package["packageManager"].as_str().unwrap_or_default();
    let by_lock = [("pnpm", "pnpm-lock.yaml"), ("yarn", "yarn.lock"), ("bun", "bun.lock"), ("bun", "bun.lockb")];
    let found = by_lock.into_iter().find(|(name, lock)| named.starts_with(name) || has(dir, lock));
    found.map_or("npm", |(name, _)| name)
}

/// Installs what it depends on, then builds, when there is something to install or build.
fn build(dir: &Path, package: &Value, packager: &str) -> Option<String> {
    let depends = ["dependencies", "devDependencies"].iter().any(|kind| package[kind].as_object().is_some_and(|all| !all.is_empty()));
    let install = match packager {
        "npm" if has(dir, "package-lock.json") => "npm ci".into(),
        "npm" => "npm install".into(),
        packager => format!("{packager} install --frozen-lockfile"),
    };
    let builds = package["scripts"]["build"].is_string();
    match (depends, builds) {
        (true, true) => Some(format!("{install} && {packager} run build")),
        (true, false) => Some(install),
        (false, true) => Some(format!("{packager} run build")),
        (false, false) => None,
    }
}

fn front(dir: &Path, builder: &str, out: &str, packager: &str, builds: bool) -> Found {
    let site = Site { dir: out.into(), first: false };
    let found = Found { what: format!("a front built by {builder} (package.json)"), site: Some(site), ..Found::default() };
    if has(dir, out) || !builds { found } else { found.note(format!("build it first: {packager} install, {packager} run build")) }
}
