use std::time::Duration;

use contract::ServerAddress;

use super::*;
use tls::Certificate;

pub(super) fn read(text: &str) -> (Option<Plan>, Report) {
    static FILE: Section = Section::new("", &[Key::new("sql", Kind::Table(&SQL), "")]);
    let world = World { folder: "/".into(), environment: Default::default(), root: false, ipv6: true };
    let (table, mut report) = settings::read("t", text, &FILE, &world);
    let first = table.table("sql").and_then(|sql| sql.tables().next());
    let (name, sql) = first.map_or(("main", None), |(entry, sql)| (entry.name.as_str(), Some(sql)));
    let plan = Settings { name, sql, first: true, world: &world }.plan(&mut report);
    (plan, report)
}

#[test]
fn nothing_written_is_the_embedded_server() {
    let (plan, report) = read("");
    assert_eq!(report.problems.to_string(), "");
    let plan = plan.unwrap();
    assert_eq!(plan.listen, Listen { address: ([127, 0, 0, 1], 6432).into(), written: false });
    assert_eq!((&*plan.name, plan.user.as_str(), plan.database.as_str(), plan.primary), ("main", "main", "main", None));
    assert!(plan.users.is_empty() && plan.reuse && plan.tls.is_none());
    assert_eq!((plan.pool.server, plan.pool.client, plan.pool.wait.as_secs(), plan.pool.least), (20, 10_000, 30, 0));
    assert_eq!((plan.pool.idle.as_secs(), plan.pool.age.as_secs(), plan.pool.statements), (600, 3600, 200));
    assert_eq!((plan.limits, plan.slow), (Limits::default(), Some(Duration::from_secs(1))));
}

#[test]
fn every_key_reaches_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (plan, report) = read(
        &"[sql.shop]\nlisten = '127.0.0.1:7000'\nprimary = 'postgres://app:hush@db1/orders'\nreuse = false\nslow = 'off'
         pool = { server = 2, client = 3, wait = '4s', least = 1, idle = '5s', age = '6s', statements = 7 }
         limits = { statement = '1s', transaction = '2s', idle_in_transaction = '3s' }
         tls = { cert = 'FOLDER/cert', key = 'FOLDER/key' }\nusers = { ann = 'hash' }"
            .replace("FOLDER", &folder.path().display().to_string()),
    );
    assert_eq!(report.problems.to_string(), "");
    let plan = plan.unwrap();
    assert_eq!(plan.listen, Listen { address: ([127, 0, 0, 1], 7000).into(), written: true });
    assert_eq!(plan.primary, Some(ServerAddress::Tcp("db1".into(), 5432)));
    assert_eq!((&*plan.name, plan.user.as_str(), plan.database.as_str()), ("shop", "app", "orders"));
    let users: Vec<_> = plan.users.iter().map(|(name, password)| (name.as_str(), &*password.0)).collect();
    assert_eq!(users, [("ann", "hash"), ("app", "hush")]);
    let seconds = Duration::from_secs;
    let pool = Pool { server: 2, client: 3, wait: seconds(4), least: 1, idle: seconds(5), age: seconds(6), statements: 7 };
    assert_eq!((plan.pool, plan.reuse, plan.slow), (pool, false, None));
    let limits = Limits { statement: Some(seconds(1)), transaction: Some(seconds(2)), idle_in_transaction: Some(seconds(3)) };
    assert_eq!(plan.limits, limits);
    assert_eq!(plan.tls, Some(Certificate { cert, key }));
    assert!(!format!("{:?}", plan.users).contains("hush"), "a password is never printed");
}
