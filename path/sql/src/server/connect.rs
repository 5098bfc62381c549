//! Opens a connection to a server, from the socket to the first `ReadyForQuery`.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use contract::ServerAddress;
use loops::socket::{is_of_this_side, poll_read, write_all};
use loops::time::timeout_at;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

use super::cancel::Target;
use super::connection::Connection;
use super::key::Key;
use super::login::{self, Who};
use super::tls::Trust;
use crate::error::{ErrorResponse, code};
use crate::plan::{Password, SslMode};
use crate::session::{Parameters, Traces};
use tls::Stream;

/// What asks a server for TLS.
const TLS_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

/// An idle connection is asked for a sign of life after that long, so that a server that vanished is noticed.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// A server that takes nothing of what was sent for that long has vanished; without it the kernel tries for a quarter of an hour.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The server has decided: to be told to the client as it came.
    Verdict(ErrorResponse),
    /// It does not answer, or says that it does not take connections now: later it may.
    Unreachable(String),
    /// This process has no descriptor, port or memory left.
    OutOfDescriptors(io::Error),
    /// It is not to be spoken to: no TLS where that is asked for, a certificate not trusted, a login that Plimsoll does not
    /// know. Trying again changes nothing.
    Unfit(String),
}

/// Opens a connection for `key` before `deadline`. What it is set to is what the server gives every new one.
///
/// # Errors
/// See [`ConnectError`].
pub(crate) async fn connect(
    address: &ServerAddress,
    trust: &Trust,
    key: &Arc<Key>,
    password: &Password,
    deadline: Instant,
) -> Result<Connection, ConnectError> {
    let late = |_| Err(ConnectError::Unreachable("it did not answer in time".into()));
    // Boxed: it is much larger than what it is a part of.
    timeout_at(deadline, Box::pin(open(address, trust, key, password))).await.unwrap_or_else(late)
}

async fn open(address: &ServerAddress, trust: &Trust, key: &Arc<Key>, password: &Password) -> Result<Connection, ConnectError> {
    let mut stream = reach(address, trust).await?;
    let greeting = login::login(&mut stream, &Who { user: &key.user, database: &key.database, password: &password.0 }).await?;
    let now = Instant::now().into_std();
    Ok(Connection {
        // Whoever keeps it numbers it.
        id: 0,
        stream,
        key: key.clone(),
        address: address.clone(),
        // Whoever asks for it by a shape says which.
        way: 0,
        cancel: Target::new(address.clone(), trust.clone(), greeting.cancel),
        reported: greeting.reported,
        prepared: super::prepared::Prepared::default(),
        parameters: Arc::new(Parameters::default()),
        last: None,
        traces: Traces::None,
        opened: now,
        used: now,
    })
}

/// A stream to the server, encrypted as `trust` wants it.
pub(super) async fn reach(address: &ServerAddress, trust: &Trust) -> Result<Stream, ConnectError> {
    let (host, port) = match address {
        ServerAddress::Unix(path) => return Ok(Stream::Unix(UnixStream::connect(&**path).await?)),
        ServerAddress::Tcp(host, port) => (&**host, *port),
    };
    let socket = dial(host, port).await?;
    let Some(config) = &trust.config else { return Ok(Stream::Tcp(socket)) };
    let name = ServerName::try_from(host.to_string()).map_err(|_| ConnectError::Unfit(format!("{host} is no name for TLS")))?;
    if !has_tls(&socket).await? {
        let why = || ConnectError::Unfit("it does not speak TLS, which sslmode asks for".into());
        return if trust.mode == SslMode::Prefer { Ok(Stream::Tcp(socket)) } else { Err(why()) };
    }
    match tls::connect(socket, config.clone(), name).await {
        Ok(tls) => Ok(Stream::Tls(tls)),
        Err(_) if trust.mode == SslMode::Prefer => Ok(Stream::Tcp(dial(host, port).await?)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(ConnectError::Unfit(format!("TLS: {error}"))),
        Err(error) => Err(error.into()),
    }
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let socket = TcpStream::connect((host, port)).await?;
    // A connection without them works too.
    let _ = socket.set_nodelay(true);
    let _ = rustix::net::sockopt::set_socket_keepalive(&socket, true);
    let _ = rustix::net::sockopt::set_tcp_keepidle(&socket, KEEPALIVE);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&socket, UNACKNOWLEDGED.as_millis() as u32);
    Ok(socket)
}

/// Whether the server goes on with TLS. Exactly one byte is read: what came behind it in plain text would not be TLS.
async fn has_tls(socket: &TcpStream) -> Result<bool, ConnectError> {
    write_all(socket, TLS_REQUEST).await?;
    let mut answer = [0];
    match (poll_fn(|context| poll_read(socket, context, &mut answer)).await?, answer) {
        (1, [b'S']) => Ok(true),
        (1, [b'N']) => Ok(false),
        (0, _) => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        // An error from before encryption could be anybody's: its text is not believed (CVE-2024-10977).
        (_, [b'E']) => Err(ConnectError::Unreachable("it refused before TLS".into())),
        _ => Err(ConnectError::Unfit("it is no Postgres server".into())),
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> ConnectError {
        match error.kind() {
            _ if is_of_this_side(&error) => ConnectError::OutOfDescriptors(error),
            io::ErrorKind::InvalidData => ConnectError::Unfit(error.to_string()),
            io::ErrorKind::UnexpectedEof => ConnectError::Unreachable("it closed the connection".into()),
            _ => ConnectError::Unreachable(error.to_string()),
        }
    }
}

impl ConnectError {
    /// Whether the same may work in a moment: the server is away, starts, stops, or recovers (57P03).
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            ConnectError::Verdict(said) => said.code() == code::CANNOT_CONNECT_NOW,
            ConnectError::Unreachable(_) | ConnectError::OutOfDescriptors(_) => true,
            ConnectError::Unfit(_) => false,
        }
    }
}
