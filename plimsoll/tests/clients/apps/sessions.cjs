// express-session over connect-redis.
const express = require("express");
const session = require("express-session");
const { RedisStore } = require("connect-redis");
const { createClient } = require("redis");

const client = createClient({ url: process.env.REDIS_URL }).on("error", (error) => console.error(error));
const store = new RedisStore({ client, prefix: "shop:", ttl: 1000 });
const app = express();
app.use(session({ store, secret: "not a secret", resave: false, saveUninitialized: false }));

app.get("/login", (request, response, next) => {
  request.session.regenerate((error) => {
    if (error) return next(error);
    Object.assign(request.session, { name: request.query.name, views: 0 });
    response.json({ instance: process.pid });
  });
});
app.get("/me", (request, response) => {
  const { name } = request.session;
  if (name) request.session.views++;
  response.json({ instance: process.pid, name: name ?? null, views: request.session.views ?? null });
});
app.get("/logout", (request, response, next) => {
  request.session.destroy((error) => (error ? next(error) : response.json({ instance: process.pid })));
});
app.get("/all", async (request, response) => {
  const count = (await client.keys("shop:*")).length;
  response.json({ instance: process.pid, count });
});

client.connect().then(() => app.listen(Number(process.env.PORT), process.env.HOST));
