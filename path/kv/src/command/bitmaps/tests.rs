use super::super::desk::Desk;

#[test]
fn bits_are_set_and_read() {
    let mut desk = Desk::new();
    desk.says("SETBIT a 7 1", ":0\r\n");
    desk.says("SETBIT a 7 1", ":1\r\n");
    desk.says("SETBIT a 20 0", ":0\r\n");
    desk.says("STRLEN a", ":3\r\n");
    desk.says("GETBIT a 7", ":1\r\n");
    desk.says("GETBIT a 4000000", ":0\r\n");
    desk.says("SETBIT a 4294967296 1", "-ERR bit offset is not an integer or out of range\r\n");
    desk.says("SETBIT a -1 1", "-ERR bit offset is not an integer or out of range\r\n");
    desk.says("SETBIT a 1 2", "-ERR bit is not an integer or out of range\r\n");
    assert_eq!(desk.events(), ["setbit a", "setbit a"]);
}

#[test]
fn a_far_bit_makes_a_long_string() {
    let mut desk = Desk::new();
    desk.be_patient();
    desk.says("SETBIT a 100000000 1", ":0\r\n");
    desk.says("STRLEN a", ":12500001\r\n");
    desk.says("BITCOUNT a", ":1\r\n");
    desk.says("BITPOS a 1", ":100000000\r\n");
}

#[test]
fn bits_are_counted_in_a_range() {
    let mut desk = Desk::new();
    desk.says("SET a foobar", "+OK\r\n");
    let lines = [("a", 26), ("a 0 0", 4), ("a 1 1", 6), ("a 5 30 BIT", 17), ("a -1 -2 nothing", 0), ("a 0 -1 byte", 26), ("none 0 x", 0)];
    for (range, count) in lines {
        desk.says(&format!("BITCOUNT {range}"), &format!(":{count}\r\n"));
    }
    desk.says("BITCOUNT a 0", "-ERR syntax error\r\n");
    desk.says("BITCOUNT a 0 1 BITS", "-ERR syntax error\r\n");
}

#[test]
fn the_first_bit_of_a_kind_is_found() {
    let mut desk = Desk::new();
    desk.answer(&[b"SET", b"a", b"\xff\xf0\x00"]);
    desk.answer(&[b"SET", b"ones", b"\xff\xff\xff"]);
    let lines = [
        ("a 0", 12),
        ("a 1 2", -1),
        ("a 1 0", 0),
        ("a 0 7 15 BIT", 12),
        ("ones 0", 24),
        ("ones 0 0", 24),
        ("ones 0 0 -1", -1),
        ("ones 0 5", -1),
        ("none 0", 0),
        ("none 1", -1),
    ];
    for (range, place) in lines {
        desk.says(&format!("BITPOS {range}"), &format!(":{place}\r\n"));
    }
    desk.says("BITPOS a 2", "-ERR The bit argument must be 1 or 0.\r\n");
}

#[test]
fn strings_are_combined_bit_by_bit() {
    let mut desk = Desk::new();
    desk.answer(&[b"MSET", b"a", b"\x0f\xff\x01", b"b", b"\x3c"]);
    let lines: [(&str, &[u8]); 4] =
        [("AND t a b", b"\x0c\0\0"), ("OR t a b", b"\x3f\xff\x01"), ("XOR t a b", b"\x33\xff\x01"), ("NOT t a", b"\xf0\0\xfe")];
    for (line, text) in lines {
        desk.says(&format!("BITOP {line}"), ":3\r\n");
        assert_eq!(desk.bytes(&[b"GET", b"t"]), [b"$3\r\n", text, b"\r\n"].concat(), "{line}");
    }
    desk.says("BITOP NOT t a b", "-ERR BITOP NOT must be called with a single source key.\r\n");
    desk.events();
    desk.says("BITOP AND t none", ":0\r\n");
    assert_eq!(desk.events(), ["keymiss none", "del t"]);
}

#[test]
fn integers_lie_at_any_bit() {
    let mut desk = Desk::new();
    desk.says("BITFIELD a SET u8 0 255 GET i8 0 INCRBY u2 100 1", "*3\r\n:0\r\n:-1\r\n:1\r\n");
    desk.says("BITFIELD a SET i5 #1 -16 GET i5 5 GET u5 #1", "*3\r\n:-4\r\n:-16\r\n:16\r\n");
    desk.says("BITFIELD b SET i64 1 -1 GET i64 1 INCRBY i64 1 -9223372036854775808", "*3\r\n:0\r\n:-1\r\n:9223372036854775807\r\n");
    desk.says(
        "BITFIELD b GET u64 0",
        "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.\r\n",
    );
    desk.says("BITFIELD b OVERFLOW x", "-ERR Invalid OVERFLOW type specified\r\n");
    desk.says("BITFIELD_RO b SET u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand\r\n");
    desk.says("BITFIELD b", "*0\r\n");
}

#[test]
fn what_overflows_wraps_stays_or_fails() {
    let mut desk = Desk::new();
    desk.says(
        "BITFIELD a OVERFLOW SAT INCRBY u8 0 300 OVERFLOW WRAP INCRBY u8 0 2 OVERFLOW FAIL INCRBY u8 0 255",
        "*3\r\n:255\r\n:1\r\n$-1\r\n",
    );
    desk.says("BITFIELD b OVERFLOW SAT SET i8 0 -300 GET i8 0 INCRBY i8 0 -1", "*3\r\n:0\r\n:-128\r\n:-128\r\n");
    desk.says("BITFIELD c OVERFLOW SAT SET u8 0 -1 GET u8 0", "*2\r\n:0\r\n:255\r\n");
    // As Redis has it.
    desk.says("BITFIELD c OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0", "*2\r\n:-1\r\n:127\r\n");
    desk.events();
    desk.says("BITFIELD d OVERFLOW FAIL SET u1 9 2", "*1\r\n$-1\r\n");
    desk.says("STRLEN d", ":2\r\n");
    assert!(desk.events().is_empty());
}
