//! Tables of texts and what they do.

mod properties;
mod real;

use super::recognise::{recognise, recognise_in_turns, statements};
use super::recognised::{Effects, Name, Recognised, Step};
use super::tokens::Strings;
use super::touched::Touched;

fn read(text: &str) -> Recognised {
    recognise(text.as_bytes(), Strings::Standard)
}

fn one(name: &str) -> Name {
    Name::One(name.into())
}

fn names(text: &str) -> Option<Vec<String>> {
    match read(text).touched() {
        Touched::Names(names) => Some(names.iter().map(|name| name.to_string()).collect()),
        Touched::All(_) => None,
    }
}

#[test]
fn steps() {
    let set = |name: &str| Step::Set(name.into());
    let cases: Vec<(&str, Step)> = vec![
        ("SELECT 1", Step::Other),
        ("(SELECT 1)", Step::Other),
        ("WITH x AS (SELECT 1) SELECT * FROM x", Step::Other),
        ("begin", Step::Begin),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY", Step::Begin),
        ("Start /* x */ Transaction", Step::Begin),
        ("COMMIT", Step::Commit),
        ("commit and chain", Step::Commit),
        ("END WORK", Step::Commit),
        ("COMMIT PREPARED 'x'", Step::Other),
        ("PREPARE TRANSACTION 'x'", Step::Commit),
        ("ROLLBACK", Step::Rollback),
        ("ABORT TRANSACTION", Step::Rollback),
        ("ROLLBACK AND CHAIN", Step::Rollback),
        ("ROLLBACK PREPARED 'x'", Step::Other),
        ("ROLLBACK TO a", Step::Savepoint),
        ("ROLLBACK WORK TO SAVEPOINT a", Step::Savepoint),
        ("SAVEPOINT a", Step::Savepoint),
        ("RELEASE SAVEPOINT a", Step::Savepoint),
        ("SET x = 1", set("x")),
        ("SET X.Y.\"Z\" TO 'a', 'b'", set("x.y.z")),
        ("SET \"TimeZone\" TO 'UTC'", set("timezone")),
        ("SET SESSION statement_timeout = 0", set("statement_timeout")),
        ("SET sort_mem = '1MB'", set("work_mem")),
        ("SET TIME ZONE 'UTC'", set("timezone")),
        ("SET SESSION TIME ZONE LOCAL", set("timezone")),
        ("SET time TO 1", set("time")),
        ("SET NAMES 'utf8'", set("client_encoding")),
        ("SET NAMES", set("client_encoding")),
        ("SET SCHEMA 'a'", set("search_path")),
        ("SET ROLE a", set("role")),
        ("SET role = a", set("role")),
        ("SET SESSION ROLE NONE", set("role")),
        ("SET SESSION AUTHORIZATION a", set("session_authorization")),
        ("SET SESSION SESSION AUTHORIZATION DEFAULT", set("session_authorization")),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", set("default_transaction_isolation")),
        ("SET XML OPTION DOCUMENT", set("xmloption")),
        ("SET search_path FROM CURRENT", set("search_path")),
        ("SET session TO 1", set("session")),
        ("SET session.x = 1", set("session.x")),
        ("SET SEED TO 0.5", set("seed")),
        ("SET local = 1", set("local")),
        ("SET U&\"\\0061\" = 1", set("")),
        ("SET LOCAL x = 1", Step::SetLocal),
        ("SET LOCAL TIME ZONE 'UTC'", Step::SetLocal),
        ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", Step::SetLocal),
        ("SET SESSION TRANSACTION READ ONLY", Step::SetLocal),
        ("SET transaction_read_only = on", Step::SetLocal),
        ("SET CONSTRAINTS ALL DEFERRED", Step::SetLocal),
        ("RESET x", Step::Reset(one("x"))),
        ("RESET \"My\".Var", Step::Reset(one("my.var"))),
        ("RESET ALL", Step::Reset(Name::All)),
        ("RESET ROLE", Step::Reset(one("role"))),
        ("RESET SESSION AUTHORIZATION", Step::Reset(one("session_authorization"))),
        ("RESET TIME ZONE", Step::Reset(one("timezone"))),
        ("RESET TRANSACTION ISOLATION LEVEL", Step::SetLocal),
        ("RESET transaction_isolation", Step::SetLocal),
        ("PREPARE a AS SELECT 1", Step::Prepare("a".into())),
        ("PREPARE \"A_b\" (int) AS SELECT $1", Step::Prepare("A_b".into())),
        ("PREPARE transaction AS SELECT 1", Step::Prepare("transaction".into())),
        ("EXECUTE A", Step::Execute("a".into())),
        ("EXECUTE a(1, 2)", Step::Execute("a".into())),
        ("EXPLAIN ANALYZE EXECUTE a", Step::Execute("a".into())),
        ("EXPLAIN (ANALYZE, BUFFERS off, FORMAT JSON) EXECUTE a(1)", Step::Execute("a".into())),
        ("CREATE TEMP TABLE IF NOT EXISTS x.y (b, c) WITH (p = 1) TABLESPACE d AS EXECUTE \"A\" (1, 2)", Step::Execute("A".into())),
        ("CREATE VIEW v AS SELECT 1 AS execute", Step::Other),
        ("DEALLOCATE a", Step::Deallocate(one("a"))),
        ("DEALLOCATE PREPARE a", Step::Deallocate(one("a"))),
        ("DEALLOCATE prepare", Step::Deallocate(one("prepare"))),
        ("DEALLOCATE ALL", Step::Deallocate(Name::All)),
        ("DEALLOCATE PREPARE ALL", Step::Deallocate(Name::All)),
        ("DEALLOCATE \"all\"", Step::Deallocate(one("all"))),
        ("DISCARD ALL", Step::DiscardAll),
        ("DISCARD PLANS", Step::Discard),
        ("DISCARD TEMP", Step::Discard),
        ("DISCARD SEQUENCES", Step::Discard),
        ("LISTEN A", Step::Listen("a".into())),
        ("LISTEN \"A\"", Step::Listen("A".into())),
        ("UNLISTEN a", Step::Unlisten(one("a"))),
        ("UNLISTEN *", Step::Unlisten(Name::All)),
        ("NOTIFY a, 'x'", Step::Notify),
        ("DECLARE a CURSOR WITH HOLD FOR SELECT 1", Step::DeclareHold),
        ("DECLARE a BINARY INSENSITIVE NO SCROLL CURSOR WITH HOLD FOR SELECT 1", Step::DeclareHold),
        ("DECLARE a CURSOR FOR SELECT 1", Step::Other),
        ("DECLARE a CURSOR WITHOUT HOLD FOR SELECT 1", Step::Other),
        ("EXPLAIN DECLARE a CURSOR WITH HOLD FOR SELECT 1", Step::Other),
        ("COPY a FROM STDIN", Step::Copy),
        ("COPY a (b, \"from\") FROM STDIN WITH (FORMAT csv)", Step::Copy),
        ("COPY a TO STDOUT", Step::Copy),
        ("COPY (SELECT * FROM stdin) TO stdout", Step::Copy),
        ("COPY a FROM 'file'", Step::Other),
        ("COPY (SELECT 1 FROM stdin) TO 'file'", Step::Other),
        ("EXPLAIN SELECT 1", Step::Other),
        ("SHOW x", Step::Other),
    ];
    for (text, step) in cases {
        assert_eq!(*read(text).steps, *std::slice::from_ref(&step), "{text}");
        let spaced = format!("--a\n {}/*;*/;;", text.replace(' ', "\n/* /* b */ */ "));
        assert_eq!(*read(&spaced).steps, [step], "{spaced}");
    }
}

