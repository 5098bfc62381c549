"""Everything of psycopg 3 that reaches the wire; prints what it sees."""

import asyncio
import logging
import os
import threading
import time

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

URL = os.environ["DATABASE_URL"]

# Whether it warns of a pipeline that failed depends on when the answer comes.
logging.getLogger("psycopg").setLevel(logging.CRITICAL)


def told(what, *values):
    print(f"{what}:", *values, flush=True)


def error(what, work):
    try:
        told(what, "no error", work())
    except psycopg.Error as reason:
        told(what, type(reason).__name__, reason.sqlstate, str(reason).split("\n")[0])


def everyday():
    with psycopg.connect(URL) as connection:
        told("status", connection.info.transaction_status.name, connection.info.encoding, connection.info.timezone)
        connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, data jsonb, at timestamptz)")
        connection.execute("INSERT INTO item (name, data) VALUES (%s, %s)", ("one", psycopg.types.json.Jsonb({"a": [1, None]})))
        told("inside", connection.info.transaction_status.name)
    with psycopg.connect(URL, row_factory=dict_row) as connection:
        told("row", connection.execute("SELECT name, data FROM item").fetchall())
        told("types", connection.execute("SELECT 1::int2, 2.5::numeric, true, 'x'::text, ARRAY[1,2], now() IS NOT NULL AS now").fetchone())
        binary = connection.cursor(binary=True).execute("SELECT %s::int8 AS a, %s::bytea AS b", (2**40, b"\x00\xff"))
        told("binary", binary.fetchone())
        error("unique", lambda: connection.execute("INSERT INTO item (name) VALUES ('one')"))
        error("aborted", lambda: connection.execute("SELECT 1"))
        connection.rollback()
        with connection.transaction():
            connection.execute("INSERT INTO item (name) VALUES ('two')")
            error("savepoint", lambda: nested(connection))
        told("names", connection.execute("SELECT array_agg(name ORDER BY id) AS names FROM item").fetchone())


def nested(connection):
    with connection.transaction():
        connection.execute("INSERT INTO item (name) VALUES ('lost')")
        connection.execute("SELECT 1/0")


def prepared():
    with psycopg.connect(URL, autocommit=True) as connection:
        connection.prepare_threshold = 2
        for n in range(12):
            told("prepared", connection.execute("SELECT %s::int * 2", (n,)).fetchone()[0])
        connection.prepared_max = 3
        for round in range(3):
            for n in range(6):
                connection.execute(f"SELECT {n}, %s::int", (round,), prepare=True).fetchone()
        told("statements", connection.execute("SELECT 1 + %s", (1,), prepare=True).fetchone())
        connection.execute("CREATE TABLE shape (a int)")
        connection.execute("INSERT INTO shape VALUES (1)")
        for _ in range(4):
            connection.execute("SELECT * FROM shape", prepare=True).fetchall()
        connection.execute("ALTER TABLE shape ADD COLUMN b int DEFAULT 7")
        try:
            told("changed", connection.execute("SELECT * FROM shape", prepare=True).fetchall() == [(1, 7)])
        except psycopg.errors.FeatureNotSupported:
            told("changed", True)  # Postgres says this; a door that prepares again is better
        connection.execute("DEALLOCATE ALL")
        told("deallocated", connection.execute("SELECT a FROM shape", prepare=True).fetchall())
        many = connection.cursor()
        many.executemany("INSERT INTO shape (a) VALUES (%s) RETURNING a", [(n,) for n in range(5)], returning=True)
        rows = []
        while True:
            rows.append(many.fetchone()[0])
            if not many.nextset():
                break
        told("executemany", rows)


