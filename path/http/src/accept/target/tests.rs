use super::*;

fn read(path: &str) -> Result<String, u16> {
    let mut space = b"something from before".to_vec();
    let plain = plain(path.as_bytes(), &mut space).map_err(|refusal| refusal.status)?;
    assert_eq!(plain.has_encoded_slash, path.to_ascii_lowercase().contains("%2f"), "{path}");
    Ok(String::from_utf8_lossy(plain.text).into_owned())
}

#[test]
fn paths_become_plain() {
    for (path, expected) in [
        ("/", "/"),
        ("*", "*"),
        ("/a/b.c", "/a/b.c"),
        ("/a/", "/a/"),
        ("/a..b/.c/d...", "/a..b/.c/d..."),
        ("/...", "/..."),
        ("/%41%7e%20x", "/A~ x"),
        ("/caf%C3%A9", "/café"),
        ("//a///b//", "/a/b/"),
        ("//", "/"),
        ("/.", "/"),
        ("/./a/./b", "/a/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/../c", "/a/c"),
        ("/a/../b/", "/b/"),
        ("/a/..", "/"),
        ("/a/b/.", "/a/b/"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/%2e/b", "/a/b"),
        ("/a%2fb", "/a%2Fb"),
        ("/@scope%2Fname", "/@scope%2Fname"),
        ("/a%252fb", "/a%2fb"),
        ("/a;v=1/b", "/a;v=1/b"),
        ("/a\\b", "/a\\b"),
        ("/100%25", "/100%"),
    ] {
        if path == "/a%252fb" {
            let mut space = Vec::new();
            let twice = plain(path.as_bytes(), &mut space).unwrap();
            assert_eq!((twice.text, twice.has_encoded_slash), (&b"/a%2fb"[..], false), "decoded once only");
            continue;
        }
        assert_eq!(read(path).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn paths_with_two_readings_are_refused() {
    for path in [
        "",
        "a",
        "/%",
        "/%4",
        "/%zz",
        "/%00",
        "/a%0d%0ab",
        "/%7f",
        "/%1f",
        "/..",
        "/../a",
        "/a/../..",
        "/a/../../b",
        "/%2e%2e/a",
        "/..%2fa",
        "/a/..%2F",
        "/a/x%2f..%2fb",
        "/%2e%2e%2fa",
        "/..\\a",
        "/..%5ca",
        "/a%5c..",
        "/..;/a",
        "/a/..;x=1/b",
        "/.;/a",
        "/a/.%2e%2fb",
    ] {
        assert_eq!(read(path), Err(400), "{path}");
    }
}

#[test]
fn a_plain_path_is_not_copied() {
    let path = b"/assets/app.8f3a2b1c.js";
    let mut space = Vec::new();
    assert_eq!(plain(path, &mut space).unwrap().text.as_ptr(), path.as_ptr());
}

#[test]
fn what_is_forwarded_reads_as_what_was_routed() {
    for (path, expected) in [
        ("//echo/a", "/echo/a"),
        ("/x/../api/", "/api/"),
        ("/x/%2e%2E/api/%41", "/api/%41"),
        ("/a/./b/.%2e/c%2Fd", "/a/c%2Fd"),
        ("/a//b//", "/a/b/"),
        ("//", "/"),
        ("/a/..", "/"),
        ("/a/b/.", "/a/b/"),
        ("/a//../b", "/b"),
        // As they are.
        ("*", ""),
        ("/", ""),
        ("/a/", ""),
        ("/%41%20b", ""),
        ("/.../%2e%2e%2e", ""),
        ("/.well-known/%2ex", ""),
        ("/a\\b;c", ""),
    ] {
        let (mut out, mut space) = (b"old".to_vec(), Vec::new());
        normal(path.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{path}");
        let sent = plain(path.as_bytes(), &mut space).unwrap().text.to_vec();
        if !out.is_empty() {
            assert_eq!(plain(&out, &mut Vec::new()).unwrap().text, sent, "{path}");
        }
    }
}