#[test]
fn no_two_effects_are_one() {
    let source = include_str!("recognised.rs");
    let bits: Vec<_> = source.lines().filter_map(|line| line.split_once(": Effects = Effects(")).map(|(_, bit)| bit).collect();
    let distinct: std::collections::BTreeSet<_> = bits.iter().collect();
    assert!(bits.len() > 10 && distinct.len() == bits.len(), "{bits:?}");
}

#[test]
fn effects() {
    const E: fn(&[Effects]) -> Effects = |all| all.iter().fold(Effects::NONE, |sum, one| sum.and(*one));
    let none = Effects::NONE;
    let (parameters, temporary, locks, cursors) = (Effects::PARAMETERS, Effects::TEMPORARY, Effects::LOCKS, Effects::CURSORS);
    let (prepared, read_sequence, sequences) = (Effects::PREPARED, Effects::SEQUENCES_READ, Effects::SEQUENCES_USED);
    let nameless = Effects::NAMELESS;
    let (defines, opaque, notifies, listening) = (Effects::DEFINES, Effects::OPAQUE, Effects::NOTIFIES, Effects::LISTENING);
    for (text, expected) in [
        ("", none),
        (" ; /* */ ;", none),
        ("SELECT a FROM b WHERE c = 'SET x; BEGIN'", none),
        ("SELECT 'it''s set_config(' , \"set_config(\", $$nextval($$ -- lastval()", none),
        ("SELECT set_config, nextval FROM lastval", none),
        ("SELECT a FROM b FOR UPDATE OF b SKIP LOCKED", none),
        ("SELECT a FROM b FOR NO KEY UPDATE", none),
        ("DECLARE a CURSOR FOR SELECT 1", none),
        ("SHOW search_path", none),
        ("SET LOCAL x = 1", none),
        ("Drop /* */ DATABASE IF EXISTS a", E(&[defines, Effects::DATABASES])),
        ("CREATE DATABASE a TEMPLATE b", E(&[defines, Effects::DATABASES])),
        ("ALTER DATABASE a RENAME TO b", E(&[defines, sequences, Effects::DATABASES])),
        ("DROP TABLE database", defines),
        ("BEGIN", Effects::TRANSACTION),
        ("ROLLBACK TO x", Effects::TRANSACTION),
        ("SET x = 1", parameters),
        ("SET LOCAL Standard_conforming_strings TO off", Effects::STRINGS),
        ("SET standard_conforming_strings = off", E(&[parameters, Effects::STRINGS])),
        ("RESET \"standard_conforming_strings\"", E(&[parameters, Effects::STRINGS])),
        ("SELECT set_config('standard_conforming_strings', 'off', true)", Effects::STRINGS),
        ("RESET ALL", parameters),
        ("SELECT set_config('x', 'y', false)", parameters),
        ("SELECT pg_catalog . set_config /* */ ('x', 'y', false)", parameters),
        ("SELECT \"set_config\"('x', 'y', $1)", parameters),
        ("SELECT \"SET_CONFIG\"('x', 'y', false)", none),
        ("SELECT SET_CONFIG('x', f(1, (2)), true)", none),
        ("SELECT set_config('x', 'y', 't')", none),
        ("SELECT set_config('x', 'y', true AND false)", parameters),
        ("SELECT set_config('x', 'y')", parameters),
        ("SELECT set_config('x'", parameters),
        ("SELECT set_config('x'::text, 'y', true), set_config($1 || '.y', 'z', true)", none),
        ("SELECT set_config($1::text, $2, false), set_config(setting_name => $1, new_value => $2, is_local => false)", parameters),
        ("SELECT set_config('x.' || $1, 'y', false)", E(&[parameters, nameless])),
        ("SELECT set_config(new_value => 'x', setting_name => a || 'b', is_local => false)", E(&[parameters, nameless])),
        ("SELECT set_config(n, v, false) FROM a", E(&[parameters, nameless])),
        ("PREPARE a AS SELECT set_config($1, $2, false)", E(&[parameters, nameless, prepared])),
        ("SELECT current_setting('x')", none),
        ("CREATE TEMP TABLE a (b int)", E(&[temporary, defines])),
        ("CREATE LOCAL TEMPORARY TABLE a AS SELECT 1", E(&[temporary, defines])),
        ("CREATE OR REPLACE TEMP VIEW a AS SELECT 1", E(&[temporary, defines])),
        ("CREATE GLOBAL TEMP SEQUENCE a", E(&[temporary, defines])),
        ("CREATE TABLE pg_temp.a (b int)", E(&[temporary, defines])),
        ("CREATE FUNCTION \"pg_temp\".a() RETURNS int RETURN 1", E(&[temporary, defines])),
        ("CREATE TABLE PG_TEMP_3.a (b int)", E(&[temporary, defines])),
        ("CREATE TABLE a (temp int, temporary int)", defines),
        ("SELECT 1 INTO TEMP a", E(&[temporary, defines])),
        ("SELECT 1 AS b INTO LOCAL TEMPORARY TABLE a", E(&[temporary, defines])),
        ("SELECT 1 INTO a", defines),
        ("EXPLAIN ANALYZE CREATE TEMP TABLE a AS SELECT 1", E(&[temporary, defines])),
        ("SELECT pg_advisory_lock(1)", locks),
        ("SELECT pg_advisory_lock_shared(1, 2)", locks),
        ("SELECT a FROM b WHERE pg_try_advisory_lock(a)", locks),
        ("SELECT pg_try_advisory_lock_shared(1)", locks),
        ("SELECT pg_advisory_unlock(1)", locks),
        ("SELECT pg_advisory_unlock_shared(1)", locks),
        ("SELECT pg_advisory_unlock_all()", locks),
        ("SELECT pg_advisory_xact_lock(1), pg_try_advisory_xact_lock(1), pg_advisory_xact_lock_shared(2)", none),
        ("SELECT lastval()", read_sequence),
        ("SELECT CurrVal ('a')", read_sequence),
        ("SELECT nextval('a')", sequences),
        ("SELECT setval('a', 1)", sequences),
        ("INSERT INTO a VALUES (1)", sequences),
        ("WITH x AS (INSERT INTO a VALUES (1) RETURNING b) SELECT * FROM x", sequences),
        ("MERGE INTO a USING b ON a.c = b.c WHEN MATCHED THEN DO NOTHING", sequences),
        ("UPDATE a SET b = DEFAULT", sequences),
        ("DELETE FROM a", sequences),
        ("COPY a FROM STDIN", E(&[sequences, Effects::TAKES_DATA])),
        ("COPY a TO STDOUT", none),
        ("COPY (SELECT 1 FROM b) TO STDOUT", none),
        ("EXECUTE a", E(&[prepared, sequences, opaque])),
        ("CREATE TABLE a AS EXECUTE b", E(&[defines, prepared, sequences, opaque])),
        ("CREATE TABLE IF NOT EXISTS a (b, c) WITH (x = 1) TABLESPACE d AS EXECUTE e", E(&[defines, prepared, sequences, opaque])),
        ("PREPARE a AS SELECT 1", prepared),
        ("DEALLOCATE a", prepared),
        ("LISTEN a", listening),
        ("UNLISTEN *", listening),
        ("NOTIFY a", notifies),
        ("SELECT pg_notify('a', 'b')", notifies),
        ("DECLARE a CURSOR WITH HOLD FOR SELECT 1", cursors),
        ("CLOSE a", cursors),
        ("CALL a()", E(&[opaque, sequences])),
        ("DO $$ BEGIN RAISE 'x'; END $$", E(&[opaque, sequences])),
        ("DO LANGUAGE plpgsql $a$ BEGIN PERFORM pg_advisory_lock(1); END $a$", E(&[opaque, sequences, locks])),
        ("DO $$ BEGIN SET x = 1; END $$", E(&[opaque, sequences, parameters])),
        ("DO $$ BEGIN CREATE TEMP TABLE x (); END $$", E(&[opaque, sequences, temporary, defines])),
        ("LOAD 'a'", Effects::LOAD),
        ("SELECT dblink_connect('a', 'dbname=b')", Effects::LOAD),
        ("SELECT pg_backup_start('a')", Effects::LOAD),
        ("SELECT pg_replication_origin_session_setup('a')", Effects::LOAD),
        ("SELECT pg_create_physical_replication_slot('a', true, true)", Effects::LOAD),
        ("SELECT * FROM pg_create_logical_replication_slot('a', 'pgoutput', true)", Effects::LOAD),
        ("SELECT pg_copy_physical_replication_slot('a', 'b', true), pg_copy_logical_replication_slot('c', 'd', true)", Effects::LOAD),
        ("SELECT setting FROM pg_settings", none),
        ("UPDATE pg_settings SET setting = 'a'", E(&[parameters, sequences])),
        ("PREPARE TRANSACTION 'a'", Effects::TRANSACTION),
        ("SELECT setseed(0.5)", Effects::SEED),
        ("SET seed = 0.5", Effects::SEED),
        ("SELECT set_config('seed', '0.5', false)", Effects::SEED),
        ("DISCARD ALL", E(&[parameters, temporary, locks, cursors, prepared, listening, sequences])),
        ("DISCARD TEMP", temporary),
        ("DISCARD SEQUENCES", sequences),
        ("DISCARD PLANS", none),
        ("ALTER TABLE a ADD b serial", E(&[defines, sequences])),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY a", sequences),
        ("DROP INDEX a", defines),
        ("ALTER ROLE a SET search_path = b", E(&[defines, sequences])),
        ("CREATE FUNCTION a() RETURNS int LANGUAGE sql SET x = 1 AS $$ SELECT set_config('x', 'y', false) $$", defines),
        ("SELECT 1; SET x = 1; SELECT nextval('a')", E(&[parameters, sequences])),
    ] {
        assert_eq!(read(text).effects, expected, "{text}");
    }
    for doubtful in ["DO 'BEGIN NULL; END'", "DO $$ BEGIN EXECUTE x; END $$", "SELECT U&\"set\\005fconfig\"('x', 'y', false)"] {
        let effects = read(doubtful).effects;
        assert!(effects.has(parameters) && effects.has(temporary) && effects.has(locks), "{doubtful}");
        assert_eq!(names(doubtful), None, "{doubtful}");
    }
}

