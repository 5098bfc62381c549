//! Keys of a store whose rooms come later: checked now, then refused by name.

use settings::{Fault, Key, Kind, Named, Report, Section, Table};

const DAY: u64 = 86_400_000;

pub(super) const REMOTE: Key =
    Key::new("remote", Kind::Url(&["redis", "rediss", "redis-sentinel", "redis-cluster"]), "A server instead of the store in process.")
        .unbuilt();

pub(super) const BINDS: Section = Section::named("", &Named { name: pattern, key: Key::new("PATTERN", Kind::Table(&BIND), "").unbuilt() });

const BIND: Section = Section::new(
    "Keys bound to a query.",
    &[
        Key::new("load", Kind::Text("a query", any), "The query that gives a key's value; `$name` is a part of the pattern.").required(),
        Key::new("strategy", Kind::Choice(&["aside", "through", "behind", "ahead"]), "How reads and writes meet the database.")
            .default("aside"),
        Key::new("ttl", Kind::Duration(1, 365 * DAY), "How long a value is kept.").default("1h"),
    ],
)
.rule(names_of_pattern);

/// A query may only name parts of its pattern.
fn names_of_pattern(bind: &Table, report: &mut Report) {
    let (Some(load), Some(item)) = (bind.text("load"), bind.get("load")) else { return };
    let parts: Vec<&str> = bind.path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name).collect();
    for name in settings::variables(load).iter().filter(|name| !parts.contains(&name.as_str())) {
        let fault = Fault::new(format!("`{}.load`: `${name}` is no part of the pattern", bind.path));
        let near = settings::nearest(name, parts.iter().copied())
            .map_or_else(|| format!("known here: {}", parts.join(", ")), |near| format!("did you mean `${near}`?"));
        report.problem(item.place, fault.hint(near));
    }
}

fn any(text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() { Err(Fault::new("the text is empty")) } else { Ok(()) }
}

fn pattern(name: &str) -> Result<(), Fault> {
    if name.matches('{').count() == name.matches('}').count() && name.contains('{') {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no pattern of keys")).hint("write the parts that vary in braces, \"user:{id}\""))
}
