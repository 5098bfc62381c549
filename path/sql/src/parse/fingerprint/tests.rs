use super::super::recognise::recognise;
use super::*;

fn shown(text: &str) -> String {
    normalised(text.as_bytes(), Strings::Standard, 1000)
}

fn hashed(text: &str) -> u64 {
    recognise(text.as_bytes(), Strings::Standard).fingerprint
}

#[test]
fn what_differs_from_call_to_call_is_gone() {
    for (text, expected) in [
        ("SELECT  1 ;", "select $1"),
        ("", ""),
        (" ; ", ""),
        ("select a.B,\"C d\" from T where x=1and y = 'it''s' -- secret\n", "select a.b, \"C d\" from t where x = $1 and y = $2"),
        ("SELECT $2, $1", "select $1, $2"),
        ("SELECT a FROM b WHERE c IN (1, 2, 3)", "select a from b where c in ($1, …)"),
        ("SELECT a FROM b WHERE c IN (1)", "select a from b where c in ($1, …)"),
        ("SELECT a FROM b WHERE c IN ('a'::text,$1::text) AND d = 1", "select a from b where c in ($1::text, …) and d = $2"),
        ("SELECT a FROM b WHERE c IN (-1, +2)", "select a from b where c in ($1, …)"),
        ("SELECT a FROM b WHERE c IN (1, x, 2)", "select a from b where c in ($1, x, $2)"),
        ("SELECT a FROM b WHERE c IN (SELECT 1)", "select a from b where c in (select $1)"),
        ("SELECT ARRAY[1,2,3], f(1, -2), -a - 1", "select array[$1, …], f($2, $3), - a - $4"),
        ("INSERT INTO a (b, c) VALUES (1, now()), (2, now()), (3, f((1)))", "insert into a(b, c) values ($1, now())"),
        ("INSERT INTO a VALUES (1), (2) RETURNING b", "insert into a values ($1) returning b"),
        ("SELECT * FROM (VALUES (1), (2)) v, w", "select * from (values ($1)) v, w"),
        ("SELECT 1; SELECT 2;", "select $1; select $2"),
        ("SET x = 'secret'", "set x = $1"),
        ("SELECT $$secret$$, E'a\\'b', U&'x', B'1', X'f', 1.5e3, .5", "select $1, $2, $3, $4, $5, $6, $7"),
        ("SELECT a[1], b::int, c.d", "select a[$1], b::int, c.d"),
        ("SELECT a FROM b LIMIT -1 OFFSET 5", "select a from b limit $1 offset $2"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
        assert_eq!(hashed(text), hashed(&expected.replace(", …", "")), "{text}");
    }
    assert_eq!(normalised(b"SELECT aaaa, bbbb", Strings::Standard, 10), "select aaa…");
    let long = format!("SELECT a FROM b WHERE c IN ({}1)", "1, ".repeat(LOOKED_AT));
    assert_eq!(shown(&long), "select a from b where c in ($1…", "no more of it is read");
    assert_eq!(normalised("SELECT ééé".as_bytes(), Strings::Standard, 8), "select …");
    assert_eq!(normalised(br"SELECT 'a\' secret'", Strings::Backslash, 100), "select $1");
}

#[test]
fn what_is_another_statement_has_another_fingerprint() {
    let texts = [
        "SELECT a FROM b",
        "SELECT a FROM c",
        "SELECT \"a\" FROM b",
        "SELECT a, 1 FROM b",
        "SELECT f(1)",
        "SELECT f(1, 2)",
        "SELECT 1 + 2",
        "SELECT 1 - 2",
        "SELECT 1 WHERE a IN (1)",
        "SELECT 1 WHERE a = (1)",
        "INSERT INTO a VALUES (1)",
        "INSERT INTO a VALUES (1, 2)",
        "SELECT 1; SELECT 1",
        "SELECT 1",
    ];
    let mut seen: Vec<u64> = texts.iter().map(|text| hashed(text)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), texts.len());
}
