//! An app that Plimsoll runs in tests: the test binary itself, told by its arguments to be the app.
//!
//! A test file that wants it holds `#[test] #[ignore = "the app of the other tests"] fn app() { testkit::serve_app() }`
//! and writes [`app_command`] into its `plimsoll.toml`. What the app knows is in its environment and its paths.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use crate::{Origin, Received, Redis, Reply};

/// The value of `run` that starts this test binary as the app: a TOML array.
pub fn app_command() -> String {
    let binary = std::env::current_exe().expect("a test knows its binary");
    format!("[{:?}, \"app\", \"--exact\", \"--ignored\", \"--nocapture\"]", binary.display().to_string())
}

/// Serves on `HOST:PORT` until it is killed; without a `PORT` it returns at once (`cargo test -- --ignored`).
///
/// `GET /healthz`, 200 unless `SICK` is set. `GET /who`, `VERSION` and the process as `v1 1234`. `GET /wait/MS`, late.
/// `GET /kept/KEY`, what the store at `REDIS_URL` has there; `POST /kept/KEY` puts the body there. `POST /count`, appends the body as a line to the file `COUNT`. `GET /chat`, a WebSocket that echoes, its
/// process in the answer's `X-Process`.
/// Anything else, 200 with the request's method, target and body.
pub fn serve_app() {
    let (Ok(host), Ok(port)) = (std::env::var("HOST"), std::env::var("PORT")) else { return };
    let _origin = Origin::on(&format!("{host}:{port}"), false, answer);
    println!("serving");
    loop {
        std::thread::park();
    }
}

fn answer(request: &Received) -> Reply {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    match (request.method.as_str(), request.target.as_str()) {
        (_, "/healthz") if !variable("SICK").is_empty() => Reply::text(503, "sick"),
        (_, "/healthz") => Reply::text(200, "ok"),
        (_, "/who") => Reply::text(200, &format!("v{} {}", variable("VERSION"), std::process::id())),
        ("POST", "/count") => count(&variable("COUNT"), &request.body),
        (_, "/chat") => Reply::Echo(format!("{UPGRADED}X-Process: {}\r\n\r\n", std::process::id()).into_bytes()),
        (method, target) if target.starts_with("/kept/") => kept(&variable("REDIS_URL"), method, &target["/kept/".len()..], &request.body),
        (_, target) if target.starts_with("/wait/") => late(&target["/wait/".len()..]),
        (method, target) => Reply::text(200, &format!("{method} {target} {}", String::from_utf8_lossy(&request.body))),
    }
}

/// The accept value belongs to the key that [`crate::WebSocket`] sends.
const UPGRADED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

fn count(file: &str, body: &[u8]) -> Reply {
    let line = [body, b"\n"].concat();
    // one write in append mode: instances do not mix their lines
    let written = OpenOptions::new().create(true).append(true).open(file).and_then(|mut file| file.write_all(&line));
    match written {
        Ok(()) => Reply::text(201, "counted"),
        Err(error) => Reply::text(500, &error.to_string()),
    }
}

fn kept(url: &str, method: &str, key: &str, body: &[u8]) -> Reply {
    let words: &[&[u8]] = if method == "POST" { &[b"SET", key.as_bytes(), body] } else { &[b"GET", key.as_bytes()] };
    match connect(url).and_then(|mut store| store.words(words)) {
        Ok(answer) => Reply::text(200, &answer),
        Err(error) => Reply::text(500, &format!("{url}: {error}")),
    }
}

/// `redis://[:PASSWORD@]ADDRESS`, a password without signs.
fn connect(url: &str) -> std::io::Result<Redis> {
    let place = url.trim_start_matches("redis://");
    let Some((login, address)) = place.split_once('@') else { return Redis::connect(url) };
    let mut store = Redis::connect(address)?;
    store.words(&[b"AUTH", login.trim_start_matches(':').as_bytes()])?;
    Ok(store)
}

fn late(milliseconds: &str) -> Reply {
    let delay = Duration::from_millis(milliseconds.parse().unwrap_or_default());
    match Reply::text(200, "late") {
        Reply::Bytes(bytes) => Reply::Late(delay, bytes),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WebSocket;

    #[test]
    fn the_app_answers_and_its_websocket_echoes() {
        let origin = Origin::on("127.0.0.1:0", false, answer);
        assert_eq!(crate::get(&origin.address(), "/healthz").unwrap().text(), "ok");
        assert_eq!(crate::request(&origin.address(), "PUT", "/a", &[], b"b").unwrap().text(), "PUT /a b");
        let mut socket = WebSocket::open(&origin.address(), "/chat").unwrap();
        socket.send("hello").unwrap();
        assert_eq!(socket.text().unwrap(), "hello");
    }
}
