//! What the door keeps of prepared statements is never an older answer than a client's own `Parse` would give.

use testkit::Wire;
use testkit::wire::frames::{bind, execute, parse, query, sync};

use crate::setup::{Door, kinds, server};

fn fine(client: &mut Wire, sql: &str) -> String {
    let answer = client.query(sql).unwrap().fine();
    if answer.rows.is_empty() { String::new() } else { answer.rows[0][0].clone().unwrap_or_default() }
}

/// Prepares `name` in a batch of its own.
fn prepare(client: &mut Wire, name: &str, text: &str) {
    client.send(&[parse(name, text), sync()].concat()).unwrap();
    assert_eq!(&kinds(client, 1)[..2], "1Z");
}

/// Executes `name`.
fn executed(client: &mut Wire, name: &str) -> String {
    client.send(&[bind("", name, &[]), execute("", 0), sync()].concat()).unwrap();
    client.answer().unwrap().fine().value().to_owned()
}

/// Prepares and executes `name` in one batch.
fn at_once(client: &mut Wire, name: &str, text: &str) -> String {
    client.send(&[parse(name, text), bind("", name, &[]), execute("", 0), sync()].concat()).unwrap();
    client.answer().unwrap().fine().value().to_owned()
}

#[test]
fn the_moment_of_an_unnamed_statement_is_its_own() {
    let door = Door::new(1);
    let mut client = door.client();
    fine(&mut client, "CREATE TABLE moments (id int PRIMARY KEY, at timestamptz)");
    for id in 1..=5 {
        client.ask("INSERT INTO moments VALUES ($1, 'now')", &[&id.to_string()]).unwrap().fine();
    }
    assert_eq!(fine(&mut client, "SELECT count(DISTINCT at) FROM moments"), "5");
    let mut custom = door.log_in(&crate::setup::login().with("plan_cache_mode", "force_custom_plan"));
    let mut moment = || custom.ask("SELECT E' Now'::timestamptz", &[]).unwrap().fine().value().to_owned();
    assert_ne!(moment(), moment());
}

#[test]
fn the_moment_of_a_named_statement_is_not_that_of_others() {
    const TEXT: &str = "SELECT 'now'::timestamptz";
    let door = Door::new(2);
    let (mut first, mut client, mut one, mut two) = (door.client(), door.client(), door.client(), door.client());
    prepare(&mut first, "s", TEXT);
    let of_first = executed(&mut first, "s");
    fine(&mut one, "BEGIN");
    prepare(&mut client, "s", TEXT);
    fine(&mut two, "BEGIN");
    fine(&mut one, "COMMIT");
    let of_client = executed(&mut client, "s");
    assert!(of_client > of_first, "{of_client} {of_first}");
    assert_eq!(executed(&mut client, "s"), of_client, "as in Postgres");
    fine(&mut two, "COMMIT");
}

#[test]
fn constants_are_as_they_were_at_the_clients_own_parse() {
    const TEXT: &str = "SELECT '01/02/2020'::date - '2020-01-01'::date";
    let door = Door::new(1);
    let (mut first, mut client) = (door.client(), door.client());
    prepare(&mut first, "s", TEXT);
    assert_eq!(executed(&mut first, "s"), "1");
    fine(&mut client, "BEGIN");
    fine(&mut client, "SET LOCAL datestyle = 'SQL, DMY'");
    assert_eq!(at_once(&mut client, "s", TEXT), "31");
    fine(&mut client, "COMMIT");
    assert_eq!(executed(&mut first, "s"), "1");
    fine(&mut first, "SET datestyle = 'SQL, DMY'");
    assert_eq!(executed(&mut first, "s"), "1", "its constants were read");
    assert_eq!(at_once(&mut first, "t", TEXT), "31");
}

#[test]
fn a_temporary_table_hides_what_others_have_prepared() {
    const TEXT: &str = "SELECT x FROM hiding";
    let door = Door::new(1);
    let (mut first, mut client) = (door.client(), door.client());
    fine(&mut first, "CREATE TABLE hiding AS SELECT 'public' x");
    fine(&mut client, "CREATE TEMP TABLE before (a int); DROP TABLE before");
    prepare(&mut first, "s", TEXT);
    assert_eq!(executed(&mut first, "s"), "public");
    fine(&mut client, "CREATE TEMP TABLE hiding AS SELECT 'temp' x");
    prepare(&mut client, "s", TEXT);
    assert_eq!(executed(&mut client, "s"), "temp");
    fine(&mut client, "DROP TABLE hiding");
    assert_eq!(executed(&mut first, "s"), "public");
}

