use super::super::recognised::{Lookup, Operand};
use super::of;

/// `table: column=$1 column='' column=$2::type`.
fn shown(lookup: &Lookup) -> String {
    let compared = lookup.compared.iter().map(|compared| {
        let with = match &compared.with {
            Operand::Constant => "''".into(),
            Operand::Parameter(number) => format!("${number}"),
            Operand::Cast(name) => format!("::{name}"),
        };
        format!(" {}={with}", compared.column)
    });
    format!("{}:{}", lookup.table, compared.collect::<String>())
}

#[test]
fn plain_lookups() {
    for (text, expected) in [
        ("SELECT * FROM users WHERE id = $1", "\"users\": id=$1"),
        ("select a, B as c, t.d e, t.* from users AS t where t.id=$1;", "\"users\": id=$1"),
        ("SELECT \"users\".* FROM \"users\" WHERE \"users\".\"id\" = $1 LIMIT $2", "\"users\": id=$1"),
        (
            "SELECT \"public\".\"User\".\"id\", \"public\".\"User\".\"name\" FROM \"public\".\"User\" WHERE (\"public\".\"User\".\"id\" = $1 AND 1=1) LIMIT $2 OFFSET $3",
            "\"public\".\"User\": id=$1",
        ),
        ("SELECT users.id AS id FROM users WHERE users.id = $1::INTEGER", "\"users\": id=::integer"),
        ("SELECT id FROM users WHERE name = $1::VARCHAR(20)", "\"users\": name=::varchar"),
        (
            "SELECT id FROM App.Users WHERE tenant = 5 AND Id = $2 AND kind = 'x' AND live = true",
            "\"app\".\"users\": tenant='' id=$2 kind='' live=''",
        ),
        ("SELECT a + 1, b || 'x', -c, (d), e::text, 'x', null FROM t WHERE ((id = $1))", "\"t\": id=$1"),
        ("SELECT a FROM t WHERE id = $1 FOR NO KEY UPDATE OF t SKIP LOCKED", "\"t\": id=$1"),
        ("SELECT a FROM t WHERE id = $1 LIMIT 1 FOR UPDATE", "\"t\": id=$1"),
        ("SELECT a FROM t WHERE id = $1 FETCH FIRST $2 ROWS ONLY", "\"t\": id=$1"),
        ("UPDATE t SET a = $1, b = b + 1, c = now WHERE id = $2", "\"t\": id=$2"),
        ("UPDATE t AS x SET a = $1 WHERE x.id = $2 RETURNING *", "\"t\": id=$2"),
        ("UPDATE t SET a = DEFAULT WHERE id = $1 RETURNING a, b", "\"t\": id=$1"),
        ("DELETE FROM t WHERE id = $1", "\"t\": id=$1"),
        ("DELETE FROM t x WHERE id = $1 RETURNING x.*", "\"t\": id=$1"),
        ("INSERT INTO t (a, b) VALUES ($1, $2), ($3, DEFAULT) RETURNING id", "\"t\":"),
        ("INSERT INTO t VALUES ($1)", "\"t\":"),
        ("INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING", "\"t\":"),
        ("INSERT INTO t (a) VALUES ($1) ON CONFLICT (a, b) DO UPDATE SET a = excluded.a, b = t.b + 1", "\"t\":"),
        ("INSERT INTO t (a) VALUES ($1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING", "\"t\":"),
        ("SELECT \"a\"\"b\" FROM \"c\"\"d\" WHERE \"e'f\" = $1", "\"c\"\"d\": e'f=$1"),
        ("SELECT key, role, time FROM t WHERE key = $1", "\"t\": key=$1"),
    ] {
        assert_eq!(of(text.as_bytes()).as_ref().map(shown).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn anything_else_is_none() {
    for text in [
        "",
        "SELECT 1",
        "SELECT * FROM t",
        "SELECT * FROM t WHERE id = 1",
        "SELECT * FROM t WHERE a = 'x' AND b = 2",
        "SELECT count(*) FROM t WHERE id = $1",
        "SELECT f(a) FROM t WHERE id = $1",
        "SELECT (SELECT 1) FROM t WHERE id = $1",
        "SELECT CASE WHEN a THEN b END FROM t WHERE id = $1",
        "SELECT DISTINCT a FROM t WHERE id = $1",
        "SELECT a FROM t, u WHERE id = $1",
        "SELECT a FROM t JOIN u ON t.id = u.id WHERE id = $1",
        "SELECT a FROM t LEFT JOIN u ON t.id = u.id WHERE id = $1",
        "SELECT a FROM ONLY t WHERE id = $1",
        "SELECT a FROM t TABLESAMPLE SYSTEM (1) WHERE id = $1",
        "SELECT a FROM f($1) WHERE id = $1",
        "SELECT a FROM (SELECT 1) t WHERE id = $1",
        "SELECT a FROM t WHERE id = $1 OR id = $2",
        "SELECT a FROM t WHERE id = $1 AND (b = $2 OR c = $3)",
        "SELECT a FROM t WHERE NOT id = $1",
        "SELECT a FROM t WHERE id IN ($1)",
        "SELECT a FROM t WHERE id = ANY($1)",
        "SELECT a FROM t WHERE id > $1",
        "SELECT a FROM t WHERE id <> $1",
        "SELECT a FROM t WHERE id = $1 AND b IS NULL",
        "SELECT a FROM t WHERE id = $1 + 1",
        "SELECT a FROM t WHERE id = -$1",
        "SELECT a FROM t WHERE id = $1::int + 1",
        "SELECT a FROM t WHERE id = $1::\"MyType\"",
        "SELECT a FROM t WHERE id = $1::timestamp with time zone",
        "SELECT a FROM t WHERE id::text = $1",
        "SELECT a FROM t WHERE lower(id) = $1",
        "SELECT a FROM t WHERE id = b AND c = $1",
        "SELECT a FROM t WHERE id = 1.5 AND c = $1",
        "SELECT a FROM t WHERE id = $0",
        "SELECT a FROM t WHERE id = $99999",
        "SELECT a FROM t WHERE id = $1 COLLATE \"C\"",
        "SELECT a FROM t WHERE id = $1 ORDER BY a",
        "SELECT a FROM t WHERE id = $1 GROUP BY a",
        "SELECT a FROM t WHERE id = $1 UNION SELECT 1",
        "SELECT a FROM t WHERE id = $1; SELECT 1",
        "SELECT a INTO b FROM t WHERE id = $1",
        "SELECT a FROM \"b\\c\" WHERE id = $1",
        "SELECT a FROM U&\"t\" WHERE id = $1",
        "UPDATE t SET a = $1",
        "UPDATE t SET a = f($1) WHERE id = $2",
        "UPDATE t SET (a, b) = ($1, $2) WHERE id = $3",
        "UPDATE t SET a = u.a FROM u WHERE id = $1",
        "UPDATE t SET a = (SELECT 1) WHERE id = $1",
        "UPDATE t SET a = 1 WHERE CURRENT OF c",
        "DELETE FROM t USING u WHERE id = $1",
        "DELETE FROM t",
        "INSERT INTO t SELECT $1",
        "INSERT INTO t (a) VALUES (f($1))",
        "INSERT INTO t (a) VALUES ((SELECT $1))",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (lower(a)) DO NOTHING",
        "INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1 WHERE b = 2",
        "WITH x AS (SELECT 1) SELECT a FROM t WHERE id = $1",
        "EXPLAIN SELECT a FROM t WHERE id = $1",
        "MERGE INTO t USING u ON t.a = $1 WHEN MATCHED THEN DELETE",
    ] {
        assert_eq!(of(text.as_bytes()).as_ref().map(shown), None, "{text}");
    }
    let deep = format!("SELECT a FROM t WHERE {}id = $1{}", "(".repeat(2000), ")".repeat(2000));
    assert_eq!(of(deep.as_bytes()), None);
    let deep = format!("SELECT {}a{} FROM t WHERE id = $1", "(".repeat(2000), ")".repeat(2000));
    assert_eq!(of(deep.as_bytes()), None);
}
