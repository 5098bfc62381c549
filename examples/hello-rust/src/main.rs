//! A small web app: a page, JSON, a list of posts kept in Postgres, uploads, a chat by WebSocket, ticks by SSE.
//! It knows nothing of Plimsoll but PORT and DATABASE_URL.

mod live;
mod posts;
mod upload;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query};
use axum::response::{Html, Json};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let host = std::env::var("HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let listener = TcpListener::bind(format!("{host}:{port}")).await?;
    println!("listening on {}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    axum::serve(listener, app())
        .with_graceful_shutdown(async move {
            terminate.recv().await;
            println!("draining");
        })
        .await
}

fn app() -> Router {
    let posts = Router::new().route("/api/posts", get(posts::list).post(posts::create)).with_state(posts::Posts::open());
    let live = Router::new().route("/api/chat", get(live::chat)).with_state(live::Room::new());
    Router::new()
        .merge(posts)
        .merge(live)
        .route("/hello", get(page))
        .route("/healthz", get(|| async { "ok" }))
        .route("/api/hello", get(hello))
        .route("/api/ticks", get(live::ticks))
        .route("/api/upload", post(upload::raw).put(upload::raw))
        .route("/api/upload/form", post(upload::form))
        .layer(DefaultBodyLimit::max(200 * 1024 * 1024))
}

#[derive(Deserialize)]
struct Who {
    name: Option<String>,
}

async fn hello(Query(who): Query<Who>) -> Json<Value> {
    let name = who.name.unwrap_or_else(|| "world".into());
    Json(json!({ "hello": name, "from": "rust", "instance": std::process::id() }))
}

async fn page() -> Html<&'static str> {
    Html("<!doctype html><title>Hello</title><h1>Hello from Rust</h1><p><a href=\"/\">The front</a>")
}
