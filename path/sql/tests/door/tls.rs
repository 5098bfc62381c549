//! TLS on both sides of the door at once, by libpq and OpenSSL.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use plimsoll_sql::{Certificate, Plan, ServerTls, SslMode};
use tempfile::TempDir;
use testkit::postgres::{PASSWORD, programs};
use testkit::{Postgres, until};

use super::setup::{Door, plan};

/// A certificate of `localhost` that signed itself, and its key.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
        let files = Files(tempfile::tempdir().unwrap());
        fs::write(files.cert(), made.cert.pem()).unwrap();
        fs::write(files.key(), made.signing_key.serialize_pem()).unwrap();
        files
    }

    fn cert(&self) -> PathBuf {
        self.0.path().join("cert")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key")
    }

    /// A server that takes nobody over TCP without TLS.
    fn server(&self) -> Postgres {
        let server = Postgres::start();
        let owner = fs::metadata(server.data()).unwrap();
        for (from, name) in [(self.cert(), "server.crt"), (self.key(), "server.key")] {
            let to = server.data().join(name);
            fs::copy(from, &to).unwrap();
            std::os::unix::fs::chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
            fs::set_permissions(&to, Permissions::from_mode(0o600)).unwrap();
        }
        fs::write(server.data().join("pg_hba.conf"), "local all all trust\nhostssl all all all scram-sha-256\n").unwrap();
        server.psql("ALTER SYSTEM SET ssl = on");
        server.psql("SELECT pg_reload_conf()");
        until("the server speaks TLS", || server.psql("SHOW ssl") == "on");
        server
    }
}

/// What psql prints over TLS, bound to the door's certificate.
fn psql(door: &Door, files: &Files, input: &str) -> String {
    let (host, port) = door.address.split_once(':').unwrap();
    let cert = files.cert().display().to_string();
    let string = format!(
        "host=localhost hostaddr={host} port={port} user=app password={PASSWORD} dbname=app sslmode=verify-full sslrootcert={cert} channel_binding=require"
    );
    let mut psql = Command::new(programs().join("psql"));
    psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &string]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = psql.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn megabytes_go_through_tls_on_both_sides_unchanged() {
    let files = Files::new();
    let server = files.server();
    let tls = Some(Certificate { cert: files.cert(), key: files.key() });
    let to_server = ServerTls { mode: SslMode::VerifyFull, roots: Some(files.cert()) };
    let door = Door::over(Plan { tls, server: to_server, ..plan(1) }, &server);
    assert_eq!(psql(&door, &files, "SELECT ssl, current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), "t|app\n");
    let rows = "CREATE TABLE large AS SELECT n, repeat(md5(n::text), 20) AS text FROM generate_series(1, 20000) n;\n";
    let file = files.0.path().join("copy").display().to_string();
    let copies = format!("\\copy large TO '{file}'\nCREATE TABLE again (LIKE large);\n\\copy again FROM '{file}'\n");
    let same = "SELECT count(*) FROM (TABLE large EXCEPT TABLE again) AS rest, (SELECT count(*) FROM again) AS all_of_it;\n";
    assert_eq!(psql(&door, &files, &[rows, &copies, same].concat()), "0\n");
    assert_eq!(server.psql("SELECT count(*) FROM again"), "20000");
    assert_eq!(psql(&door, &files, "SELECT repeat('x', 20000000)").len(), 20_000_001);
}

#[test]
fn a_renewed_certificate_is_seen_and_taken() {
    let files = Files::new();
    let plan = || Plan { tls: Some(Certificate { cert: files.cert(), key: files.key() }), ..plan(1) };
    let door = Door::start(plan());
    assert!(!door.handle.has_renewed_files());
    assert!(psql(&door, &files, "SELECT 'old'").contains("old"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    fs::write(files.cert(), made.cert.pem()).unwrap();
    fs::write(files.key(), made.signing_key.serialize_pem()).unwrap();
    assert!(door.handle.has_renewed_files());
    door.handle.swap(plan(), door.database()).unwrap();
    assert!(!door.handle.has_renewed_files());
    // It believes the new one only.
    assert!(psql(&door, &files, "SELECT 'new'").contains("new"));
}
