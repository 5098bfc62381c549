//! The hello apps in a real browser: the front loads, posts, uploads, and stays in touch by WebSocket and events.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use testkit::{Browser, Up};

#[test]
fn the_hello_apps_work_in_a_browser() {
    let without = std::env::var("PLIMSOLL_TEST_WITHOUT").unwrap_or_default();
    if without.contains("browser") {
        return;
    }
    for name in ["rust", "python", "node"] {
        if !without.contains(name) {
            // a new one each time: the apps may get the same port, and pages are cached for five minutes
            visit(&Browser::start(), name);
        }
    }
}

fn visit(browser: &Browser, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples").join(format!("hello-{name}"));
    let up = Up::at(env!("CARGO_BIN_EXE_plimsoll"), folder);
    let upload = up.folder().join("upload.txt").display().to_string();
    let hello = up.file("upload.txt", "abc").ready();
    browser.open(&format!("http://{}/", hello.http()));
    browser.shows(&format!("document.getElementById('hello').textContent == 'Hello, world, from {name}'"));
    browser.shows("Number(document.getElementById('ticks').textContent) >= 3");
    browser.type_into("#write input[name=title]", "written");
    browser.click("#write button");
    browser.shows("document.getElementById('posts').textContent.includes('written')");
    browser.type_into("#upload input", &upload);
    browser.click("#upload button");
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    browser.shows(&format!("document.getElementById('uploaded').textContent.includes('{hash}')"));
    if browser.run("return Boolean(document.getElementById('say'))") == true {
        browser.shows("document.getElementById('say').dataset.open == 'yes'");
        browser.type_into("#say input", "heard by all");
        browser.click("#say button");
        browser.shows("document.getElementById('chat').textContent.includes('heard by all')");
    }
    // a page of its own, and away from streams that would hold the drain
    browser.open(&format!("http://{}/hello", hello.http()));
    browser.shows("document.querySelector('h1').textContent.startsWith('Hello from')");
}
