//! redis-cli: commands as they are typed, and what else it can do.

use std::fs::{self, File};

use super::ground::{Place, same};
use crate::scripts::{script, without};

fn cli(place: &Place, words: &[&str], input: Option<&str>) -> String {
    let mut cli = place.command("redis-cli");
    let url = place.url();
    cli.args(["-u", &url]).args(words);
    if let Some(input) = input {
        let file = place.folder.path().join("input");
        fs::write(&file, input).unwrap();
        cli.stdin(File::open(&file).unwrap());
    }
    place.run(&mut cli)
}

fn typed(protocol: &str) {
    if without("redis") {
        return;
    }
    let text = fs::read_to_string(script("redis_cli.txt")).unwrap();
    let told = same(&format!("redis-cli {protocol}"), |place| cli(place, &[protocol], Some(&text)));
    assert!(told.contains("the end\n") && told.ends_with("--- exit status: 0\n"), "{told}");
}

#[test]
fn redis_cli_typed() {
    typed("-2");
}

#[test]
fn redis_cli_typed_in_the_third_protocol() {
    typed("-3");
}

#[test]
fn redis_cli_with_everything_it_can() {
    if without("redis") {
        return;
    }
    const SCRIPT: &str = "redis.call('SET', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1]), #ARGV, redis.status_reply('FINE')}";
    let told = same("redis-cli", |place| {
        fs::write(place.folder.path().join("script.lua"), SCRIPT).unwrap();
        let many: String = (0..1000).map(|number| format!("SET many:{number} {number}\r\n")).collect();
        let mut told = cli(place, &["--pipe"], Some(&many));
        told += &cli(place, &["-x", "SET", "from input"], Some("two\nlines\n"));
        told += &cli(place, &["GET", "from input"], None);
        told += &cli(place, &["--eval", "script.lua", "key", ",", "one", "two"], None);
        told += &cli(place, &["-r", "5", "-i", "0.01", "INCR", "repeated"], None);
        told += &cli(place, &["--csv", "MGET", "many:1", "many:2", "none"], None);
        told += &cli(place, &["--json", "CONFIG", "GET", "list-max-listpack-size"], None);
        told += &cli(place, &["-e", "INCR", "from input"], None);
        let scanned = cli(place, &["--scan", "--pattern", "many:9?"], None);
        let mut names: Vec<&str> = scanned.lines().collect();
        names.sort_unstable();
        told += &names.join("\n");
        let biggest = cli(place, &["--bigkeys"], None);
        told += &biggest.lines().filter(|line| line.contains(" keys") || line.contains("strings with")).collect::<Vec<_>>().join("\n");
        told + &cli(place, &["PING"], None)
    });
    assert!(told.contains("errors: 0, replies: 1000") && told.ends_with("PONG\n\n--- stderr\n\n--- exit status: 0\n"), "{told}");
}
