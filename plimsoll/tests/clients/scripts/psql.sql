-- What people type into psql. Nothing here may print what differs from run to run (oids, processes, temp schemas).
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\encoding
SHOW application_name;
SHOW client_encoding;
SELECT current_user, session_user, current_schema();

CREATE TABLE film (id serial PRIMARY KEY, title text NOT NULL, length int CHECK (length > 0), released date DEFAULT '2020-02-02');
CREATE INDEX film_title ON film (lower(title));
CREATE VIEW long_film AS SELECT * FROM film WHERE length > 100;
COMMENT ON TABLE film IS 'what is shown';
\d
\d film
\d+ film
\d+ long_film
\di
\dn
\dT
\dp
\ddp
\sv long_film
\d nothing_of_that_name

-- COPY in its three forms, both ways
COPY film (title, length) FROM stdin;
Alien	117
Brazil	132
Cube	90
\.
\copy film (title, length) from stdin csv
"Dune, part one",155
Eraserhead,89
\.
\copy (SELECT title, length FROM film ORDER BY id) to 'film.csv' csv header
CREATE TABLE copy_of_film (LIKE film);
\copy copy_of_film (title, length) from 'film.csv' csv header
ALTER TABLE copy_of_film DROP COLUMN id
;
SELECT title, length FROM film WHERE id = 1;
CREATE TABLE second (title text, length int);
\copy second from 'film.csv' csv header
SELECT * FROM second ORDER BY title;
COPY second TO stdout;
COPY (SELECT * FROM film ORDER BY id) TO stdout WITH (FORMAT csv, FORCE_QUOTE *);
COPY second FROM stdin;
right	1
wrong	not a number
right	2
\.
SELECT count(*) FROM second;
\copy second from 'there-is-no-such-file'
COPY second FROM stdin;
only one column
\.
\copy (SELECT n, repeat(md5(n::text), 10) FROM generate_series(1, 30000) n) to 'large.csv' csv
CREATE TABLE large (n int, text text);
\copy large from 'large.csv' csv
SELECT count(*), sum(n), md5(string_agg(text, '' ORDER BY n)) FROM large;

-- several statements in one message, an error in the middle
SELECT 1 AS a\; SELECT 2 AS b, 3 AS c\; SELECT 'x' AS d;
SELECT 1 AS a\; SELECT 1/0 AS b\; SELECT 2 AS c;
INSERT INTO second VALUES ('lost', 0)\; SELECT 1/0\; SELECT 2;
SELECT count(*) FROM second WHERE title = 'lost';
BEGIN\; INSERT INTO second VALUES ('kept', 0)\; COMMIT\; SELECT 1/0;
SELECT count(*) FROM second WHERE title = 'kept';
CREATE TABLE one (a int)\; COPY one FROM stdin\; SELECT count(*) FROM one\; COPY one TO stdout;
1
2
\.
\;
;
SELECT;

-- transactions
BEGIN;
INSERT INTO second VALUES ('transaction', 1);
SELECT 1/0;
SELECT 'ignored';
\set old 'x'
COMMIT;
SELECT count(*) FROM second WHERE title = 'transaction';
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SHOW transaction_isolation;
INSERT INTO second VALUES ('read only', 1);
ROLLBACK;
BEGIN;
SAVEPOINT one;
INSERT INTO second VALUES ('first', 1);
SAVEPOINT two;
INSERT INTO second VALUES (1/0, 1);
ROLLBACK TO two;
RELEASE one;
COMMIT AND CHAIN;
INSERT INTO second VALUES ('second', 1);
ROLLBACK;
SELECT title FROM second WHERE length = 1 ORDER BY title;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO second VALUES ('survivor', 7);
SELECT 1/0;
COMMIT;
\unset ON_ERROR_ROLLBACK
SELECT title FROM second WHERE length = 7;
\set AUTOCOMMIT off
INSERT INTO second VALUES ('by hand', 8);
ROLLBACK;
\set AUTOCOMMIT on
SELECT count(*) FROM second WHERE length = 8;
COMMIT;
BEGIN;
BEGIN;
ROLLBACK;

-- settings
SET work_mem = '5MB';
SHOW work_mem;
SET search_path = pg_catalog;
SHOW search_path;
SELECT title FROM second;
RESET search_path;
BEGIN;
SET LOCAL work_mem = '6MB';
SHOW work_mem;
COMMIT;
SHOW work_mem;
BEGIN;
SET work_mem = '7MB';
ROLLBACK;
SHOW work_mem;
SELECT set_config('work_mem', '8MB', false);
SHOW work_mem;
SELECT set_config('work_mem', '9MB', true);
SHOW work_mem;
SET TIME ZONE 'Asia/Tokyo';
SELECT '2024-01-01 00:00:00+00'::timestamptz;
SET datestyle = 'German';
SELECT '2024-12-31'::date;
SET client_encoding = 'LATIN1';
SHOW client_encoding;
SELECT convert_to('ä', 'LATIN1');
RESET client_encoding;
SET bytea_output = 'escape';
SELECT '\x00ff41'::bytea;
SET intervalstyle = 'iso_8601';
SELECT interval '1 year 2 days';
SET no_such_setting = 1;
SET no_such.setting = 'mine';
SHOW no_such.setting;
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SHOW transaction_isolation;
SHOW default_transaction_isolation;
RESET ALL;
SHOW default_transaction_isolation;
SHOW work_mem;
SHOW datestyle;
SET statement_timeout = '50ms';
SELECT pg_sleep(5);
RESET statement_timeout;
SELECT 'after the timeout';
ALTER DATABASE :"DBNAME" SET work_mem = '10MB';
SHOW work_mem;
ALTER DATABASE :"DBNAME" RESET work_mem;

