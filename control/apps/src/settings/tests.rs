use std::collections::BTreeMap;

use super::*;

fn read(text: &str, world: &World) -> (Option<Plan>, Report) {
    static FILE: Section = Section::new("", &[Key::new("app", Kind::Table(&APPS), "")]);
    let (table, mut report) = settings::read("t", text, &FILE, world);
    let apps = table.table("app").expect("the test has an app");
    let plan = apps
        .tables()
        .next()
        .and_then(|(entry, app)| Settings { name: &entry.name, app, drain: Duration::from_secs(9), world }.plan(&mut report));
    (plan, report)
}

fn world() -> World {
    let environment: BTreeMap<String, String> = [("PATH".into(), "/bin:/usr/bin".into()), ("KEY".into(), "hush".into())].into();
    World { folder: "/tmp".into(), environment, root: false, ipv6: true }
}

#[test]
fn every_key_reaches_the_plan() {
    let text = "[app.shop]\ndir = '/'\nbuild = 'true'\nrun = 'sh -c \"exit 1\" $PORT'\nenv = { A = 1, K = { env = 'KEY' } }\nhealth = '/healthz'\nstart = '5s'\ninstances = 3";
    let (plan, report) = read(text, &world());
    assert_eq!(report.problems.to_string(), "");
    let plan = plan.unwrap();
    assert_eq!((&*plan.name, plan.health.as_deref(), plan.routed), ("shop", Some("/healthz"), true));
    let Source::Run(run) = plan.source else { panic!("it runs") };
    assert_eq!(run.run, ["sh", "-c", "exit 1", "${PORT}"]);
    assert_eq!(run.env, [("A".into(), "1".into()), ("K".into(), "hush".into())]);
    assert_eq!((run.withheld.join(","), run.instances, run.start.as_secs(), run.drain.as_secs()), ("KEY".into(), 3, 5, 9));
    assert!(!format!("{run:?}").contains("hush"), "a secret is never printed");
}

#[test]
fn outside_apps_are_looked_up() {
    let (plan, report) = read("[app.a]\nexternal = ['127.0.0.1:1', '127.0.0.1:1', '[::1]:2']", &world());
    assert_eq!(report.problems.to_string(), "");
    let both = vec!["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()];
    assert_eq!(plan.unwrap().source, Source::External(both));
}

#[test]
fn root_must_know_the_user() {
    let root = World { root: true, ..world() };
    let (_, report) = read("[app.a]\nrun = 'true'\nuser = 'nobody-of-that-name'", &root);
    assert!(report.problems.to_string().contains("no user `nobody-of-that-name`"), "{}", report.problems);
    let (_, report) = read("[app.a]\nrun = 'true'", &root);
    assert!(report.warnings.to_string().contains("runs as root"), "{}", report.warnings);
    let (plan, report) = read("[app.a]\nrun = 'true'\nuser = 'root'", &root);
    assert!(report.problems.is_empty());
    assert!(matches!(plan.unwrap().source, Source::Run(Run { user: Some(user), .. }) if user == "root"));
}

#[test]
fn a_program_that_build_makes_may_be_missing() {
    let (_, report) = read("[app.a]\nrun = './made/later'\nbuild = 'true'", &world());
    assert_eq!(report.problems.to_string(), "");
    let (_, report) = read("[app.a]\nrun = './made/later'", &world());
    assert!(report.problems.to_string().contains("there is no program /tmp/made/later"), "{}", report.problems);
}
