use settings::{Report, Table};

use super::offer::STORES;

/// Every `[kv.NAME]`; one that is not written when the file has none but runs an app.
pub fn doors(file: &Table, report: &mut Report) -> Vec<kv::Plan> {
    let store = |(index, name)| {
        let kv = file.table("kv").and_then(|kv| kv.table(name));
        kv::Settings { name, kv, first: index == 0 }.plan(report)
    };
    STORES.names(file).into_iter().enumerate().map(store).collect()
}
