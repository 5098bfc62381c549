// A small web app: a page, JSON, a list of posts kept in a file, uploads, a chat by WebSocket, ticks by SSE.
import { createHash } from "node:crypto";
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import express from "express";
import { WebSocketServer } from "ws";

const data = process.env.DATA ?? "data";
const file = join(data, "posts.jsonl");
const app = express();
app.disable("x-powered-by");

app.get("/healthz", (request, response) => response.type("text").send("ok"));
app.get("/hello", (request, response) =>
  response.send('<!doctype html><title>Hello</title><h1>Hello from Node</h1><p><a href="/">The front</a>'));
app.get("/api/hello", (request, response) =>
  response.json({ hello: request.query.name ?? "world", from: "node", instance: process.pid }));

app.get("/api/posts", async (request, response) => {
  const text = await readFile(file, "utf8").catch(() => "");
  response.json(text.split("\n").filter(Boolean).map((line) => JSON.parse(line)));
});

app.post("/api/posts", express.json(), async (request, response) => {
  const { title, text } = request.body ?? {};
  if (!String(title ?? "").trim()) return response.sendStatus(422);
  const post = { title: String(title), text: String(text ?? "") };
  await mkdir(data, { recursive: true });
  await appendFile(file, JSON.stringify(post) + "\n"); // one write in append mode: instances do not mix their lines
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
