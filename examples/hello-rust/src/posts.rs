//! Posts, kept as JSON lines in `data/posts.jsonl`, which every instance appends to.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};

/// Where posts are kept.
pub struct Posts {
    file: PathBuf,
}

#[derive(Deserialize, Serialize)]
pub struct Post {
    title: String,
    #[serde(default)]
    text: String,
}

impl Posts {
    pub fn open() -> Posts {
        let folder = PathBuf::from(std::env::var("DATA").unwrap_or_else(|_| "data".into()));
        if let Err(error) = fs::create_dir_all(&folder) {
            eprintln!("{}: {error}", folder.display());
        }
        Posts { file: folder.join("posts.jsonl") }
    }

    fn read(&self) -> Vec<Post> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// One write per line in append mode: instances do not mix their lines.
    fn append(&self, post: &Post) -> io::Result<()> {
        let line = serde_json::to_string(post)? + "\n";
        OpenOptions::new().create(true).append(true).open(&self.file)?.write_all(line.as_bytes())
    }
}

pub async fn list(State(posts): State<Arc<Posts>>) -> Json<Vec<Post>> {
    Json(posts.read())
}

pub async fn create(State(posts): State<Arc<Posts>>, Json(post): Json<Post>) -> Result<(StatusCode, Json<Post>), StatusCode> {
    if post.title.trim().is_empty() {
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    match posts.append(&post) {
        Ok(()) => Ok((StatusCode::CREATED, Json(post))),
        Err(error) => {
            eprintln!("cannot keep a post: {error}");
            Err(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
