// node-redis: queued commands, transactions, a pool, subscribers, scripts, scans; prints what it sees.
const { createClient, createClientPool, defineScript } = require("redis");

const RESP = Number(process.argv[2]);
const url = process.env.REDIS_URL;
const connect = async (more) => {
  const client = createClient({ url, RESP, ...more });
  client.on("error", () => {});
  return client.connect();
};
const told = (what, ...values) => console.log(`${what}:`, ...values.map((value) => JSON.stringify(value)));
const error = async (what, work) => {
  try {
    told(what, "no error", await work());
  } catch (reason) {
    told(what, reason.constructor.name, reason.message);
  }
};

async function everyday(client) {
  told("strings", await client.set("a", "1"), await client.incrBy("a", 41), await client.get("a"), await client.get("none"));
  told("options", await client.set("a", "x", { NX: true }), await client.set("a", "y", { EX: 100, GET: true }), await client.ttl("a"));
  told("many", await client.mSet({ m1: "1", m2: "2" }), await client.mGet(["m1", "none", "m2"]));
  told("hash", await client.hSet("h", { one: 1, two: "2" }), await client.hGetAll("h"), await client.hGetAll("none"));
  told("list", await client.rPush("l", ["1", "2", "3"]), await client.lRange("l", 0, -1), await client.lPopCount("l", 2), await client.lMove("l", "m", "LEFT", "RIGHT"));
  told("set", await client.sAdd("s", ["1", "2", "3"]), [...(await client.sMembers("s"))].sort(), await client.smIsMember("s", ["1", "9"]));
  told("sorted", await client.zAdd("z", [{ score: 1, value: "one" }, { score: 2.5, value: "two" }]), await client.zRangeWithScores("z", 0, -1), await client.zScore("z", "two"), await client.zPopMax("z"));
  told("stream", await client.xAdd("x", "1-1", { f: "v" }), await client.xRange("x", "-", "+"), await client.xRead({ key: "x", id: "0" }));
  told("geo", await client.geoAdd("g", { longitude: 13.361389, latitude: 38.115556, member: "Palermo" }), await client.geoDist("g", "Palermo", "none"));
  told("together", (await Promise.all(Array.from({ length: 2000 }, () => client.incr("sum")))).at(-1));
  await error("type", () => client.lPush("a", "1"));
  await error("unknown", () => client.sendCommand(["NONSENSE", "x"]));
}

async function transactions(client) {
  told("transaction", await client.multi().set("n", 1).incr("n").hGetAll("h").zRangeWithScores("z", 0, -1).exec());
  told("pipeline", await client.multi().incr("n").get("n").execAsPipeline());
  await error("inside", () => client.multi().incr("n").lPush("n", "1").exec());
  await client.watch("n");
  const other = await client.duplicate().connect();
  await other.set("n", 100);
  await error("watched", () => client.multi().set("n", 1).exec());
  told("kept", await client.get("n"));
  await other.close();
  const pool = await createClientPool({ url, RESP }, { minimum: 2, maximum: 5, acquireTimeout: 60000 }).on("error", () => {}).connect();
  const sums = Promise.all(Array.from({ length: 500 }, () => pool.incr("pooled")));
  told("pool", (await sums).length, await pool.get("pooled"), await pool.execute((one) => one.ping()));
  await pool.close();
}

async function subscribers(client) {
  const heard = await client.duplicate().connect();
  const messages = [];
  const note = (kind) => (message, channel) => messages.push([kind, channel, message.toString()]);
  await heard.subscribe(["news", "other"], note("channel"));
  await heard.pSubscribe("n*", note("pattern"));
  await heard.sSubscribe("shard", note("shard"));
  told("published", await client.publish("news", "hello"), await client.sPublish("shard", "m"), await client.pubSubNumSub(["news"]));
  while (messages.length < 3) await heard.ping();
  told("heard", messages.sort());
  await heard.unsubscribe("other");
  told("channels", await client.pubSubChannels());
  heard.destroy();
}

async function waiting(client) {
  told("nothing", await client.blPop("jobs", 0.05), await client.bzPopMin("zjobs", 0.05));
  const workers = await Promise.all(Array.from({ length: 4 }, () => client.duplicate().connect()));
  const taken = workers.map(async (worker) => {
    const jobs = [];
    for (let n = 0; n < 25; n++) jobs.push(Number((await worker.blPop("jobs", 60)).element));
    return jobs;
  });
  for (let n = 0; n < 100; n++) await client.rPush("jobs", String(n));
  const jobs = (await Promise.all(taken)).flat().sort((a, b) => a - b);
  told("each once", jobs.every((job, n) => job === n), jobs.length, await client.lLen("jobs"));
  workers.forEach((worker) => worker.destroy());
}

async function scripts() {
  const twice = defineScript({
    SCRIPT: "return {tonumber(ARGV[1]) * 2, redis.call('INCR', KEYS[1])}",
    NUMBER_OF_KEYS: 1,
    parseCommand: (parser, key, number) => { parser.pushKey(key); parser.push(String(number)); },
    transformReply: (reply) => reply,
  });
  const client = await connect({ scripts: { twice } });
  told("by its hash", await client.twice("calls", 21), await client.scriptFlush(), await client.twice("calls", 4));
  told("in a transaction", await client.multi().twice("calls", 1).twice("calls", 2).exec());
  await error("its own error", () => client.eval("return redis.error_reply('MINE not now')"));
  await error("no script", () => client.evalSha("0".repeat(40)));
  await client.close();
}

async function scans(client) {
  await client.flushDb();
  await Promise.all(Array.from({ length: 2000 }, (_, n) => client.set(`key:${n}`, n).then(() => client.hSet("h", `f:${n}`, n))));
  const found = new Set();
  for await (const keys of client.scanIterator({ MATCH: "key:*", COUNT: 200 })) keys.forEach((key) => found.add(key));
  let fields = 0;
  for await (const entries of client.hScanIterator("h")) fields += entries.length;
  told("found", found.size, fields, await client.dbSize());
}

async function connections(client) {
  const named = await connect({ name: "reports", disableOfflineQueue: false });
  told("name", await named.clientGetName(), (await named.clientInfo()).name);
  await client.clientKill({ filter: "ID", id: await named.clientId() });
  while (!(await client.clientList()).some((one) => one.name === "reports"));
  told("comes again", await named.ping(), await named.clientGetName());
  named.destroy();
  await error("wrong password", () => connect({ username: "nobody", password: "wrong", socket: { reconnectStrategy: false } }));
}

(async () => {
  const client = await connect();
  for (const part of [everyday, transactions, subscribers, waiting, scripts, scans, connections]) {
    console.log("--", part.name);
    await part(client);
  }
  await client.close();
  console.log("the end");
})().catch((reason) => {
  console.log(reason);
  process.exit(1);
});