#[test]
fn touched_parameters() {
    for (text, expected) in [
        ("SELECT 1", Some("")),
        ("SET LOCAL x = 1", Some("")),
        ("SET Search_Path = a, b", Some("search_path")),
        ("SET x = 1; SET y TO 2; RESET x; SELECT set_config('z.A', $1, false)", Some("x y z.a")),
        ("SET SESSION AUTHORIZATION a", Some("session_authorization role")),
        ("SET session_authorization = a", Some("session_authorization role")),
        ("RESET SESSION AUTHORIZATION", Some("session_authorization role")),
        (
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            Some("default_transaction_isolation default_transaction_read_only default_transaction_deferrable"),
        ),
        ("SELECT set_config('TimeZone', 'UTC', false)", Some("timezone")),
        ("SELECT set_config('x', 'y', true)", Some("")),
        ("SELECT set_config($1, 'y', false)", None),
        ("SELECT set_config('a' || 'b', 'y', false)", None),
        ("SELECT set_config(E'x', 'y', false)", Some("x")),
        ("SELECT set_config(E'x\\x41', 'y', false)", None),
        ("SELECT set_config(setting_name => 'x', new_value => 'y', is_local => false)", Some("x")),
        ("RESET ALL", Some("")),
        ("DISCARD ALL", Some("")),
        ("SET a.b.c.d.e.f.g.h.i.j = 1", None),
        ("DO $$ BEGIN PERFORM set_config('x', 'y', false); END $$", None),
        ("CALL a()", Some("")),
    ] {
        assert_eq!(names(text).map(|names| names.join(" ")).as_deref(), expected, "{text}");
    }
    let many: String = (0..65).map(|number| format!("SET a{number} = 1;")).collect();
    assert_eq!(names(&many), None);
}

