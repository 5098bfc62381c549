//! What two clients do in turn, and what each looks at in between.

/// What each client looks at, whatever its search path is.
pub const LOOK: &str = "SELECT pg_catalog.array_agg(pg_catalog.concat(n, '=', pg_catalog.current_setting(n, true))) \
    FROM pg_catalog.unnest(ARRAY['application_name','search_path','timezone','datestyle','intervalstyle','statement_timeout',\
    'lock_timeout','work_mem','client_encoding','default_transaction_isolation','default_transaction_read_only',\
    'default_transaction_deferrable','transaction_isolation','transaction_read_only','standard_conforming_strings',\
    'client_min_messages','role','session_authorization','extra_float_digits','bytea_output','random_page_cost','my.a','my.b.c',\
    'row_security','log_statement','is_superuser','temp_buffers','xmloption']) n \
    UNION ALL SELECT ARRAY[current_user::pg_catalog.text, session_user::pg_catalog.text, \
    (pg_catalog.to_regclass('pg_temp.moved') IS NULL)::pg_catalog.text]";

pub const SCHEMA: &str = "
CREATE SCHEMA evil; GRANT ALL ON SCHEMA evil TO PUBLIC; GRANT ALL ON SCHEMA public TO PUBLIC;
CREATE FUNCTION evil.lies(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.lies);
CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS $$SELECT 'lie'$$;
CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS $$SELECT 'lie'$$;
CREATE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE sql AS $$SELECT 'lie'$$;
CREATE TABLE evil.pg_settings (name text, setting text, source text, context text);
CREATE FUNCTION public.opaque(n text, v text) RETURNS void LANGUAGE plpgsql AS $$BEGIN PERFORM pg_catalog.set_config(n, v, false); END$$;
CREATE PROCEDURE public.sets(n text, v text) LANGUAGE plpgsql AS $$BEGIN PERFORM pg_catalog.set_config(n, v, false); END$$;
CREATE TABLE public.histories (a int); GRANT ALL ON public.histories TO PUBLIC;
";

