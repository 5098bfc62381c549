//! Whole logins over real sockets: raw bytes where a client is hostile, our own client of servers where it is not.

use std::path::PathBuf;
use std::sync::Arc;

use contract::ServerAddress;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_local;

use super::startup::Protocol;
use super::*;
use crate::plan::{Listen, Password, Plan, Pool, ServerTls, SslMode};
use crate::server::tests::{log_in, on_a_loop, target, trust};
use crate::server::{ConnectError, Trust};
use crate::session::Reported;

const TLS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const GSS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x30";
const STARTUP: &[u8] = b"\0\0\0\x12\0\x03\0\0user\0app\0\0";

type Came = Result<Option<Client>, Box<Fault>>;

/// A door that lets clients in, greets them and does no more.
struct Door {
    port: u16,
    registry: Rc<cancel::Registry>,
    came: UnboundedReceiver<Came>,
}

/// A certificate for `localhost` by an authority, as files.
struct Files {
    folder: TempDir,
}

/// The plan of a door with one user.
pub(crate) fn plan() -> Plan {
    let seconds = Duration::from_secs;
    Plan {
        name: "main".into(),
        listen: Listen { address: ([127, 0, 0, 1], 0).into(), written: true },
        primary: None,
        user: "app".into(),
        users: [("app".into(), Password("secret".into()))].into(),
        database: "shop".into(),
        server: ServerTls { mode: SslMode::Prefer, roots: None },
        pool: Pool { server: 2, client: 10, wait: seconds(1), least: 0, idle: seconds(60), age: seconds(3600), statements: 10 },
        limits: Default::default(),
        tls: None,
        reuse: true,
        slow: None,
    }
}

impl Door {
    async fn open(plan: Plan, refusal: Option<Fault>) -> Door {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ways, mut requests) = cancel::Ways::new(1);
        let registry = cancel::Registry::new(0, ways);
        spawn_local(registry.clone().follow(requests.remove(0)));
        let (sender, came) = unbounded_channel();
        let (gate, registry_too) = (Rc::new(Gate::new(&plan, None).unwrap()), registry.clone());
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (gate, registry, refusal, sender) = (gate.clone(), registry_too.clone(), refusal.clone(), sender.clone());
                spawn_local(async move {
                    let interned = Interned::default();
                    let entrance = Entrance { gate: &gate, registry: &registry, interned: &interned, refusal };
                    let came = enter(Stream::Tcp(stream), &entrance).await;
                    let _ = sender.send(greeted(came).await);
                });
            }
        });
        Door { port, registry, came }
    }

    async fn dial(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Logs in with our own client of servers; the door's name is `host`.
    async fn log_in(&self, host: &str, trust: &Trust, user: &str, password: &str) -> Result<crate::server::Connection, ConnectError> {
        log_in(&ServerAddress::Tcp(host.into(), self.port), trust, user, password).await
    }

    /// All that the door says to `sent` until it closes.
    async fn says(&self, sent: &[u8]) -> Vec<u8> {
        let (mut stream, mut said) = (self.dial().await, Vec::new());
        stream.write_all(sent).await.unwrap();
        let _ = stream.read_to_end(&mut said).await;
        said
    }
}

async fn greeted(came: Came) -> Came {
    let Ok(Some(mut client)) = came else { return came };
    let (mut reported, mut out) = (Arc::new(Reported::default()), Vec::new());
    reported.set("server_version", b"15.0");
    greet(&mut out, &client, &reported);
    client.stream.write_all(&out).await.unwrap();
    Ok(Some(client))
}

