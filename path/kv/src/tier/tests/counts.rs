use super::*;

/// The lines of a section of INFO that begin so.
fn told(client: &mut Wire, section: &str, start: &str) -> Vec<String> {
    let text = client.all(&format!("INFO {section}"));
    text.lines().filter(|line| line.starts_with(start)).map(String::from).collect()
}

#[test]
fn calls_and_errors_are_counted_wherever_they_are_done() {
    let served = Served::new();
    let mut client = served.client();
    client.all("SET a 1\r\nGET a\r\nLPUSH a x\r\nGET\r\nNONE");
    client.all("MULTI\r\nGET a\r\nLPUSH a x\r\nEXEC");
    client.all("DEBUG SLEEP x\r\nDEBUG SLEEP 0.01");
    let stats = told(&mut client, "commandstats", "cmdstat_");
    let of = |name: &str| stats.iter().find(|line| line.starts_with(&format!("cmdstat_{name}:"))).unwrap_or_else(|| panic!("{stats:?}"));
    assert!(of("get").starts_with("cmdstat_get:calls=2,usec=") && of("get").ends_with("rejected_calls=1,failed_calls=0"), "{stats:?}");
    assert!(of("lpush").contains(":calls=2,") && of("lpush").ends_with("failed_calls=2"), "{stats:?}");
    assert!(of("exec").contains(":calls=1,"), "{stats:?}");
    let slept = of("debug|sleep");
    let micros: u64 = slept.split("usec=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!(slept.contains(":calls=2,") && slept.ends_with("failed_calls=1") && micros >= 10_000, "{slept}");
    assert_eq!(told(&mut client, "errorstats", "errorstat_"), ["errorstat_ERR:count=3", "errorstat_WRONGTYPE:count=2"]);
    assert_eq!(told(&mut client, "stats", "total_error_replies:"), ["total_error_replies:5"]);
    assert!(client.all("INFO").contains("# Errorstats") && !client.all("INFO").contains("# Commandstats"));
    assert!(client.all("INFO all").contains("# Commandstats"));

    client.says("CONFIG RESETSTAT", "+OK\r\n");
    let stats = told(&mut client, "commandstats", "cmdstat_");
    assert!(stats.iter().all(|line| !line.starts_with("cmdstat_get:")), "{stats:?}");
    assert_eq!(told(&mut client, "errorstats", "errorstat_"), [""; 0]);
    let mut text = telemetry::Exposition::default();
    telemetry::Collect::collect(&*served.handle.0.common.events, &mut text);
    assert!(text.finish().contains("kv_commands_total{store=\"main\",command=\"get\"} 2\n"), "metrics go on");
}

#[test]
fn what_takes_long_is_told_once_it_is_asked_for() {
    let served = Served::new();
    let mut client = served.client();
    client.says("DEBUG SLEEP 0.02\r\nLATENCY LATEST\r\nLATENCY HISTOGRAM", "+OK\r\n*0\r\n*0\r\n");
    assert!(client.all("LATENCY DOCTOR").contains("Nothing is watched"));
    client.says("CONFIG SET latency-monitor-threshold 10 latency-tracking yes", "+OK\r\n");
    client.says("DEBUG SLEEP 0.02\r\nDEBUG SLEEP 0.001", "+OK\r\n+OK\r\n");
    let latest = client.all("LATENCY LATEST");
    assert!(latest.starts_with("*1\r\n*4\r\n$7\r\ncommand\r\n:"), "{latest}");
    let took: Vec<u64> = latest.lines().skip(5).map(|line| line[1..].parse().unwrap()).collect();
    assert!(took.len() == 2 && took.iter().all(|took| *took >= 20), "{latest}");
    assert!(client.all("LATENCY HISTORY command").starts_with("*1\r\n*2\r\n:"));
    assert!(client.all("LATENCY GRAPH command").contains("command - high "));
    client.says("LATENCY GRAPH none\r\nLATENCY HISTORY none", "-ERR No samples available for event 'none'\r\n*0\r\n");
    client.all("SET a 1\r\nSET a 2\r\nSET a 3");
    let histogram = client.all("LATENCY HISTOGRAM set");
    assert!(histogram.starts_with("*2\r\n$3\r\nset\r\n*4\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n"), "{histogram}");
    assert!(histogram.ends_with(":3\r\n"), "{histogram}");
    assert_eq!(told(&mut client, "latencystats", "latency_percentiles_usec_set:p50=").len(), 1);
    client.says("CONFIG SET latency-tracking-info-percentiles '0.0 99.90'", "+OK\r\n");
    client.says("CONFIG GET latency-tracking-info-percentiles", &list(&["latency-tracking-info-percentiles", "0 99.9"]));
    assert_eq!(told(&mut client, "latencystats", "latency_percentiles_usec_set:p0=").len(), 1);
    client.says("LATENCY RESET none\r\nLATENCY RESET command\r\nLATENCY RESET", ":0\r\n:1\r\n:0\r\n");
}

#[test]
fn a_command_that_waited_and_failed_is_counted() {
    let served = Served::new();
    let (mut waits, mut client) = (served.client(), served.client());
    client.says("CONFIG SET latency-tracking yes", "+OK\r\n");
    let id = waits.id();
    waits.send("BLPOP a 0");
    served.until_blocked(1);
    client.says(&format!("CLIENT UNBLOCK {id} ERROR"), ":1\r\n");
    waits.hears("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    assert_eq!(told(&mut client, "errorstats", "errorstat_"), ["errorstat_UNBLOCKED:count=1"]);
    let stats = told(&mut client, "commandstats", "cmdstat_blpop:calls=1,");
    assert!(stats.len() == 1 && stats[0].ends_with("failed_calls=1"), "{stats:?}");
    assert_eq!(told(&mut client, "latencystats", "latency_percentiles_usec_blpop:").len(), 1);
}

#[test]
fn what_a_script_is_refused_and_the_error_that_it_gives_back_are_counted() {
    let served = Served::new();
    let mut client = served.client();
    client.says("EVAL \"return redis.error_reply('NOGROUP none')\" 0", "-NOGROUP none\r\n");
    assert!(client.all("EVAL \"return redis.pcall('set', 'a')\" 0").starts_with("-ERR Wrong number of args"));
    assert_eq!(told(&mut client, "errorstats", "errorstat_"), ["errorstat_ERR:count=1", "errorstat_NOGROUP:count=1"]);
    let stats = told(&mut client, "commandstats", "cmdstat_");
    let is = |start: &str, end: &str| stats.iter().any(|line| line.starts_with(start) && line.ends_with(end));
    assert!(is("cmdstat_set:calls=0,", "rejected_calls=1,failed_calls=0"), "{stats:?}");
    assert!(is("cmdstat_eval:calls=2,", "rejected_calls=0,failed_calls=2"), "{stats:?}");
}

#[test]
fn the_rate_is_that_of_now() {
    let served = Served::new();
    let mut client = served.client();
    testkit::until("commands of the last second are told", || {
        client.all("GET a\r\nGET a\r\nGET a\r\nGET a\r\nGET a\r\nGET a");
        told(&mut client, "stats", "instantaneous_ops_per_sec:").iter().any(|line| line != "instantaneous_ops_per_sec:0")
    });
}
