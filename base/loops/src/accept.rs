use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::time::Duration;

use tokio::net::TcpStream;

/// How long a loop waits when no connection can be accepted: mostly the process has no descriptor left.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// What a listening socket brings.
#[derive(Debug)]
pub enum Accepted {
    /// A connection, and from where.
    Client(TcpStream, SocketAddr),
    /// No connection can be accepted, and the one before could: worth a line.
    Failing(io::Error),
    /// Still none, 50 ms later: worth a count.
    StillFailing,
    /// They are accepted again; the first comes next.
    Again,
    /// The socket cannot be used at all; nothing comes any more.
    Unusable(io::Error),
}

/// Accepts on `socket`, on the loop that it is called on, until `stop`; what the kernel has queued by then is still given out.
pub async fn accept(socket: TcpListener, stop: impl Future<Output = ()>, mut each: impl FnMut(Accepted)) {
    let listener = match tokio::net::TcpListener::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => return each(Accepted::Unusable(error)),
    };
    let (mut stop, mut is_failing) = (pin!(stop), false);
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Ok((stream, address)) => {
                if std::mem::take(&mut is_failing) {
                    each(Accepted::Again);
                }
                each(Accepted::Client(stream, address));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                let before = std::mem::replace(&mut is_failing, true);
                each(if before { Accepted::StillFailing } else { Accepted::Failing(error) });
                crate::time::sleep(NO_DESCRIPTOR).await;
            }
        }
    }
}

/// The client was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_kernel_has_queued_when_it_stops_is_given_out() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let clients: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        let mut seen = Vec::new();
        accept(socket, tokio::task::yield_now(), |accepted| match accepted {
            Accepted::Client(_, from) => seen.push(from),
            other => panic!("{other:?}"),
        })
        .await;
        assert_eq!(seen, clients.iter().map(|client| client.local_addr().unwrap()).collect::<Vec<_>>());
    }
}