/// Lets psql in with this connection string; the last client that came.
async fn psql(door: &mut Door, string: &str) -> Result<Client, String> {
    let string = format!("host=localhost port={} user=app password=secret dbname=shop {string}", door.port);
    let run = move || std::process::Command::new(testkit::postgres::programs().join("psql")).args(["-X", "-d", &string, "-c", ""]).output();
    let (mut running, mut last) = (tokio::task::spawn_blocking(run), None);
    let output = loop {
        tokio::select! {
            output = &mut running => break output.unwrap().unwrap(),
            came = door.came.recv() => if let Some(Ok(Some(mut client))) = came {
                // What psql asks when it has nothing to ask: the empty query.
                client.stream.read(&mut [0; 64]).await.unwrap();
                client.stream.write_all(b"I\0\0\0\x04Z\0\0\0\x05I").await.unwrap();
                last = Some(client);
            },
        }
    };
    if output.status.success() { last.ok_or("nobody came".into()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

impl Files {
    fn new() -> Files {
        let authority = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec![]).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = parameters.self_signed(&authority).unwrap();
        let issuer = rcgen::Issuer::from_params(&parameters, &authority);
        let key = rcgen::KeyPair::generate().unwrap();
        let mut own = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        // Of the authority's own name it would look as if it had signed itself.
        own.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        let own = own.signed_by(&key, &issuer).unwrap();
        Files::with(&root.pem(), &own.pem(), &key.serialize_pem())
    }

    fn with(root: &str, own: &str, key: &str) -> Files {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("root", root), ("own", own), ("key", key)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Files { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn plan(&self) -> Plan {
        Plan { tls: Some(tls::Certificate { cert: self.path("own"), key: self.path("key") }), ..plan() }
    }
}

fn refused(error: ConnectError) -> (String, String) {
    match error {
        ConnectError::Verdict(said) => (said.code().into(), said.message().into()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_right_password_is_in_and_nothing_else() {
    on_a_loop(async {
        let (mut door, plain) = (Door::open(plan(), None).await, trust(SslMode::Prefer, None));
        let connection = door.log_in("127.0.0.1", &plain, "app", "secret").await.unwrap();
        assert_eq!(connection.reported.get("server_version"), Some(&b"15.0"[..]));
        let client = door.came.recv().await.unwrap().unwrap().unwrap();
        assert_eq!((&*client.key.user, &*client.key.database, client.early.len()), ("app", "app", 0));
        for (user, password) in [("app", "Secret"), ("app", ""), ("nobody", "secret")] {
            let said = refused(door.log_in("127.0.0.1", &plain, user, password).await.unwrap_err());
            assert_eq!(said, ("28P01".into(), format!("password authentication failed for user \"{user}\"")));
            assert_eq!(door.came.recv().await.unwrap().unwrap_err().code, "28P01");
        }
    });
}

#[test]
fn tls_as_sslmode_asks_for_it_bound_to_the_login() {
    on_a_loop(async {
        let files = Files::new();
        let mut door = Door::open(files.plan(), None).await;
        let root = files.path("root");
        for (mode, roots, host) in [
            (SslMode::Prefer, None, "127.0.0.1"),
            (SslMode::Require, None, "127.0.0.1"),
            (SslMode::VerifyCa, Some(&*root), "127.0.0.1"),
            (SslMode::Require, Some(&*root), "127.0.0.1"),
            (SslMode::VerifyFull, Some(&*root), "localhost"),
        ] {
            let connection = door.log_in(host, &trust(mode, roots), "app", "secret").await.unwrap();
            let client = door.came.recv().await.unwrap().unwrap().unwrap();
            assert!(matches!((connection.stream, client.stream), (Stream::Tls(_), Stream::Tls(_))), "{mode:?}");
        }
        assert!(door.log_in("127.0.0.1", &trust(SslMode::Disable, None), "app", "secret").await.is_ok());
        let stranger = Files::new();
        for (mode, roots, host) in [
            (SslMode::VerifyFull, root, "127.0.0.1"),
            (SslMode::VerifyCa, stranger.path("root"), "localhost"),
            (SslMode::Require, stranger.path("root"), "localhost"),
        ] {
            let unfit = door.log_in(host, &trust(mode, Some(&roots)), "app", "secret").await;
            assert!(matches!(unfit, Err(ConnectError::Unfit(_))), "{mode:?}: {unfit:?}");
        }
    });
}

#[test]
fn a_certificate_that_signed_itself_is_trusted_where_it_is_given() {
    on_a_loop(async {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        // As `openssl req -x509` makes it.
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let own = parameters.self_signed(&key).unwrap().pem();
        let files = Files::with(&own, &own, &key.serialize_pem());
        let (door, root) = (Door::open(files.plan(), None).await, files.path("root"));
        assert!(door.log_in("localhost", &trust(SslMode::VerifyFull, Some(&root)), "app", "secret").await.is_ok());
        assert!(door.log_in("127.0.0.1", &trust(SslMode::VerifyCa, Some(&root)), "app", "secret").await.is_ok());
        assert!(door.log_in("127.0.0.1", &trust(SslMode::VerifyFull, Some(&root)), "app", "secret").await.is_err());
    });
}

fn direct(protocols: &[&[u8]]) -> Arc<ClientConfig> {
    let trust = trust(SslMode::Require, None);
    let mut config = ClientConfig::clone(&trust.config.unwrap());
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

#[test]
fn tls_without_asking_needs_its_protocol_s_name() {
    on_a_loop(async {
        let door = Door::open(Files::new().plan(), None).await;
        let said = async |protocols: &[&[u8]]| {
            let name = ServerName::try_from("localhost").unwrap();
            let Ok(tls) = tls::connect(door.dial().await, direct(protocols), name).await else { return 0 };
            let (mut stream, mut space) = (Stream::Tls(tls), [0; 64]);
            let _ = stream.write_all(STARTUP).await;
            stream.read(&mut space).await.map_or(0, |_| space[0])
        };
        assert_eq!(said(&[b"postgresql"]).await, b'R');
        assert_eq!((said(&[]).await, said(&[b"http/1.1"]).await), (0, 0));
    });
}

#[test]
fn what_comes_before_encryption_does_not_count_as_coming_after_it() {
    on_a_loop(async {
        for plan in [plan(), Files::new().plan()] {
            let door = Door::open(plan, None).await;
            for (request, of) in [(TLS, "SSL"), (GSS, "GSSAPI encryption")] {
                let said = String::from_utf8_lossy(&door.says(&[request, STARTUP].concat()).await).into_owned();
                assert!(said.contains(&format!("C08P01\0Mreceived unencrypted data after {of} request")), "{said}");
            }
        }
    });
}

#[test]
fn encryption_that_is_not_there_is_declined_once() {
    on_a_loop(async {
        let door = Door::open(plan(), None).await;
        let mut stream = door.dial().await;
        for request in [GSS, TLS] {
            stream.write_all(request).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), b'N');
        }
        stream.write_all(TLS).await.unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).await.unwrap();
        assert!(String::from_utf8_lossy(&said).contains("unsupported frontend protocol 1234.5679"));
    });
}

#[test]
fn hostile_bytes_end_the_connection_with_or_without_a_word() {
    on_a_loop(async {
        let mut door = Door::open(plan(), None).await;
        for silent in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\0\0\0\x07\0\0\0", b"\0\0\x27\x15\0\x03\0\0", b"\x16\x03\x01\0\0", &[0; 8]] {
            assert_eq!(door.says(silent).await, b"", "{silent:?}");
            assert!(matches!(door.came.recv().await, Some(Ok(None))));
        }
        let message = |tag: u8, body: &[u8]| [&[tag][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat();
        for (answer, code) in [
            (message(b'Q', b"SELECT 1\0"), "08P01"),
            (message(b'p', b"SCRAM-SHA-256-PLUS\0\0\0\0\0"), "08P01"),
            (message(b'p', b"SCRAM-SHA-256\0\0\0\0\x0an,,n=,r=x"), "08P01"),
            (message(b'p', &[b'x'; 2000]), "08P01"),
        ] {
            let said = String::from_utf8_lossy(&door.says(&[STARTUP, &answer].concat()).await).into_owned();
            assert!(said.starts_with('R') && said.contains(&format!("C{code}\0")), "{said}");
            assert_eq!(door.came.recv().await.unwrap().unwrap_err().code, code);
        }
        assert!(door.says(&[STARTUP, b"X\0\0\0\x04"].concat()).await.starts_with(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"));
        assert!(matches!(door.came.recv().await, Some(Ok(None))));
    });
}

#[test]
fn a_full_door_says_so_and_still_cancels() {
    on_a_loop(async {
        let mut door = Door::open(plan(), Some(Fault::too_many_clients())).await;
        let said = String::from_utf8_lossy(&door.says(STARTUP).await).into_owned();
        assert!(said.contains("SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0"), "{said}");
        assert_eq!(door.came.recv().await.unwrap().unwrap_err().code, "53300");
        let (seat, mut key) = (door.registry.seat(Protocol::OLDEST), Vec::new());
        let (target, _lending) = {
            let target = target();
            (target.clone(), seat.lend(&target, std::time::Instant::now()))
        };
        seat.write(&mut key);
        // The target leads nowhere: what is seen is that the door closes once it has tried.
        let request = [b"\0\0\0\x10\x04\xd2\x16\x2e", &key[5..]].concat();
        assert_eq!(door.says(&request).await, b"");
        assert!(matches!(door.came.recv().await, Some(Ok(None))) && target.is_quiet());
    });
}

#[test]
fn who_does_not_log_in_is_left_after_a_minute() {
    on_a_loop(async {
        let mut door = Door::open(plan(), None).await;
        let _stream = door.dial().await;
        tokio::time::pause();
        assert_eq!(door.came.recv().await.unwrap().unwrap_err().code, "57014");
    });
}

#[test]
fn libpq_gets_in_with_and_without_tls() {
    on_a_loop(async {
        let mut plain = Door::open(plan(), None).await;
        for string in ["sslmode=disable", "sslmode=prefer", "sslmode=disable options='-c a=b'"] {
            assert_eq!(&*psql(&mut plain, string).await.unwrap().key.database, "shop");
        }
        assert!(psql(&mut plain, "sslmode=require").await.is_err());
        let files = Files::new();
        let (mut door, root) = (Door::open(files.plan(), None).await, files.path("root").display().to_string());
        let full = format!("sslmode=verify-full sslrootcert={root} channel_binding=require");
        for string in ["sslmode=require channel_binding=disable", "sslmode=prefer channel_binding=require", &full] {
            assert!(matches!(psql(&mut door, string).await.unwrap().stream, Stream::Tls(_)), "{string}");
        }
        assert!(matches!(psql(&mut door, "sslmode=disable").await.unwrap().stream, Stream::Tcp(_)));
        let wrong = psql(&mut door, "sslmode=require password=wrong").await.unwrap_err();
        assert!(wrong.contains("FATAL:  password authentication failed for user \"app\"\n"), "{wrong}");
    });
}
