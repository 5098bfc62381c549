//! The question to the server whether a lookup is one: whether what it compares is a unique key of an ordinary table.

use super::recognised::{Lookup, Operand};

/// An ordinary table that nothing rewrites, and no other one is read with it.
const TABLE: &str = "c.relkind = 'r' AND c.relpersistence <> 't' AND NOT c.relispartition AND NOT c.relhasrules AND NOT c.relrowsecurity \
AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE c.oid IN (h.inhparent, h.inhrelid))";

/// An index that the server may rely on for uniqueness at any moment, with the table's columns as its keys.
const INDEX: &str = "i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready AND i.indislive \
AND i.indpred IS NULL AND i.indexprs IS NULL";

/// A key that is usable for what column `w.name` is compared with: the column's own type, or one that the index knows.
const KEY: &str = "w.name = a.attname AND o.opcdefault AND i.indcollation[k] = a.attcollation AND (w.type IN (0, 705, a.atttypid) \
OR (a.atttypid IN (25, 1043) AND w.type IN (25, 1043)) OR EXISTS (SELECT FROM pg_catalog.pg_amop p WHERE p.amopfamily = o.opcfamily \
AND p.amopstrategy = 3 AND p.amoplefttype = o.opcintype AND p.amoprighttype = w.type))";

/// A query whose answer [`confirmed`] reads, for a session with the client's `search_path`. `types` are those of the
/// statement's `Parse`: object identifiers, 0 where the server shall tell. PostgreSQL 11 and later; an error means no.
pub(crate) fn question(lookup: &Lookup, types: &[u32]) -> String {
    let mut sql = format!("SELECT {TABLE}");
    if !lookup.compared.is_empty() {
        let compared: Vec<String> = lookup
            .compared
            .iter()
            .map(|compared| format!("({}::pg_catalog.name, {})", quoted(&compared.column), type_of(&compared.with, types)))
            .collect();
        sql += &format!(
            " AND EXISTS (SELECT FROM pg_catalog.pg_index i WHERE {INDEX} AND NOT EXISTS (SELECT FROM \
pg_catalog.generate_series(0, i.indnkeyatts - 1) k JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k] \
JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k] \
WHERE NOT EXISTS (SELECT FROM (VALUES {}) w(name, type) WHERE {KEY})))",
            compared.join(", ")
        );
    }
    sql + &format!(" FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({})", quoted(&lookup.table))
}

/// Whether the answer's rows say yes.
pub(crate) fn confirmed(rows: &[Vec<Option<Vec<u8>>>]) -> bool {
    matches!(rows, [row] if matches!(row.as_slice(), [Some(value)] if value == b"t"))
}

fn type_of(with: &Operand, types: &[u32]) -> String {
    match with {
        Operand::Constant => "0::pg_catalog.oid".into(),
        Operand::Parameter(number) => {
            let known = types.get(usize::from(*number) - 1).copied().unwrap_or(0);
            format!("{known}::pg_catalog.oid")
        }
        Operand::Cast(name) => format!("pg_catalog.to_regtype({})::pg_catalog.oid", quoted(name)),
    }
}

/// A string that reads the same whatever `standard_conforming_strings` is: there is no backslash in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
