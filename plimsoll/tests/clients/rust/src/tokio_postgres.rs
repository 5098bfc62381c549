//! tokio-postgres: pipelined by nature, every statement prepared and closed by name.

use std::pin::pin;
use std::time::Duration;

use ::tokio_postgres::{AsyncMessage, Client, Error, NoTls, Notification};
use futures_util::{SinkExt, StreamExt, TryStreamExt, future, stream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A client and what it is notified of.
async fn connect(url: &str) -> (Client, UnboundedReceiver<Notification>) {
    let (client, mut connection) = ::tokio_postgres::connect(url, NoTls).await.unwrap();
    let (send, notified) = unbounded_channel();
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notification(notification) = message {
                let _ = send.send(notification);
            }
        }
    });
    (client, notified)
}

fn refused<T>(result: Result<T, Error>) -> String {
    let error = result.err().expect("it must fail");
    error.as_db_error().map_or_else(|| error.to_string(), |said| format!("{} {}", said.code().code(), said.message()))
}

pub async fn script(url: &str) {
    let (mut client, notified) = connect(url).await;
    statements(&client).await;
    pipelined(&client).await;
    transactions(&mut client).await;
    copies(&client).await;
    notifications(url, &client, notified).await;
    cancelled(&client).await;
}

async fn statements(client: &Client) {
    client.batch_execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, n int8); SELECT 1").await.unwrap();
    let insert = client.prepare("INSERT INTO item (name, n) VALUES ($1, $2) RETURNING id").await.unwrap();
    for n in 0..20i64 {
        let row = client.query_one(&insert, &[&format!("item {n}"), &n]).await.unwrap();
        println!("inserted {}", row.get::<_, i32>(0));
    }
    println!("{}", refused(client.execute(&insert, &[&"item 1", &1i64]).await));
    println!("{:?}", insert.columns().iter().map(|column| column.name()).collect::<Vec<_>>());
    for n in 0..100i64 {
        let text = format!("SELECT sum(n)::int8 + {n} FROM item WHERE id > $1");
        let statement = client.prepare(&text).await.unwrap();
        let row = client.query_one(&statement, &[&5i32]).await.unwrap();
        assert_eq!(row.get::<_, i64>(0).to_string(), (180 + n).to_string());
    }
    println!("{}", refused(client.prepare("SELECT nothing FROM nowhere").await));
    println!("{}", refused(client.query("SELECT 1 / $1::int4", &[&0i32]).await));
    println!("{:?}", client.simple_query("SELECT 1 AS a; SELECT 'x' AS b, NULL AS c").await.unwrap());
    client.batch_execute("CREATE TABLE shape (a int); INSERT INTO shape VALUES (1)").await.unwrap();
    let shape = client.prepare("SELECT * FROM shape").await.unwrap();
    client.query(&shape, &[]).await.unwrap();
    client.batch_execute("ALTER TABLE shape ADD COLUMN b int").await.unwrap();
    println!("{}", refused(client.query(&shape, &[]).await));
    let empty = client.query("SELECT name FROM item WHERE id = $1", &[&-1i32]).await.unwrap();
    println!("{} rows", empty.len());
}

async fn pipelined(client: &Client) {
    let statement = &client.prepare("SELECT $1::int4 * 2").await.unwrap();
    let numbers: Vec<i32> = (0..200).collect();
    let rows = future::join_all(numbers.iter().map(|n| async move {
        if n % 50 == 49 {
            return refused(client.query_one("SELECT 1 / ($1::int4 - $1::int4)", &[n]).await);
        }
        client.query_one(statement, &[n]).await.unwrap().get::<_, i32>(0).to_string()
    }));
    println!("{}", rows.await.join(" "));
    let mut rows = pin!(client.query_raw("SELECT generate_series(1, $1::int4)", [10_000i32]).await.unwrap());
    let mut sum = 0i64;
    while let Some(row) = rows.try_next().await.unwrap() {
        sum += i64::from(row.get::<_, i32>(0));
    }
    println!("streamed {sum}");
}

