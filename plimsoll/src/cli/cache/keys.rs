use std::time::Duration;

use serde_json::json;

use crate::cli::{Failed, Shared, misused};
use crate::orders::{Answer, KeysOrder, Order};
use crate::reach;

/// Longer than a store takes to count its keys.
const PATIENCE: Duration = Duration::from_secs(15);

/// Show the classes of a store's keys: hits, keys, memory, evictions, expiries; the busiest keys, the biggest ones.
///
/// Uses are counted by sample when they are many; keys and memory are counted anew, in the background of the traffic.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The store; all when it is left out.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// The keys that were read and written most, over the last minutes.
    #[arg(long)]
    hot: bool,
    /// The keys that take the most memory.
    #[arg(long)]
    big: bool,
    /// So many keys of each.
    #[arg(short = 'n', value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(shared: &Shared, arguments: &Arguments) -> Result<(), Failed> {
    let Arguments { name, hot, big, count, json } = arguments;
    let order = KeysOrder { store: name.clone(), hot: *hot, big: *big, most: *count };
    let stores = match reach::ask(shared.path(&None), shared.state(), Order::Keys(order), PATIENCE)? {
        Answer::Keys(stores) => stores,
        Answer::Refused(reasons) => return Err(misused(reasons.join("; "))),
        other => return Err(format!("unexpected answer: {other:?}").into()),
    };
    let text = match json {
        true => format!("{}\n", json!({ "kv": stores })),
        false if stores.is_empty() => "no store: the file has neither a `[kv.NAME]` nor an app that Plimsoll runs\n".into(),
        false => watch::keys_picture(&stores, *hot, *big),
    };
    crate::cli::print(&text);
    Ok(())
}
