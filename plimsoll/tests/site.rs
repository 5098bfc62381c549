//! The static site of the whole product: ranges and resumed downloads of a large file, by curl and by bytes.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;

use testkit::{Client, Plimsoll, Up, get, request};

const LENGTH: usize = 6 * 1024 * 1024;

fn content() -> Vec<u8> {
    (0..LENGTH / 8).flat_map(|number| format!("{number:07}\n").into_bytes()).collect()
}

fn site() -> Plimsoll {
    let file = "name = \"files\"\n[http]\nlisten = [\"127.0.0.1:0\"]\n[site]\ndir = \"web\"\n";
    Up::new(env!("CARGO_BIN_EXE_plimsoll"), file).file("web/index.html", "<h1>files</h1>").file("web/large.bin", content()).ready()
}

#[test]
fn a_download_that_broke_off_is_resumed() {
    let site = site();
    let part = site.folder().join("part");
    fs::write(&part, &content()[..LENGTH / 3]).unwrap();
    let url = format!("http://{}/large.bin", site.http());
    let output = Command::new("curl").args(["-sS", "--fail", "-C", "-", "-o"]).arg(&part).arg(url).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(fs::read(&part).unwrap() == content(), "the two parts are the file");
}

#[test]
fn ranges_are_answered_with_their_part() {
    let site = site();
    let whole = get(site.http(), "/large.bin").unwrap();
    assert!(whole.status == 200 && whole.body == content());
    let tag = whole.header("etag").unwrap().to_owned();
    let mut client = Client::connect(site.http()).unwrap();
    for (range, from, to) in [("bytes=0-9", 0, 9), ("bytes=3145720-4194311", 3_145_720, 4_194_311), ("bytes=-5", LENGTH - 5, LENGTH - 1)] {
        let part = client.request("GET", "/large.bin", &[("Range", range), ("If-Range", &tag)], b"").unwrap();
        assert_eq!((part.status, part.header("content-range")), (206, Some(format!("bytes {from}-{to}/{LENGTH}").as_str())));
        assert!(part.body == content()[from..=to], "{range}");
    }
    let beyond = client.request("GET", "/large.bin", &[("Range", "bytes=99999999999-")], b"").unwrap();
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some(format!("bytes */{LENGTH}").as_str())));
}

#[test]
fn a_range_of_another_version_gets_the_whole_and_a_known_version_nothing() {
    let site = site();
    let other = request(site.http(), "GET", "/large.bin", &[("Range", "bytes=0-9"), ("If-Range", "\"other\"")], b"").unwrap();
    assert_eq!((other.status, other.body.len()), (200, LENGTH));
    let tag = other.header("etag").unwrap().to_owned();
    let known = request(site.http(), "GET", "/large.bin", &[("If-None-Match", &tag)], b"").unwrap();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = request(site.http(), "HEAD", "/large.bin", &[], b"").unwrap();
    assert_eq!((head.status, head.header("content-length")), (200, Some(LENGTH.to_string().as_str())));
}
