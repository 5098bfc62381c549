use crate::command::desk::Desk;

/// Palermo and Catania, as Redis's documentation has them.
fn sicily() -> Desk {
    let mut desk = Desk::new();
    desk.says("GEOADD Sicily 13.361389 38.115556 Palermo 15.087269 37.502669 Catania", ":2\r\n");
    desk
}

#[test]
fn positions_are_cells() {
    let mut desk = sicily();
    desk.says("ZSCORE Sicily Palermo", "$16\r\n3479099956230698\r\n");
    desk.says("GEOPOS Sicily Palermo x", "*2\r\n*2\r\n$20\r\n13.36138933897018433\r\n$20\r\n38.11555639549629859\r\n*-1\r\n");
    desk.says("GEOHASH Sicily Palermo Catania x", "*3\r\n$11\r\nsqc8b49rny0\r\n$11\r\nsqdtr74hyu0\r\n$-1\r\n");
    desk.says("GEODIST Sicily Palermo Catania", "$11\r\n166274.1516\r\n");
    desk.says("GEODIST Sicily Palermo Catania km", "$8\r\n166.2742\r\n");
    desk.says("GEODIST Sicily Palermo Catania mi", "$8\r\n103.3182\r\n");
    desk.says("GEODIST Sicily Palermo Palermo", "$6\r\n0.0000\r\n");
    desk.says("GEODIST Sicily Palermo x", "$-1\r\n");
    desk.says("GEODIST Sicily a b parsec", "-ERR unsupported unit provided. please use M, KM, FT, MI\r\n");
    desk.says("GEOADD Sicily XX CH 13.361389 38.2 Palermo", ":1\r\n");
    desk.says("GEOADD Sicily 181 38.2 x", "-ERR invalid longitude,latitude pair 181.000000,38.200000\r\n");
    desk.says("GEOADD Sicily NX XX 1 1 x", "-ERR syntax error\r\n");
    desk.says("GEOADD Sicily 1 1 x 1", "-ERR syntax error\r\n");
    desk.says("GEOADD Sicily x 1 x", "-ERR value is not a valid float\r\n");
    assert_eq!(desk.events(), ["zadd Sicily", "zadd Sicily"]);
}

#[test]
fn what_is_near_is_found() {
    let mut desk = sicily();
    let both = "*2\r\n$7\r\nCatania\r\n$7\r\nPalermo\r\n";
    desk.says("GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km ASC", both);
    desk.says("GEORADIUS Sicily 15 37 200 km ASC", both);
    desk.says("GEOSEARCH Sicily FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1", "*1\r\n$7\r\nCatania\r\n");
    desk.says("GEOSEARCH Sicily FROMLONLAT 15 37 BYBOX 100 400 km ASC WITHDIST", "*1\r\n*2\r\n$7\r\nCatania\r\n$7\r\n56.4413\r\n");
    desk.says("GEORADIUSBYMEMBER_RO Sicily Palermo 1 m WITHHASH", "*1\r\n*2\r\n$7\r\nPalermo\r\n:3479099956230698\r\n");
    desk.says("GEOSEARCHSTORE near Sicily FROMMEMBER Catania BYRADIUS 1 km STOREDIST", ":1\r\n");
    desk.says("ZRANGE near 0 -1 WITHSCORES", "*2\r\n$7\r\nCatania\r\n$1\r\n0\r\n");
    desk.says("GEORADIUS Sicily 15 37 1 km STORE near", ":0\r\n");
    desk.says("EXISTS near", ":0\r\n");
    assert_eq!(desk.events()[1..], ["geosearchstore near", "del near", "keymiss near"]);
    desk.says("GEOSEARCH none FROMMEMBER x BYRADIUS 1 m", "*0\r\n");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let mut desk = sicily();
    for (line, fault) in [
        ("GEOSEARCH Sicily FROMMEMBER x BYRADIUS 1 m", "could not decode requested zset member"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS 1 m ANY", "the ANY argument requires COUNT argument"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS 1 m COUNT 0", "COUNT must be > 0"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS x m", "need numeric radius"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS -1 m", "radius cannot be negative"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYBOX 1 x m", "need numeric height"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 ASC ASC", "exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH"),
        ("geosearch Sicily BYRADIUS 1 m ASC ASC", "exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 BYRADIUS 1 m STOREDIST", "syntax error"),
        ("GEOSEARCH Sicily FROMLONLAT 1 1 FROMMEMBER Palermo BYRADIUS 1 m", "syntax error"),
        ("GEORADIUS_RO Sicily 1 1 1 m STORE x", "syntax error"),
        (
            "GEORADIUS Sicily 1 1 1 m STORE x WITHDIST",
            "STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        ),
    ] {
        desk.says(line, &format!("-ERR {fault}\r\n"));
    }
    desk.says("SET s 1", "+OK\r\n");
    for line in ["GEOPOS s a", "GEOHASH s a", "GEODIST s a b", "GEOADD s 1 1 a", "GEORADIUS s 1 1 1 x"] {
        desk.says(line, "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
    }
}
