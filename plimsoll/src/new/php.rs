use std::path::Path;

use super::{App, Found, has};

/// A PHP app: Laravel, Symfony, or pages.
pub fn find(dir: &Path) -> Option<Found> {
    let front = ["public/index.php", "web/index.php", "index.php"].into_iter().find(|name| has(dir, name))?;
    let root = front.rsplit_once('/').map_or(".", |(root, _)| root);
    let install = has(dir, "composer.json").then(|| "composer install --no-dev --no-interaction".to_string());
    let what = match () {
        () if has(dir, "artisan") => "a Laravel app (artisan)".into(),
        () if has(dir, "bin/console") => "a Symfony app (bin/console)".into(),
        () => format!("a PHP app ({front})"),
    };
    // With a front controller every path that is no file goes through it.
    let script = if root == "." { String::new() } else { format!(" {front}") };
    let app = App::new(format!("php -S $HOST:$PORT -t {root}{script}")).build(install);
    let app = App { env: vec![("PHP_CLI_SERVER_WORKERS", "4")], ..app };
    Some(Found::app(what, app).note("PHP's own server is a simple one: FrankenPHP or RoadRunner serve more"))
}