#[test]
fn statements_end_where_the_server_ends_them() {
    for (text, expected) in [
        ("", vec![]),
        (";;", vec![]),
        ("a;b", vec!["a", "b"]),
        (" a b ; ;c; ", vec!["a b", "c"]),
        ("a ';' b; c", vec!["a ';' b", "c"]),
        (r"a '\'; b '\'; c", vec![r"a '\'", r"b '\'", "c"]),
        (r"a E'\'; b '; c", vec![r"a E'\'; b '", "c"]),
        ("a E'x'\n'\\'; b'; c", vec!["a E'x'\n'\\'; b'", "c"]),
        ("a $$;$$; b $x$ $$;$x $x$; c", vec!["a $$;$$", "b $x$ $$;$x $x$", "c"]),
        ("a$$;b$$", vec!["a$$", "b$$"]),
        ("a \";\"; b \"\"\";\"; c", vec!["a \";\"", "b \"\"\";\"", "c"]),
        ("a -- ;\n b; c", vec!["a -- ;\n b", "c"]),
        ("a /* ; /* ; */ ; */ b; c", vec!["a /* ; /* ; */ ; */ b", "c"]),
        ("a U&';' b U&\";\" N';' X';' B';'; c", vec!["a U&';' b U&\";\" N';' X';' B';'", "c"]),
        ("a +-/* ; */ b; c", vec!["a +-/* ; */ b", "c"]),
        ("CREATE RULE a AS ON INSERT TO b DO ALSO (c; d); e", vec!["CREATE RULE a AS ON INSERT TO b DO ALSO (c; d)", "e"]),
        (
            "CREATE FUNCTION a() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1 AS end; END; b",
            vec!["CREATE FUNCTION a() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 1 AS end; END", "b"],
        ),
        ("CREATE OR REPLACE PROCEDURE a() BEGIN ATOMIC END; b", vec!["CREATE OR REPLACE PROCEDURE a() BEGIN ATOMIC END", "b"]),
        ("CREATE TABLE begin (atomic int); b", vec!["CREATE TABLE begin (atomic int)", "b"]),
        ("BEGIN; SELECT 1; END; b", vec!["BEGIN", "SELECT 1", "END", "b"]),
        ("a); b", vec!["a)", "b"]),
    ] {
        let found: Vec<&str> = statements(text.as_bytes(), Strings::Standard).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(read(text).steps.len(), expected.len(), "{text}");
    }
}

