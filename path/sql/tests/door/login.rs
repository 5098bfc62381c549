use std::time::Duration;

use plimsoll_sql::{Plan, Pool};
use testkit::wire::{Login, frames};
use testkit::{Wire, until};

use super::setup::{Door, login, plan, server};

/// The startup packet of `login` in another version of the protocol.
fn startup(login: &Login, minor: u8) -> Vec<u8> {
    let mut bytes = frames::startup(login);
    bytes[7] = minor;
    bytes
}

#[test]
fn a_client_is_told_what_postgres_tells_it() {
    let door = Door::new(1);
    let logins = [
        login(),
        login().with("TimeZone", "Asia/Tokyo").with("application_name", "a b").with("client_encoding", "LATIN1"),
        login().with("options", "-c datestyle=German,DMY --intervalstyle=iso_8601 -c search_path=a,\\ b"),
        login().with("options", "-c timezone=UTC").with("timezone", "GMT").with("replication", "false"),
        Login::new("postgres", "postgres"),
    ];
    for login in logins {
        let mut direct = Wire::connect(&server().address(), &login).unwrap();
        // Both times: as a server says it, and as it is remembered.
        for _ in 0..2 {
            let mut client = door.log_in(&login);
            assert_eq!(client.parameters, direct.parameters, "{login:?}");
            for name in ["search_path", "IntervalStyle", "DateStyle", "TimeZone", "client_encoding", "application_name"] {
                let show = format!("SHOW {name}");
                assert_eq!(client.query(&show).unwrap().value(), direct.query(&show).unwrap().value(), "{login:?}");
            }
        }
    }
}

#[test]
fn a_client_that_wants_what_others_had_needs_no_free_connection() {
    let door = Door::start(Plan { pool: Pool { wait: Duration::from_millis(200), ..plan(1).pool }, ..plan(1) });
    let mut busy = door.client();
    busy.query("BEGIN").unwrap().fine();
    // On both loops.
    let same: Vec<Wire> = (0..4).map(|_| door.client()).collect();
    let named = door.log_in(&login().with("application_name", "my app"));
    let told = |client: &Wire| client.parameters.get("application_name").cloned();
    assert!(same.iter().all(|client| client.parameters == busy.parameters));
    assert_eq!((told(&busy), told(&named)), (Some(String::new()), Some("my app".into())));
    // What nobody had is asked of a server, and there is none.
    assert!(Wire::connect(&door.address, &login().with("datestyle", "German")).is_err());
}

#[test]
fn a_client_is_refused_in_postgres_s_words() {
    let door = Door::new(1);
    let wrong = |user: &str, password: &str| Login { password: password.into(), ..Login::new(user, "app") };
    let logins = [
        wrong("app", "wrong"),
        wrong("nobody", "secret"),
        Login::new("app", "nowhere"),
        login().with("no_such_parameter", "1"),
        login().with("work_mem", "a lot"),
        login().with("options", "-c work_mem=1"),
        login().with("options", "-c work_mem"),
        login().with("replication", "perhaps"),
        Login::new("", "app"),
    ];
    for login in logins {
        let direct = Wire::connect(&server().address(), &login).err().map(|error| error.to_string());
        assert!(direct.is_some(), "{login:?}");
        for _ in 0..2 {
            assert_eq!(Wire::connect(&door.address, &login).err().map(|error| error.to_string()), direct);
        }
    }
    // What it refuses of its own, and the server behind it was never asked.
    let replication = Wire::connect(&door.address, &login().with("replication", "database")).err().unwrap();
    assert!(replication.to_string().starts_with("0A000 FATAL"), "{replication}");
    assert_eq!(door.client().query("SELECT 1").unwrap().value(), "1");
}

#[test]
fn a_client_is_not_refused_for_what_another_did() {
    let door = Door::new(1);
    let mut other = door.client();
    other.query("CREATE TEMP TABLE arrival AS SELECT 1 AS a").unwrap().fine();
    other.query("DROP TABLE arrival").unwrap().fine();
    let mut client = door.log_in(&login().with("options", "-c temp_buffers=2000"));
    assert_eq!(client.query("SHOW temp_buffers").unwrap().value(), "16000kB");
    // Where all of them say so it is wrong.
    let wrong = Wire::connect(&door.address, &login().with("options", "-c temp_buffers=1")).err().unwrap();
    assert!(wrong.to_string().starts_with("22023 FATAL"), "{wrong}");
}

#[test]
fn the_newest_protocol_has_a_long_key_that_cancels() {
    let door = Door::new(2);
    for (minor, secret) in [(0, 4), (1, 4), (2, 32), (9, 32)] {
        let mut client = Wire::open(&door.address).unwrap();
        client.send(&startup(&login(), minor)).unwrap();
        if minor == 9 {
            let negotiated = client.receive().unwrap();
            assert_eq!((negotiated.tag, &negotiated.body[..]), (b'v', &[0, 3, 0, 2, 0, 0, 0, 0][..]));
        }
        client.log_in(&login()).unwrap();
        assert_eq!(client.secret.len(), secret);
        client.send(&frames::query(&format!("SELECT pg_sleep(600) /* by protocol {minor} */"))).unwrap();
        let sleeping = format!("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '% protocol {minor} */'");
        until("it sleeps", || server().psql(&sleeping) == "1");
        client.cancel().unwrap();
        assert_eq!(client.answer().unwrap().errors[0].code, "57014");
    }
}

#[test]
fn a_key_that_is_nobody_s_cancels_nothing() {
    let door = Door::new(1);
    let mut client = door.client();
    client.send(&frames::query("SELECT pg_sleep(0.3), 'slept'")).unwrap();
    let mut stranger = door.client();
    (stranger.process, stranger.secret[0]) = (client.process, client.secret[0].wrapping_add(1));
    stranger.cancel().unwrap();
    stranger.process = u32::MAX;
    stranger.cancel().unwrap();
    assert_eq!(client.answer().unwrap().rows[0][1].as_deref(), Some("slept"));
}

#[test]
fn a_full_door_refuses_but_cancels() {
    let full = plan(1);
    let door = Door::start(Plan { pool: Pool { client: 1, ..full.pool.clone() }, ..full });
    let mut client = door.client();
    let refused = Wire::connect(&door.address, &login()).err().unwrap();
    assert_eq!(refused.to_string(), "53300 FATAL: sorry, too many clients already");
    client.send(&frames::query("SELECT pg_sleep(600) /* while full */")).unwrap();
    until("it sleeps", || {
        server().psql(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%while full */' AND state = 'active' AND pid <> pg_backend_pid()",
        ) == "1"
    });
    client.cancel().unwrap();
    assert_eq!(client.answer().unwrap().errors[0].code, "57014");
    client.terminate();
    until("there is room again", || Wire::connect(&door.address, &login()).is_ok());
}

#[test]
fn what_comes_with_the_last_word_of_a_login_is_answered() {
    let door = Door::new(1);
    let mut client = Wire::open(&door.address).unwrap();
    let behind =
        [frames::parse("", "SELECT 6 * 7"), frames::bind("", "", &[]), frames::execute("", 0), frames::sync(), frames::query("SELECT 43")];
    client.send(&frames::startup(&login())).unwrap();
    client.log_in_with(&login(), &behind.concat()).unwrap();
    assert!(client.hears_within(Duration::from_secs(10)).unwrap(), "it waits for ever");
    assert_eq!(client.answer().unwrap().value(), "42");
    assert_eq!(client.answer().unwrap().value(), "43");
}
