//! The databases of a file: its SQL doors, and the embedded server behind some of them.

use settings::{Fault, Report, Table, World};

use super::offer::DATABASES;

/// Every `[sql.NAME]`; one that is not written when the file has none but runs an app.
pub fn doors(file: &Table, world: &World, report: &mut Report) -> Vec<sql::Plan> {
    let door = |(index, name)| {
        let sql = file.table("sql").and_then(|sql| sql.table(name));
        sql::Settings { name, sql, first: index == 0, world }.plan(report)
    };
    DATABASES.names(file).into_iter().enumerate().filter_map(door).collect()
}

/// The embedded server that those doors stand before which have no server of their own.
pub fn embedded(file: &Table, doors: &[sql::Plan], report: &mut Report) -> Option<postgres::Plan> {
    let doors: Vec<&sql::Plan> = doors.iter().filter(|door| door.primary.is_none()).collect();
    if doors.is_empty() {
        return None;
    }
    let tables = DATABASES.written(file).map(|(_, table)| table);
    let mut bins = tables.filter(|sql| !sql.has("primary")).filter_map(|sql| Some((sql, sql.path_of("bin")?)));
    let first = bins.next();
    for (sql, _) in bins.filter(|(_, bin)| first.is_some_and(|(_, first)| first != *bin)) {
        let line = first.map_or(0, |(first, _)| first.place_of("bin").line);
        let fault = Fault::new(format!("`{}.bin`: there is one embedded server, and another `bin` is in line {line}", sql.path));
        report.problem(sql.place_of("bin"), fault.hint("write it once"));
    }
    Some(postgres::Plan {
        databases: doors.iter().map(|door| door.name.clone()).collect(),
        bin: first.map(|(_, bin)| bin.to_path_buf()),
        connections: doors.iter().map(|door| door.pool.server).sum(),
    })
}
