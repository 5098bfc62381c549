//! Commands of positions.

use super::{Order, Words, one_of, words};
use crate::store::Random;

const KEYS: [&str; 6] = ["town", "land", "land", "world", "other", "none"];

fn degrees(random: &mut Random, least: f64, most: f64) -> f64 {
    least + (most - least) * (random.below(1 << 40) as f64 / (1u64 << 40) as f64)
}

/// Where it is searched: at the edge of the world, too.
fn middle(random: &mut Random, key: &str) -> Words {
    match random.below(20) {
        0 => words(one_of(random, &["180 85.05112878", "-180 -85.05112878", "0 0", "180 0", "-179.99 84"])),
        _ => point(random, key),
    }
}

/// Near one another in a town, all over the world in the world; never twice the same.
fn point(random: &mut Random, key: &str) -> Words {
    if random.below(60) == 0 {
        return words(one_of(random, &["181 1", "x 1", "1 86", "1 inf"]));
    }
    let (longitude, latitude) = match key {
        "town" => (degrees(random, 13.3, 13.5), degrees(random, 52.4, 52.6)),
        "land" => (degrees(random, 5.0, 15.0), degrees(random, -9.0, 47.0)),
        _ => (degrees(random, -180.0, 180.0), degrees(random, -85.0, 85.0)),
    };
    vec![longitude.to_string(), latitude.to_string()]
}

fn member(random: &mut Random) -> String {
    format!("p{}", random.below(300))
}

fn size(random: &mut Random, is_box: bool) -> Words {
    if random.below(40) == 0 {
        return words(one_of(random, &["x km", "-1 m", "1 parsec", "1 x m", "0 0 m", "0 m"]));
    }
    let unit = one_of(random, &["m", "km", "mi", "ft", "km", "KM"]);
    let mut one = || {
        let far = 10f64.powf(degrees(random, 0.0, 4.2));
        format!("{:.3}", if matches!(unit, "m" | "ft") { far * 100.0 } else { far })
    };
    let mut size = vec![one()];
    if is_box {
        size.push(one());
    }
    size.push(unit.into());
    size
}

fn options(random: &mut Random) -> Words {
    let all = [
        "WITHDIST",
        "WITHCOORD",
        "WITHHASH",
        "ASC",
        "DESC",
        "COUNT 5",
        "COUNT 3 ANY",
        "COUNT 0",
        "ANY",
        "STORE near",
        "STOREDIST near",
        "STOREDIST",
    ];
    let likely = if random.below(4) == 0 { &all[..] } else { &all[..7] };
    (0..random.below(4)).flat_map(|_| words(one_of(random, likely))).collect()
}

/// A command and how its answer is compared.
pub(super) fn command(random: &mut Random) -> (Words, Order) {
    let key = one_of(random, &KEYS);
    let count = 1 + random.below(4);
    let mut all = words(&format!("GEOADD {key}"));
    match random.below(24) {
        0..6 => {
            all.extend(words(one_of(random, &["CH", "NX", "XX CH", "NX XX", "CH", "CH", "CH"])));
            for _ in 0..count * 4 {
                all.extend(point(random, key));
                all.push(member(random));
            }
        }
        6..8 => all = with(&format!("GEOPOS {key}"), (0..count).map(|_| member(random)).collect()),
        8 => all = with(&format!("GEOHASH {key}"), (0..count).map(|_| member(random)).collect()),
        9..11 => {
            all = with(&format!("GEODIST {key}"), vec![member(random), member(random)]);
            all.extend(words(one_of(random, &["m", "km", "ft", "mi", "x", "m m"])).into_iter().take(random.below(3)));
        }
        11..17 => {
            let is_stored = random.below(4) == 0;
            all = words(&if is_stored { format!("GEOSEARCHSTORE near {key}") } else { format!("GEOSEARCH {key}") });
            if random.below(2) == 0 {
                all.extend(["FROMMEMBER".into(), member(random)]);
            } else {
                all.push("FROMLONLAT".into());
                all.extend(middle(random, key));
            }
            let is_box = random.below(2) == 0;
            all.push(if is_box { "BYBOX".into() } else { "BYRADIUS".into() });
            all.extend(size(random, is_box));
            all.extend(options(random));
        }
        17..19 => {
            all = with(&format!("{} {key}", one_of(random, &["GEORADIUS", "GEORADIUS_RO"])), middle(random, key));
            all.extend(size(random, false));
            all.extend(options(random));
        }
        19..21 => {
            all = with(&format!("{} {key}", one_of(random, &["GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"])), vec![member(random)]);
            all.extend(size(random, false));
            all.extend(options(random));
        }
        21 => all = words("ZRANGE near 0 -1 WITHSCORES"),
        22 => all = words(one_of(random, &["SET other 1", "DEL town", "ZREM land p1 p2 p3", "DEL near"])),
        _ => all = with(&format!("ZSCORE {key}"), vec![member(random)]),
    }
    (all, Order::Same)
}

fn with(line: &str, rest: Words) -> Words {
    words(line).into_iter().chain(rest).collect()
}
