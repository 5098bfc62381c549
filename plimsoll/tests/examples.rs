//! The hello apps as their users meet them: pages, JSON, posts that stay, an upload of 100 MB, WebSocket, server-sent events.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testkit::{Client, Plimsoll, Up, WebSocket, get, request, until};

const UPLOAD: usize = 100 * 1024 * 1024;

#[test]
fn hello_rust() {
    let state = tempfile::tempdir().unwrap();
    let hello = up("hello-rust", state.path());
    everyday(&hello, "rust");
    chat(&hello);
    kept(hello, "hello-rust", state.path());
}

#[test]
fn hello_python() {
    if without("python") {
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let hello = up("hello-python", state.path());
    everyday(&hello, "python");
    kept(hello, "hello-python", state.path());
}

#[test]
fn hello_node() {
    if without("node") {
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let hello = up("hello-node", state.path());
    everyday(&hello, "node");
    chat(&hello);
    kept(hello, "hello-node", state.path());
}

/// Whether `./test` could not install what this needs; it says so at its end.
fn without(what: &str) -> bool {
    std::env::var("PLIMSOLL_TEST_WITHOUT").unwrap_or_default().split(' ').any(|missing| missing == what)
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples").join(name)
}

fn up(name: &str, state: &Path) -> Plimsoll {
    Up::at(env!("CARGO_BIN_EXE_plimsoll"), folder(name)).state(&state.join("state")).ready()
}

fn everyday(hello: &Plimsoll, language: &str) {
    front(hello, language);
    posts(hello);
    upload(hello);
    ticks(hello);
}

fn front(hello: &Plimsoll, language: &str) {
    let front = get(hello.http(), "/").unwrap();
    assert_eq!((front.status, front.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(front.text().contains("<script src=\"/front.js\">"));
    // a navigation falls back to the front, a missing file does not
    assert_eq!(get(hello.http(), "/some/place").unwrap().text(), front.text());
    assert_eq!(get(hello.http(), "/missing.png").unwrap().status, 404);
    let page = get(hello.http(), "/hello").unwrap();
    assert!(page.status == 200 && page.text().contains("<h1>Hello from"), "{page:?}");
    let answer = get(hello.http(), "/api/hello?name=you").unwrap();
    assert_eq!((answer.json()["hello"].as_str(), answer.json()["from"].as_str()), (Some("you"), Some(language)));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

fn posts(hello: &Plimsoll) {
    let json = [("Content-Type", "application/json")];
    assert_eq!(get(hello.http(), "/api/posts").unwrap().json(), json!([]));
    let post = json!({ "title": "first", "text": "of all" });
    let created = request(hello.http(), "POST", "/api/posts", &json, post.to_string().as_bytes()).unwrap();
    assert_eq!((created.status, created.json()), (201, post.clone()));
    assert_eq!(get(hello.http(), "/api/posts").unwrap().json(), json!([post]));
    let refused = request(hello.http(), "POST", "/api/posts", &json, b"{\"title\": \" \"}").unwrap();
    assert_eq!(refused.status, 422);
}

/// By curl, with a length and in chunks; the app tells the hash of what reached it.
fn upload(hello: &Plimsoll) {
    let path = hello.folder().join("upload");
    let mut file = File::create(&path).unwrap();
    // numbered blocks: one that is lost, twice or out of place changes the hash
    for number in 0..UPLOAD / 1024 {
        file.write_all(format!("{number:01024}").as_bytes()).unwrap();
    }
    drop(file);
    let hash = said(Command::new("sha256sum").arg(&path));
    let expected = json!({ "size": UPLOAD, "sha256": hash.split(' ').next().unwrap() });
    let url = format!("http://{}/api/upload", hello.http());
    for framing in ["Content-Type: application/octet-stream", "Transfer-Encoding: chunked"] {
        let answer = said(Command::new("curl").args(["-sS", "--fail", "-X", "POST", "-H", framing, "-T"]).arg(&path).arg(&url));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap(), expected, "{framing}");
    }
}

fn ticks(hello: &Plimsoll) {
    let mut client = Client::connect(hello.http()).unwrap();
    client.send("GET /api/ticks HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n").unwrap();
    let head = client.head().unwrap();
    assert!(head.status == 200 && head.header("content-type").unwrap().starts_with("text/event-stream"), "{head:?}");
    // the stream has no end: ticks that arrive were not kept back by anyone
    for number in 0..3 {
        client.read_until(format!("data: {number}\n").as_bytes()).unwrap();
    }
}

fn chat(hello: &Plimsoll) {
    let mut one = WebSocket::open(hello.http(), "/api/chat").unwrap();
    let mut other = WebSocket::open(hello.http(), "/api/chat").unwrap();
    one.send("is anybody here?").unwrap();
    assert_eq!(one.text().unwrap(), "is anybody here?");
    // the other may have entered the room after that was said
    one.send("now").unwrap();
    while other.text().unwrap() != "now" {}
    let long = vec![7; 60_000];
    other.send_frame(2, &long).unwrap();
    assert_eq!(other.receive().unwrap().payload, long);
}

/// Posts survive a lost table that was dumped before, and a restart.
fn kept(hello: Plimsoll, name: &str, state: &Path) {
    let posts = get(hello.http(), "/api/posts").unwrap().json();
    assert_eq!(posts.as_array().unwrap().len(), 1);
    let db = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        said(command.arg("--file").arg(folder(name).join("plimsoll.toml")).arg("--state").arg(state.join("state")).arg("db").args(words))
    };
    let dump = state.join("posts.dump");
    db(&["dump", dump.to_str().unwrap()]);
    db(&["shell", "--", "-c", "DROP TABLE posts"]);
    assert_eq!(get(hello.http(), "/api/posts").unwrap().status, 500);
    db(&["restore", dump.to_str().unwrap()]);
    assert_eq!(get(hello.http(), "/api/posts").unwrap().json(), posts);
    gone(hello);
    let again = up(name, state);
    assert_eq!(get(again.http(), "/api/posts").unwrap().json(), posts);
    gone(again);
}

fn gone(mut hello: Plimsoll) {
    let ended = hello.stop();
    assert!(ended.status.success(), "{:?}; the log:\n{}", ended.status, ended.log);
    until("every process is gone", || hello.family().is_empty());
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}
