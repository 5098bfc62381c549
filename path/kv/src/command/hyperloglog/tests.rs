use super::super::desk::Desk;
use super::*;

#[test]
fn texts_are_counted() {
    let mut desk = Desk::new();
    desk.says("PFADD h", ":1\r\n");
    desk.says("PFCOUNT h", ":0\r\n");
    desk.says("PFADD h a b c", ":1\r\n");
    desk.says("PFADD h a", ":0\r\n");
    desk.says("PFCOUNT h", ":3\r\n");
    desk.says("PFCOUNT h", ":3\r\n");
    desk.says("PFADD i c d", ":1\r\n");
    desk.says("PFCOUNT h i none", ":4\r\n");
    desk.says("PFMERGE j h i", "+OK\r\n");
    desk.says("PFCOUNT j", ":4\r\n");
    desk.says("OBJECT ENCODING j", "$3\r\nraw\r\n");
    assert_eq!(desk.events(), ["pfadd h", "pfadd h", "pfadd i", "keymiss none", "keymiss j", "pfadd j"]);
}

#[test]
fn the_bytes_are_those_of_redis() {
    let mut desk = Desk::new();
    desk.be_patient();
    desk.says("PFADD h a", ":1\r\n");
    let bytes = br"HYLL\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80q\xa6\x84NW";
    assert_eq!(desk.run("GET h"), format!(r"$21\r\n{}\r\n", str::from_utf8(bytes).unwrap()));
    desk.says("PFDEBUG DECODE h", "$20\r\nZ:12711 v:2,1 Z:3672\r\n");
    desk.says("PFADD h b c d", ":1\r\n");
    let runs = "Z:7292 v:1,1 Z:1143 v:1,1 Z:4274 v:2,1 Z:3068 v:1,1 Z:603";
    desk.says("PFDEBUG DECODE h", &format!("${}\r\n{runs}\r\n", runs.len()));
    desk.says("PFDEBUG ENCODING h", "+sparse\r\n");
    desk.says("PFDEBUG TODENSE h", ":1\r\n");
    desk.says("PFDEBUG ENCODING h", "+dense\r\n");
    desk.says("PFCOUNT h", ":4\r\n");
}

#[test]
fn what_is_none_is_refused() {
    let mut desk = Desk::new();
    desk.says("SET s text", "+OK\r\n");
    desk.says("SADD set a", ":1\r\n");
    for line in ["PFADD s a", "PFCOUNT s", "PFMERGE t s", "PFCOUNT s none"] {
        desk.says(line, "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n");
    }
    desk.says("PFCOUNT set", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    desk.says("PFADD h a b", ":1\r\n");
    desk.says("APPEND h hello", ":29\r\n");
    desk.says("PFCOUNT h", "-INVALIDOBJ Corrupted HLL object detected\r\n");
}

#[test]
fn many_make_it_dense_and_it_still_counts_the_same() {
    let (mut one, mut other) = (new(), new());
    make_dense(&mut other).unwrap();
    for number in 0u32..20_000 {
        let text = number.to_string();
        assert_eq!(see(&mut one, text.as_bytes()), see(&mut other, text.as_bytes()));
        if number % 500 == 0 {
            assert_eq!(estimate::of_bytes(&one), estimate::of_bytes(&other));
        }
        if number == 500 {
            assert_eq!(encoding(&one), Ok(Encoding::Sparse));
        }
    }
    assert_eq!(encoding(&one), Ok(Encoding::Dense));
    let count = estimate::of_bytes(&one).unwrap();
    assert!(count.abs_diff(20_000) < 400, "{count}");
}

#[test]
fn the_self_test_is_passed() {
    let mut desk = Desk::new();
    desk.be_patient();
    desk.says("PFSELFTEST", "+OK\r\n");
}
