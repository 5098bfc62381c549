// node-postgres: client, pool, prepared names, cursors, COPY, LISTEN, cancel; prints what it sees.
const { Client, Pool } = require("pg");
const Cursor = require("pg-cursor");
const QueryStream = require("pg-query-stream");
const { from, to } = require("pg-copy-streams");
const { pipeline } = require("node:stream/promises");
const { Readable } = require("node:stream");
const { createHash } = require("node:crypto");

const connectionString = process.env.DATABASE_URL;
const told = (what, ...values) => console.log(`${what}:`, ...values.map((value) => JSON.stringify(value)));
const error = async (what, work) => {
  try {
    told(what, "no error", (await work()).rows);
  } catch (reason) {
    told(what, reason.code, reason.message, reason.severity, reason.position);
  }
};

async function everyday(client) {
  await client.query("CREATE TABLE item (id serial PRIMARY KEY, name text, price numeric, data jsonb)");
  for (let n = 0; n < 20; n++) await client.query("INSERT INTO item (name, price, data) VALUES ($1, $2, $3)", [`item ${n}`, n / 4, { n }]);
  told("rows", (await client.query("SELECT * FROM item WHERE id = ANY($1) ORDER BY id", [[1, 5, 9]])).rows);
  told("several", (await client.query("SELECT 1 AS a; SELECT 2 AS b; INSERT INTO item (name) VALUES ('x')")).map((r) => [r.command, r.rowCount, r.rows]));
  told("array", (await client.query({ text: "SELECT 1 AS a, 2 AS a", rowMode: "array" })).rows);
  told("types", (await client.query("SELECT 1::int8 AS a, true AS b, '2020-01-01'::date::text AS c, NULL AS d, '\\x00ff'::bytea::text AS e, ARRAY[1,2] AS f")).rows);
  await error("division", () => client.query("SELECT 1/$1::int", [0]));
  await error("syntax", () => client.query("SELECT FROM WHERE"));
  await error("too few", () => client.query("SELECT $1::int, $2::int", [1]));
  await error("in the middle", () => client.query("SELECT 1; SELECT 1/0; SELECT 2"));
  told("queued", (await Promise.all(Array.from({ length: 50 }, (_, n) => client.query("SELECT $1::int AS n", [n])))).map((r) => r.rows[0].n));
}

async function prepared(client) {
  for (let n = 0; n < 5; n++) told("named", (await client.query({ name: "double", text: "SELECT $1::int * 2 AS n", values: [n] })).rows);
  await error("another text", () => client.query({ name: "double", text: "SELECT $1::int * 3 AS n", values: [1] }));
  for (let n = 0; n < 60; n++) await client.query({ name: `many ${n}`, text: `SELECT ${n} + $1::int AS n`, values: [n] });
  told("many", (await client.query({ name: "many 7", text: "SELECT 7 + $1::int AS n", values: [1] })).rows);
  await client.query("CREATE TABLE shape (a int); INSERT INTO shape VALUES (1)");
  const shape = () => client.query({ name: "shape", text: "SELECT * FROM shape" });
  told("shape", (await shape()).rows);
  await client.query("ALTER TABLE shape ADD COLUMN b int");
  // Postgres refuses this; a door that prepares again is better
  const changed = await shape().catch((reason) => reason);
  told("changed", changed.code === "0A000" || changed.rows.length === 1);
}

async function transactions(client) {
  await client.query("BEGIN");
  await client.query("UPDATE item SET price = 0");
  await error("fails", () => client.query("SELECT nothing"));
  await error("aborted", () => client.query("SELECT 1"));
  await client.query("ROLLBACK");
  told("price", (await client.query("SELECT sum(price) FROM item")).rows);
  await client.query("BEGIN");
  await client.query("SAVEPOINT s");
  await error("fails", () => client.query("INSERT INTO item (id) VALUES (1)"));
  await client.query("ROLLBACK TO s");
  await client.query("INSERT INTO item (name) VALUES ($1)", ["kept"]);
  told("commit", (await client.query("COMMIT")).command);
  told("kept", (await client.query("SELECT count(*) FROM item WHERE name = 'kept'")).rows);
}