async fn transactions(client: &mut Client) {
    let mut outer = client.transaction().await.unwrap();
    outer.execute("DELETE FROM item WHERE id < 5", &[]).await.unwrap();
    let inner = outer.transaction().await.unwrap();
    println!("{}", refused(inner.execute("INSERT INTO item (id) VALUES (7)", &[]).await));
    inner.rollback().await.unwrap();
    let portal = outer.bind("SELECT id FROM item ORDER BY id", &[]).await.unwrap();
    for most in [3, 4, 0] {
        let rows = outer.query_portal(&portal, most).await.unwrap();
        println!("{:?}", rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>());
    }
    drop(portal);
    drop(outer); // rolls back
    println!("{} kept", client.query("SELECT 1 FROM item", &[]).await.unwrap().len());
    let transaction = client.build_transaction().read_only(true).start().await.unwrap();
    println!("{}", refused(transaction.execute("DELETE FROM item", &[]).await));
    println!("{}", refused(transaction.query("SELECT 1", &[]).await));
    transaction.commit().await.unwrap();
}

async fn copies(client: &Client) {
    client.batch_execute("CREATE TABLE copied (n int, name text)").await.unwrap();
    let mut sink = Box::pin(client.copy_in("COPY copied FROM STDIN").await.unwrap());
    for n in 0..2000 {
        sink.send(bytes::Bytes::from(format!("{n}\trow {n}\n"))).await.unwrap();
    }
    println!("copied {}", sink.as_mut().finish().await.unwrap());
    let mut sink = Box::pin(client.copy_in("COPY copied FROM STDIN").await.unwrap());
    sink.send(bytes::Bytes::from_static(b"1\tnever\n")).await.unwrap();
    drop(sink); // CopyFail
    let out = client.copy_out("COPY (SELECT * FROM copied ORDER BY n) TO STDOUT").await.unwrap();
    let bytes: Vec<_> = out.try_collect().await.unwrap();
    println!("{} pieces, {} bytes", bytes.len(), bytes.iter().map(bytes::Bytes::len).sum::<usize>());
    let mut sink = Box::pin(client.copy_in("COPY copied FROM STDIN").await.unwrap());
    let _ = sink.send(bytes::Bytes::from_static(b"wrong\n")).await;
    println!("{}", refused(sink.as_mut().finish().await));
    println!("{} rows", client.query("SELECT 1 FROM copied", &[]).await.unwrap().len());
}

async fn notifications(url: &str, client: &Client, mut notified: UnboundedReceiver<Notification>) {
    let (other, _) = connect(url).await;
    client.batch_execute("LISTEN rust_news; LISTEN rust_more").await.unwrap();
    other.batch_execute("NOTIFY rust_news, 'one'; NOTIFY rust_more, 'two'").await.unwrap();
    other.batch_execute("BEGIN; NOTIFY rust_more, 'never'; ROLLBACK; NOTIFY rust_news").await.unwrap();
    for _ in 0..3 {
        let heard = tokio::time::timeout(Duration::from_secs(20), notified.recv()).await.unwrap().unwrap();
        println!("heard {} {}", heard.channel(), heard.payload());
    }
    client.batch_execute("UNLISTEN rust_news").await.unwrap();
    client.batch_execute("NOTIFY rust_news, 'to nobody'").await.unwrap();
    client.batch_execute("NOTIFY rust_more, 'own'").await.unwrap();
    client.query("SELECT 1", &[]).await.unwrap();
    let heard = notified.try_recv().expect("its own notification came before the answer");
    println!("own {}, nothing more: {}", heard.payload(), notified.try_recv().is_err());
}

async fn cancelled(client: &Client) {
    let token = client.cancel_token();
    let cancel = async {
        // the sleep has begun long before; a cancel that is too early would be lost
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(NoTls).await.unwrap();
    };
    let (slept, ()) = future::join(client.query("SELECT pg_sleep(60)", &[]), cancel).await;
    println!("{}", refused(slept));
    println!("{} row", client.query("SELECT 1", &[]).await.unwrap().len());
}
