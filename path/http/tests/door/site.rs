//! The site behind the door: what takes a whole request to be seen.

use plimsoll_http::{Plan, Site};

use crate::setup::{Door, plan};

#[test]
fn entity_tags_in_several_fields_are_one_list() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "hello").unwrap();
    let site = Some(Site { dir: folder.path().canonicalize().unwrap(), first: false });
    let door = Door::start(Plan { site, ..plan() }, &[]);
    let mut client = door.client();
    let tag = client.get("/a.txt").unwrap().header("etag").unwrap().to_owned();
    for (name, fields, status) in [
        ("If-None-Match", ["\"x\"", "\"y\"", &*tag], 304),
        ("If-None-Match", [&*tag, "\"x\"", "\"y\""], 304),
        ("If-None-Match", ["\"x\"", "\"y\"", "\"z\""], 200),
        ("If-Match", [&*tag, "\"x\"", "\"y\""], 200),
        ("If-Match", ["\"x\"", "\"y\"", "\"z\""], 412),
    ] {
        let fields = fields.map(|value| (name, value));
        assert_eq!(client.request("GET", "/a.txt", &fields, b"").unwrap().status, status, "{fields:?}");
    }
}
