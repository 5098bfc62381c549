// A small web app: a page, JSON, a list of posts kept in Postgres, uploads, a chat by WebSocket, ticks by SSE.
import { createHash } from "node:crypto";
import express from "express";
import pg from "pg";
import { WebSocketServer } from "ws";

const database = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
database.on("error", (error) => console.error(`a database connection was lost: ${error.message}`));

// more than one instance may make the table at the same time: the lock lets them do it in turn
const TABLE = `BEGIN; SELECT pg_advisory_xact_lock(1);
  CREATE TABLE IF NOT EXISTS posts (id bigserial PRIMARY KEY, title text NOT NULL, text text NOT NULL); COMMIT`;
let made;
async function query(text, values) {
  made ??= database.query(TABLE).catch((error) => { made = undefined; throw error; });
  await made;
  return (await database.query(text, values)).rows;
}
const list = () => query("SELECT title, text FROM posts ORDER BY id");
// beside what the app does, so that the table is there when it is wanted
list().catch((error) => console.error(`the database is not there yet: ${error.message}`));

const app = express();
app.disable("x-powered-by");

app.get("/healthz", (request, response) => response.type("text").send("ok"));
app.get("/hello", (request, response) =>
  response.send('<!doctype html><title>Hello</title><h1>Hello from Node</h1><p><a href="/">The front</a>'));
app.get("/api/hello", (request, response) =>
  response.json({ hello: request.query.name ?? "world", from: "node", instance: process.pid }));

app.get("/api/posts", async (request, response) => response.json(await list()));

app.post("/api/posts", express.json(), async (request, response) => {
  const { title, text } = request.body ?? {};
  if (!String(title ?? "").trim()) return response.sendStatus(422);
  const post = { title: String(title), text: String(text ?? "") };
  await query("INSERT INTO posts (title, text) VALUES ($1, $2)", [post.title, post.text]);
  response.status(201).json(post);
});

// the size and SHA-256 of what comes, hashed as it streams; nothing is kept
async function upload(request, response) {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of request) {
    hash.update(chunk);
    size += chunk.length;
  }
  response.json({ size, sha256: hash.digest("hex") });
}
app.post("/api/upload", upload);
app.put("/api/upload", upload);

app.get("/api/ticks", (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  let number = 0;
  const tell = () => response.write(`event: tick\ndata: ${number++}\n\n`);
  tell();
  const timer = setInterval(tell, 200);
  response.on("close", () => clearInterval(timer));
});

const server = app.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? "127.0.0.1", () =>
  console.log(`listening on ${server.address().port}`));

// everyone in the room hears everyone, the speaker too; what is not text comes back to its sender
const room = new WebSocketServer({ server, path: "/api/chat" });
room.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (bytes, binary) => {
    if (binary) return socket.send(bytes);
    for (const other of room.clients) other.send(bytes.toString());
  });
});

process.on("SIGTERM", () => {
  console.log("draining");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
