//! Logins, questions and cancels at a real server.

use std::fs::Permissions;
use std::future::Future;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::ServerAddress;
use testkit::postgres::{PASSWORD, Postgres};
use testkit::until;
use tokio::time::Instant;

use super::connection::CancelKey;
use super::*;
use crate::plan::{Password, ServerTls, SslMode};

/// A connection as it may be cancelled, at nobody's server.
pub(crate) fn target() -> Arc<Target> {
    let key = CancelKey { process: 1, secret: [0; 4].into() };
    Target::new(ServerAddress::Tcp("127.0.0.1".into(), 1), trust(SslMode::Disable, None), key)
}

/// Runs `test` on a loop's runtime.
pub(crate) fn on_a_loop(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap().block_on(test);
}

pub(crate) fn trust(mode: SslMode, roots: Option<&Path>) -> Trust {
    Trust::new(&ServerTls { mode, roots: roots.map(Into::into) }).unwrap()
}

pub(crate) async fn log_in(address: &ServerAddress, trust: &Trust, user: &str, password: &str) -> Result<Connection, ConnectError> {
    let key = Arc::new(Key { user: user.into(), database: "app".into() });
    connect(address, trust, &key, &Password(password.into()), Instant::now() + Duration::from_secs(20)).await
}

fn tcp(server: &Postgres) -> ServerAddress {
    ServerAddress::Tcp("127.0.0.1".into(), server.port())
}

fn unix(server: &Postgres) -> ServerAddress {
    ServerAddress::Unix(Arc::new(server.socket().join(format!(".s.PGSQL.{}", server.port()))))
}

async fn one(connection: &mut Connection, sql: &str) -> String {
    let rows = ask(connection, sql, |_| {}).await.unwrap();
    String::from_utf8(rows[0][0].clone().unwrap()).unwrap()
}

fn code_of(result: Result<Connection, ConnectError>) -> String {
    match result.unwrap_err() {
        ConnectError::Verdict(said) => said.code().into(),
        other => format!("{other:?}"),
    }
}

#[test]
fn every_kind_of_login_and_the_server_s_verdicts() {
    let server = Postgres::start();
    let hba =
        "local all app trust\nlocal all all trust\nhost all md5 all md5\nhost all clear all password\nhost all all all scram-sha-256\n";
    std::fs::write(server.data().join("pg_hba.conf"), hba).unwrap();
    server.psql("CREATE ROLE clear LOGIN PASSWORD 'secret'; SET password_encryption = md5; CREATE ROLE md5 LOGIN PASSWORD 'secret'");
    server.psql("SELECT pg_reload_conf()");
    on_a_loop(async {
        let plain = trust(SslMode::Prefer, None);
        let mut app = log_in(&tcp(&server), &plain, "app", PASSWORD).await.unwrap();
        assert_eq!(one(&mut app, "SELECT current_user || current_database()").await, "appapp");
        assert_eq!(app.reported.get("client_encoding"), Some(&b"UTF8"[..]));
        let mut md5 = log_in(&tcp(&server), &plain, "md5", "secret").await.unwrap();
        assert_eq!(one(&mut md5, "SELECT current_user").await, "md5");
        let mut trusted = log_in(&unix(&server), &plain, "app", "any").await.unwrap();
        assert_eq!(one(&mut trusted, "SELECT 1").await, "1");
        assert_eq!(code_of(log_in(&tcp(&server), &plain, "app", "wrong").await), "28P01");
        assert_eq!(code_of(log_in(&unix(&server), &plain, "nobody", "").await), "28000");
        assert!(matches!(log_in(&tcp(&server), &plain, "clear", "secret").await, Err(ConnectError::Unfit(why)) if why.contains("clear")));
        assert!(matches!(log_in(&tcp(&server), &trust(SslMode::Require, None), "app", PASSWORD).await, Err(ConnectError::Unfit(_))));
        server.stop();
        let gone = log_in(&tcp(&server), &plain, "app", PASSWORD).await.unwrap_err();
        assert!(gone.is_passing(), "{gone:?}");
        assert!(log_in(&unix(&server), &plain, "app", PASSWORD).await.is_err_and(|error| error.is_passing()));
    });
}

