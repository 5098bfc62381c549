//! Posts, kept in Postgres at `DATABASE_URL`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use deadpool_postgres::tokio_postgres::NoTls;
use deadpool_postgres::{Config, Object, Pool, Runtime};
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// More than one instance may make the table at the same time: the lock lets them do it in turn.
const TABLE: &str = "BEGIN; SELECT pg_advisory_xact_lock(1); \
                     CREATE TABLE IF NOT EXISTS posts (id bigserial PRIMARY KEY, title text NOT NULL, text text NOT NULL); COMMIT";

/// Where posts are kept.
pub struct Posts {
    pool: Pool,
    made: OnceCell<()>,
}

#[derive(Deserialize, Serialize)]
pub struct Post {
    title: String,
    #[serde(default)]
    text: String,
}

impl Posts {
    /// Returns at once; the table is made beside what the app does, so that it is there when it is wanted.
    pub fn open() -> Arc<Posts> {
        let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1/postgres".into());
        let config = Config { url: Some(url), ..Config::default() };
        let pool = config.create_pool(Some(Runtime::Tokio1), NoTls).expect("DATABASE_URL is a postgres:// URL");
        let posts = Arc::new(Posts { pool, made: OnceCell::new() });
        let early = posts.clone();
        tokio::spawn(async move {
            if let Err(error) = early.connection().await {
                eprintln!("the database is not there yet: {error}");
            }
        });
        posts
    }

    /// A connection to a database that has the table.
    async fn connection(&self) -> Result<Object, Failed> {
        let connection = self.pool.get().await?;
        self.made.get_or_try_init(|| connection.batch_execute(TABLE)).await?;
        Ok(connection)
    }

    async fn read(&self) -> Result<Vec<Post>, Failed> {
        let rows = self.connection().await?.query("SELECT title, text FROM posts ORDER BY id", &[]).await?;
        Ok(rows.iter().map(|row| Post { title: row.get(0), text: row.get(1) }).collect())
    }

    async fn add(&self, post: &Post) -> Result<(), Failed> {
        let insert = "INSERT INTO posts (title, text) VALUES ($1, $2)";
        self.connection().await?.execute(insert, &[&post.title, &post.text]).await?;
        Ok(())
    }
}

pub async fn list(State(posts): State<Arc<Posts>>) -> Result<Json<Vec<Post>>, StatusCode> {
    posts.read().await.map(Json).map_err(failed)
}

pub async fn create(State(posts): State<Arc<Posts>>, Json(post): Json<Post>) -> Result<(StatusCode, Json<Post>), StatusCode> {
    if post.title.trim().is_empty() {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    posts.add(&post).await.map_err(failed)?;
    Ok((StatusCode::CREATED, Json(post)))
}

fn failed(error: Failed) -> StatusCode {
    eprintln!("the database failed: {error}");
    StatusCode::INTERNAL_SERVER_ERROR
}
