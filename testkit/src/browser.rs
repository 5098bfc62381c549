//! A real browser: headless Chromium, driven by the WebDriver protocol that chromedriver speaks over plain HTTP.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{marked, processes, request, until};

/// One browser with one page; gone with all its processes when dropped.
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
    mark: String,
    _scratch: TempDir,
}

impl Browser {
    /// Starts `chromedriver` and a browser with a profile and a home of its own. Panics with what is missing.
    pub fn start() -> Browser {
        let scratch = tempfile::tempdir().expect("a scratch folder can be made");
        let mark = format!("PLIMSOLL_TEST_BROWSER={}", scratch.path().display());
        let mut driver = driver(scratch.path());
        let out = driver.stdout.take().expect("stdout is piped");
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.split("successfully on port ").nth(1).map(|port| port.trim_end_matches('.').to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        let address = format!("127.0.0.1:{}", port.expect("chromedriver says its port"));
        let mut browser = Browser { driver, address, session: String::new(), mark, _scratch: scratch };
        let profile = browser._scratch.path().join("profile");
        browser.session = browser.post("", json!({ "capabilities": { "alwaysMatch": capabilities(&profile) } }))["sessionId"]
            .as_str()
            .expect("a session has an id")
            .to_owned();
        browser
    }

    /// Opens a page and waits until it is loaded.
    pub fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url }));
    }

    /// Runs JavaScript in the page and returns its value.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
    }

    /// Waits until `expression` is true in the page.
    #[track_caller]
    pub fn shows(&self, expression: &str) {
        until(expression, || self.run(&format!("return Boolean({expression})")) == true);
    }

    /// Types into the element that `selector` finds, as a user does; a path, into a file field, chooses that file.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/value"), json!({ "text": text }));
    }

    /// Clicks the element that `selector` finds.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), json!({}));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|object| object.values().next()).and_then(Value::as_str);
        id.unwrap_or_else(|| panic!("no element {selector}: {found}")).to_owned()
    }

    /// A command of the session; its value. Panics with the browser's error.
    fn post(&self, command: &str, body: Value) -> Value {
        let path = match self.session.as_str() {
            "" => "/session".to_owned(),
            session => format!("/session/{session}{command}"),
        };
        let json = [("Content-Type", "application/json")];
        let answer = request(&self.address, "POST", &path, &json, body.to_string().as_bytes());
        let answer = answer.unwrap_or_else(|error| panic!("chromedriver: {error}"));
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.text());
        answer.json()["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = request(&self.address, "DELETE", &format!("/session/{}", self.session), &[], b"");
        for (pid, _) in marked(&self.mark) {
            processes::kill(pid);
        }
        let _ = self.driver.wait();
        // the profile's folder can be removed when nobody writes into it any more
        crate::holds_within(crate::DEADLINE, || marked(&self.mark).is_empty());
    }
}

fn driver(home: &Path) -> Child {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.env("HOME", home).env("XDG_CONFIG_HOME", home).env("XDG_CACHE_HOME", home);
    // no bus: it would be started for the occasion and stay
    command.env("DBUS_SESSION_BUS_ADDRESS", "disabled:").env("PLIMSOLL_TEST_BROWSER", home);
    command.spawn().unwrap_or_else(|error| panic!("chromedriver: {error}; install chromium and chromium-driver, or run ./test"))
}

fn capabilities(profile: &Path) -> Value {
    let arguments = [
        "--headless=new",
        "--no-sandbox", // the tests may run as root, where Chromium has no other way
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-crash-reporter",
        "--disable-background-networking",
        "--no-first-run",
        "--no-proxy-server",
        &format!("--user-data-dir={}", profile.display()),
    ];
    json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments } })
}
