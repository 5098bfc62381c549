// ioredis: queues, transactions, automatic pipelines, commands of scripts, subscribers, scans; prints what it sees.
const Redis = require("ioredis");

const url = process.env.REDIS_URL;
const protocol = Number(process.argv[2]);
const connect = (more) => new Redis(url, { protocol, ...more });
const told = (what, ...values) => console.log(`${what}:`, ...values.map((value) => JSON.stringify(value)));
const error = async (what, work) => {
  try {
    told(what, "no error", await work());
  } catch (reason) {
    told(what, reason.name, reason.message);
  }
};
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...values) => resolve(values)));

async function everyday(store) {
  told("strings", await store.set("a", "1"), await store.get("a"), await store.incrby("a", 41), await store.getBuffer("a"), await store.get("none"));
  told("options", await store.set("a", "x", "EX", 100, "NX"), await store.set("a", "y", "EX", 100, "GET"), await store.ttl("a"));
  told("many", await store.mset({ m1: 1, m2: 2 }), await store.mget("m1", "none", "m2"));
  told("hash", await store.hset("h", { one: 1, two: "2" }), await store.hgetall("h"), await store.hgetall("none"), await store.hmget("h", "two", "none"));
  told("list", await store.rpush("l", 1, 2, 3), await store.lrange("l", 0, -1), await store.lpop("l", 2), await store.lmove("l", "m", "LEFT", "RIGHT"));
  told("set", await store.sadd("s", 1, 2, 3), (await store.smembers("s")).sort(), await store.smismember("s", 1, 9));
  told("sorted", await store.zadd("z", 1, "one", 2.5, "two"), await store.zrange("z", 0, -1, "WITHSCORES"), await store.zscore("z", "two"), await store.zpopmax("z"));
  told("stream", await store.xadd("x", "1-1", "f", "v"), await store.xrange("x", "-", "+"), await store.xread("COUNT", 1, "STREAMS", "x", 0));
  told("geo", await store.geoadd("g", 13.361389, 38.115556, "Palermo"), await store.geopos("g", "Palermo", "none"));
  told("binary", (await store.set(Buffer.from([0, 255]), Buffer.alloc(300_000, 7))), (await store.getBuffer(Buffer.from([0, 255]))).equals(Buffer.alloc(300_000, 7)));
  await error("type", () => store.lpush("a", 1));
  await error("unknown", () => store.call("NONSENSE", "x"));
  await error("arguments", () => store.call("GET"));
}

async function batches(store) {
  told("pipeline", (await store.pipeline().set("n", 0).incr("n").lpush("n", 1).get("n").exec()).map(([reason, value]) => reason?.message ?? value));
  told("transaction", await store.multi().incr("n").hgetall("h").zrange("z", 0, -1, "WITHSCORES").exec());
  told("inside", (await store.multi().incr("n").lpush("n", 1).exec()).map(([reason, value]) => reason?.message ?? value));
  await error("refused whole", () => store.multi().set("n").get("n").exec());
  const watcher = store.duplicate();
  await watcher.watch("n");
  await store.set("n", 100);
  told("watched", await watcher.multi().set("n", 1).exec(), await store.get("n"));
  await watcher.quit();
  const piped = connect({ enableAutoPipelining: true });
  const sums = await Promise.all(Array.from({ length: 3000 }, (_, n) => piped.incrby("sum", n)));
  told("pipelines of its own", sums.at(-1), await piped.get("sum"));
  await piped.quit();
}

async function subscribers(store) {
  const heard = connect();
  told("subscribed", await heard.subscribe("news", "other"), await heard.psubscribe("n*"));
  const message = once(heard, "message");
  const matched = once(heard, "pmessage");
  told("published", await store.publish("news", "hello"), await message, await matched);
  told("channels", (await store.pubsub("CHANNELS")).sort(), await store.pubsub("NUMSUB", "news"));
  told("left", await heard.unsubscribe("other"), await heard.ping());
  await error("not now", () => heard.get("a"));
  const again = once(heard, "ready");
  heard.disconnect(true);
  await again;
  while ((await store.pubsub("NUMSUB", "news"))[1] < 1);
  const after = once(heard, "message");
  await store.publish("news", "after it came again");
  told("again", await after);
  await heard.quit();
}

async function waiting(store) {
  told("nothing", await store.blpop("jobs", 0.05), await store.bzpopmin("zjobs", 0.05));
  const workers = Array.from({ length: 4 }, () => connect());
  const taken = workers.map(async (worker) => {
    const jobs = [];
    for (let n = 0; n < 25; n++) jobs.push(Number((await worker.blpop("jobs", 60))[1]));
    return jobs;
  });
  for (let n = 0; n < 100; n++) store.rpush("jobs", n);
  const jobs = (await Promise.all(taken)).flat().sort((a, b) => a - b);
  told("each once", jobs.every((job, n) => job === n), jobs.length, await store.llen("jobs"));
  const reader = workers[0];
  const entry = reader.xread("BLOCK", 60000, "STREAMS", "later", "$");
  while (!(await store.client("LIST")).includes("cmd=xread"));
  await store.xadd("later", "5-5", "f", "v");
  told("entry", await entry);
  await Promise.all(workers.map((worker) => worker.quit()));
}

async function scripts(store) {
  store.defineCommand("twice", { numberOfKeys: 1, lua: "return {tonumber(ARGV[1]) * 2, redis.call('INCR', KEYS[1])}" });
  told("a command", await store.twice("calls", 21));
  await store.script("FLUSH");
  told("loaded again", await store.twice("calls", 4));
  told("piped", await store.pipeline().twice("calls", 1).twice("calls", 2).exec());
  await error("its own error", () => store.eval("return redis.error_reply('MINE not now')", 0));
  await error("no script", () => store.evalsha("0".repeat(40), 0));
  await error("of Lua", () => store.eval("return redis.call('INCR', KEYS[1], 1)", 1, "a"));
}

async function scans(store) {
  await store.flushdb();
  const pipe = store.pipeline();
  for (let n = 0; n < 2000; n++) pipe.set(`key:${n}`, n).hset("h", `f:${n}`, n);
  await pipe.exec();
  const found = new Set();
  for await (const keys of store.scanStream({ match: "key:*", count: 200 })) keys.forEach((key) => found.add(key));
  let fields = 0;
  for await (const pairs of store.hscanStream("h")) fields += pairs.length / 2;
  told("found", found.size, fields, await store.dbsize());
}

async function connections(store) {
  const named = connect({ connectionName: "reports", keyPrefix: "own:", lazyConnect: true });
  await named.connect();
  told("name", await named.client("GETNAME"), await named.set("k", "v"), await store.get("own:k"));
  const again = once(named, "ready");
  await store.client("KILL", "ID", await named.client("ID"));
  await again;
  told("comes again", await named.get("k"), await named.client("GETNAME"));
  const monitor = await store.monitor();
  const seen = once(monitor, "monitor");
  await named.get("seen");
  told("monitor", (await seen)[1]);
  monitor.disconnect();
  await named.quit();
  await error("wrong password", () => connect({ username: "nobody", password: "wrong", retryStrategy: null, maxRetriesPerRequest: 0 }).on("error", () => {}).get("a"));
}

(async () => {
  const store = connect();
  for (const part of [everyday, batches, subscribers, waiting, scripts, scans, connections]) {
    console.log("--", part.name);
    await part(store);
  }
  await store.quit();
  console.log("the end");
})().catch((reason) => {
  console.log(reason);
  process.exit(1);
});
