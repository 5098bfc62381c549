//! `clients NAME`: what that client sees behind `DATABASE_URL` or `REDIS_URL`, in lines.

mod fred;
mod redis_rs;
mod sqlx;
mod tokio_postgres;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = |variable: &str| std::env::var(variable).unwrap();
    match std::env::args().nth(1).as_deref() {
        Some("tokio-postgres") => tokio_postgres::script(&url("DATABASE_URL")).await,
        Some("sqlx") => sqlx::script(&url("DATABASE_URL")).await,
        Some("redis-rs") => redis_rs::script(&url("REDIS_URL")).await,
        Some("fred") => fred::script(&url("REDIS_URL")).await,
        other => panic!("no client {other:?}"),
    }
    println!("the end");
}
