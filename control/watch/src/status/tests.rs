use contract::DumpState;

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
            TierState { tier: "sql".into(), load: 0.5, reason: "6 of 20 server connections are lent".into() },
            TierState { tier: "kv".into(), load: 0.5, reason: "19.2 of 64 MB are used".into() },
            TierState { tier: "postgres".into(), load: 0.1, reason: "0.12 of 2 cores".into() },
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
        sql: vec![door()],
        kv: vec![store()],
        postgres: Some(PostgresState {
            state: "up".into(),
            version: Some("17.2".into()),
            bin: Some("/usr/lib/postgresql/17/bin".into()),
            data: Some("/srv/shop/.plimsoll/postgres/data".into()),
            user: Some("postgres".into()),
            pid: Some(77),
            uptime_seconds: Some(60),
            memory: Some(27 << 20),
            data_bytes: Some(40 << 20),
            dump: DumpState {
                folder: "/srv/shop/.plimsoll/dumps".into(),
                age_seconds: Some(7300),
                bytes: Some(9 << 10),
                ..DumpState::default()
            },
            ..PostgresState::default()
        }),
    }
}

fn store() -> KvState {
    KvState {
        name: "main".into(),
        listen: "127.0.0.1:6380".into(),
        clients: 1,
        keys: 3456,
        memory: 19 << 20,
        memory_max: 64 << 20,
        commands: 5000,
        commands_per_second: 120.4,
        hits: 982,
        misses: 18,
        evicted: 7,
        expired: 9,
        ..KvState::default()
    }
}

fn door() -> SqlState {
    let pin = PinState {
        client: 7,
        application: "rake".into(),
        address: Some("127.0.0.1:51234".into()),
        server: 99,
        user: "main".into(),
        database: "main".into(),
        reasons: vec!["temporary".into(), "cursor".into()],
        seconds: 61.0,
    };
    let open = OpenState {
        client: 9,
        application: "psql".into(),
        address: Some("127.0.0.1:51300".into()),
        server: 101,
        user: "main".into(),
        database: "main".into(),
        doing: "idle".into(),
        seconds: 3700.5,
        ..OpenState::default()
    };
    let runs = OpenState { client: 7, doing: "running".into(), reasons: vec!["cursor".into()], seconds: 0.25, ..open.clone() };
    SqlState {
        name: "main".into(),
        listen: "127.0.0.1:6432".into(),
        server: "embedded".into(),
        state: "up".into(),
        clients: 12,
        waiting: 1,
        longest_wait_seconds: 2.049144804,
        most: 20,
        busy: 6,
        idle: 2,
        queries: 1234,
        queries_per_second: 120.0,
        transactions: 1200,
        p50: 0.001,
        p95: 0.01,
        p99: 0.05,
        users: vec![SqlUserState { user: "main".into(), database: "main".into(), clients: 12, waiting: 1, busy: 6, idle: 2 }],
        pins: vec![pin],
        open: 6,
        longest: vec![open, OpenState { application: String::new(), address: None, ..runs }],
        statements: vec![StatementState {
            text: "SELECT *\nFROM posts WHERE id = $1".into(),
            calls: 1000,
            errors: 1,
            rows: 900,
            seconds: 2.0,
            longest_seconds: 0.4,
        }],
        ..SqlState::default()
    }
}

#[test]
fn a_picture_of_the_databases() {
    let expected = "\
sql.main
  listens    127.0.0.1:6432
  server     embedded, up
  clients    12, 1 waiting, the longest for 2 s
  servers    6 busy, 2 idle, 0 opening, of 20
  work       120 queries/s   p50 1 ms   p95 10 ms   p99 50 ms   1234 queries, 1200 transactions, 0 errors in all
  user       main in main: 12 clients, 1 waiting, 6 busy, 2 idle
  open       psql from 127.0.0.1:51300, main in main, has server process 101, for 1 h 1 min: idle in transaction
  open       client 7, main in main, has server process 101, for 250 ms: runs in a transaction, pinned: cursors WITH HOLD
  open       4 more, for less long
  pinned     rake from 127.0.0.1:51234, main in main, keeps server process 99, for 1 min 1 s: temporary tables, cursors WITH HOLD
  statement  2.0 s in 1000 calls, 2.0 ms each, 400.0 ms at most, 900 rows, 1 failed: SELECT * FROM posts WHERE id = $1

postgres
  state      up for 1 min 0 s, pid 77
  programs   PostgreSQL 17.2 in /usr/lib/postgresql/17/bin
  data       /srv/shop/.plimsoll/postgres/data, of the user postgres, 40 MB
  uses       0.00 cores, 27 MB
  dump       the last 2 h 1 min ago, 9 KB, in /srv/shop/.plimsoll/dumps
";
    let drawn = database_picture(&shop());
    assert_eq!(drawn, expected, "\n{drawn}");
}

#[test]
fn one_of_anything_is_told_as_one() {
    let mut one = shop();
    let door = &mut one.sql[0];
    (door.queries, door.transactions, door.errors, door.users[0].clients) = (1, 1, 1, 1);
    (door.statements[0].calls, door.statements[0].rows) = (1, 1);
    one.postgres.as_mut().unwrap().restarts = 1;
    let drawn = database_picture(&one);
    for words in ["1 query, 1 transaction, 1 error in all", "main: 1 client,", "in 1 call,", "1 row, 1 failed", "started again 1 time"] {
        assert!(drawn.contains(words), "{words}: {drawn}");
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

sql        [######......|........] 0.50   6 of 20 server connections are lent   127.0.0.1:6432
   |       120 queries/s   p50 1 ms   p95 10 ms   p99 50 ms   12 clients   1 waiting   1 pinned
   +- embedded  up  6 busy  2 idle  of 20

kv         [######......|........] 0.50   19.2 of 64 MB are used   127.0.0.1:6380
   +- 120 commands/s   hits 98.2 %   1 client   3456 keys   7 evicted   9 expired

postgres   [##..........|........] 0.10   0.12 of 2 cores
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
        sql: Vec::new(),
        kv: Vec::new(),
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
    let json = serde_json::to_string(&shop()).unwrap();
    assert!(json.starts_with("{\"name\":\"shop\",\"stage\":1,"), "{json}");
    assert!(json.contains("\"tiers\":[{\"tier\":\"http\",\"load\":0.25,"), "{json}");
    assert!(json.contains("\"apps\":[{\"app\":\"shop\","), "{json}");
    assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), shop());
}
