//! The console's listener: `/metrics` and `/healthz`. The page comes later.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use telemetry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::{Check, Error, health};

/// Connections at once; beyond it new ones are closed.
const CONNECTIONS: usize = 256;
/// The longest wait for a request's head, and between requests.
const HEAD: Duration = Duration::from_secs(10);
/// The longest life of a connection; a scraper connects anew.
const LIFE: Duration = Duration::from_secs(600);
/// After a failed accept (no descriptors): long enough not to spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Where the console's answers come from.
pub struct Sources {
    /// What `/metrics` renders.
    pub registry: Registry,
    /// What `/healthz` asks.
    pub checks: Vec<Check>,
}

/// The console that listens.
pub struct Tier;

/// The running console. Dropping it closes the listener and cuts its connections.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Tier {
    /// Serves `listener` (from [`crate::bind`]) on the current tokio runtime until the handle is dropped.
    ///
    /// # Errors
    /// [`Error::Open`] beyond loopback, for it has no authentication yet; what the system says of the socket.
    pub fn start(listener: StdListener, sources: Arc<Sources>) -> Result<Handle, Error> {
        let address = listener.local_addr()?;
        if !address.ip().to_canonical().is_loopback() {
            return Err(Error::Open(address));
        }
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        Ok(Handle { address, task: tokio::spawn(serve(listener, sources)) })
    }
}

impl Handle {
    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, sources: Arc<Sources>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // Dropped with this task, it ends its connections too.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let sources = sources.clone();
        connections.spawn(async move {
            let _place = place;
            // Whatever ends a connection, its peer sees that it ended.
            let _ = tokio::time::timeout(LIFE, connection(stream, sources)).await;
        });
    }
}

async fn connection(stream: TcpStream, sources: Arc<Sources>) -> hyper::Result<()> {
    let service = service_fn(move |request: Request<Incoming>| {
        let sources = sources.clone();
        async move { Ok::<_, Infallible>(answer(request.method(), request.uri().path(), &sources).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(16 << 10);
    builder.serve_connection(TokioIo::new(stream), service).await
}

async fn answer(method: &Method, path: &str, sources: &Sources) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", "GET and HEAD only\n".into());
        refused.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    match path {
        "/metrics" => metrics(sources.registry.clone()).await,
        "/healthz" => {
            let health = health(&sources.checks).await;
            let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let body = serde_json::to_string(&health).unwrap_or_default();
            text(status, "application/json", body + "\n")
        }
        _ => text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Nothing here. Try /metrics or /healthz.\n".into()),
    }
}

/// Collectors read /proc and the disk: not on the runtime's own threads.
async fn metrics(registry: Registry) -> Response<Full<Bytes>> {
    match tokio::task::spawn_blocking(move || registry.render()).await {
        Ok(body) => text(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", body),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", "a collector panicked\n".into()),
    }
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, hyper::header::HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
