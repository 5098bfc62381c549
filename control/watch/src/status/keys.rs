use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::picture::{counted, one_line, rate, span};

/// What is known of the keys of a store.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeysState {
    /// NAME of `[kv.NAME]`.
    pub name: String,
    /// Keys, those that are overdue among them.
    pub keys: u64,
    /// Bytes that the keys and what they hold take.
    pub memory: u64,
    /// Bytes that they may take.
    pub memory_max: u64,
    /// How long ago the keys of classes and the biggest ones were counted; absent: not all have been yet.
    pub counted_seconds_ago: Option<u64>,
    /// The classes, those that matter most first; `other` are all that have no place of their own.
    pub classes: Vec<KeyClassState>,
    /// The keys that were read and written most of late, the busiest first; absent: not asked for.
    #[serde(default)]
    pub hot: Option<Vec<KeyState>>,
    /// The keys with the most memory, the biggest first; absent: not asked for.
    #[serde(default)]
    pub big: Option<Vec<KeyState>>,
}

/// A class of keys. Uses, evictions and expiries are since the start, by sample when they are many.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeyClassState {
    /// A pattern of the file, or how the keys begin.
    pub class: String,
    /// Keys when they were counted last.
    pub keys: u64,
    /// Bytes that these and what they hold took.
    pub memory: u64,
    /// Keys that were asked for and were there.
    pub hits: u64,
    /// Keys that were asked for and were not there.
    pub misses: u64,
    /// The share of the first of both, 0 to 1; absent: none was asked for.
    pub hit_ratio: Option<f64>,
    /// Keys that commands took in hand which may change them.
    pub writes: u64,
    /// Keys that went because memory was full.
    pub evicted: u64,
    /// Keys that went because they were overdue.
    pub expired: u64,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct KeyState {
    /// Its name, safe to be printed; one that is long ends in `…`.
    pub key: String,
    /// Its class.
    pub class: String,
    /// `string`, `list`, …; absent, as what follows: it is not there.
    pub kind: Option<String>,
    /// Bytes that it and what it holds take.
    pub memory: Option<u64>,
    /// Until it is overdue; absent: it does not expire.
    pub ttl_seconds: Option<f64>,
    /// Reads and writes in a second, at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_second: Option<f64>,
}

impl KeyClassState {
    /// See [`KeyClassState::hit_ratio`].
    pub fn ratio(&self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 / all as f64)
    }
}

/// What `cache keys` shows: the classes of each store, or the keys that were asked for. Ends in a newline.
pub fn keys_picture(stores: &[KeysState], hot: bool, big: bool) -> String {
    let mut text = String::new();
    for store in stores {
        if !text.is_empty() {
            text.push('\n');
        }
        head(store, &mut text);
        if hot {
            keys("used most, by sample over the last minutes", store.hot.as_deref(), &mut text);
        }
        if big {
            keys("biggest", store.big.as_deref(), &mut text);
        }
        if !hot && !big {
            classes(&store.classes, &mut text);
        }
    }
    text
}

