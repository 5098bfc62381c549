// A chat by WebSocket: what is said at one instance is heard at all, by way of Redis's channels.
const { createServer } = require("node:http");
const Redis = require("ioredis");
const { WebSocketServer } = require("ws");

const store = new Redis(process.env.REDIS_URL);
const heard = new Redis(process.env.REDIS_URL);
const server = createServer((request, response) => response.end("ok"));
const room = new WebSocketServer({ server });

room.on("connection", (socket) => {
  socket.on("error", () => socket.terminate());
  socket.on("message", (text) => store.publish("chat", `${process.pid} ${text}`));
  socket.send(String(process.pid));
});
heard.on("message", (channel, text) => {
  for (const socket of room.clients) socket.send(text);
});
heard.subscribe("chat").then(() => server.listen(Number(process.env.PORT), process.env.HOST));
