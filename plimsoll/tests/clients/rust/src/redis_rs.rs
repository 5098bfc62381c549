//! redis-rs: a connection shared by tasks, pipelines, transactions, subscribers, scripts, scans, in both protocols.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ::redis::aio::MultiplexedConnection;
use ::redis::streams::{StreamReadOptions, StreamReadReply};
use ::redis::{AsyncCommands, Client, RedisError, RedisResult, Script, Value, pipe};
use futures_util::{StreamExt, future};

fn refused<T>(result: RedisResult<T>) -> String {
    let error: RedisError = result.err().expect("it must fail");
    format!("{:?} {:?} {:?}", error.kind(), error.code(), error.detail())
}

pub async fn script(url: &str) {
    for protocol in ["resp2", "resp3"] {
        println!("-- {protocol}");
        let client = Client::open(format!("{url}?protocol={protocol}")).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let _: () = connection.flushall().await.unwrap();
        everyday(&mut connection).await;
        pipelines(&client, &mut connection).await;
        subscribers(&client, &mut connection).await;
        waiting(&client, &mut connection).await;
        scripts(&mut connection).await;
        scans(&mut connection).await;
    }
}

async fn everyday(store: &mut MultiplexedConnection) {
    let set: String = store.set("a", 41).await.unwrap();
    let number: i64 = store.incr("a", 1).await.unwrap();
    let none: Option<String> = store.get("none").await.unwrap();
    println!("strings: {set} {number} {none:?}");
    let _: () = store.hset_multiple("h", &[("one", 1), ("two", 2)]).await.unwrap();
    let fields: BTreeMap<String, u8> = store.hgetall("h").await.unwrap();
    let _: () = store.rpush("l", &[1, 2, 3]).await.unwrap();
    let list: Vec<u8> = store.lrange("l", 0, -1).await.unwrap();
    let _: () = store.sadd("s", &["x", "y"]).await.unwrap();
    let members: BTreeSet<String> = store.smembers("s").await.unwrap();
    let _: () = store.zadd_multiple("z", &[(1.0, "one"), (2.5, "two")]).await.unwrap();
    let scored: Vec<(String, f64)> = store.zrange_withscores("z", 0, -1).await.unwrap();
    println!("kinds: {fields:?} {list:?} {members:?} {scored:?}");
    let _: String = store.xadd("x", "1-1", &[("f", "v")]).await.unwrap();
    let read: StreamReadReply = store.xread_options(&["x"], &["0"], &StreamReadOptions::default().count(1)).await.unwrap();
    println!("stream: {} {:?}", read.keys[0].ids[0].id, read.keys[0].ids[0].get::<String>("f"));
    let raw: Value = ::redis::cmd("HGETALL").arg("h").query_async(store).await.unwrap();
    let member: Value = ::redis::cmd("ZSCORE").arg("z").arg("two").query_async(store).await.unwrap();
    println!("raw: {raw:?} {member:?}");
    println!("type: {}", refused(store.lpush::<_, _, i64>("a", 1).await));
    println!("unknown: {}", refused(::redis::cmd("NONSENSE").arg("x").query_async::<Value>(store).await));
    let sums = future::join_all((0..1000).map(|_| {
        let mut store = store.clone();
        async move { store.incr::<_, _, u64>("shared", 1).await.unwrap() }
    }));
    println!("shared: {:?}", sums.await.into_iter().max());
}

async fn pipelines(client: &Client, store: &mut MultiplexedConnection) {
    let (number, fields): (i64, HashMap<String, u8>) = pipe().atomic().incr("n", 1).hgetall("h").query_async(store).await.unwrap();
    println!("transaction: {number} {}", fields.len());
    let mut many = pipe();
    (0..3000).for_each(|number| {
        many.incr("sum", number).ignore();
    });
    let last: Vec<u64> = many.get("sum").query_async(store).await.unwrap();
    println!("pipeline: {last:?}");
    println!("inside: {}", refused(pipe().atomic().incr("n", 1).lpush("n", 1).query_async::<Value>(store).await));
    let mut watcher = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = ::redis::cmd("WATCH").arg("n").query_async(&mut watcher).await.unwrap();
    let _: () = store.set("n", 100).await.unwrap();
    let none: Value = pipe().atomic().set("n", 1).query_async(&mut watcher).await.unwrap();
    println!("watched: {none:?}");
}

async fn subscribers(client: &Client, store: &mut MultiplexedConnection) {
    let mut heard = client.get_async_pubsub().await.unwrap();
    heard.subscribe(&["news", "other"]).await.unwrap();
    heard.psubscribe("n*").await.unwrap();
    let receivers: u8 = store.publish("news", "hello").await.unwrap();
    let messages: Vec<_> = heard.on_message().take(2).collect().await;
    let told = messages.iter().map(|message| (message.get_channel_name().to_string(), message.get_payload::<String>().unwrap(), message.from_pattern()));
    println!("heard: {receivers} {:?}", told.collect::<Vec<_>>());
}

async fn waiting(client: &Client, store: &mut MultiplexedConnection) {
    let mut waiter = client.get_multiplexed_async_connection().await.unwrap();
    let none: Option<(String, String)> = waiter.blpop("jobs", 0.05).await.unwrap();
    let (got, _): (Option<(String, String)>, ()) = future::join(async { waiter.blpop("jobs", 60.0).await.unwrap() }, async {
        store.rpush("jobs", "now").await.unwrap()
    })
    .await;
    println!("waited: {none:?} {got:?}");
}

async fn scripts(store: &mut MultiplexedConnection) {
    let twice = Script::new("return {tonumber(ARGV[1]) * 2, redis.call('INCR', KEYS[1])}");
    let loaded: (u8, u8) = twice.key("calls").arg(21).invoke_async(store).await.unwrap();
    let _: () = ::redis::cmd("SCRIPT").arg("FLUSH").query_async(store).await.unwrap();
    let again: (u8, u8) = twice.key("calls").arg(4).invoke_async(store).await.unwrap();
    println!("scripts: {loaded:?} {again:?}");
    println!("its own error: {}", refused(Script::new("return redis.error_reply('MINE not now')").invoke_async::<_, Value>(store).await));
}

async fn scans(store: &mut MultiplexedConnection) {
    let mut many = pipe();
    (0..2000).for_each(|number| {
        many.set(format!("key:{number}"), number).ignore();
    });
    let _: () = many.query_async(store).await.unwrap();
    let keys: BTreeSet<String> = store.scan_match::<_, String>("key:*").await.unwrap().map(Result::unwrap).collect().await;
    println!("scanned: {}", keys.len());
}
