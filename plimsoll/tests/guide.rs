//! The guide's pages do what they say: their files pass `check`, their app runs, their steps work.

#![allow(clippy::unwrap_used)] // a test that cannot go on should stop

use std::fs;
use std::path::Path;

use testkit::{Up, get, until};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

/// The fenced blocks of a page in one language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide").join(page)).unwrap();
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == format!("```{language}") {
            blocks.push(lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect());
        }
    }
    blocks
}

fn without_python() -> bool {
    std::env::var("PLIMSOLL_TEST_WITHOUT").unwrap_or_default().contains("python")
}

fn shop(file: &str) -> Up {
    Up::new(BINARY, file).file("app.py", &blocks("stage-1.md", "python")[0]).file("web/index.html", "<h1>shop</h1>")
}

#[test]
fn every_file_of_a_page_passes_the_check() {
    if without_python() {
        return;
    }
    for (page, most) in [("stage-1.md", 4), ("database.md", 2), ("pool.md", 3), ("kv.md", 3)] {
        let files = blocks(page, "toml");
        assert!(files.len() >= most, "{page}");
        for file in files {
            let (cert, key) = (include_str!("config/app/door.pem"), include_str!("config/app/door.key"));
            let up = shop(&file)
                .file("door.pem", cert)
                .file("door.key", key)
                .env("REPORT_PASSWORD", "hush")
                .env("REPORTS_PASSWORD", "hush")
                .env("KV_PASSWORD", "hush");
            let output = up.env("DATABASE_URL", "postgres://app:hush@db1/shop").run("check");
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{page}\n{file}\n{}", String::from_utf8_lossy(&said));
        }
    }
}

#[test]
fn stage_1_from_the_first_file_to_the_site() {
    if without_python() {
        return;
    }
    let files = blocks("stage-1.md", "toml");
    let plimsoll = shop(&files[0]).ready();
    let answer = |path: &str| get(plimsoll.http(), path).map(|answer| (answer.status, String::from_utf8_lossy(&answer.body).into_owned()));
    let (status, body) = answer("/hello").unwrap();
    assert!(status == 200 && body.contains("\"path\": \"/hello\""), "{status} {body}");

    for file in &files[1..3] {
        plimsoll.write("plimsoll.toml", file);
        let output = plimsoll.run("reload", &[]);
        assert!(output.status.success(), "{file}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(answer("/").unwrap(), (200, "<h1>shop</h1>".to_string()));
    assert!(answer("/api/x").unwrap().1.contains("\"path\": \"/api/x\""));
    until("two instances are healthy", || {
        let status = plimsoll.status();
        let instances = status["apps"][0]["instances"].as_array().cloned().unwrap_or_default();
        instances.iter().filter(|instance| instance["state"] == "healthy").count() == 2
    });
}