-- cursors
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT n FROM generate_series(1, 10) n;
FETCH 3 FROM c;
MOVE 2 FROM c;
FETCH ALL FROM c;
FETCH FIRST FROM c;
CLOSE c;
FETCH 1 FROM c;
ROLLBACK;
DECLARE held CURSOR WITH HOLD FOR SELECT n FROM generate_series(1, 5) n;
FETCH 2 FROM held;
SELECT name, is_holdable FROM pg_cursors;
FETCH ALL FROM held;
CLOSE held;
\set FETCH_COUNT 3
SELECT n FROM generate_series(1, 8) n;
SELECT 10 / (4 - n) FROM generate_series(1, 8) n;
\unset FETCH_COUNT
DECLARE lonely CURSOR FOR SELECT 1;

-- prepared statements of SQL
PREPARE twice (int) AS SELECT $1 * 2 AS twice;
EXECUTE twice(21);
EXECUTE twice('x');
SELECT name, statement, parameter_types FROM pg_prepared_statements WHERE from_sql;
PREPARE twice AS SELECT 1;
DEALLOCATE twice;
EXECUTE twice(1);
PREPARE a AS SELECT 1;
PREPARE b AS SELECT 2;
DEALLOCATE ALL;
EXECUTE a;
SELECT title, length FROM second WHERE length > 100 \gdesc
SELECT 1 AS one, 'two' AS two \gset
\echo :one :two
SELECT format('SELECT %s AS made', n) FROM generate_series(1, 3) n \gexec
SELECT length, title, 1 AS present FROM second WHERE length > 100 ORDER BY 1 \crosstabview length title present

-- temporary tables
CREATE TEMP TABLE mine (a int);
INSERT INTO mine SELECT generate_series(1, 3);
SELECT sum(a) FROM mine;
BEGIN;
CREATE TEMP TABLE short (a int) ON COMMIT DROP;
INSERT INTO short VALUES (1);
SELECT * FROM short;
COMMIT;
SELECT * FROM short;
SELECT sum(a) FROM mine;
DISCARD TEMP;
SELECT sum(a) FROM mine;

-- locks, sequences
SELECT pg_advisory_lock(42);
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT pg_advisory_unlock(42);
SELECT pg_advisory_unlock(42);
SELECT currval('film_id_seq') IS NULL;
SELECT nextval('film_id_seq') = currval('film_id_seq') AS same, lastval() = currval('film_id_seq') AS last;
INSERT INTO film (title) VALUES ('Fargo') RETURNING id = lastval() AS last;
SELECT lastval() = max(id) AS last FROM film;
DISCARD SEQUENCES;
SELECT lastval();

-- notifications, notices
LISTEN news;
NOTIFY news, 'one';
SELECT 'after one';
BEGIN;
NOTIFY news, 'two';
NOTIFY other, 'never heard';
SELECT 'not yet';
COMMIT;
SELECT pg_notify('news', 'three');
SELECT 'after three';
UNLISTEN news;
NOTIFY news, 'four';
SELECT 'after four';
DO $$ BEGIN RAISE NOTICE 'a notice with %', 'text'; RAISE WARNING 'a warning'; END $$;
SET client_min_messages = error;
DO $$ BEGIN RAISE NOTICE 'unheard'; RAISE EXCEPTION 'heard' USING ERRCODE = 'P0042', HINT = 'a hint', DETAIL = 'a detail'; END $$;
RESET client_min_messages;
\errverbose

-- functions, large objects (they use the FunctionCall message), types
CREATE FUNCTION add(a int, b int DEFAULT 5) RETURNS int LANGUAGE sql AS 'SELECT a + b';
SELECT add(1), add(1, 2);
\df add
\sf add
CREATE PROCEDURE two_commits() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO second VALUES ('p1', 9); COMMIT; INSERT INTO second VALUES ('p2', 9); ROLLBACK; END $$;
CALL two_commits();
SELECT title FROM second WHERE length = 9;
\lo_import 'film.csv'
SELECT count(*), sum(length(data)) FROM pg_largeobject;
\lo_export :LASTOID 'exported.csv'
\! cmp film.csv exported.csv && echo identical
\lo_unlink :LASTOID
SELECT NULL AS nothing, '' AS empty, repeat('w', 3) AS word, ARRAY[1, NULL, 3] AS list, '{"a": 1}'::jsonb AS json, ROW(1, 'x') AS row;
SELECT length(repeat('x', 3000000));
EXPLAIN (COSTS off) SELECT * FROM film WHERE id = 1;
VACUUM film;
CREATE DATABASE in_a_transaction \; SELECT 1;
SELECT pg_cancel_backend(0) IS NULL;
syntax error here;
SELECT 'quoted; semicolon', $$dollar; $$, E'\'' -- comment; SELECT
;
/* a /* nested */ comment; */ SELECT U&'\0441' AS letter;

-- a new connection has none of it
SET work_mem = '11MB';
PREPARE gone AS SELECT 1;
\c
SHOW work_mem;
EXECUTE gone;
DISCARD ALL;
SELECT 'the end';
