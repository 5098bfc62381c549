//! Sessions and caches: Django's own, and Express's.

use serde_json::json;

use super::{Visitor, gunicorn, node, store, up};
use crate::scripts::without;

#[test]
fn sessions_and_cache_of_django() {
    if without("python") {
        return;
    }
    let plimsoll = up(&gunicorn("django_app"), "");
    let (mut ann, mut ben) = (Visitor::new(&plimsoll, "ann"), Visitor::new(&plimsoll, "ben"));
    ann.json("/login?name=ann");
    ben.json("/login?name=ben");
    let mut cart = Vec::new();
    for what in ["tea", "cup"] {
        ann.json(&format!("/put?what={what}"));
        cart.push(what);
        ann.at_both("/me", |me| assert_eq!((&me["name"], &me["cart"]), (&json!("ann"), &json!(cart))));
    }
    ben.at_both("/me", |me| assert_eq!((&me["name"], &me["cart"]), (&json!("ben"), &json!([]))));
    let cookie = ann.cookie.clone();
    ann.json("/logout");
    ann.cookie = cookie;
    ann.at_both("/me", |me| assert_eq!(me["name"], json!(null)));

    let mut store = store(&plimsoll);
    let keys = store.ask("KEYS *session*").unwrap();
    let key = keys.trim_matches(['[', ']']);
    let seconds: u32 = store.ask(&format!("TTL {key}")).unwrap().parse().unwrap();
    assert!((900..=1000).contains(&seconds), "Ben's session alone is left, with its age: {keys} {seconds}");

    let mut counted = 0;
    ben.at_both("/counted", |answer| {
        counted += 1;
        assert_eq!(answer["counted"], json!(counted));
    });
    let first = ben.json("/page");
    assert_eq!((&first["rendered"], &ben.json("/page")), (&json!(0), &first), "a page is rendered once");
    let everything = ben.json("/everything");
    assert_eq!(everything["many"], json!("{'a': 1, 'b': {'of': ['any', b'kind', 2.5]}}"));
    assert_eq!(everything["added"], json!([true, false, 1]));
    assert_eq!(everything["touched"], json!([true, false]));
    assert_eq!(everything["versions"], json!(["one", "two", 2]));
    assert_eq!(everything["gone"], json!([true, null, "default", false]));
    assert_eq!(everything["never"], json!([null, null]));
}

#[test]
fn sessions_of_express() {
    if without("node") {
        return;
    }
    let plimsoll = up(&node(&["sessions.cjs"]), "");
    let (mut ann, mut ben) = (Visitor::new(&plimsoll, "ann"), Visitor::new(&plimsoll, "ben"));
    ann.json("/login?name=ann");
    ben.json("/login?name=ben");
    let mut views = 0;
    ann.at_both("/me", |me| {
        views += 1;
        assert_eq!((&me["name"], &me["views"]), (&json!("ann"), &json!(views)));
    });
    ben.at_both("/me", |me| assert_eq!(me["name"], json!("ben")));
    assert_eq!(ann.json("/all")["count"], json!(2));
    let cookie = ann.cookie.clone();
    ann.json("/logout");
    ann.cookie = cookie;
    ann.at_both("/me", |me| assert_eq!(me["name"], json!(null)));

    let mut store = store(&plimsoll);
    let keys = store.ask("KEYS shop:*").unwrap();
    let session = store.ask(&format!("GET {}", keys.trim_matches(['[', ']']))).unwrap();
    assert!(session.contains("\"name\":\"ben\""), "Ben's session alone is left: {keys} {session}");
}
