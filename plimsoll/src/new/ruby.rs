use std::path::Path;

use super::{App, Found, Site, has, read};

/// A Rails or another Rack app.
pub fn find(dir: &Path) -> Option<Found> {
    if !has(dir, "config.ru") && !has(dir, "bin/rails") {
        return None;
    }
    let gems = read(dir, "Gemfile");
    let install = has(dir, "Gemfile").then(|| "bundle install".to_string());
    if has(dir, "config/application.rb") {
        let app = App::new("bundle exec rails server --binding $HOST --port $PORT").build(install).release("bundle exec rails db:migrate");
        let up = read(dir, "config/routes.rb").contains("rails/health#show");
        let app = App { health: up.then(|| "/up".into()), env: vec![("RAILS_LOG_TO_STDOUT", "1")], ..app };
        let site = has(dir, "public").then(|| Site { dir: "public".into(), first: true });
        let found = Found { site, ..Found::app("a Rails app (config/application.rb)", app) };
        return Some(found.note("migrate by hand for now: a later version runs it as `release`"));
    }
    let run = if gems.contains("puma") {
        "bundle exec puma --bind tcp://$HOST:$PORT"
    } else if install.is_some() {
        "bundle exec rackup --host $HOST --port $PORT"
    } else {
        "rackup --host $HOST --port $PORT"
    };
    Some(Found::app("a Rack app (config.ru)", App::new(run).build(install)))
}
