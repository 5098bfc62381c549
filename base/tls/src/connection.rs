//! TLS over a TCP socket of this loop: rustls does the protocol, this moves the bytes.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use loops::socket::{self, Seen};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use tokio::net::TcpStream;

/// Plain bytes encrypted at a time: what rustls takes without being flushed.
const CHUNK: usize = 64 * 1024;

/// A TLS connection after its handshake.
#[derive(Debug)]
pub struct Tls {
    /// `None` only on the way from one loop to another.
    socket: Option<TcpStream>,
    connection: Connection,
    /// Decrypted bytes that nobody has read.
    plain: usize,
    /// The other side said farewell.
    is_ended: bool,
}

/// The socket as rustls wants it: an operation that would block says so and has left its waker.
struct Polled<'a, 'c>(&'a TcpStream, &'a mut Context<'c>);

/// Shakes hands with a client; `already` came before anything was read by TLS.
///
/// # Errors
/// The connection failed, or the other side does not speak TLS as we do; it was told so.
pub async fn accept(socket: TcpStream, config: Arc<ServerConfig>, already: &[u8]) -> io::Result<Box<Tls>> {
    let mut connection = Connection::from(ServerConnection::new(config).map_err(io::Error::other)?);
    let mut already = already;
    while !already.is_empty() {
        connection.read_tls(&mut already)?;
        connection = process(connection, &socket).await?;
    }
    shake_hands(socket, connection).await
}

/// Shakes hands with a server.
///
/// # Errors
/// As [`accept`]; or its certificate is not believed.
pub async fn connect(socket: TcpStream, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Box<Tls>> {
    let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
    shake_hands(socket, connection.into()).await
}

async fn shake_hands(socket: TcpStream, mut connection: Connection) -> io::Result<Box<Tls>> {
    loop {
        poll_fn(|context| poll_flush(&mut connection, &socket, context)).await?;
        if !connection.is_handshaking() {
            let mut tls = Tls::new(socket, connection);
            // What came with the last message of the handshake was decrypted with it.
            tls.process()?;
            return Ok(Box::new(tls));
        }
        if poll_fn(|context| poll_receive(&mut connection, &socket, context)).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        connection = process(connection, &socket).await?;
    }
}

/// Off the loop: a signature takes up to a millisecond.
async fn process(mut connection: Connection, socket: &TcpStream) -> io::Result<Connection> {
    let processed = tokio::task::spawn_blocking(move || {
        let result = connection.process_new_packets();
        (connection, result)
    });
    let (mut connection, result) = processed.await.map_err(io::Error::other)?;
    if let Err(error) = result {
        // The alert says why; whether it arrives does not matter any more.
        let _ = poll_fn(|context| poll_flush(&mut connection, socket, context)).await;
        return Err(io::Error::new(ErrorKind::InvalidData, error));
    }
    Ok(connection)
}

fn poll_flush(connection: &mut Connection, socket: &TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
    while connection.wants_write() {
        ready!(polled(connection.write_tls(&mut Polled(socket, context))))?;
    }
    Poll::Ready(Ok(()))
}

fn poll_receive(connection: &mut Connection, socket: &TcpStream, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
    polled(connection.read_tls(&mut Polled(socket, context)))
}

fn polled<T>(result: io::Result<T>) -> Poll<io::Result<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
        other => Poll::Ready(other),
    }
}

impl Tls {
    fn new(socket: TcpStream, connection: Connection) -> Tls {
        Tls { socket: Some(socket), connection, plain: 0, is_ended: false }
    }

    /// Reads into `space`, which is not empty; `Ok(0)` is the end.
    pub fn poll_read(&mut self, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.connection.reader().read(space) {
                Ok(count) => {
                    self.plain = self.plain.saturating_sub(count);
                    return Poll::Ready(Ok(count));
                }
                // The end without a farewell: the protocol inside has one of its own.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Poll::Ready(Ok(0)),
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                Err(_) => {}
            }
            ready!(self.poll_more(context))?;
        }
    }

    /// Ready when a read has something to give: bytes, the end or an error. It needs no space.
    pub fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.plain == 0 && !self.is_ended {
            if ready!(self.poll_more(context))? == 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Takes some of `bytes`, which are not empty. They go as far as the kernel takes them; the rest goes when this, a read or a flush is
    /// polled again.
    pub fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(context))?;
        let count = self.connection.writer().write(&bytes[..bytes.len().min(CHUNK)])?;
        let _ = self.poll_flush(context)?;
        Poll::Ready(Ok(count))
    }

    /// Ready when all that was taken is with the kernel.
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_flush(&mut self.connection, registered(&self.socket), context)
    }

    /// The protocol that both sides agreed on (ALPN).
    pub fn agreed(&self) -> Option<&[u8]> {
        self.connection.alpn_protocol()
    }

    /// The other side's own certificate (DER), if it showed one.
    pub fn certificate(&self) -> Option<&[u8]> {
        self.connection.peer_certificates()?.first().map(|own| &**own)
    }

    /// Where the other side is; `None`: it is gone.
    pub fn peer(&self) -> Option<std::net::SocketAddr> {
        registered(&self.socket).peer_addr().ok()
    }

    /// What lies in it; `seen` looks at the socket.
    pub(crate) fn seen(&self, seen: impl FnOnce(&TcpStream) -> Seen) -> Seen {
        if self.plain > 0 { Seen::Bytes } else { seen(registered(&self.socket)) }
    }

    /// Its socket, to be registered elsewhere.
    pub(crate) fn take_socket(&mut self) -> Option<TcpStream> {
        self.socket.take()
    }

    /// A socket that was taken, registered with this loop.
    pub(crate) fn put_socket(&mut self, socket: TcpStream) {
        self.socket = Some(socket);
    }

    /// Reads the socket once and decrypts; 0 is the end.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // What was written and did not fit; when it fails, so does the read.
        let _ = self.poll_flush(context);
        let count = ready!(poll_receive(&mut self.connection, registered(&self.socket), context))?;
        let processed = self.process();
        // An alert or a new key.
        let _ = self.poll_flush(context);
        processed?;
        Poll::Ready(Ok(count))
    }

    fn process(&mut self) -> io::Result<()> {
        let state = self.connection.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        (self.plain, self.is_ended) = (state.plaintext_bytes_to_read(), state.peer_has_closed());
        Ok(())
    }
}

fn registered(socket: &Option<TcpStream>) -> &TcpStream {
    socket.as_ref().expect("a stream in use is registered")
}

impl Drop for Tls {
    /// Says farewell as TLS wants it, if the socket takes it at once.
    fn drop(&mut self) {
        let Some(socket) = &self.socket else { return };
        self.connection.send_close_notify();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let _ = poll_flush(&mut self.connection, socket, &mut context);
    }
}

impl Read for Polled<'_, '_> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        unpolled(socket::poll_read(self.0, self.1, space))
    }
}

impl Write for Polled<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unpolled(socket::poll_write(self.0, self.1, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unpolled<T>(polled: Poll<io::Result<T>>) -> io::Result<T> {
    match polled {
        Poll::Ready(result) => result,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}
