//! sqlx: migrations under an advisory lock, a pool, prepared statements in a cache, streams, COPY, a listener.

use std::time::Duration;

use ::sqlx::migrate::Migrator;
use ::sqlx::postgres::{PgListener, PgPool, PgPoolOptions};
use ::sqlx::{Connection, Executor, Row};
use futures_util::TryStreamExt;
use tokio::task::JoinSet;

const MIGRATIONS: [(&str, &str); 3] = [
    ("1_shop.up.sql", "CREATE TABLE shop (id bigserial PRIMARY KEY, name text NOT NULL); CREATE INDEX shop_name ON shop (name);"),
    ("1_shop.down.sql", "DROP TABLE shop;"),
    ("2_price.up.sql", "ALTER TABLE shop ADD COLUMN price numeric; INSERT INTO shop (name) VALUES ('first');"),
];

pub async fn script(url: &str) {
    let pool = PgPoolOptions::new().max_connections(10).connect(url).await.unwrap();
    migrate(&pool).await;
    queries(&pool).await;
    many(&pool).await;
    transactions(&pool).await;
    listening(&pool).await;
    copies(&pool).await;
    pool.close().await;
}

/// Twice at once, as two instances of an app do; then again, with nothing left to do.
async fn migrate(pool: &PgPool) {
    std::fs::create_dir("migrations").unwrap();
    for (name, text) in MIGRATIONS {
        std::fs::write(format!("migrations/{name}"), text).unwrap();
    }
    let migrator = Migrator::new(std::path::Path::new("migrations")).await.unwrap();
    let (one, other) = tokio::join!(migrator.run(pool), migrator.run(pool));
    (one.unwrap(), other.unwrap());
    migrator.run(pool).await.unwrap();
    let done: Vec<(i64, bool)> =
        ::sqlx::query_as("SELECT version, success FROM _sqlx_migrations ORDER BY 1").fetch_all(pool).await.unwrap();
    println!("{done:?}");
}

fn refused<T>(result: Result<T, ::sqlx::Error>) -> String {
    match result.err().expect("it must fail") {
        ::sqlx::Error::Database(error) => format!("{:?} {}", error.code(), error.message()),
        other => other.to_string(),
    }
}

async fn queries(pool: &PgPool) {
    for n in 0..10 {
        let (id,): (i64,) = ::sqlx::query_as("INSERT INTO shop (name, price) VALUES ($1, $2::int) RETURNING id")
            .bind(format!("shop {n}"))
            .bind(n)
            .fetch_one(pool)
            .await
            .unwrap();
        println!("inserted {id}");
    }
    let mut rows = ::sqlx::query("SELECT id, name FROM shop WHERE id > $1 ORDER BY id").bind(8i64).fetch(pool);
    while let Some(row) = rows.try_next().await.unwrap() {
        println!("{} {}", row.get::<i64, _>(0), row.get::<String, _>("name"));
    }
    drop(rows);
    println!("{}", refused(::sqlx::query("SELECT 1 / $1").bind(0).execute(pool).await));
    println!("{}", refused(::sqlx::query("INSERT INTO shop (id, name) VALUES (1, 'x')").execute(pool).await));
    println!("{}", refused(::sqlx::query("SELECT nothing").execute(pool).await));
    let mut connection = pool.acquire().await.unwrap();
    for n in 0..150 {
        let sql = format!("SELECT {n} + $1");
        let (sum,): (i32,) = ::sqlx::query_as(&sql).bind(1).fetch_one(&mut *connection).await.unwrap();
        assert_eq!(sum, n + 1);
    }
    connection.clear_cached_statements().await.unwrap();
    println!("{:?}", connection.fetch_one("SELECT 'raw'").await.unwrap().get::<String, _>(0));
    connection.execute("ALTER TABLE shop ADD COLUMN more int").await.unwrap();
    let columns = ::sqlx::query("SELECT * FROM shop LIMIT 1").fetch_one(&mut *connection).await.unwrap().len();
    connection.execute("ALTER TABLE shop DROP COLUMN more").await.unwrap();
    println!("{columns} columns");
    println!("{}", refused(::sqlx::query("SELECT * FROM shop LIMIT 1").fetch_one(&mut *connection).await));
    connection.ping().await.unwrap();
}

async fn many(pool: &PgPool) {
    let mut tasks = JoinSet::new();
    for n in 0..100i32 {
        let pool = pool.clone();
        tasks.spawn(async move {
            let (double,): (i32,) = ::sqlx::query_as("SELECT $1 * 2").bind(n).fetch_one(&pool).await.unwrap();
            assert_eq!(double, n * 2);
            double
        });
    }
    println!("sum {}", tasks.join_all().await.iter().sum::<i32>());
}

async fn transactions(pool: &PgPool) {
    let mut transaction = pool.begin().await.unwrap();
    ::sqlx::query("DELETE FROM shop").execute(&mut *transaction).await.unwrap();
    let mut inner = transaction.begin().await.unwrap();
    println!("{}", refused(::sqlx::query("SELECT broken").execute(&mut *inner).await));
    inner.rollback().await.unwrap();
    let (left,): (i64,) = ::sqlx::query_as("SELECT count(*) FROM shop").fetch_one(&mut *transaction).await.unwrap();
    drop(transaction); // rolls back when the connection is next used
    let (kept,): (i64,) = ::sqlx::query_as("SELECT count(*) FROM shop").fetch_one(pool).await.unwrap();
    println!("{left} left, {kept} kept");
}

async fn listening(pool: &PgPool) {
    let mut listener = PgListener::connect_with(pool).await.unwrap();
    listener.listen_all(["sqlx_news", "sqlx_more"]).await.unwrap();
    for n in 0..3 {
        ::sqlx::query("SELECT pg_notify('sqlx_news', $1)").bind(n.to_string()).execute(pool).await.unwrap();
    }
    for _ in 0..3 {
        let heard = tokio::time::timeout(Duration::from_secs(20), listener.recv()).await.unwrap().unwrap();
        println!("heard {} {}", heard.channel(), heard.payload());
    }
    listener.unlisten_all().await.unwrap();
}

async fn copies(pool: &PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let mut copy = connection.copy_in_raw("COPY shop (name) FROM STDIN").await.unwrap();
    copy.send("copied 1\ncopied 2\n".as_bytes()).await.unwrap();
    println!("copied {}", copy.finish().await.unwrap());
    let mut copy = connection.copy_in_raw("COPY shop (name) FROM STDIN").await.unwrap();
    copy.send("never\n".as_bytes()).await.unwrap();
    copy.abort("on purpose").await.unwrap();
    let out: Vec<_> =
        connection.copy_out_raw("COPY (SELECT name FROM shop ORDER BY id) TO STDOUT").await.unwrap().try_collect().await.unwrap();
    println!("{:?}", out.concat().len());
}