def pipeline():
    with psycopg.connect(URL, autocommit=True) as connection:
        with connection.pipeline() as p:
            cursors = [connection.execute("SELECT %s::int", (n,)) for n in range(50)]
            told("pipelined", [cursor.fetchone()[0] for cursor in cursors])
            p.sync()
        def fails():
            with connection.pipeline():
                connection.execute("CREATE TABLE IF NOT EXISTS piped (a int)")
                connection.execute("INSERT INTO piped VALUES (1)")
                connection.execute("SELECT 1/0")
                connection.execute("INSERT INTO piped VALUES (2)")
        error("pipeline error", fails)
        told("piped", connection.execute("SELECT to_regclass('piped') IS NULL").fetchone())
        with connection.pipeline() as p:
            connection.execute("CREATE TABLE piped (a int)")
            p.sync()
            for n in range(3):
                try:
                    connection.execute("INSERT INTO piped VALUES (%s)", (n,))
                    connection.execute("SELECT 10 / (1 - %s::int)", (n,))
                    p.sync()
                except psycopg.Error as reason:
                    told("in between", n, reason.sqlstate)
        told("kept", connection.execute("SELECT array_agg(a ORDER BY a) FROM piped").fetchone())
        with connection.pipeline(), connection.transaction():
            connection.execute("DELETE FROM piped")
            told("count", connection.execute("SELECT count(*) FROM piped").fetchone())


