//! What must hold between sections: routes and ports taken once, a site that can be reached.

use std::net::SocketAddr;

use settings::{Fault, Item, Place, Report, Table, Value};

/// Tells of everything that two sections cannot both have.
pub fn check(file: &Table, report: &mut Report) {
    own_names(file, report);
    routes_once(file, report);
    ports_once(file, report);
    site_reached(file, report);
}

/// Names of Plimsoll's own log files: an app of that name would write into them.
const OWN: [&str; 2] = ["access", "plimsoll"];

fn own_names(file: &Table, report: &mut Report) {
    for (entry, _) in file.table("app").into_iter().flat_map(Table::tables) {
        if OWN.contains(&entry.name.as_str()) {
            let fault = Fault::new(format!("no app can be named \"{}\": Plimsoll's own log has that name", entry.name));
            report.problem(entry.place, fault.hint("choose another name"));
        }
    }
}

fn routes_once(file: &Table, report: &mut Report) {
    let mut taken: Vec<(String, String, Place)> = Vec::new();
    let mut all: Vec<(String, &str, Place)> = Vec::new();
    for (entry, app) in file.table("app").into_iter().flat_map(Table::tables) {
        match app.get("routes") {
            Some(_) => {
                all.extend(app.list("routes").iter().filter_map(|item| Some((text(item)?.to_string(), entry.name.as_str(), item.place))))
            }
            None if app.has("routes") => {}
            None => all.push(("/".into(), &entry.name, entry.place)),
        }
    }
    all.sort_by_key(|(_, _, place)| *place);
    for (route, app, place) in all {
        let plain = route.trim_end_matches('/').to_string();
        match taken.iter().find(|(other, ..)| *other == plain) {
            Some((_, other, first)) if other != app => {
                let fault = Fault::new(format!("the route \"{route}\" is already taken by `[app.{other}]` (line {})", first.line));
                report.problem(place, fault.hint("give each app `routes` of its own"));
            }
            Some((_, _, first)) if route != "/" => {
                let fault = Fault::new(format!("the route \"{route}\" stands here twice (line {})", first.line));
                report.problem(place, fault.hint("remove one"));
            }
            Some(_) => report.problem(place, Fault::new("the route \"/\" stands here twice").hint("remove one")),
            None => taken.push((plain, app.into(), place)),
        }
    }
}

fn ports_once(file: &Table, report: &mut Report) {
    let mut all: Vec<(String, SocketAddr, Place)> = Vec::new();
    let mut add = |key: String, item: &Item| match item.value {
        Value::Listen(address) if address.port() != 0 => all.push((key, address, item.place)),
        _ => {}
    };
    if let Some(http) = file.table("http") {
        for key in ["listen", "plain"] {
            http.list(key).iter().for_each(|item| add(format!("http.{key}"), item));
        }
    }
    let named = ["sql", "kv"].into_iter().filter_map(|name| file.table(name)).flat_map(Table::tables).map(|(_, table)| table);
    for table in named.chain(file.table("console")) {
        for key in ["listen", "memcached"] {
            table.get(key).into_iter().for_each(|item| add(format!("{}.{key}", table.path), item));
        }
    }
    all.sort_by_key(|(_, _, place)| *place);
    for (index, (key, address, place)) in all.iter().enumerate() {
        if let Some((other, _, first)) = all[..index].iter().find(|(_, other, _)| collide(*other, *address)) {
            let fault = Fault::new(format!("`{key}`: port {} is already taken by `{other}` (line {})", address.port(), first.line));
            report.problem(*place, fault.hint("choose another port; 0 picks a free one"));
        }
    }
}

/// Whether two addresses cannot both be listened on.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let (one, other) = (a.ip().to_canonical(), b.ip().to_canonical());
    a.port() == b.port() && (one == other || one.is_unspecified() || other.is_unspecified())
}

/// An app at "/" takes everything from a site that does not come first.
fn site_reached(file: &Table, report: &mut Report) {
    let site = file.table("site");
    let mut apps = file.table("app").into_iter().flat_map(Table::tables);
    let takes_all =
        apps.find(|(_, app)| if app.has("routes") { app.list("routes").iter().any(|item| text(item) == Some("/")) } else { true });
    match (site, takes_all) {
        (Some(site), Some((app, _))) if !site.bool("first") => {
            let fault = Fault::new(format!("`[site]` never answers: `[app.{}]` takes every path", app.name));
            report.warning(site.place, fault.hint("give the app `routes`, or write `first = true` in `[site]`"));
        }
        (None, None) if !file.has("app") && !file.has("site") => {
            report.warning_of_file(
                Fault::new("there is neither an app nor a site: every request is answered 404").hint("add `[app.NAME]` or `[site]`"),
            );
        }
        _ => {}
    }
}

fn text(item: &Item) -> Option<&str> {
    match &item.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
