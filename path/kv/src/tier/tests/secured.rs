use std::path::Path;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tls::Certificate;

use super::*;

/// A new certificate in these files, for who is to trust it.
fn certificate(folder: &Path, name: &str) -> (Certificate, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (cert, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    (Certificate { cert, key }, roots)
}

/// A client that believes these; the answer to what it says, of this length.
fn said(served: &Served, roots: &RootCertStore, line: &str, length: usize) -> std::io::Result<String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(builder.with_root_certificates(roots.clone()).with_no_client_auth());
    let connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, served.client().0);
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    let mut heard = vec![0; length];
    stream.read_exact(&mut heard)?;
    Ok(String::from_utf8(heard).unwrap())
}

#[test]
fn with_a_certificate_clients_speak_tls_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (first, roots) = certificate(folder.path(), "first");
    let served = Served::of(Plan { tls: Some(first), ..plan() });
    assert_eq!(said(&served, &roots, "PING\r\nECHO a", 14).unwrap(), "+PONG\r\n$1\r\na\r\n");
    let long = "x".repeat(3_000_000);
    let set = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n{long}\r\nGET a", long.len());
    let answer = format!("+OK\r\n${}\r\n{long}\r\n", long.len());
    assert!(said(&served, &roots, &set, answer.len()).unwrap() == answer);
    // Whoever speaks plainly is told so in TLS, and closed.
    let mut plain = served.client();
    plain.send("PING");
    let mut heard = Vec::new();
    plain.0.read_to_end(&mut heard).unwrap();
    assert_eq!(heard.first(), Some(&21), "an alert");
    // Another certificate is for those who come later.
    let (second, others) = certificate(folder.path(), "second");
    served.handle.swap(Plan { tls: Some(second), ..plan() }).unwrap();
    assert!(said(&served, &roots, "PING", 7).is_err());
    assert_eq!(said(&served, &others, "PING", 7).unwrap(), "+PONG\r\n");
    let absent = Certificate { cert: folder.path().join("absent"), key: folder.path().join("absent") };
    assert!(served.handle.swap(Plan { tls: Some(absent), ..plan() }).unwrap_err().contains("cannot be read"));
    assert_eq!(said(&served, &others, "PING", 7).unwrap(), "+PONG\r\n");
}
