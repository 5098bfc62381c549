use super::*;

fn shop() -> Snapshot {
    let instance = |number: u32, state: &str| InstanceState {
        instance: format!("shop.{number}"),
        state: state.into(),
        pid: (state != "failed").then_some(4300 + number),
        endpoint: Some(format!("127.0.0.1:2000{number}")),
        uptime_seconds: (state != "failed").then_some(59 * u64::from(number)),
        restarts: u64::from(number > 1),
        in_flight: 3,
        upgraded: u64::from(number == 1),
    };
    Snapshot {
        name: "shop".into(),
        stage: 1,
        version: "0.1.0".into(),
        pid: 4242,
        uptime_seconds: 8000,
        differs: None,
        tiers: vec![
            TierState { tier: "http".into(), load: 0.25, reason: "busiest loop 15 %".into() },
            TierState { tier: "app.shop".into(), load: 1.25, reason: "CPU 75 % of 2 cores".into() },
            TierState { tier: "machine".into(), load: 0.0, reason: "disk 0 % of 100 GB".into() },
        ],
        apps: vec![
            AppState {
                app: "shop".into(),
                routes: vec!["/api/".into()],
                instances: vec![instance(1, "healthy"), instance(2, "failed")],
                endpoints: vec!["127.0.0.1:20001".into()],
            },
            AppState { app: "mail".into(), ..AppState::default() },
        ],
        http: HttpState {
            listen: vec!["http://127.0.0.1:8080".into()],
            site: Some("web/dist".into()),
            requests: 1000,
            errors: 5,
            requests_per_second: 184.4,
            connections: 1,
            p50: 0.00025,
            p95: 0.0025,
            p99: 1.0,
        },
    }
}

#[test]
fn a_picture() {
    let expected = "\
shop   stage 1   up 2 h 13 min   plimsoll 0.1.0   pid 4242

clients    1 connection
   |       184 requests/s   p50 250 us   p95 2.5 ms   p99 1 s   errors 0.5 %   1000 in all
   v
http       [###.........|........] 0.25   busiest loop 15 %   http://127.0.0.1:8080
   |
   +- app.shop   [############|###.....] 1.25   CPU 75 % of 2 cores   /api/
   |       shop.1  healthy  127.0.0.1:20001    3 open  1 upgraded  up 59 s  pid 4301
   |       shop.2  failed   127.0.0.1:20002    3 open  1 restart
   |
   +- app.mail   worker
   |       no instance
   |
   +- site      web/dist

machine    [............|........] 0.00   disk 0 % of 100 GB
";
    let drawn = picture(&shop(), false);
    assert_eq!(drawn, expected, "\n{drawn}");
}

#[test]
fn an_empty_one_and_a_refused_reload() {
    let snapshot = Snapshot {
        differs: Some("shop never became healthy\x1b[2J\nsee its log".into()),
        tiers: Vec::new(),
        apps: Vec::new(),
        http: HttpState::default(),
        ..shop()
    };
    let expected = "\
shop   stage 1   up 2 h 13 min   plimsoll 0.1.0   pid 4242
! the file differs from what runs: shop never became healthy [2J see its log

clients    0 connections
   |       0 requests/s   p50 -   p95 -   p99 -   errors 0.0 %   0 in all
   v
http
";
    assert_eq!(picture(&snapshot, false), expected);
}

#[test]
fn colours_only_for_terminals() {
    assert!(!picture(&shop(), false).contains('\x1b'));
    let coloured = picture(&shop(), true);
    assert!(coloured.contains("\x1b[31m[############|###.....]\x1b[0m"), "over the line is red");
    assert!(coloured.contains("\x1b[32mhealthy\x1b[0m"));
}

#[test]
fn json_keeps_its_fixed_points() {
    let json = shop().to_json();
    assert!(json.starts_with("{\"name\":\"shop\",\"stage\":1,"), "{json}");
    assert!(json.contains("\"tiers\":[{\"tier\":\"http\",\"load\":0.25,"), "{json}");
    assert!(json.contains("\"apps\":[{\"app\":\"shop\","), "{json}");
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), shop());
}
