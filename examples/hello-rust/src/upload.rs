//! Uploads: the size and SHA-256 of what came, hashed as it streams; nothing is kept.

use axum::body::Body;
use axum::extract::Multipart;
use axum::http::StatusCode;
use axum::response::Json;
use futures_util::StreamExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A raw body of any length.
pub async fn raw(body: Body) -> Result<Json<Value>, StatusCode> {
    let mut chunks = body.into_data_stream();
    let (mut hash, mut size) = (Sha256::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| StatusCode::BAD_REQUEST)?;
        size += chunk.len();
        hash.update(&chunk);
    }
    Ok(Json(json!({ "size": size, "sha256": hex(hash) })))
}

/// A form with one or more files.
pub async fn form(mut form: Multipart) -> Result<Json<Value>, StatusCode> {
    let mut files = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(|_| StatusCode::BAD_REQUEST)? {
        let name = field.file_name().unwrap_or_default().to_owned();
        let (mut hash, mut size) = (Sha256::new(), 0);
        while let Some(chunk) = field.chunk().await.map_err(|_| StatusCode::BAD_REQUEST)? {
            size += chunk.len();
            hash.update(&chunk);
        }
        files.push(json!({ "name": name, "size": size, "sha256": hex(hash) }));
    }
    Ok(Json(json!({ "files": files })))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
