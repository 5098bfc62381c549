use std::rc::Rc;

use testkit::postgres::Postgres;

use super::guest::House;
use crate::server::tests::on_a_loop;

const SCHEMA: &str = "CREATE ROLE bob; GRANT bob TO app";

#[test]
fn what_can_no_longer_be_set_is_an_error_and_the_connection_is_not_used() {
    let server = Rc::new(Postgres::start());
    server.psql(SCHEMA);
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut one, "SET ROLE bob").await;
        house.run(&mut other, "SELECT 1").await;
        server.psql("REVOKE bob FROM app");
        let said = house.run(&mut one, "SELECT 1").await;
        assert!(said.errors[0].contains("42501"), "{said:?}");
        assert_eq!(house.free.len(), 0);
        assert_eq!(house.run(&mut other, "SELECT current_user").await.value(), "app");
    });
}

#[test]
fn a_parameter_that_the_login_may_not_set_keeps_its_connection() {
    let server = Rc::new(Postgres::start());
    server.psql(SCHEMA);
    server.psql("CREATE ROLE high SUPERUSER; GRANT high TO app");
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        house.run(&mut one, "SET ROLE high; SET log_duration = on; RESET ROLE").await;
        assert_eq!(house.sessions.pins.list(std::time::Instant::now())[0].reasons, ["parameter"]);
        assert_eq!(house.run(&mut other, "SHOW log_duration").await.value(), "off");
        assert_eq!(house.run(&mut one, "SHOW log_duration").await.value(), "on");
        house.run(&mut one, "SET ROLE high; RESET log_duration; RESET ROLE").await;
        assert!(!one.session.is_pinned() && house.free.len() == 2);
        server.psql("GRANT SET ON PARAMETER log_duration TO app");
        house.run(&mut one, "SET log_duration = on").await;
        assert!(!one.session.is_pinned());
        assert_eq!(house.run(&mut other, "SHOW log_duration").await.value(), "off");
        assert_eq!(house.run(&mut one, "SHOW log_duration").await.value(), "on");
    });
}

#[test]
fn an_older_server_is_asked_in_its_own_way() {
    let server = Rc::new(Postgres::start());
    server.psql("CREATE ROLE high SUPERUSER; GRANT high TO app");
    on_a_loop(async {
        let mut house = House::new(&server, "app");
        house.version = Some("14.9");
        let (mut one, mut other) = (house.guest(&[]).await, house.guest(&[]).await);
        let look = "SELECT concat_ws(',', current_setting('my.a', true), current_setting('plpgsql.extra_warnings', true))";
        house.run(&mut one, "DO 'BEGIN END'").await;
        house.run(&mut one, "SET my.a = 'one'; SET plpgsql.extra_warnings = 'all'").await;
        assert_eq!(house.run(&mut other, look).await.value(), ",none");
        house.run(&mut other, "SET my.a = 'other'").await;
        assert_eq!(house.run(&mut one, look).await.value(), "one,all");
        house.run(&mut one, "RESET plpgsql.extra_warnings").await;
        assert!(one.session.parameters().get("plpgsql.extra_warnings").is_none());
        assert_eq!(house.run(&mut other, look).await.value(), "other,none");
        house.run(&mut one, "SET ROLE high; SET log_duration = on; RESET ROLE").await;
        assert!(one.session.is_pinned());
    });
}