def copies():
    with psycopg.connect(URL) as connection:
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE copied (n int, text text)")
        with cursor.copy("COPY copied FROM STDIN") as copy:
            for n in range(20_000):
                copy.write_row((n, f"row {n}"))
        told("in", cursor.execute("SELECT count(*), sum(n) FROM copied").fetchone())
        with cursor.copy("COPY copied (n, text) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((-1, None))
        with cursor.copy("COPY (SELECT * FROM copied ORDER BY n LIMIT 3) TO STDOUT") as copy:
            told("out", list(copy.rows()))
        total = 0
        with cursor.copy("COPY copied TO STDOUT (FORMAT binary)") as copy:
            for data in copy:
                total += len(data)
        told("binary out", total)
        connection.commit()

        def given_up():
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write("1\tx\n")
                raise ZeroDivisionError("on purpose")
        try:
            given_up()
        except ZeroDivisionError as reason:
            told("given up", reason, connection.info.transaction_status.name)
        connection.rollback()

        def wrong():
            with cursor.copy("COPY copied FROM STDIN") as copy:
                for _ in range(5000):
                    copy.write("not a number\tx\n" * 100)
        error("wrong data", wrong)
        connection.rollback()
        try:
            with cursor.copy("COPY (SELECT generate_series(1, 100000000)) TO STDOUT") as copy:
                next(iter(copy))
                raise KeyError("enough")
        except KeyError as reason:
            told("left early", reason, connection.info.transaction_status.name)
        connection.rollback()
        told("after", cursor.execute("SELECT count(*) FROM copied").fetchone())


def server_cursors():
    with psycopg.connect(URL) as connection:
        with connection.cursor("named") as cursor:
            cursor.itersize = 7
            cursor.execute("SELECT generate_series(1, 30)")
            told("named", [row[0] for row in cursor])
        with connection.cursor("scrolled", scrollable=True) as cursor:
            cursor.execute("SELECT generate_series(1, 30)")
            cursor.scroll(10)
            told("scrolled", cursor.fetchmany(3))
            cursor.scroll(-5)
            told("back", cursor.fetchone())
        connection.commit()
    with psycopg.connect(URL, autocommit=True) as connection:
        error("no transaction", lambda: connection.cursor("outside").execute("SELECT 1"))
        with connection.cursor("held", withhold=True) as cursor:
            cursor.execute("SELECT generate_series(1, 9)")
            told("held", cursor.fetchmany(2))
            connection.execute("SELECT 1")
            told("held", cursor.fetchall())
    with psycopg.connect(URL) as connection:
        with connection.cursor("streamed") as cursor:
            cursor.execute("SELECT generate_series(1, 9)")
            connection.commit()
            error("after the end", cursor.fetchone)
    with psycopg.connect(URL) as connection:
        told("stream", sum(row[0] for row in connection.cursor().stream("SELECT generate_series(1, 5000)")))


def notifications():
    with psycopg.connect(URL, autocommit=True) as listener, psycopg.connect(URL, autocommit=True) as other:
        listener.execute("LISTEN psycopg_news")
        other.execute("NOTIFY psycopg_news, 'first'")
        with other.transaction():
            other.execute("SELECT pg_notify('psycopg_news', 'second')")
            other.execute("SELECT pg_notify('psycopg_deaf', 'unheard')")
        got = [n.payload for n in listener.notifies(timeout=10, stop_after=2)]
        told("heard", got)
        heard = []
        listener.add_notify_handler(lambda n: heard.append((n.channel, n.payload)))
        listener.execute("NOTIFY psycopg_news, 'own'")
        told("own", heard)
        listener.execute("UNLISTEN *")
        listener.execute("NOTIFY psycopg_news, 'own'")
        told("none", heard)


def cancelled():
    with psycopg.connect(URL, autocommit=True) as connection:
        def cancel():
            time.sleep(0.5)
            connection.cancel()
        thread = threading.Thread(target=cancel)
        thread.start()
        began = time.monotonic()
        error("cancelled", lambda: connection.execute("SELECT pg_sleep(30)"))
        thread.join()
        told("at once", time.monotonic() - began < 15)
        told("usable", connection.execute("SELECT 1").fetchone())


def session():
    with psycopg.connect(URL, autocommit=True, options="-c work_mem=3MB -c plimsoll.tag=mine", application_name="snake") as connection:
        show = lambda name: connection.execute(sql.SQL("SHOW {}").format(sql.SQL(name))).fetchone()[0]
        told("options", show("work_mem"), show("plimsoll.tag"), show("application_name"))
        connection.execute("SET work_mem = '5MB'")
        told("set", show("work_mem"))
        connection.execute("RESET work_mem")
        told("reset", show("work_mem"))
        connection.execute("SET TIME ZONE 'America/Lima'")
        told("zone", connection.info.timezone, connection.info.parameter_status("TimeZone"))
        connection.execute("SET client_encoding = 'latin1'")
        told("encoding", connection.info.encoding, connection.execute("SELECT 'é'").fetchone()[0])
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        connection.autocommit = False
        told("level", show("transaction_isolation"))
        connection.rollback()
        connection.read_only = True
        error("read only", lambda: connection.execute("CREATE TABLE never (a int)"))
        connection.rollback()
    with psycopg.connect(URL) as connection:
        notices = []
        connection.add_notice_handler(lambda notice: notices.append((notice.severity, notice.message_primary)))
        connection.execute("DO $$ BEGIN RAISE NOTICE 'hear me'; END $$")
        told("notices", notices)
        xid = connection.xid(1, "global", "branch")
        error("two phase", lambda: connection.tpc_begin(xid) or connection.tpc_prepare())


def pooled():
    with ConnectionPool(URL, min_size=1, max_size=6, open=True) as pool:
        pool.wait()
        results, threads = [], []
        def work(n):
            for m in range(10):
                with pool.connection() as connection:
                    results.append(connection.execute("SELECT %s::int * 100 + %s::int", (n, m)).fetchone()[0])
        for n in range(12):
            threads.append(threading.Thread(target=work, args=(n,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        told("pool", sorted(results) == [n * 100 + m for n in range(12) for m in range(10)])


async def concurrent():
    async def one(n):
        async with await psycopg.AsyncConnection.connect(URL) as connection:
            cursor = await connection.execute("SELECT %s::int, pg_sleep(0.01)", (n,))
            return (await cursor.fetchone())[0]
    told("async", await asyncio.gather(*[one(n) for n in range(20)]))
    async with await psycopg.AsyncConnection.connect(URL, autocommit=True) as connection:
        task = asyncio.create_task(connection.execute("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.5)
        task.cancel()
        try:
            await task
        except (asyncio.CancelledError, psycopg.Error) as reason:
            told("task", type(reason).__name__)
        told("usable", (await (await connection.execute("SELECT 1")).fetchone()))


for part in [everyday, prepared, pipeline, copies, server_cursors, notifications, cancelled, session, pooled]:
    told("--", part.__name__)
    part()
asyncio.run(concurrent())