#[test]
fn with_backslashes_both_readings_count() {
    let text = br"SELECT 'a\'; SET x = 1; --'; SET y = 2";
    let recognised = recognise(text, Strings::Backslash);
    assert_eq!(*recognised.steps, [Step::Other, Step::Set("y".into())]);
    assert_eq!(recognised.touched(), Touched::Names(&["y".into(), "x".into()]));
    assert_eq!(*recognise(text, Strings::Standard).steps, [Step::Other, Step::Set("x".into())]);
}

#[test]
fn a_backslash_that_may_be_half_a_letter_counts_both_ways() {
    // in SJIS the first string is one letter and ends at the first quote
    let text = b"SELECT E'\x95\\'; SET x = 1; --'; SET y = 2";
    let recognised = recognise(text, Strings::Standard);
    assert_eq!(*recognised.steps, [Step::Other, Step::Set("y".into())]);
    assert_eq!(recognised.touched(), Touched::Names(&["y".into(), "x".into()]));
}

#[test]
fn a_text_of_very_many_statements_is_bounded() {
    let text = "SET a=1;".repeat(20_000) + "SELECT nextval('a')";
    let recognised = read(&text);
    assert_eq!(recognised.steps.len(), 16_384);
    assert!(recognised.effects.has(Effects::OPAQUE) && recognised.effects.has(Effects::SEQUENCES_USED));
    assert_eq!(statements(text.as_bytes(), Strings::Standard).len(), 16_384);
}

#[tokio::test]
async fn a_long_text_is_read_in_turns() {
    let texts = [
        "SELECT 'a', b FROM c;".repeat(5_000),
        format!("DO $$BEGIN {} SET x = 1; END$$", "a := b;".repeat(5_000)),
        format!("SELECT set_config(a || b, c, false), '{} my.name'", "x".repeat(100_000)),
    ];
    let ways = [Strings::Standard, Strings::Backslash].into_iter().flat_map(|strings| texts.iter().map(move |text| (text, strings)));
    for (text, strings) in ways {
        let mut turns = 0;
        let mut reading = std::pin::pin!(recognise_in_turns(text.as_bytes(), strings));
        let in_turns = std::future::poll_fn(|context| {
            turns += 1;
            reading.as_mut().poll(context)
        });
        assert_eq!(in_turns.await, recognise(text.as_bytes(), strings));
        assert!(turns > 5, "{turns}");
    }
}