pub type Steps<'a> = &'a [(char, &'a str)];

/// A user, what both clients ask for when they come, and what they do in turn.
pub type Scenario = (&'static str, &'static [(&'static str, &'static str)], Steps<'static>);

pub const SCENARIOS: &[Scenario] = &[
    ("app", &[], &[('a', "SET timezone = 'Asia/Tokyo'"), ('b', "SET timezone = 'Europe/Paris'"), ('a', "SHOW timezone")]),
    ("app", &[], &[('a', "SET TIME ZONE -7"), ('b', "SET TIME ZONE INTERVAL '+05:30' HOUR TO MINUTE"), ('a', "SET TIME ZONE LOCAL")]),
    (
        "app",
        &[],
        &[('a', "SET search_path = \"$user\", \"we\"\"ird\", 'it''s', public"), ('b', "SHOW search_path"), ('a', "SHOW search_path")],
    ),
    ("app", &[], &[('a', "SET search_path = ''"), ('b', "SET search_path TO DEFAULT"), ('a', "RESET search_path")]),
    (
        "app",
        &[],
        &[('a', "SET SCHEMA 'evil'"), ('b', "SELECT 1"), ('a', "SET work_mem = '5MB'"), ('b', "SET search_path = b"), ('a', "SELECT 1")],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET search_path = evil, pg_catalog"),
            ('b', "SET my.a = 'b'"),
            ('a', "SET my.a = 'a'"),
            ('b', "RESET ALL"),
            ('a', "RESET my.a"),
        ],
    ),
    ("app", &[], &[('a', "SET datestyle = german"), ('b', "SET datestyle = 'SQL, DMY'"), ('a', "SET datestyle = iso")]),
    ("app", &[], &[('a', "SET intervalstyle = iso_8601"), ('b', "SELECT interval '1 day'"), ('a', "SELECT interval '1 day'")]),
    (
        "app",
        &[],
        &[('a', "SET statement_timeout = '5s'"), ('b', "SET statement_timeout = 7000"), ('a', "SET statement_timeout TO DEFAULT")],
    ),
    ("app", &[], &[('a', "SET statement_timeout = 1"), ('b', "SELECT 1"), ('b', "SET work_mem = '3MB'"), ('b', "RESET work_mem")]),
    ("app", &[], &[('a', "SET lock_timeout = '1min'; SET work_mem = '77MB'; RESET lock_timeout"), ('b', "SELECT 1")]),
    ("app", &[], &[('a', "SET work_mem = '77MB'; SELECT 1/0"), ('b', "SET work_mem = '8MB'"), ('a', "SHOW work_mem")]),
    ("app", &[], &[('a', "SET work_mem = nonsense"), ('b', "SET no_such_parameter = 1"), ('a', "SET work_mem = '1GB'")]),
    ("app", &[], &[('a', "BEGIN"), ('a', "SET work_mem = '9MB'"), ('a', "COMMIT"), ('b', "SHOW work_mem")]),
    ("app", &[], &[('a', "BEGIN"), ('a', "SET work_mem = '9MB'"), ('a', "ROLLBACK"), ('b', "SHOW work_mem")]),
    (
        "app",
        &[],
        &[
            ('a', "SET work_mem = '6MB'"),
            ('a', "BEGIN"),
            ('a', "SET work_mem = '9MB'"),
            ('a', "SELECT 1/0"),
            ('a', "COMMIT"),
            ('b', "SHOW work_mem"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "BEGIN"),
            ('a', "SAVEPOINT s"),
            ('a', "SET my.a = 'lost'"),
            ('a', "ROLLBACK TO s"),
            ('a', "SET my.b.c = 'kept'"),
            ('a', "COMMIT"),
            ('b', "SELECT 1"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "BEGIN"),
            ('a', "SET my.a = 'kept'"),
            ('a', "SAVEPOINT s"),
            ('a', "SET my.a = 'lost'"),
            ('a', "ROLLBACK TO s"),
            ('a', "COMMIT"),
            ('b', "SELECT 1"),
        ],
    ),
    (
        "app",
        &[],
        &[('a', "BEGIN"), ('a', "SAVEPOINT s"), ('a', "SET my.a = 'x'"), ('a', "RELEASE s"), ('a', "COMMIT"), ('b', "SET my.a = 'y'")],
    ),
    ("app", &[], &[('a', "BEGIN"), ('a', "SET LOCAL work_mem = '9MB'"), ('a', "COMMIT"), ('b', "SHOW work_mem")]),
    (
        "app",
        &[],
        &[('a', "SET work_mem = '6MB'"), ('a', "BEGIN; SET LOCAL work_mem = '9MB'; SET work_mem = '12MB'; COMMIT"), ('b', "SHOW work_mem")],
    ),
    (
        "app",
        &[],
        &[('a', "BEGIN; SET work_mem = '9MB'; SET LOCAL work_mem = '12MB'; COMMIT"), ('b', "SHOW work_mem"), ('a', "SHOW work_mem")],
    ),
    ("app", &[], &[('a', "SET LOCAL work_mem = '9MB'"), ('b', "SHOW work_mem")]),
    ("app", &[], &[('a', "SELECT set_config('work_mem', '9MB', false)"), ('b', "SHOW work_mem"), ('a', "RESET work_mem")]),
    ("app", &[], &[('a', "SELECT set_config('work_mem', '9MB', true)"), ('b', "SHOW work_mem")]),
    (
        "app",
        &[],
        &[('a', "SELECT set_config('my.a', 'it''s \\ é', false)"), ('b', "SELECT set_config('my.a', NULL, false)"), ('a', "SELECT 1")],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SELECT set_config(n, v, false) FROM (VALUES ('work_mem', '9MB'), ('datestyle', 'SQL')) t(n, v)"),
            ('b', "SHOW work_mem"),
            ('a', "RESET ALL"),
        ],
    ),
    ("app", &[], &[('a', "SET my.a = ''"), ('b', "SET my.a = 'b'"), ('a', "SET my.b.c = 'c'"), ('b', "RESET my.a")]),
    ("app", &[], &[('a', "SET \"My.A\" = 'x'"), ('b', "SET my.A = 'y'"), ('a', "RESET \"my\".a")]),
    ("app", &[], &[('a', "SET my.a = 'x'"), ('a', "RESET ALL"), ('b', "SET my.a = 'z'"), ('a', "SELECT 1")]),
    (
        "app",
        &[],
        &[
            ('a', "SET plpgsql.extra_warnings = 'all'"),
            ('b', "DO 'BEGIN END'"),
            ('a', "DO 'BEGIN END'; SHOW plpgsql.extra_warnings"),
            ('a', "RESET plpgsql.extra_warnings"),
            ('b', "DO 'BEGIN END'; SHOW plpgsql.extra_warnings"),
            ('a', "DO 'BEGIN END'; SHOW plpgsql.extra_warnings"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('b', "DO 'BEGIN END'"),
            ('a', "SET plpgsql.extra_warnings = 'all'"),
            ('b', "RESET plpgsql.extra_warnings"),
            ('a', "DO 'BEGIN END'; SHOW plpgsql.extra_warnings"),
            ('a', "RESET ALL"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET standard_conforming_strings = off"),
            ('b', "SELECT 'a\\b'"),
            ('a', "SELECT E'a\\\\b'"),
            ('a', "SET my.a = 'back\\\\slash'"),
            ('b', "SET my.a = 'back\\slash'"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET client_encoding = latin1"),
            ('b', "SELECT 'é'"),
            ('a', "SET search_path = a"),
            ('b', "SET my.a = 'é'"),
            ('a', "RESET client_encoding"),
        ],
    ),
    (
        "app",
        &[],
        &[('a', "SET NAMES 'sjis'"), ('b', "SET my.a = '表'"), ('a', "SET my.b.c = 'x'"), ('b', "SELECT 1"), ('a', "SET NAMES 'utf8'")],
    ),
    ("app", &[], &[('a', "SET client_min_messages = debug5"), ('b', "SET client_min_messages = error"), ('a', "SET my.a = 'x'")]),
    (
        "app",
        &[],
        &[
            ('a', "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE"),
            ('b', "INSERT INTO public.histories VALUES (1)"),
            ('a', "SET my.a = 'x'"),
            ('b', "UPDATE public.histories SET a = 2 WHERE false"),
            ('a', "INSERT INTO public.histories VALUES (1)"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET default_transaction_read_only = on"),
            ('b', "SET my.a = 'b'"),
            ('a', "SET default_transaction_read_only = off"),
            ('b', "SELECT 1"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET transaction_isolation = 'serializable'"),
            ('b', "SHOW transaction_isolation"),
            ('a', "SELECT set_config('transaction_read_only', 'on', false)"),
        ],
    ),
    ("app", &[], &[('a', "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY"), ('a', "SET my.a = 'x'"), ('a', "COMMIT"), ('b', "SELECT 1")]),
    (
        "app",
        &[],
        &[
            ('a', "SET ROLE bob"),
            ('b', "SELECT current_user"),
            ('a', "SET my.a = 'x'"),
            ('b', "SET ROLE carol"),
            ('a', "RESET ROLE"),
            ('b', "SET ROLE NONE"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET ROLE bob"),
            ('a', "SET ROLE nobody_at_all"),
            ('b', "SET ROLE postgres"),
            ('a', "SET search_path = evil, pg_catalog"),
            ('b', "SELECT 1"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SELECT set_config('role', 'bob', false)"),
            ('b', "SELECT 1"),
            ('a', "BEGIN; SET ROLE carol; ROLLBACK"),
            ('a', "DISCARD ALL"),
        ],
    ),
    ("app", &[], &[('a', "SET SESSION AUTHORIZATION app"), ('b', "SET SESSION AUTHORIZATION bob"), ('a', "RESET SESSION AUTHORIZATION")]),
    (
        "postgres",
        &[],
        &[
            ('a', "SET SESSION AUTHORIZATION app"),
            ('b', "SELECT session_user"),
            ('a', "SET ROLE bob"),
            ('b', "SET ROLE app"),
            ('a', "SET my.a = 'x'"),
            ('b', "RESET ROLE"),
        ],
    ),
    (
        "postgres",
        &[],
        &[
            ('a', "SET ROLE bob; SET SESSION AUTHORIZATION carol"),
            ('b', "SELECT 1"),
            ('a', "RESET SESSION AUTHORIZATION"),
            ('b', "SELECT 1"),
        ],
    ),
    (
        "postgres",
        &[],
        &[
            ('a', "SET log_statement = 'all'; SET ROLE app"),
            ('b', "SHOW log_statement"),
            ('a', "SET work_mem = '9MB'"),
            ('b', "SET ROLE bob; SET work_mem = '8MB'"),
            ('a', "RESET ALL"),
        ],
    ),
    (
        "postgres",
        &[],
        &[
            ('a', "SET session_replication_role = replica"),
            ('b', "SHOW session_replication_role"),
            ('a', "SHOW session_replication_role"),
            ('a', "SET dynamic_library_path = '$libdir'; SET ROLE app; SET my.a = 'x'"),
            ('b', "SELECT 1"),
        ],
    ),
    ("app", &[], &[('a', "SET log_statement = 'all'"), ('b', "SHOW log_statement")]),
    (
        "app",
        &[("application_name", "one")],
        &[
            ('a', "SET application_name = 'two'"),
            ('b', "SHOW application_name"),
            ('a', "RESET application_name"),
            ('b', "SET application_name TO DEFAULT"),
        ],
    ),
    (
        "app",
        &[("application_name", "one"), ("timezone", "UTC")],
        &[('a', "SET timezone = 'GMT'; SET application_name = ''"), ('b', "RESET timezone"), ('a', "RESET ALL"), ('b', "DISCARD ALL")],
    ),
    (
        "app",
        &[("application_name", "one")],
        &[('a', "BEGIN"), ('a', "RESET application_name"), ('a', "SHOW application_name"), ('a', "ROLLBACK"), ('b', "SELECT 1")],
    ),
    (
        "app",
        &[("application_name", "one"), ("search_path", "a, b")],
        &[('a', "BEGIN"), ('a', "SET application_name = 'x'; SET search_path = c"), ('a', "RESET ALL"), ('a', "COMMIT"), ('b', "SELECT 1")],
    ),
    (
        "app",
        &[("client_encoding", "latin1")],
        &[('a', "SET my.a = 'a'"), ('b', "RESET client_encoding"), ('a', "SET client_encoding = 'utf8'"), ('b', "SELECT 1")],
    ),
    (
        "app",
        &[("my.a", "given"), ("statement_timeout", "5min")],
        &[('a', "SET my.a = 'own'"), ('b', "SHOW my.a"), ('a', "RESET my.a"), ('b', "SET statement_timeout = 0"), ('a', "RESET ALL")],
    ),
    ("app", &[("role", "bob")], &[('a', "RESET ROLE"), ('b', "SET ROLE NONE"), ('a', "SET ROLE carol"), ('b', "RESET ALL")]),
    (
        "app",
        &[],
        &[
            ('a', "CALL public.sets('work_mem', '9MB')"),
            ('b', "SHOW work_mem"),
            ('a', "DO $$BEGIN PERFORM set_config('timezone', 'GMT', false); END$$"),
            ('b', "SHOW timezone"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "DO $$BEGIN SET work_mem = '9MB'; EXECUTE 'SET ti' || 'mezone = ''GMT'''; END$$"),
            ('b', "SHOW timezone"),
            ('a', "SHOW work_mem"),
        ],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;"),
            ('b', "SET my.a = 'x'"),
            ('a', "SELECT 1"),
            ('b', "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;"),
        ],
    ),
    (
        "app",
        &[],
        &[('a', "SET work_mem = '9MB'"), ('b', "SET timezone = 'GMT'"), ('a', "DISCARD ALL"), ('b', "SELECT 1"), ('a', "SELECT 1")],
    ),
    (
        "app",
        &[],
        &[
            ('a', "SET xmloption = document; SET row_security = off; SET extra_float_digits = -3"),
            ('b', "SELECT 0.1::float8"),
            ('a', "SET XML OPTION CONTENT"),
        ],
    ),
    (
        "app",
        &[],
        &[('a', "SET random_page_cost = 1.5; SET bytea_output = 'escape'"), ('b', "SELECT '\\x41'::bytea"), ('a', "SELECT '\\x41'::bytea")],
    ),
    ("app", &[], &[('a', "BEGIN; SET my.a = 'x'; COMMIT; BEGIN; SET my.a = 'y'; ROLLBACK"), ('b', "SELECT 1"), ('a', "SELECT 1")]),
    ("app", &[], &[('a', "SET my.unused FROM CURRENT"), ('b', "SET SESSION work_mem TO '9MB'"), ('a', "SET SESSION my.b.c = 1")]),
    (
        "app",
        &[],
        &[
            ('a', "SET standard_conforming_strings = off"),
            ('a', "SELECT set_config('my.a', 'off', false)"),
            ('b', "SELECT set_config(setting_name => 'my.a', new_value => 'named', is_local => false)"),
            ('a', "SELECT set_config('my' || '.b.c', current_setting('my.a'), false), 'my.b.c'"),
            ('b', "DO $$BEGIN EXECUTE 'SET my.b.c = 5'; END$$"),
            ('a', "CALL public.sets('my.a', 'called')"),
            ('b', "RESET ALL"),
            ('a', "RESET ALL"),
        ],
    ),
    (
        "app",
        &[("role", "carol")],
        &[
            ('a', "RESET SESSION AUTHORIZATION"),
            ('b', "SET SESSION AUTHORIZATION app"),
            ('a', "SET ROLE NONE"),
            ('b', "RESET SESSION AUTHORIZATION"),
            ('a', "BEGIN"),
            ('a', "RESET SESSION AUTHORIZATION"),
            ('a', "COMMIT"),
        ],
    ),
    (
        "app",
        &[("application_name", "given"), ("my.a", "given")],
        &[
            ('a', "SET application_name = 'x'; SET my.a = 'x'"),
            ('a', "RESET ALL; SELECT 1/0"),
            ('b', "BEGIN; RESET application_name; RESET my.a; ROLLBACK"),
            ('a', "BEGIN"),
            ('a', "SAVEPOINT s; RESET ALL; ROLLBACK TO s"),
            ('a', "RESET application_name"),
            ('a', "COMMIT"),
            ('b', "SET my.a = ''"),
            ('a', "RESET my.a"),
        ],
    ),
];
