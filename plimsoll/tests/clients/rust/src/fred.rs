//! fred: a pool, pipelines, transactions, a subscriber that keeps its subscriptions, scripts, scans, in both protocols.

use std::collections::{BTreeMap, BTreeSet};

use ::fred::clients::SubscriberClient;
use ::fred::prelude::*;
use ::fred::types::RespVersion;
use ::fred::types::scan::Scanner;
use ::fred::types::scripts::Script;
use futures_util::TryStreamExt;

pub async fn script(url: &str) {
    for version in [RespVersion::RESP2, RespVersion::RESP3] {
        println!("-- {version:?}");
        let mut builder = Builder::from_config(Config::from_url(url).unwrap());
        builder.with_config(|config| config.version = version.clone());
        let pool = builder.build_pool(3).unwrap();
        pool.init().await.unwrap();
        let _: () = pool.flushall(false).await.unwrap();
        everyday(&pool).await;
        batches(pool.next()).await;
        subscribers(&builder, &pool).await;
        waiting(&builder, &pool).await;
        scripts(pool.next()).await;
        scans(pool.next()).await;
        pool.quit().await.unwrap();
    }
}

fn refused<T>(result: Result<T, Error>) -> String {
    let error = result.err().expect("it must fail");
    format!("{:?} {}", error.kind(), error.details())
}

async fn everyday(store: &Pool) {
    let set: String = store.set("a", 41, Some(Expiration::EX(100)), Some(SetOptions::NX), false).await.unwrap();
    let number: i64 = store.incr("a").await.unwrap();
    let none: Option<String> = store.get("none").await.unwrap();
    println!("strings: {set} {number} {none:?}");
    let _: () = store.hset("h", vec![("one", 1), ("two", 2)]).await.unwrap();
    let fields: BTreeMap<String, u8> = store.hgetall("h").await.unwrap();
    let _: () = store.rpush("l", vec![1, 2, 3]).await.unwrap();
    let list: Vec<u8> = store.lrange("l", 0, -1).await.unwrap();
    let _: () = store.zadd("z", None, None, false, false, vec![(1.0, "one"), (2.5, "two")]).await.unwrap();
    let score: f64 = store.zscore("z", "two").await.unwrap();
    let raw: Value = store.zrange("z", 0, -1, None, false, None, true).await.unwrap();
    println!("kinds: {fields:?} {list:?} {score} {raw:?}");
    println!("type: {}", refused(store.lpush::<i64, _, _>("a", 1).await));
}

async fn batches(store: &Client) {
    let pipeline = store.pipeline();
    for number in 0..3000 {
        let _: () = pipeline.incr_by("sum", number).await.unwrap();
    }
    let sums: Vec<u64> = pipeline.all().await.unwrap();
    println!("pipeline: {:?}", sums.last());
    let transaction = store.multi();
    let _: () = transaction.incr("n").await.unwrap();
    // Several fields have no order.
    let _: () = transaction.hset("single", ("field", 1)).await.unwrap();
    let _: () = transaction.hgetall("single").await.unwrap();
    let done: Value = transaction.exec(true).await.unwrap();
    println!("transaction: {done:?}");
}

async fn subscribers(builder: &Builder, store: &Pool) {
    let heard: SubscriberClient = builder.build_subscriber_client().unwrap();
    heard.init().await.unwrap();
    let mut messages = heard.message_rx();
    heard.subscribe("news").await.unwrap();
    heard.psubscribe("n*").await.unwrap();
    // it does not wait for the answers
    while store.next().pubsub_numpat::<u8>().await.unwrap() == 0 {}
    let receivers: u8 = store.next().publish("news", "hello").await.unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        let message = messages.recv().await.unwrap();
        told.push((format!("{:?}", message.kind), message.channel.to_string(), message.value));
    }
    println!("heard: {receivers} {told:?}");
    heard.quit().await.unwrap();
}

async fn waiting(builder: &Builder, store: &Pool) {
    let waiter = builder.build().unwrap();
    waiter.init().await.unwrap();
    let none = refused(waiter.blpop::<Value, _>("jobs", 0.05).await);
    let popped = tokio::spawn({
        let waiter = waiter.clone();
        async move { waiter.blpop::<Option<(String, String)>, _>("jobs", 60.0).await.unwrap() }
    });
    let _: () = store.rpush("jobs", "now").await.unwrap();
    println!("waited: {none} {:?}", popped.await.unwrap());
    waiter.quit().await.unwrap();
}

async fn scripts(store: &Client) {
    let twice = Script::from_lua("return {tonumber(ARGV[1]) * 2, redis.call('INCR', KEYS[1])}");
    twice.load(store).await.unwrap();
    let told: Vec<u8> = twice.evalsha(store, "calls", 21).await.unwrap();
    println!("script: {told:?}");
    println!("its own error: {}", refused(store.eval::<Value, _, _, _>("return redis.error_reply('MINE not now')", Vec::<String>::new(), Vec::<String>::new()).await));
}

async fn scans(store: &Client) {
    let pipeline = store.pipeline();
    for number in 0..2000 {
        let _: () = pipeline.set(format!("key:{number}"), number, None, None, false).await.unwrap();
    }
    let _: Vec<String> = pipeline.all().await.unwrap();
    let mut keys = BTreeSet::new();
    let mut pages = store.scan("key:*", Some(200), None);
    while let Some(mut page) = pages.try_next().await.unwrap() {
        keys.extend(page.take_results().unwrap_or_default().into_iter().map(|key| key.into_string().unwrap()));
        page.next();
    }
    println!("scanned: {}", keys.len());
}
