"""redis-py, as threads and as coroutines, in the protocol of the argument; prints what it sees."""

import asyncio
import os
import sys
import threading

import redis
import redis.asyncio

PROTOCOL = int(sys.argv[1])
URL = f"{os.environ['REDIS_URL']}?protocol={PROTOCOL}"
# of a connection of its own, so that an order is known
ONE = redis.Redis.from_url(URL, decode_responses=True)


def told(what, *values):
    print(f"{what}:", *values, flush=True)


def error(what, work):
    try:
        told(what, "no error", work())
    except redis.AuthenticationError as reason:
        told(what, type(reason).__name__, reason)
    except redis.ConnectionError:
        told(what, "lost")  # what it says depends on when it is closed
    except redis.RedisError as reason:
        told(what, type(reason).__name__, reason)


def together(count, work, beside=lambda: None):
    """Does `work` in so many threads, and `beside` in this one."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    beside()
    for thread in threads:
        thread.join()


def everyday(store):
    told("set", store.set("name", "café"), store.get("name"), store.set("name", "x", nx=True), store.set("name", "y", get=True))
    told("expiry", store.expire("name", 1000), store.ttl("name"), store.persist("name"), store.getex("name", ex=5), store.ttl("name") <= 5)
    told("many", store.mset({"a": 1, "b": 2}), store.mget("a", "none", "b"), store.incrby("a", 41), store.incrbyfloat("f", 0.5))
    told("hash", store.hset("h", mapping={"one": 1, "two": 2}), store.hgetall("h"), store.hmget("h", "one", "none"), store.hincrby("h", "one", 9))
    told("list", store.rpush("l", 1, 2, 3), store.lrange("l", 0, -1), store.lpop("l", 2), store.lmove("l", "m"), store.lpos("m", 3))
    told("set", store.sadd("s", 1, 2, 3), sorted(store.smembers("s")), store.smismember("s", [1, 9]), store.sinterstore("t", "s", "s"))
    told("sorted", store.zadd("z", {"one": 1, "two": 2.5}), store.zrange("z", 0, -1, withscores=True), store.zscore("z", "none"),
         store.zadd("z", {"one": 3}, gt=True, ch=True), store.zpopmin("z"), store.zrangebyscore("z", "-inf", "(9", withscores=True))
    told("bits", store.setbit("bits", 3, 1), store.bitcount("bits"), store.bitfield("bits").incrby("u8", 0, 300, "SAT").get("u4", 0).execute())
    told("geo", store.geoadd("g", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), store.geodist("g", "Palermo", "Catania"),
         store.geosearch("g", longitude=15, latitude=37, radius=200, unit="km", sort="ASC", withdist=True, withcoord=True))
    told("counted", store.pfadd("p", *range(100)), store.pfcount("p"))
    told("copy", store.copy("a", "c"), store.rename("c", "d"), store.dump("none"), store.type("z"), store.object("encoding", "a"), store.exists("a", "b", "c"))
    told("sort", store.sort("s", desc=True), store.sort("s", by="nosort", get=["#", "none*"], groups=True))
    error("type", lambda: store.lpush("a", 1))
    error("number", lambda: store.incr("name"))
    error("unknown", lambda: store.execute_command("NONSENSE", 1))
    error("syntax", lambda: store.execute_command("SET", "a", "b", "c"))


def pipelines(store):
    with store.pipeline(transaction=False) as pipe:
        told("pipeline", pipe.set("n", 0).incr("n").lpush("n", 1).get("n").execute(raise_on_error=False))
        for number in range(5000):
            pipe.incrby("sum", number)
        told("long", len(pipe.execute()), store.get("sum"))
    with store.pipeline() as pipe:
        told("transaction", pipe.incr("n").hgetall("h").execute())
        pipe.incr("n").lpush("n", 1).incr("n")
        error("inside", pipe.execute)
    told("after", store.get("n"))
    with store.pipeline() as pipe:
        pipe.watch("n")
        before = int(pipe.get("n"))
        store.set("n", 100)
        pipe.multi()
        pipe.set("n", before + 1)
        error("watched", pipe.execute)
    told("kept", store.get("n"))

    def one_more(pipe):
        current = int(pipe.get("shared"))
        pipe.multi()
        pipe.set("shared", current + 1)

    store.set("shared", 0)
    together(5, lambda: [store.transaction(one_more, "shared") for _ in range(10)])
    told("by transactions", store.get("shared"))


def published(store):
    heard = store.pubsub()
    heard.subscribe("news", "other")
    heard.psubscribe("n*")
    told("subscribed", [tell(heard) for _ in range(3)])
    told("published", store.publish("news", "hello"), [tell(heard) for _ in range(2)], store.pubsub_numsub("news"), store.pubsub_numpat())
    heard.ping("there?")
    told("pong", tell(heard))
    heard.unsubscribe("other")
    told("left", tell(heard), store.pubsub_channels())
    heard.ssubscribe("shard")
    told("shard", tell(heard), store.execute_command("SPUBLISH", "shard", "m"), tell(heard))
    heard.close()
    calls = []
    handled = store.pubsub(ignore_subscribe_messages=True)
    handled.subscribe(news=calls.append)
    thread = handled.run_in_thread(sleep_time=0.01, daemon=True)
    while not store.pubsub_numsub("news")[0][1]:
        pass
    [store.publish("news", number) for number in range(100)]
    while len(calls) < 100:
        pass
    thread.stop()
    thread.join()
    told("in a thread", [message["data"] for message in calls] == [str(number) for number in range(100)])


def tell(heard):
    message = None
    while message is None:
        message = heard.get_message(timeout=60)
    return {name: message[name] for name in ("type", "pattern", "channel", "data")}


def blocking(store):
    told("nothing", store.blpop("jobs", 0.05), store.bzpopmin("zjobs", 0.05), store.blmove("jobs", "done", 0.05))
    taken = []
    together(4, lambda: [taken.append(store.blpop("jobs", 60)[1]) for _ in range(25)], lambda: [store.rpush("jobs", n) for n in range(100)])
    told("each once", sorted(map(int, taken)) == list(range(100)), store.llen("jobs"))
    store.zadd("zjobs", {"low": 1, "high": 9})
    told("there", store.bzpopmax("zjobs", 1), store.bzmpop(1, 1, ["zjobs"], min=True), store.rpush("jobs", "a", "b"), store.blmpop(1, 1, "jobs", direction="LEFT", count=9))


def scripts(store):
    twice = store.register_script("return {tonumber(ARGV[1]) * 2, redis.call('INCR', KEYS[1])}")
    told("by its hash", twice(["calls"], [21]), store.script_exists(twice.sha))
    store.script_flush()
    told("loaded again", twice(["calls"], [4]))
    with store.pipeline() as pipe:
        twice(["calls"], [1], pipe)
        twice(["calls"], [2], pipe)
        told("piped", pipe.execute())
    error("no script", lambda: store.evalsha("0" * 40, 0))
    error("its own error", lambda: store.eval("return redis.error_reply('MINE not now')", 0))
    error("read only", lambda: store.eval_ro("return redis.call('SET', KEYS[1], 1)", 1, "a"))
    store.function_load("#!lua name=mine\nredis.register_function('greet', function(keys, args) return 'hello ' .. args[1] end)")
    told("function", store.fcall("greet", 0, "you"), store.function_delete("mine"))
    lock = store.lock("lock", timeout=60)
    told("lock", lock.acquire(), lock.owned(), store.lock("lock", timeout=1).acquire(blocking=False), lock.extend(5), lock.release(), store.exists("lock"))
    error("not owned", lock.release)


def scans(store):
    store.flushdb()
    with store.pipeline() as pipe:
        for number in range(2000):
            pipe.set(f"key:{number}", number)
            pipe.hset("h", f"field:{number}", number)
            pipe.sadd("s", f"member:{number}")
            pipe.zadd("z", {f"member:{number}": number})
        pipe.execute()
    told("keys", len(set(store.scan_iter("key:*", count=100))), len(set(store.scan_iter(_type="hash"))))
    told("inside", len(dict(store.hscan_iter("h"))), len(set(store.sscan_iter("s", match="*:1*"))), len(set(store.zscan_iter("z"))))


def streams(store):
    first = [store.xadd("x", {"n": number}, id=f"1-{number + 1}") for number in range(5)]
    told("added", first, store.xlen("x"), store.xrange("x", count=2), store.xrevrange("x", count=1))
    told("group", store.xgroup_create("x", "g", "0"), store.xreadgroup("g", "one", {"x": ">"}, count=3))
    told("pending", store.xpending("x", "g"), store.xack("x", "g", "1-1"), len(store.xpending_range("x", "g", "-", "+", 10)))
    told("claimed", store.xautoclaim("x", "g", "two", 0), store.xclaim("x", "g", "three", 0, ["1-2"], justid=True))
    told("trimmed", store.xtrim("x", 2, approximate=False), store.xinfo_stream("x")["length"], store.xinfo_groups("x"))
    told("nothing new", store.xread({"x": "$"}, block=20))
    error("twice", lambda: store.xgroup_create("x", "g", "0"))
    error("no group", lambda: store.xreadgroup("none", "one", {"x": ">"}))


async def coroutines():
    store = redis.asyncio.Redis.from_url(URL, decode_responses=True)
    told("gathered", sum(await asyncio.gather(*[store.incr("async") for _ in range(50)])))
    async with store.pipeline() as pipe:
        told("pipeline", await pipe.set("k", "v").get("k").zrange("z", 0, 1, withscores=True).execute())
    popped = asyncio.create_task(store.blpop("later", 60))
    await store.rpush("later", "now")
    told("popped", await popped)
    cancelled = asyncio.create_task(store.blpop("never", 0))
    await asyncio.sleep(0)
    cancelled.cancel()
    told("cancelled", await asyncio.gather(cancelled, return_exceptions=True))
    async with store.pubsub() as heard:
        await heard.subscribe("async news")
        told("subscribed", await heard.get_message(timeout=60))
        await store.publish("async news", "x")
        told("heard", await heard.get_message(timeout=60))
    told("scanned", len([key async for key in store.scan_iter("key:*")]))
    async with store.lock("lock", timeout=60):
        told("locked", await store.exists("lock"))
    await store.aclose()


def connections():
    named = redis.Redis.from_url(URL, client_name="reports", decode_responses=True, single_connection_client=True)
    told("name", named.client_getname(), named.client_info()["name"], named.ping(), named.echo("x"))
    ONE.client_kill_filter(_id=named.client_id())
    error("killed", named.ping)
    told("comes again", named.ping(), named.client_getname())
    told("no eviction", named.client_no_evict("ON"), named.client_reply("ON") if PROTOCOL == 2 else True)
    named.close()
    error("another database", lambda: redis.Redis.from_url(URL.replace("?", "/0?")).ping())
    error("wrong password", lambda: redis.Redis.from_url(URL, username="nobody", password="wrong").ping())
    told("info", ONE.info("server")["redis_mode"], ONE.info("replication")["role"], ONE.config_get("maxmemory-policy").keys(), ONE.dbsize(), ONE.time()[0] > 0)
    told("binary", redis.Redis.from_url(URL).set(b"\x00\xff", bytes(range(256))), redis.Redis.from_url(URL).get(b"\x00\xff") == bytes(range(256)))


for part in [everyday, pipelines, published, blocking, scripts, scans, streams]:
    told("--", part.__name__)
    part(ONE)
asyncio.run(coroutines())
connections()
print("the end")