#[test]
fn questions_leave_the_connection_at_rest() {
    let server = Postgres::start();
    on_a_loop(async {
        let mut connection = log_in(&unix(&server), &trust(SslMode::Disable, None), "app", PASSWORD).await.unwrap();
        let mut told = Vec::new();
        let sql = "LISTEN a; SELECT 1, NULL; NOTIFY a, 'x'; SET timezone = 'Asia/Tokyo'; DO $$BEGIN RAISE NOTICE 'n'; END$$; SELECT 'b'";
        let rows = ask(&mut connection, sql, |message| told.push(message.to_vec())).await.unwrap();
        assert_eq!(rows, [vec![Some(b"1".to_vec()), None], vec![Some(b"b".to_vec())]]);
        assert!(told.len() == 1 && told[0].ends_with(b"a\0x\0"));
        assert_eq!(connection.reported.get("TimeZone"), Some(&b"Asia/Tokyo"[..]));
        let refused = ask(&mut connection, "SELECT 1; SELECT 1/0", |_| {}).await.unwrap_err();
        assert!(matches!(refused, AskError::Refused(said) if said.code() == "22012"));
        assert!(matches!(ask(&mut connection, "SELECT generate_series(1, 20000)", |_| {}).await, Err(AskError::TooMuch)));
        let large = "SELECT repeat('x', 700000) FROM generate_series(1, 2)";
        assert!(matches!(ask(&mut connection, large, |_| {}).await, Err(AskError::TooMuch)));
        assert_eq!(one(&mut connection, "SELECT repeat('x', 700000)").await.len(), 700_000);
        assert!(matches!(ask(&mut connection, "COPY pg_class TO STDOUT", |_| {}).await, Err(AskError::Lost(_))));
    });
}

#[test]
fn a_cancel_reaches_its_statement_and_is_waited_for() {
    let server = Postgres::start();
    on_a_loop(async {
        let mut connection = log_in(&unix(&server), &trust(SslMode::Disable, None), "app", PASSWORD).await.unwrap();
        let target = connection.cancel.clone();
        assert!(target.is_quiet());
        let sleeping = ask(&mut connection, "SELECT pg_sleep(600)", |_| {});
        let cancelling = async {
            // Until it sleeps, a cancel would find nothing to cancel.
            let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
            while server.psql(sleeps) == "0" {
                tokio::task::yield_now().await;
            }
            let cancel = target.clone().cancel();
            assert!(!target.is_quiet());
            tokio::join!(cancel, async { assert!(target.quiet().await && target.is_quiet()) });
        };
        let (answer, ()) = tokio::join!(sleeping, cancelling);
        assert!(matches!(answer, Err(AskError::Refused(said)) if said.code() == "57014"));
        assert_eq!(one(&mut connection, "SELECT 1").await, "1");
    });
}

#[test]
fn tls_and_a_bound_login_at_a_real_server() {
    let server = Postgres::start();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (own, secret) = (server.data().join("server.crt"), server.data().join("server.key"));
    std::fs::write(&own, key.cert.pem()).unwrap();
    std::fs::write(&secret, key.signing_key.serialize_pem()).unwrap();
    let owner = std::fs::metadata(server.data()).unwrap();
    std::os::unix::fs::chown(&secret, Some(owner.uid()), Some(owner.gid())).unwrap();
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
    let hba = "local all all trust\nhostssl all clear all password\nhostssl all all all scram-sha-256\n";
    std::fs::write(server.data().join("pg_hba.conf"), hba).unwrap();
    server.psql("CREATE ROLE clear LOGIN PASSWORD 'secret'; ALTER SYSTEM SET ssl = on");
    server.psql("SELECT pg_reload_conf()");
    until("the server speaks TLS", || server.psql("SHOW ssl") == "on");
    let host = ServerAddress::Tcp("localhost".into(), server.port());
    on_a_loop(async {
        let full = trust(SslMode::VerifyFull, Some(&own));
        let mut app = log_in(&host, &full, "app", PASSWORD).await.unwrap();
        assert_eq!(one(&mut app, "SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()").await, "true");
        let mut clear = log_in(&host, &full, "clear", "secret").await.unwrap();
        assert_eq!(one(&mut clear, "SELECT repeat('x', 900000)").await.len(), 900_000);
        assert_eq!(code_of(log_in(&host, &trust(SslMode::Disable, None), "app", PASSWORD).await), "28000");
        assert!(matches!(log_in(&tcp(&server), &full, "app", PASSWORD).await, Err(ConnectError::Unfit(_))));
        // A connection goes on where another loop registers it; a cancel is encrypted too.
        let Connection { stream, .. } = app;
        let mut moved = Connection { stream: stream.unregister().unwrap().register().unwrap(), ..clear };
        assert!(one(&mut moved, "SELECT current_user").await == "app" && moved.cancel.is_quiet());
        moved.cancel.clone().cancel().await;
        assert!(moved.cancel.quiet().await);
    });
}