async function streams(client) {
  const cursor = client.query(new Cursor("SELECT generate_series(1, $1::int) AS n", [25]));
  told("cursor", (await cursor.read(10)).map((row) => row.n), (await cursor.read(10)).length, (await cursor.read(10)).length);
  await cursor.close();
  const early = client.query(new Cursor("SELECT generate_series(1, 1000000) AS n"));
  told("early", (await early.read(3)).length);
  await early.close();
  let sum = 0;
  for await (const row of client.query(new QueryStream("SELECT generate_series(1, 20000) AS n", [], { batchSize: 100 }))) sum += row.n;
  told("stream", sum);
  await client.query("CREATE TABLE copied (n int, text text)");
  const lines = Array.from({ length: 50000 }, (_, n) => `${n}\trow ${n}\n`);
  const into = client.query(from("COPY copied FROM STDIN"));
  await pipeline(Readable.from(lines), into);
  told("copied", into.rowCount);
  const hash = createHash("sha256");
  await pipeline(client.query(to("COPY (SELECT * FROM copied ORDER BY n) TO STDOUT")), hash);
  told("hash", hash.digest("hex"), createHash("sha256").update(lines.join("")).digest("hex"));
  await error("wrong", async () => {
    await pipeline(Readable.from(Array(1000).fill("wrong\n")), client.query(from("COPY copied FROM STDIN")));
    return { rows: [] };
  });
  told("after", (await client.query("SELECT count(*) FROM copied")).rows);
}

async function listening(client) {
  const heard = [];
  let wake = () => {};
  client.on("notification", ({ channel, payload }) => (heard.push([channel, payload]), wake()));
  const count = async (n) => {
    while (heard.length < n) await new Promise((resolve) => (wake = resolve));
  };
  await client.query("LISTEN node_news");
  const other = new Client({ connectionString });
  await other.connect();
  await other.query("NOTIFY node_news, 'one'");
  await count(1);
  await other.query("BEGIN; SELECT pg_notify('node_news', 'two'); SELECT pg_notify('node_news', 'three'); COMMIT");
  await count(3);
  await client.query("NOTIFY node_news, 'own'");
  told("heard", heard);
  await client.query("UNLISTEN node_news");
  await client.query("NOTIFY node_news, 'none'");
  told("heard", heard.length);
  await other.end();
  const notices = [];
  client.on("notice", (notice) => notices.push([notice.severity, notice.message]));
  await client.query("DO $$ BEGIN RAISE NOTICE 'hear me'; END $$");
  told("notices", notices);
}

async function cancelled() {
  const client = new Client({ connectionString, statement_timeout: 700, application_name: "node", options: "-c work_mem=3MB" });
  await client.connect();
  await error("timeout", () => client.query("SELECT pg_sleep(20)"));
  told("startup", (await client.query("SELECT current_setting('application_name') AS a, current_setting('work_mem') AS b, current_setting('statement_timeout') AS c")).rows);
  await client.end();
}

async function pooled() {
  const pool = new Pool({ connectionString, max: 10 });
  const work = Array.from({ length: 200 }, (_, n) => pool.query("SELECT $1::int AS n", [n]));
  told("pool", (await Promise.all(work)).every((result, n) => result.rows[0].n === n));
  const transfer = async (n) => {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await client.query("UPDATE item SET price = coalesce(price, 0) + 1 WHERE id = 1");
      if (n % 2) throw new Error("on purpose");
      await client.query("COMMIT");
    } catch {
      await client.query("ROLLBACK");
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, n) => transfer(n)));
  told("half", (await pool.query("SELECT price FROM item WHERE id = 1")).rows);
  await pool.end();
}

(async () => {
  const client = new Client({ connectionString });
  await client.connect();
  for (const part of [everyday, prepared, transactions, streams, listening, cancelled, pooled]) {
    console.log("--", part.name);
    await part(client);
  }
  await client.end();
})().catch((reason) => {
  console.log(reason);
  process.exit(1);
});
