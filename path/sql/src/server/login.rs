//! Logs in at a server: startup, password, and what it tells until it is ready.

use std::sync::Arc;

use super::connect::ConnectError;
use super::connection::CancelKey;
use super::reader::{Message, Reader};
use super::scram;
use crate::error::ErrorResponse;
use crate::frame;
use crate::scram::{certificate_hash, nonce};
use crate::session::Reported;
use tls::Stream;

/// Protocol 3.0: what 3.2 adds is a longer cancel key, and there are poolers and old servers that close on it.
const PROTOCOL: u32 = 3 << 16;

/// Longest message of a login, bytes; libpq's bound is 30,000.
const LONGEST: usize = 64 * 1024;

/// Who logs in where.
#[derive(Clone, Copy)]
pub(super) struct Who<'w> {
    pub(super) user: &'w str,
    pub(super) database: &'w str,
    pub(super) password: &'w str,
}

/// What the server told.
#[derive(Debug, Default)]
pub(super) struct Greeting {
    pub(super) cancel: CancelKey,
    pub(super) reported: Arc<Reported>,
}

/// Logs in, until the server is ready.
pub(super) async fn login(stream: &mut Stream, who: &Who<'_>) -> Result<Greeting, ConnectError> {
    stream.write_all(&startup(who)).await?;
    let mut reader = Reader::default();
    authenticate(stream, &mut reader, who).await?;
    let mut greeting = Greeting::default();
    loop {
        let message = reader.next(stream, LONGEST).await?;
        match message.tag {
            b'S' => greeting.reported.read(message.body),
            b'K' => greeting.cancel = CancelKey::read(message.body).ok_or_else(|| unfit("its cancel key is malformed"))?,
            b'Z' => return Ok(greeting),
            b'E' => return Err(ConnectError::Verdict(ErrorResponse::new(message.body))),
            _ => {}
        }
    }
}

fn startup(who: &Who<'_>) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&PROTOCOL.to_be_bytes());
    for text in ["user", who.user, "database", who.database] {
        frame::text(&mut out, text.as_bytes());
    }
    out.push(0);
    let length = out.len() as u32;
    out[..4].copy_from_slice(&length.to_be_bytes());
    out
}

/// Answers what the server asks until it says `AuthenticationOk`.
async fn authenticate(stream: &mut Stream, reader: &mut Reader, who: &Who<'_>) -> Result<(), ConnectError> {
    loop {
        match asked(reader.next(stream, LONGEST).await?)? {
            Asked::Nothing => return Ok(()),
            Asked::Password if is_private(stream) => password(stream, who.password.as_bytes()).await?,
            Asked::Password => return Err(unfit("it wants the password in clear text over a connection without TLS")),
            Asked::Md5(salt) => password(stream, md5(who, salt).as_bytes()).await?,
            Asked::Sasl(offered) => return sasl(stream, reader, offered, who.password).await,
            Asked::Later => {}
        }
    }
}

/// What a message before `AuthenticationOk` asks for.
#[derive(Debug)]
enum Asked {
    Nothing,
    Password,
    Md5([u8; 4]),
    /// Names of mechanisms.
    Sasl(Vec<Vec<u8>>),
    /// It only tells something.
    Later,
}

fn asked(message: Message<'_>) -> Result<Asked, ConnectError> {
    match message.tag {
        b'E' => return Err(ConnectError::Verdict(ErrorResponse::new(message.body))),
        b'N' | b'v' => return Ok(Asked::Later),
        b'R' => {}
        _ => return Err(unfit("it is no Postgres server")),
    }
    let (kind, data) = authentication(message)?;
    match (kind, data) {
        (0, _) => Ok(Asked::Nothing),
        (3, _) => Ok(Asked::Password),
        (5, &[a, b, c, d]) => Ok(Asked::Md5([a, b, c, d])),
        (10, names) => Ok(Asked::Sasl(names.split(|byte| *byte == 0).map(<[u8]>::to_vec).filter(|name| !name.is_empty()).collect())),
        _ => Err(ConnectError::Unfit(format!("it wants a login of kind {kind}, which Plimsoll does not know"))),
    }
}

fn authentication(message: Message<'_>) -> Result<(u32, &[u8]), ConnectError> {
    match (message.tag, message.body.split_first_chunk()) {
        (b'E', _) => Err(ConnectError::Verdict(ErrorResponse::new(message.body))),
        (b'R', Some((kind, data))) => Ok((u32::from_be_bytes(*kind), data)),
        _ => Err(unfit("its login is malformed")),
    }
}

