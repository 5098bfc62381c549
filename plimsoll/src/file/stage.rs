use settings::{Table, Value};

/// The stage of the ladder that a file stands on, 1 to 7: that of the highest thing it asks for.
pub fn stage(file: &Table) -> u8 {
    let any = |section: &str, holds: &dyn Fn(&Table) -> bool| {
        file.table(section).is_some_and(|table| table.tables().any(|(_, inner)| holds(inner)))
    };
    let count = |section: &str| file.table(section).map_or(0, |table| table.tables().count());
    let http = |keys: &[&str]| file.table("http").is_some_and(|http| keys.iter().any(|key| http.has(key)));
    if count("app") > 1 && count("sql") > 1 {
        7
    } else if any("sql", &|sql| sql.has("standby") || sql.has("replicas") || sql.has("shards")) {
        6
    } else if any("kv", &|kv| kv.has("remote")) || file.table("kv").is_some_and(|kv| kv.has("bind")) {
        5
    } else if http(&["cache"]) || file.has("edge") {
        4
    } else if any("app", &many) || http(&["rate"]) || file.has("cluster") {
        3
    } else if http(&["hosts", "tls"]) || any("sql", &|sql| sql.has("primary")) || file.has("backup") {
        2
    } else {
        1
    }
}

/// Whether an app has more than one place to run.
fn many(app: &Table) -> bool {
    let instances = match app.get("instances").map(|item| &item.value) {
        Some(Value::Integer(number)) => *number > 1,
        Some(_) => true,
        None => false,
    };
    instances || app.list("external").len() > 1
}