fn head(store: &KeysState, out: &mut String) {
    let KeysState { name, memory, memory_max, counted_seconds_ago, .. } = store;
    let age = match counted_seconds_ago {
        Some(0) => "counted now".into(),
        Some(seconds) => format!("counted {} ago", span(*seconds)),
        None => "not all are counted yet".into(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "kv.{name}   {}, {} of {}, {age}", counted(store.keys, "key"), size(*memory), size(*memory_max));
}

fn classes(classes: &[KeyClassState], out: &mut String) {
    if classes.is_empty() {
        out.push_str("  no key was there or asked for\n");
        return;
    }
    let heads = ["class", "keys", "memory", "hits", "misses", "hit ratio", "writes", "evicted", "expired"].map(String::from).to_vec();
    let row = |class: &KeyClassState| {
        let KeyClassState { class, keys, memory, hits, misses, hit_ratio, writes, evicted, expired } = class;
        let ratio = hit_ratio.map_or_else(|| "-".into(), |ratio| format!("{:.1} %", ratio * 100.0));
        let [keys, hits, misses, writes, evicted, expired] = [keys, hits, misses, writes, evicted, expired].map(u64::to_string);
        vec![one_line(class), keys, size(*memory), hits, misses, ratio, writes, evicted, expired]
    };
    table(std::iter::once(heads).chain(classes.iter().map(row)).collect(), 1, out);
}

fn keys(title: &str, keys: Option<&[KeyState]>, out: &mut String) {
    let keys = keys.unwrap_or_default();
    if keys.is_empty() {
        let _ = writeln!(out, "  {title}: none");
        return;
    }
    let _ = writeln!(out, "  {title}");
    let with_pace = keys.iter().any(|key| key.per_second.is_some());
    let pace = |text: String| with_pace.then_some(text);
    let heads = pace("per second".into()).into_iter().chain(["memory", "ttl", "type", "class", "key"].map(String::from)).collect();
    let row = |key: &KeyState| {
        let absent = || "-".to_string();
        let ttl = match (&key.kind, key.ttl_seconds) {
            (_, Some(seconds)) => span(seconds.ceil() as u64),
            _ => absent(),
        };
        let kind = key.kind.clone().unwrap_or_else(|| "not there".into());
        let cells = [key.memory.map_or_else(absent, size), ttl, kind, one_line(&key.class), one_line(&key.key)];
        pace(rate(key.per_second.unwrap_or(0.0))).into_iter().chain(cells).collect()
    };
    let figures = 2 + usize::from(with_pace);
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(keys.iter().map(row)).collect();
    table_with(rows, |column| column < figures, out);
}

/// Columns: the first `names` to the left, figures to the right.
fn table(rows: Vec<Vec<String>>, names: usize, out: &mut String) {
    table_with(rows, |column| column >= names, out);
}

fn table_with(rows: Vec<Vec<String>>, is_figure: impl Fn(usize) -> bool, out: &mut String) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in &rows {
        let cell = |(column, cell): (usize, &String)| match is_figure(column) {
            true => format!("{cell:>0$}", widths[column]),
            false => format!("{cell:<0$}", widths[column]),
        };
        let line = row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
        let _ = writeln!(out, "  {}", line.trim_end());
    }
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..0x10_0000 => format!("{:.1} KB", bytes as f64 / 1024.0),
        0x10_0000..0x4000_0000 => format!("{:.1} MB", bytes as f64 / f64::from(1 << 20)),
        _ => format!("{:.1} GB", bytes as f64 / f64::from(1 << 30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> KeysState {
        let class = |class: &str, keys, hits, misses| {
            let class = KeyClassState { class: class.into(), keys, memory: keys * 3000, hits, misses, ..KeyClassState::default() };
            KeyClassState { hit_ratio: class.ratio(), ..class }
        };
        let key = |key: &str, ttl_seconds| KeyState {
            key: key.into(),
            class: "user:*".into(),
            kind: Some("hash".into()),
            memory: Some(100),
            ttl_seconds,
            per_second: Some(12.5),
        };
        KeysState {
            name: "main".into(),
            keys: 1200,
            memory: 4 << 20,
            memory_max: 64 << 20,
            counted_seconds_ago: Some(0),
            classes: vec![class("user:*", 1000, 999, 1), class("other", 200, 0, 0)],
            hot: Some(vec![key("user:1", Some(61.2)), KeyState { kind: None, memory: None, ..key("user:\\u{1b}", None) }]),
            big: Some(Vec::new()),
        }
    }

    #[test]
    fn classes_are_a_table() {
        assert_eq!(
            keys_picture(&[store()], false, false),
            "kv.main   1200 keys, 4.0 MB of 64.0 MB, counted now\n\
             \x20 class   keys    memory  hits  misses  hit ratio  writes  evicted  expired\n\
             \x20 user:*  1000    2.9 MB   999       1     99.9 %       0        0        0\n\
             \x20 other    200  585.9 KB     0       0          -       0        0        0\n"
        );
    }

    #[test]
    fn keys_have_a_line_each() {
        assert_eq!(
            keys_picture(&[store()], true, true),
            "kv.main   1200 keys, 4.0 MB of 64.0 MB, counted now\n\
             \x20 used most, by sample over the last minutes\n\
             \x20 per second  memory        ttl  type       class   key\n\
             \x20         12   100 B  1 min 2 s  hash       user:*  user:1\n\
             \x20         12       -          -  not there  user:*  user:\\u{1b}\n\
             \x20 biggest: none\n"
        );
    }

    #[test]
    fn a_store_without_keys_says_so() {
        let text = keys_picture(&[KeysState { name: "main".into(), ..KeysState::default() }], false, false);
        assert_eq!(text, "kv.main   0 keys, 0 B of 0 B, not all are counted yet\n  no key was there or asked for\n");
    }
}
