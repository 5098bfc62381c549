use super::{App, Command, Found};

/// The plimsoll.toml of what was found; `name` is the folder's.
pub fn text(found: &Found, name: &str) -> String {
    let name = plain(name);
    let mut text = format!(
        "# Written by `plimsoll new` for {}.\n\
         # `plimsoll check` tells of every problem and what each key costs to change; `plimsoll up` runs it.\n\
         name = {}\n\n\
         # [http]\n\
         # listen = \":80\"                    # who may come: absent, only this machine, on port 8080\n\
         # hosts = [\"shop.example.com\"]      # other names are refused; absent: any\n",
        found.what.replace('\n', " "),
        quoted(&name),
    );
    let several = found.apps.len() > 1;
    for app in &found.apps {
        let own = app.name.as_deref().unwrap_or(&name);
        text.push_str(&section(app, &plain(own), several));
    }
    match &found.site {
        Some(site) => {
            text.push_str(&format!("\n[site]                               # takes what no app has\ndir = {}\n", quoted(&site.dir)));
            if site.first {
                text.push_str("first = true                         # a file that exists answers before the app\n");
            }
        }
        None => {
            let dir = quoted(found.pages.unwrap_or("public"));
            text.push_str(&format!(
                "\n# [site]                             # static files: takes what no app has, so give the app `routes`\n# dir = {dir}\n"
            ));
        }
    }
    text
}

fn section(app: &App, name: &str, several: bool) -> String {
    let mut text = format!("\n[app.{name}]\n");
    if let Some(build) = &app.build {
        text.push_str(&format!("build = {}\n# runs before the first start, and again when something here changed\n", command(build)));
    }
    if let Some(release) = &app.release {
        text.push_str(&format!("# release = {}   # once a release; not built yet\n", command(release)));
    }
    text.push_str(&format!("run = {}\n", command(&app.run)));
    if app.worker {
        text.push_str("routes = []                          # a worker: no port, no requests\n");
    } else {
        text.push_str("# PORT and HOST in its environment say where to listen\n");
    }
    if !app.env.is_empty() {
        let pairs: Vec<String> = app.env.iter().map(|(name, value)| format!("{name} = {}", quoted(value))).collect();
        text.push_str(&format!("env = {{ {} }}\n", pairs.join(", ")));
    } else if !several {
        text.push_str("# env = { API_KEY = { env = \"API_KEY\" } }   # a secret: from outside, never printed\n");
    }
    match &app.health {
        Some(health) => text.push_str(&format!("health = {}\n", quoted(health))),
        None if !app.worker => {
            text.push_str("# health = \"/healthz\"                # a path that answers when it is well; absent: its port accepts\n")
        }
        None => {}
    }
    text.push_str("# instances = 2\n");
    text
}

/// A command as TOML: a text where no shell is needed, else a shell that is asked for by name.
fn command(command: &Command) -> String {
    if command.needs_shell() { format!("[\"sh\", \"-c\", {}]", quoted(&command.0)) } else { quoted(&command.0) }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A name that an app may have.
fn plain(name: &str) -> String {
    let kept: String = name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let kept: String = kept.trim_matches(['-', '_']).chars().take(40).collect();
    if kept.is_empty() { "app".into() } else { kept }
}
