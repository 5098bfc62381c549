//! What is kept of the keys over a stop, and over a kill.

use std::path::Path;

use super::*;

fn at(folder: &Path, persist: &str) -> Plimsoll {
    let more = format!("[kv.main]\nlisten = \"127.0.0.1:0\"\n{persist}\n");
    Up::new(BINARY, &alone(&more)).state(folder).ready()
}

#[test]
fn a_clean_stop_keeps_every_key_and_its_expiry() {
    let state = tempfile::tempdir().unwrap();
    let mut plimsoll = at(state.path(), "");
    let mut store = connect(&plimsoll);
    asks(&mut store, "SET session:1 cart PX 86400000", "OK");
    asks(&mut store, "RPUSH queue a b c", "3");
    let expiry = store.ask("PEXPIRETIME session:1").unwrap();
    assert_eq!(plimsoll.stop().status.code(), Some(0));
    assert!(plimsoll.log().contains("2 keys saved in "), "{}", plimsoll.log());
    let plimsoll = at(state.path(), "");
    let mut store = connect(&plimsoll);
    asks(&mut store, "GET session:1", "cart");
    asks(&mut store, "PEXPIRETIME session:1", &expiry);
    asks(&mut store, "LLEN queue", "3");
    assert!(plimsoll.log().contains("2 keys loaded in "), "{}", plimsoll.log());
    assert!(metrics(&plimsoll).contains("kv_persist_up{store=\"main\"} 1\n"));
}

#[test]
fn under_log_always_a_kill_loses_nothing_that_was_answered() {
    let state = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let mut plimsoll = at(state.path(), "persist = \"log always\"");
        let mut store = connect(&plimsoll);
        asks(&mut store, "LLEN queue", &(round * 50).to_string());
        (1..=50).for_each(|job| asks(&mut store, "RPUSH queue job", &(round * 50 + job).to_string()));
        testkit::kill(plimsoll.pid());
        plimsoll.wait();
    }
}

#[test]
fn a_damaged_file_is_named_and_nothing_starts() {
    let state = tempfile::tempdir().unwrap();
    let mut plimsoll = at(state.path(), "");
    asks(&mut connect(&plimsoll), "SET a 1", "OK");
    plimsoll.stop();
    let base = state.path().join("kv/main.kv");
    let mut bytes = std::fs::read(&base).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&base, bytes).unwrap();
    let mut refused = Up::new(BINARY, &alone("[kv.main]\n")).state(state.path()).spawn();
    let ended = refused.wait();
    assert_eq!(ended.status.code(), Some(1), "{}", ended.log);
    let wanted = format!("kv.main: {} is damaged at byte ", base.display());
    assert!(ended.log.contains(&wanted) && ended.log.contains("move it away"), "{}", ended.log);
}
