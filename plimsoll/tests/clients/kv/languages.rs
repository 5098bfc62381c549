//! Clients of other languages, each a script of `scripts/` that runs in both versions of the protocol.

use super::ground::same;
use crate::installed::{NODE_MODULES, PYTHON_WITH_CLIENTS, RUST_CLIENTS};
use crate::scripts::{script, without};

/// Every script ends with these words.
#[track_caller]
fn ended(told: &str) {
    assert!(told.contains("the end\n") && told.ends_with("--- exit status: 0\n"), "{told}");
}

fn python(protocol: &str) {
    if without("python") || without("redis") {
        return;
    }
    ended(&same(&format!("redis-py {protocol}"), |place| {
        place.run(place.command(&*PYTHON_WITH_CLIENTS).arg(script("redis_py_script.py")).arg(protocol))
    }));
}

fn node(client: &str, protocol: &str) {
    if without("node") || without("redis") {
        return;
    }
    ended(&same(&format!("{client} {protocol}"), |place| {
        let mut node = place.command("node");
        place.run(node.arg(script(&format!("{client}_script.cjs"))).arg(protocol).env("NODE_PATH", &*NODE_MODULES))
    }));
}

fn rust(client: &str) {
    if without("redis") {
        return;
    }
    ended(&same(client, |place| place.run(place.command(&*RUST_CLIENTS).arg(client))));
}

#[test]
fn redis_py() {
    python("2");
}

#[test]
fn redis_py_in_the_third_protocol() {
    python("3");
}

#[test]
fn ioredis() {
    node("ioredis", "2");
}

#[test]
fn ioredis_in_the_third_protocol() {
    node("ioredis", "3");
}

#[test]
fn node_redis() {
    node("node_redis", "2");
}

#[test]
fn node_redis_in_the_third_protocol() {
    node("node_redis", "3");
}

#[test]
fn redis_rs() {
    rust("redis-rs");
}

#[test]
fn fred() {
    rust("fred");
}