/// A table on the way to `public.NAME`, and `client` reads what it finds by its key.
fn nearer(client: &mut Wire, name: &str) {
    server().psql(&format!("CREATE SCHEMA {name}_near AUTHORIZATION app"));
    fine(client, &format!("SET search_path = {name}_near, public"));
    fine(client, &format!("CREATE TABLE public.{name} (id int PRIMARY KEY, x text); INSERT INTO public.{name} VALUES (1, 'public')"));
}

const MADE: &str = "CREATE TABLE NAME_near.NAME (id int PRIMARY KEY, x text); INSERT INTO NAME_near.NAME VALUES (1, 'near')";

#[test]
fn a_kept_statement_finds_a_table_that_was_made_nearer_since() {
    let door = Door::new(2);
    let (mut client, mut other) = (door.client(), door.client());
    for (name, steps) in [("plain", &["MADE"][..]), ("body", &["DO $$BEGIN MADE; END$$"]), ("late", &["BEGIN", "MADE", "COMMIT"])] {
        nearer(&mut client, name);
        let text = format!("SELECT x FROM {name} WHERE id = $1");
        let mut find = || client.ask(&text, &["1"]).unwrap().fine().value().to_owned();
        for step in steps {
            assert_eq!((find(), find(), find()), ("public".into(), "public".into(), "public".into()), "{name}");
            fine(&mut other, &step.replace("MADE", MADE).replace("NAME", name));
        }
        assert_eq!((find(), find(), find()), ("near".into(), "near".into(), "near".into()), "{name}");
    }
}

#[test]
fn a_definition_that_waits_for_its_commit_counts_whatever_went_before_it() {
    let door = Door::new(2);
    let (mut client, mut other) = (door.client(), door.client());
    nearer(&mut client, "behind");
    let mut find = || client.ask("SELECT x FROM behind WHERE id = $1", &["1"]).unwrap().fine().value().to_owned();
    let begun = format!("BEGIN; {}", MADE.replace("NAME", "behind"));
    other.send(&[query("CREATE TABLE before_behind (a int)"), query(&begun)].concat()).unwrap();
    assert_eq!(kinds(&mut other, 2), "CZICCCZT");
    assert_eq!((find(), find(), find()), ("public".into(), "public".into(), "public".into()));
    fine(&mut other, "COMMIT");
    assert_eq!((find(), find()), ("near".into(), "near".into()));
}

#[test]
fn whoever_prepares_after_a_table_was_made_nearer_finds_it_on_every_connection() {
    const TEXT: &str = "SELECT x FROM named";
    let door = Door::new(2);
    let (mut first, mut client, mut one, mut two) = (door.client(), door.client(), door.client(), door.client());
    nearer(&mut first, "named");
    prepare(&mut first, "s", TEXT);
    assert_eq!(executed(&mut first, "s"), "public");
    fine(&mut one, "BEGIN");
    fine(&mut client, "SET search_path = named_near, public");
    fine(&mut client, &MADE.replace("NAME", "named"));
    prepare(&mut client, "s", TEXT);
    fine(&mut two, "BEGIN");
    fine(&mut one, "COMMIT");
    assert_eq!(executed(&mut client, "s"), "near");
    fine(&mut two, "COMMIT");
}

#[test]
fn many_statements_at_once_are_all_there_and_do_not_pile_up() {
    let door = Door::new(1);
    let (mut client, mut other) = (door.client(), door.client());
    let mut batch: Vec<u8> = (0..3000).flat_map(|number| parse(&format!("s{number}"), &format!("SELECT {number}"))).collect();
    batch.extend(sync());
    client.send(&batch).unwrap();
    assert_eq!(kinds(&mut client, 1), format!("{}ZI", "1".repeat(3000)));
    assert_eq!(fine(&mut other, "SELECT 1"), "1");
    let count: usize = fine(&mut other, "SELECT count(*) FROM pg_prepared_statements").parse().unwrap();
    assert!(count < 1500, "{count}");
    for number in [0, 1500, 2999] {
        assert_eq!(executed(&mut client, &format!("s{number}")), number.to_string());
    }
}
