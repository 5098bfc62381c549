"""asyncpg, which prepares everything by name and caches it; prints what it sees."""

import asyncio
import io
import os

import asyncpg

URL = os.environ["DATABASE_URL"]


def told(what, *values):
    print(f"{what}:", *values, flush=True)


async def error(what, work):
    try:
        told(what, "no error", await work)
    except asyncpg.PostgresError as reason:
        told(what, type(reason).__name__, reason.sqlstate, reason.message)


async def statements(connection):
    await connection.execute("CREATE TABLE item (id serial PRIMARY KEY, name text, tags text[], at timestamp DEFAULT '2020-01-01')")
    for n in range(30):
        await connection.execute("INSERT INTO item (name, tags) VALUES ($1, $2)", f"name {n}", [str(n), "x"])
    told("row", dict(await connection.fetchrow("SELECT * FROM item WHERE id = $1", 7)))
    told("value", await connection.fetchval("SELECT count(*) FROM item WHERE name LIKE $1", "name 1%"))
    statement = await connection.prepare("SELECT name FROM item WHERE id = $1")
    told("prepared", [await statement.fetchval(n) for n in (1, 2, 3)], [a.name for a in statement.get_attributes()])
    for n in range(150):
        await connection.fetchval(f"SELECT {n} + $1::int", n)
    told("cache", await connection.fetchval("SELECT 0 + $1::int", 5))
    told("script", await connection.execute("SELECT 1; INSERT INTO item (name) VALUES ('script'); SELECT 2"))
    await connection.executemany("INSERT INTO item (name) VALUES ($1)", [(f"many {n}",) for n in range(100)])
    told("many", await connection.fetchval("SELECT count(*) FROM item WHERE name LIKE 'many%'"))
    await error("executemany", connection.executemany("INSERT INTO item (id) VALUES ($1)", [(1000,), (1001,), (1,)]))
    told("atomic", await connection.fetchval("SELECT count(*) FROM item WHERE id >= 1000"))
    await error("division", connection.fetchval("SELECT 1 / $1::int", 0))
    await error("syntax", connection.fetch("SELEC"))
    record = await connection.fetchrow("SELECT $1::jsonb AS j, $2::numeric AS n, $3::interval AS i, $4::inet AS a", '{"a": 1}', 3, None, "10.0.0.1")
    told("types", tuple(record))


async def changed(connection):
    await connection.execute("CREATE TABLE shape (a int); INSERT INTO shape VALUES (1)")
    told("before", [dict(row) for row in await connection.fetch("SELECT * FROM shape")])
    await connection.execute("ALTER TABLE shape ADD COLUMN b text DEFAULT 'new'")
    told("after", [dict(row) for row in await connection.fetch("SELECT * FROM shape")])
    async with connection.transaction():
        await connection.fetch("SELECT * FROM shape")
    await connection.execute("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b mood)")
    told("enum", await connection.fetchval("SELECT 'happy'::mood"), await connection.fetchval("SELECT ROW(1, 'sad')::pair"))
    await connection.execute("DROP TYPE mood CASCADE; CREATE TYPE mood AS ENUM ('other')")
    await connection.reload_schema_state()
    told("new enum", await connection.fetchval("SELECT 'other'::mood"))


async def transactions(connection):
    async with connection.transaction(isolation="serializable", readonly=True):
        told("level", await connection.fetchval("SHOW transaction_isolation"))
        await error("read only", connection.execute("DELETE FROM item"))
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM item")
            async with connection.transaction():
                await connection.execute("INSERT INTO item (name) VALUES ('inner')")
            raise KeyError("outer")
    except KeyError:
        told("kept", await connection.fetchval("SELECT count(*) FROM item"))
    async with connection.transaction():
        cursor = await connection.cursor("SELECT id FROM item ORDER BY id")
        told("cursor", [row[0] for row in await cursor.fetch(3)], await cursor.forward(5), (await cursor.fetchrow())[0])
        total = 0
        async for row in connection.cursor("SELECT id FROM item", prefetch=9):
            total += row[0]
        told("all", total == await connection.fetchval("SELECT sum(id) FROM item"))


async def copies(connection):
    rows = [(n, f"copied {n}", None) for n in range(5000)]
    await connection.execute("CREATE TABLE copied (n int, name text, empty text)")
    told("in", await connection.copy_records_to_table("copied", records=rows))
    out = io.BytesIO()
    told("out", await connection.copy_from_query("SELECT * FROM copied WHERE n < $1", 3, output=out), out.getvalue())
    told("csv", await connection.copy_to_table("copied", source=io.BytesIO(b"1,x,\n2,y,\n"), format="csv"))
    await error("wrong", connection.copy_to_table("copied", source=io.BytesIO(b"x,x,\n" * 100_000), format="csv"))
    out = io.BytesIO()
    await connection.copy_from_table("copied", output=out, format="binary")
    told("binary", len(out.getvalue()))


async def listening(connection):
    heard = asyncio.Queue()
    callback = lambda _, __, channel, payload: heard.put_nowait((channel, payload))
    await connection.add_listener("asyncpg_news", callback)
    other = await asyncpg.connect(URL)
    await other.execute("NOTIFY asyncpg_news, 'from another'")
    told("heard", await asyncio.wait_for(heard.get(), 10))
    async with other.transaction():
        await other.execute("NOTIFY asyncpg_news, 'at the end'")
    told("heard", await asyncio.wait_for(heard.get(), 10))
    await connection.remove_listener("asyncpg_news", callback)
    await other.execute("NOTIFY asyncpg_news, 'to nobody'")
    await other.close()
    await connection.execute("SELECT 1")
    told("nothing", heard.empty())


async def limits(connection):
    try:
        await connection.fetch("SELECT pg_sleep(30)", timeout=0.5)
    except asyncio.TimeoutError:
        told("timeout", await connection.fetchval("SELECT 'usable'"))
    logged = []
    connection.add_log_listener(lambda _, message: logged.append(message.message))
    await connection.execute("DO $$ BEGIN RAISE WARNING 'look out'; END $$")
    await asyncio.sleep(0)
    told("log", logged)
    await connection.execute("SET TIME ZONE 'Asia/Kolkata'")
    told("settings", connection.get_settings().TimeZone)


async def pooled():
    async with asyncpg.create_pool(URL, min_size=2, max_size=8, server_settings={"work_mem": "7MB"}) as pool:
        async def one(n):
            async with pool.acquire() as connection:
                await connection.execute("SET lock_timeout = 1234")
                return await connection.fetchval("SELECT $1::int * 2", n), await connection.fetchval("SHOW work_mem")
        told("pool", await asyncio.gather(*[one(n) for n in range(40)]))
        told("reset", {await pool.fetchval("SHOW lock_timeout") for _ in range(10)})


async def main():
    connection = await asyncpg.connect(URL)
    for part in [statements, changed, transactions, copies, listening, limits]:
        told("--", part.__name__)
        await part(connection)
    await connection.close()
    await pooled()
    no_cache = await asyncpg.connect(URL, statement_cache_size=0)
    told("no cache", [await no_cache.fetchval("SELECT $1::int", n) for n in range(10)])
    await no_cache.close()


asyncio.run(main())
