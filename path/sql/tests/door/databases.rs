//! Databases that are made and dropped through the door, as by test runs: nothing that the door keeps stands in the way.

use testkit::Wire;
use testkit::wire::Login;
use testkit::wire::frames::{bind, execute, parse, sync};

use crate::setup::Door;

fn in_database(door: &Door, database: &str) -> Wire {
    door.log_in(&Login::new("postgres", database))
}

/// The error of `sql`, in the extended protocol.
fn code(client: &mut Wire, sql: &str) -> Option<String> {
    client.send(&[parse("", sql), bind("", "", &[]), execute("", 0), sync()].concat()).unwrap();
    client.answer().unwrap().code().map(String::from)
}

#[test]
fn a_database_that_all_clients_have_left_is_nobodys() {
    let door = Door::new(4);
    let mut admin = in_database(&door, "postgres");
    admin.query("CREATE DATABASE visited").unwrap().fine();
    let mut visitors = [in_database(&door, "visited"), in_database(&door, "visited")];
    for visitor in &mut visitors {
        visitor.query("BEGIN; CREATE TEMP TABLE visit (a int)").unwrap().fine();
    }
    for visitor in &mut visitors {
        visitor.query("COMMIT").unwrap().fine();
        visitor.query("DROP TABLE visit").unwrap().fine();
        visitor.query("LISTEN visits").unwrap().fine();
    }
    assert!(door.handle.counts().idle >= 2, "{:?}", door.handle.counts());
    visitors.into_iter().for_each(Wire::terminate);
    assert_eq!(admin.query("ALTER DATABASE visited RENAME TO visited_once").unwrap().code(), None);
    in_database(&door, "visited_once").query("SELECT 1").unwrap().fine();
    assert_eq!(code(&mut admin, "CREATE DATABASE copied TEMPLATE visited_once"), None);
    for database in ["copied", "visited_once"] {
        in_database(&door, database).query("SELECT 1").unwrap().fine();
        assert_eq!(code(&mut admin, &format!("DROP DATABASE {database}")), None);
    }
}

#[test]
fn a_database_that_a_client_is_in_is_its() {
    let door = Door::new(2);
    let (mut admin, mut waits) = (in_database(&door, "postgres"), in_database(&door, "postgres"));
    admin.query("CREATE DATABASE lived_in").unwrap().fine();
    let mut lives = in_database(&door, "lived_in");
    let process = lives.query("SELECT pg_backend_pid()").unwrap().fine().value().to_owned();
    assert_eq!(admin.query("DROP DATABASE lived_in").unwrap().code(), Some("55006"));
    assert_eq!(lives.query("SELECT pg_backend_pid()").unwrap().fine().value(), process);
    // Postgres waits for it to leave.
    let dropped = std::thread::scope(|scope| {
        let dropped = scope.spawn(|| admin.query("DROP DATABASE lived_in").unwrap().code().map(String::from));
        let drops = "SELECT count(*) FROM pg_stat_activity WHERE query = 'DROP DATABASE lived_in' AND state = 'active'";
        testkit::until("it is being dropped", || waits.query(drops).unwrap().value() == "1");
        lives.terminate();
        dropped.join().unwrap()
    });
    assert_eq!(dropped, None);
}
