use crate::{Key, Kind, Section};

/// The reference of a whole file as Markdown, made from its definition.
pub fn reference(root: &Section) -> String {
    let mut page = String::new();
    section(root, "", false, true, &mut page);
    page
}

fn section(this: &Section, path: &str, list: bool, built: bool, page: &mut String) {
    let keys = this.keys.iter().chain(this.named.map(|named| &named.key));
    let rows: Vec<&Key> = keys.filter(|key| !is_section(&key.kind)).collect();
    if !path.is_empty() && !rows.is_empty() {
        let title = if list { format!("[[{path}]]") } else { format!("[{path}]") };
        let later = if built { "" } else { " (not built yet)" };
        page.push_str(&format!("\n## `{title}`{later}\n\n{}\n\n", this.doc));
    }
    if !rows.is_empty() {
        page.push_str("| key | value | default | change | |\n|---|---|---|---|---|\n");
        rows.iter().for_each(|key| page.push_str(&row(key)));
    }
    for key in this.keys.iter().chain(this.named.map(|named| &named.key)) {
        if let (true, Some(inner)) = (is_section(&key.kind), key.kind.section()) {
            let path = if path.is_empty() { key.name.into() } else { format!("{path}.{}", key.name) };
            let list = matches!(key.kind, Kind::List(_));
            section(inner, &path, list, built && key.built, page);
        }
    }
}

/// Whether a kind is written as a `[section]` rather than in a line.
fn is_section(kind: &Kind) -> bool {
    match kind {
        Kind::Table(_) => true,
        Kind::List(inner) | Kind::OneOrMany(inner) => matches!(inner, Kind::Table(_)),
        _ => false,
    }
}

fn row(key: &Key) -> String {
    let default = match (key.default, key.required) {
        (Some(default), _) => format!("`{default}`"),
        (None, true) => "required".into(),
        (None, false) => String::new(),
    };
    let later = if key.built { "" } else { " Not built yet." };
    let unbuilt = match key.kind {
        Kind::Either(kinds) => kinds.iter().find(|kind| matches!(kind, Kind::Unbuilt(_))).map(Kind::expects),
        _ => None,
    };
    let unbuilt = unbuilt.map_or_else(String::new, |what| format!(" Not built yet: {what}."));
    format!("| `{}` | {} | {default} | {} | {}{later}{unbuilt} |\n", key.name, key.kind.expects().replace('|', "\\|"), key.mark, key.doc)
}
