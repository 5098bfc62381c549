//! The site's rules on a real folder, one table each.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::*;

const SPLICE: Splice<'static> = Splice { date: b"Sun, 06 Nov 1994 08:49:37 GMT", request_id: b"id-1", connection: b"" };

struct Answered {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answered {
    fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

struct Rig {
    dir: tempfile::TempDir,
    site: SiteFiles,
    now: Instant,
}

impl Rig {
    fn new(files: &[(&str, &[u8])]) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let rig = Rig { site: SiteFiles::new(dir.path().join("site"), 1), dir, now: Instant::now() };
        fs::create_dir(rig.path("")).unwrap();
        files.iter().for_each(|(name, content)| rig.write(name, content));
        rig
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join("site").join(name)
    }

    /// Writes a file that has been as it is for a minute.
    fn write(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        age(&path, 60);
    }

    async fn ask(&mut self, asked: Asked<'_>, need: Need) -> Option<Answered> {
        self.now += Duration::from_millis(5);
        let mut head = Vec::new();
        let reply = self.site.answer(&asked, &SPLICE, need, self.now, &mut head).await?;
        let end = memchr::memmem::find(&head, b"\r\n\r\n").unwrap() + 4;
        let mut body = head.split_off(end);
        match reply.body {
            Body::Empty => {}
            Body::Bytes(bytes, range) => body.extend_from_slice(&bytes[range]),
            Body::File { file, offset, length } => {
                use std::os::unix::fs::FileExt;
                body.resize(length as usize, 0);
                file.read_exact_at(&mut body, offset).unwrap();
            }
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {} ", reply.status)), "{head}");
        assert!(head.contains("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Request-Id: id-1\r\n"), "{head}");
        Some(Answered { status: reply.status, head, body })
    }

    async fn get(&mut self, path: &str) -> Answered {
        self.ask(Asked { method: b"GET", path: path.as_bytes(), ..Asked::default() }, Need::Whole).await.unwrap()
    }
}

fn age(path: &Path, seconds: u64) {
    let time = SystemTime::now() - Duration::from_secs(seconds);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

fn shop() -> Rig {
    Rig::new(&[
        ("index.html", b"<h1>shop</h1>"),
        ("docs/index.html", b"<h1>docs</h1>"),
        ("docs/guide.txt", b"0123456789"),
        ("empty/readme.txt", b"x"),
        ("assets/app.8f3a2b1c.js", b"let a"),
        ("logo.svg", b"<svg/>"),
        ("none.txt", b""),
        (".env", b"SECRET=1"),
        (".well-known/security.txt", b"mailto"),
        (".git/config", b"[core]"),
        ("a b/ü.txt", b"umlaut"),
    ])
}

#[tokio::test]
async fn paths_and_what_they_get() {
    let mut rig = shop();
    symlink("docs/guide.txt", rig.path("inside.txt")).unwrap();
    symlink(rig.path("logo.svg"), rig.path("absolute.svg")).unwrap();
    symlink("/etc/passwd", rig.path("passwd.txt")).unwrap();
    symlink("../outside.txt", rig.path("up.txt")).unwrap();
    symlink("..", rig.path("parent")).unwrap();
    symlink("loop.txt", rig.path("loop.txt")).unwrap();
    symlink(".env", rig.path("envlink.txt")).unwrap();
    symlink(rig.path(".env"), rig.path("absolute-env.txt")).unwrap();
    symlink(".git", rig.path("git")).unwrap();
    symlink("docs", rig.path("handbook")).unwrap();
    symlink("../.env", rig.path(".well-known/env.txt")).unwrap();
    symlink(".well-known/security.txt", rig.path("security.txt")).unwrap();
    fs::write(rig.dir.path().join("outside.txt"), "outside").unwrap();
    for (path, status, body) in [
        ("/", 200, "<h1>shop</h1>"),
        ("/index.html", 200, "<h1>shop</h1>"),
        ("/docs/", 200, "<h1>docs</h1>"),
        ("/docs/guide.txt", 200, "0123456789"),
        ("/a b/ü.txt", 200, "umlaut"),
        ("/none.txt", 200, ""),
        ("/.well-known/security.txt", 200, "mailto"),
        ("/inside.txt", 200, "0123456789"),
        ("/absolute.svg", 200, "<svg/>"),
        ("/handbook/guide.txt", 200, "0123456789"),
        ("/security.txt", 200, "mailto"),
        // Pages that only the front end knows.
        ("/users/5", 200, "<h1>shop</h1>"),
        ("/users/5/", 200, "<h1>shop</h1>"),
        ("/empty/", 200, "<h1>shop</h1>"),
        ("/empty", 200, "<h1>shop</h1>"),
        ("/logo.svg/", 200, "<h1>shop</h1>"),
        // A file that is missing.
        ("/missing.js", 404, ""),
        ("/users/index.html", 404, ""),
        ("/assets/app.00000000.js", 404, ""),
        // Looked up by its name: no page stands in for it.
        ("/.well-known/acme-challenge/x", 404, ""),
        ("/.well-known/", 404, ""),
        ("/.well-known/change-password", 404, ""),
        // Never.
        ("/envlink.txt", 404, ""),
        ("/absolute-env.txt", 404, ""),
        ("/git/config", 200, "<h1>shop</h1>"),
        ("/.well-known/env.txt", 404, ""),
        ("/.env", 404, ""),
        ("/.git/config", 404, ""),
        ("/.well-known/../.env", 404, ""),
        ("/../outside.txt", 404, ""),
        ("/passwd.txt", 404, ""),
        ("/up.txt", 404, ""),
        ("/parent/outside.txt", 404, ""),
        ("/loop.txt", 404, ""),
        ("//evil.example", 404, ""),
        ("//docs", 404, ""),
    ] {
        for _ in 0..2 {
            let answered = rig.get(path).await;
            assert_eq!(answered.status, status, "{path}");
            if status == 200 {
                assert_eq!(String::from_utf8_lossy(&answered.body), body, "{path}");
                assert_eq!(answered.field("Content-Length"), Some(body.len().to_string().as_str()), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_folder_without_its_slash_is_redirected_here_and_nowhere_else() {
    let mut rig = shop();
    fs::create_dir(rig.path("evil.example")).unwrap();
    rig.write("evil.example/index.html", b"x");
    let asked = Asked { method: b"GET", path: b"/docs", query: Some(b"a=b"), ..Asked::default() };
    let answered = rig.ask(asked, Need::Whole).await.unwrap();
    assert_eq!((answered.status, answered.field("Location")), (301, Some("/docs/?a=b")));
    for path in ["//evil.example", "/%2Fevil.example", "/\\evil.example"] {
        assert_eq!(rig.get(path).await.field("Location"), None, "{path}");
    }
}

#[tokio::test]
async fn only_navigations_fall_back() {
    let mut rig = shop();
    for (accept, mode, status) in [
        (None, None, 200),
        (Some("text/html,application/xhtml+xml,*/*;q=0.8"), Some("navigate"), 200),
        (Some("*/*"), None, 200),
        (Some("*/*"), Some("cors"), 404),
        (Some("text/html"), Some("cors"), 200),
        (Some("application/json"), None, 404),
        (Some("application/json, text/plain, */*"), None, 404),
        (Some("image/avif,image/webp"), None, 404),
    ] {
        let asked = Asked {
            method: b"GET",
            path: b"/users/5",
            accept: accept.map(str::as_bytes),
            fetch_mode: mode.map(str::as_bytes),
            ..Asked::default()
        };
        assert_eq!(rig.ask(asked, Need::Whole).await.unwrap().status, status, "{accept:?} {mode:?}");
    }
}

#[tokio::test]
async fn first_takes_what_exists_and_leaves_the_rest_to_apps() {
    let mut rig = shop();
    for (method, path, status) in [
        ("GET", "/", Some(200)),
        ("HEAD", "/logo.svg", Some(200)),
        ("GET", "/docs", Some(301)),
        ("GET", "/users/5", None),
        ("GET", "/missing.js", None),
        ("GET", "/.env", None),
        ("GET", "//x", None),
        ("POST", "/logo.svg", None),
        ("OPTIONS", "/logo.svg", None),
    ] {
        let asked = Asked { method: method.as_bytes(), path: path.as_bytes(), ..Asked::default() };
        assert_eq!(rig.ask(asked, Need::Existing).await.map(|answered| answered.status), status, "{method} {path}");
    }
}

#[tokio::test]
async fn methods() {
    let mut rig = shop();
    for (method, status) in [("POST", 405), ("DELETE", 405), ("get", 405), ("OPTIONS", 204)] {
        let answered = rig.ask(Asked { method: method.as_bytes(), path: b"/", ..Asked::default() }, Need::Whole).await.unwrap();
        assert_eq!((answered.status, answered.field("Allow")), (status, Some("GET, HEAD, OPTIONS")), "{method}");
    }
    for (path, status) in [("/", 200), ("/missing.js", 404)] {
        let full = rig.get(path).await;
        let head = rig.ask(Asked { method: b"HEAD", path: path.as_bytes(), ..Asked::default() }, Need::Whole).await.unwrap();
        assert_eq!((head.status, head.head.as_str()), (status, full.head.as_str()));
        assert!(head.body.is_empty());
    }
}

#[tokio::test]
async fn fields_by_kind() {
    let mut rig = shop();
    for (path, kind, keep, policy) in [
        ("/", "text/html; charset=utf-8", "public, max-age=300", true),
        ("/users/5", "text/html; charset=utf-8", "public, max-age=300", true),
        ("/assets/app.8f3a2b1c.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable", false),
        ("/logo.svg", "image/svg+xml", "public, max-age=0, must-revalidate", true),
        ("/docs/guide.txt", "text/plain; charset=utf-8", "public, max-age=0, must-revalidate", false),
    ] {
        let answered = rig.get(path).await;
        assert_eq!((answered.field("Content-Type"), answered.field("Cache-Control")), (Some(kind), Some(keep)), "{path}");
        assert_eq!(answered.field("Content-Security-Policy").is_some(), policy, "{path}");
        assert_eq!(answered.field("X-Content-Type-Options"), Some("nosniff"));
        assert_eq!(answered.field("Accept-Ranges"), Some("bytes"));
        assert!(answered.field("ETag").unwrap().starts_with('"') && answered.field("Last-Modified").unwrap().ends_with(" GMT"));
        assert_eq!(answered.field("Vary"), (path == "/users/5").then_some("Accept, Sec-Fetch-Mode"), "{path}");
    }
}

#[tokio::test]
async fn conditions_and_ranges() {
    let mut rig = shop();
    let path = b"/docs/guide.txt".as_slice();
    let full = rig.get("/docs/guide.txt").await;
    let (etag, modified) = (full.field("ETag").unwrap().to_string(), full.field("Last-Modified").unwrap().to_string());
    let base = Asked { method: b"GET", path, ..Asked::default() };

    let same = rig.ask(Asked { if_none_match: Some(etag.as_bytes()), ..base }, Need::Whole).await.unwrap();
    assert_eq!((same.status, same.field("ETag"), same.field("Content-Length")), (304, Some(etag.as_str()), None));
    assert_eq!(same.field("Cache-Control"), full.field("Cache-Control"));
    let same = rig.ask(Asked { if_modified_since: Some(modified.as_bytes()), ..base }, Need::Whole).await.unwrap();
    assert_eq!(same.status, 304);
    let failed = rig.ask(Asked { if_match: Some(b"\"x\""), ..base }, Need::Whole).await.unwrap();
    assert_eq!(failed.status, 412);

    let part = rig.ask(Asked { range: Some(b"bytes=2-4"), if_range: Some(etag.as_bytes()), ..base }, Need::Whole).await.unwrap();
    assert_eq!((part.status, part.body.as_slice()), (206, b"234".as_slice()));
    assert_eq!((part.field("Content-Range"), part.field("Content-Length")), (Some("bytes 2-4/10"), Some("3")));
    assert_eq!((part.field("ETag"), part.field("Content-Type")), (full.field("ETag"), full.field("Content-Type")));
    let none = rig.ask(Asked { range: Some(b"bytes=10-"), ..base }, Need::Whole).await.unwrap();
    assert_eq!((none.status, none.field("Content-Range")), (416, Some("bytes */10")));
    let all = rig.ask(Asked { range: Some(b"bytes=0-1,4-5"), ..base }, Need::Whole).await.unwrap();
    assert_eq!((all.status, all.body.len()), (200, 10));
}

#[tokio::test]
async fn large_files_are_sent_from_their_descriptor() {
    let content: Vec<u8> = (0..200_000u32).map(|index| index as u8).collect();
    let mut rig = Rig::new(&[("film.mp4", &content)]);
    let whole = rig.get("/film.mp4").await;
    assert!(whole.status == 200 && whole.body == content);
    let asked = Asked { method: b"GET", path: b"/film.mp4", range: Some(b"bytes=-1000"), ..Asked::default() };
    let tail = rig.ask(asked, Need::Whole).await.unwrap();
    assert!(tail.status == 206 && tail.body == content[199_000..]);
}

#[tokio::test]
async fn precompressed_siblings() {
    let mut rig = Rig::new(&[
        ("app.js", b"plain"),
        ("app.js.br", b"brotli!"),
        ("app.js.gz", b"gz"),
        ("old.css", b"new rules"),
        ("old.css.gz", b"old rules"),
    ]);
    age(&rig.path("old.css.gz"), 3600);
    let mut tags = std::collections::HashSet::new();
    for (accept, encoding, body) in [
        (None, None, "plain"),
        (Some("gzip"), Some("gzip"), "gz"),
        (Some("gzip, br;q=0.9, zstd"), Some("gzip"), "gz"),
        (Some("gzip, deflate, br, zstd"), Some("br"), "brotli!"),
        (Some("zstd"), None, "plain"),
    ] {
        let asked = Asked { method: b"GET", path: b"/app.js", accept_encoding: accept.map(str::as_bytes), ..Asked::default() };
        let answered = rig.ask(asked, Need::Whole).await.unwrap();
        assert_eq!((answered.field("Content-Encoding"), answered.body.as_slice()), (encoding, body.as_bytes()), "{accept:?}");
        assert_eq!(answered.field("Vary"), Some("Accept-Encoding"));
        assert_eq!(answered.field("Content-Type"), Some("text/javascript; charset=utf-8"));
        tags.insert(answered.field("ETag").unwrap().to_string());
        let again = Asked { if_none_match: answered.field("ETag").map(str::as_bytes), ..asked };
        assert_eq!(rig.ask(again, Need::Whole).await.unwrap().status, 304);
    }
    assert_eq!(tags.len(), 3);
    let asked = Asked { method: b"GET", path: b"/old.css", accept_encoding: Some(b"gzip"), ..Asked::default() };
    let stale = rig.ask(asked, Need::Whole).await.unwrap();
    assert_eq!((stale.field("Content-Encoding"), stale.body.as_slice()), (None, b"new rules".as_slice()));
}

#[tokio::test]
async fn a_link_has_the_siblings_of_what_it_leads_to() {
    let mut rig = Rig::new(&[("builds/2/app.js", b"plain"), ("builds/2/app.js.gz", b"zipped")]);
    symlink("builds/2/app.js", rig.path("app.js")).unwrap();
    let asked = Asked { method: b"GET", path: b"/app.js", accept_encoding: Some(b"gzip, br"), ..Asked::default() };
    for _ in 0..2 {
        assert_eq!(rig.ask(asked, Need::Whole).await.unwrap().body, b"zipped");
    }
    rig.write("builds/2/app.js.br", b"brotli");
    assert_eq!(rig.ask(asked, Need::Whole).await.unwrap().body, b"brotli");
    rig.write("builds/3/app.js", b"new");
    fs::remove_file(rig.path("app.js")).unwrap();
    symlink("builds/3/app.js", rig.path("app.js")).unwrap();
    assert_eq!(rig.ask(asked, Need::Whole).await.unwrap().body, b"new");
}

#[tokio::test]
async fn changes_are_seen_at_once() {
    let mut rig = shop();
    assert_eq!(rig.get("/logo.svg").await.body, b"<svg/>");
    // The same length, written again and again, faster than a file system's clock.
    for version in 0..50u8 {
        fs::write(rig.path("logo.svg"), [b'a' + version % 26; 6]).unwrap();
        assert_eq!(rig.get("/logo.svg").await.body, [b'a' + version % 26; 6]);
    }
    fs::write(rig.path("logo.svg.gz"), "zipped").unwrap();
    let zipped = Asked { method: b"GET", path: b"/logo.svg", accept_encoding: Some(b"gzip"), ..Asked::default() };
    assert_eq!(rig.ask(zipped, Need::Whole).await.unwrap().body, b"zipped");
    fs::remove_file(rig.path("logo.svg")).unwrap();
    assert_eq!(rig.get("/logo.svg").await.status, 404);
    fs::write(rig.path("logo.svg"), "back").unwrap();
    assert_eq!(rig.get("/logo.svg").await.body, b"back");
}

#[tokio::test]
async fn a_folder_that_a_build_makes_anew_is_found() {
    let mut rig = shop();
    assert_eq!(rig.get("/").await.status, 200);
    fs::rename(rig.path(""), rig.dir.path().join("before")).unwrap();
    assert_eq!(rig.get("/").await.status, 404);
    fs::create_dir(rig.path("")).unwrap();
    rig.write("index.html", b"second");
    assert_eq!(rig.get("/").await.body, b"second");
}

#[tokio::test]
async fn only_regular_files_and_never_a_wait() {
    let mut rig = shop();
    rustix::fs::mknodat(rustix::fs::CWD, rig.path("pipe.txt"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(rig.path("socket.txt")).unwrap();
    for path in ["/pipe.txt", "/socket.txt"] {
        assert_eq!(rig.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn memory_is_bounded() {
    let content = vec![1u8; 60 << 10];
    let mut rig = Rig::new(&[]);
    for index in 0..700 {
        rig.write(&format!("{index}.bin"), &content);
    }
    for index in 0..700 {
        assert_eq!(rig.get(&format!("/{index}.bin")).await.body.len(), content.len());
    }
    let (entries, bytes) = rig.site.remembers();
    assert!(entries > 300 && bytes <= 32 << 20, "{entries} entries, {bytes} bytes");
}