/// SCRAM to its end: that the server knows the password too is never skipped.
async fn sasl(stream: &mut Stream, reader: &mut Reader, offered: Vec<Vec<u8>>, password: &str) -> Result<(), ConnectError> {
    let binding = if let Stream::Tls(tls) = &*stream { tls.certificate().and_then(certificate_hash) } else { None };
    let offered: Vec<&[u8]> = offered.iter().map(Vec::as_slice).collect();
    let exchange = scram::begin(&offered, binding, nonce()).map_err(unfit)?;
    let mut out = Vec::new();
    frame::message(&mut out, b'p', |out| {
        frame::text(out, exchange.mechanism.as_bytes());
        out.extend_from_slice(&(exchange.first.len() as u32).to_be_bytes());
        out.extend_from_slice(exchange.first.as_bytes());
    });
    stream.write_all(&out).await?;
    let challenge = said(authentication(reader.next(stream, LONGEST).await?)?, 11)?;
    let password = password.to_string();
    // Milliseconds of hashing, which no loop may take.
    let proof = tokio::task::spawn_blocking(move || exchange.prove(&challenge, &password)).await;
    let proof = proof.map_err(|_| unfit("its challenge could not be answered"))?.map_err(unfit)?;
    out.clear();
    frame::message(&mut out, b'p', |out| out.extend_from_slice(proof.last.as_bytes()));
    stream.write_all(&out).await?;
    if !proof.is_answered(&said(authentication(reader.next(stream, LONGEST).await?)?, 12)?) {
        return Err(unfit("it does not know the password that it asks for"));
    }
    match authentication(reader.next(stream, LONGEST).await?)? {
        (0, _) => Ok(()),
        _ => Err(unfit("its login goes on after its end")),
    }
}

fn said((kind, data): (u32, &[u8]), wanted: u32) -> Result<String, ConnectError> {
    let text = std::str::from_utf8(data).ok().filter(|_| kind == wanted);
    text.map(String::from).ok_or_else(|| unfit("its SCRAM message is malformed"))
}

async fn password(stream: &mut Stream, password: &[u8]) -> std::io::Result<()> {
    let mut out = Vec::new();
    frame::message(&mut out, b'p', |out| frame::text(out, password));
    stream.write_all(&out).await
}

/// `md5` and the hash of the salt behind the hash of password and user, in hexadecimal.
fn md5(who: &Who<'_>, salt: [u8; 4]) -> String {
    let hash = |data: &[&[u8]]| {
        let digest = <md5::Md5 as md5::Digest>::digest(data.concat());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let inner = hash(&[who.password.as_bytes(), who.user.as_bytes()]);
    format!("md5{}", hash(&[inner.as_bytes(), &salt]))
}

/// Whether nobody between can listen.
fn is_private(stream: &Stream) -> bool {
    matches!(stream, Stream::Tls(_) | Stream::Unix(_))
}

fn unfit(reason: &'static str) -> ConnectError {
    ConnectError::Unfit(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: Who<'_> = Who { user: "app", database: "shop", password: "secret" };

    #[test]
    fn the_first_packet_names_user_and_database() {
        assert_eq!(startup(&WHO), b"\0\0\0\x20\0\x03\0\0user\0app\0database\0shop\0\0");
    }

    #[test]
    fn an_md5_answer_is_as_postgres_computes_it() {
        // SELECT 'md5' || md5(md5('secretapp') || 'salt')
        assert_eq!(md5(&WHO, *b"salt"), "md57f097e06031b34893c20e25a0e68242c");
    }

    #[test]
    fn only_known_ways_to_log_in_are_answered() {
        let of = |tag, body: &'static [u8]| asked(Message { tag, body, whole: body });
        assert!(matches!(of(b'R', b"\0\0\0\x05salt"), Ok(Asked::Md5(salt)) if salt == *b"salt"));
        assert!(matches!(of(b'R', b"\0\0\0\x0aA\0B\0\0"), Ok(Asked::Sasl(names)) if names == [b"A", b"B"]));
        assert!(matches!(of(b'R', b"\0\0\0\x07"), Err(ConnectError::Unfit(_))));
        assert!(matches!(of(b'R', b"\0\0"), Err(ConnectError::Unfit(_))));
        assert!(matches!(of(b'H', b""), Err(ConnectError::Unfit(_))));
        assert!(matches!(of(b'E', b"C28P01\0\0"), Err(ConnectError::Verdict(said)) if said.code() == "28P01"));
    }
}
