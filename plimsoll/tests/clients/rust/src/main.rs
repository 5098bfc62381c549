//! `clients tokio-postgres` or `clients sqlx`: what that client sees behind `DATABASE_URL`, in lines.

mod sqlx;
mod tokio_postgres;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::var("DATABASE_URL").unwrap();
    match std::env::args().nth(1).as_deref() {
        Some("tokio-postgres") => tokio_postgres::script(&url).await,
        Some("sqlx") => sqlx::script(&url).await,
        other => panic!("no client {other:?}"),
    }
    println!("the end");
}
