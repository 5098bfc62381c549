//! TLS on both sides of the door at once, by libpq and OpenSSL.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use contract::{Database, ServerAddress};
use plimsoll_sql::{Plan, ServerTls, SslMode};
use tempfile::TempDir;
use testkit::postgres::{PASSWORD, programs};
use testkit::{Postgres, until};
use tls::Certificate;

use super::setup::{Door, login, plan};

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

    /// A certificate of these names that an authority of its own has signed.
    fn signed(names: &[&str]) -> Files {
        let (key, authority_key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let files = Files(tempfile::tempdir().unwrap());
        fs::write(files.authority(), authority.self_signed(&authority_key).unwrap().pem()).unwrap();
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        let cert = rcgen::CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        fs::write(files.cert(), cert.pem()).unwrap();
        fs::write(files.key(), key.serialize_pem()).unwrap();
        files
    }

    fn authority(&self) -> PathBuf {
        self.0.path().join("authority")
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

/// What becomes of a client whose server is at `host` and is believed as `mode` and `roots` say.
fn comes_in(door: &Door, host: &str, port: u16, mode: SslMode, roots: Option<PathBuf>) -> Result<(), String> {
    let database = Database::outside(ServerAddress::Tcp(host.into(), port));
    door.handle.swap(Plan { server: ServerTls { mode, roots }, ..plan(1) }, database).map_err(|error| error.to_string())?;
    let mut client = testkit::Wire::connect(&door.address, &login()).map_err(|error| error.to_string())?;
    let encrypted = client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").unwrap();
    assert_eq!(encrypted.value(), "t");
    Ok(())
}

#[test]
fn a_server_is_believed_as_far_as_its_authority_and_its_name_go() {
    let (files, others) = (Files::signed(&["localhost"]), Files::signed(&["localhost"]));
    let server = files.server();
    let (door, port) = (Door::over(plan(1), &server), server.port());
    let (ours, other) = (|| Some(files.authority()), || Some(others.authority()));
    use SslMode::{Prefer, Require, VerifyCa, VerifyFull};
    for (host, mode, roots) in [
        ("localhost", VerifyFull, ours()),
        ("127.0.0.1", VerifyCa, ours()),
        ("127.0.0.1", Require, ours()),
        ("127.0.0.1", Require, None),
        ("127.0.0.1", Prefer, other()),
    ] {
        assert_eq!(comes_in(&door, host, port, mode, roots), Ok(()), "{host} {mode:?}");
    }
    for (host, mode, roots) in [
        ("127.0.0.1", VerifyFull, ours()),
        ("localhost", VerifyFull, other()),
        ("localhost", VerifyCa, other()),
        ("localhost", Require, other()),
        ("localhost", VerifyFull, None),
    ] {
        let refused = comes_in(&door, host, port, mode, roots).unwrap_err();
        let said = ["the database server cannot be used: TLS:", "no certificates to trust"].iter().any(|text| refused.contains(text));
        assert!(said, "{host} {mode:?}: {refused}");
    }
    // The system's own are told by a variable that only another process can have.
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--ignored", "--exact", "tls::the_systems_authorities_are_believed"]);
    let output = again.env("SSL_CERT_FILE", files.authority()).env(PORT, port.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Of the server for the test that runs in another process.
const PORT: &str = "PLIMSOLL_TEST_TLS_PORT";

#[test]
#[ignore = "a part of the test before"]
fn the_systems_authorities_are_believed() {
    let Some(port) = std::env::var(PORT).ok().and_then(|port| port.parse().ok()) else { return };
    let door = Door::without_server(plan(1));
    assert_eq!(comes_in(&door, "localhost", port, SslMode::VerifyFull, None), Ok(()));
    assert!(comes_in(&door, "127.0.0.1", port, SslMode::VerifyFull, None).unwrap_err().contains("TLS:"));
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
