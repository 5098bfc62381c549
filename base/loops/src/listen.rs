use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections the kernel holds until a loop takes them (bounded by net.core.somaxconn).
const BACKLOG: i32 = 4096;

/// One address listened on, with a socket for each loop. It lives as long as its address is wanted: a reload keeps it.
#[derive(Debug)]
pub struct Listener {
    /// What was asked for; the port may be 0.
    pub asked: SocketAddr,
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    sockets: Vec<TcpListener>,
}

/// Why an address cannot be listened on, and what to do.
#[derive(Debug)]
pub struct ListenError {
    /// What was asked for.
    pub address: SocketAddr,
    /// What the system said.
    pub cause: io::Error,
}

impl Listener {
    /// Another descriptor of loop `index`'s socket, non-blocking.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn socket(&self, index: usize) -> io::Result<TcpListener> {
        self.sockets[index].try_clone()
    }

    /// Other descriptors of the same sockets: what waits there is anybody's, and nothing is reset when one of both is dropped.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn share(&self) -> io::Result<Listener> {
        let sockets = self.sockets.iter().map(TcpListener::try_clone).collect::<io::Result<_>>()?;
        Ok(Listener { asked: self.asked, address: self.address, sockets })
    }
}

impl ListenError {
    /// Whether something else listens there.
    pub fn is_taken(&self) -> bool {
        self.cause.kind() == ErrorKind::AddrInUse
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "cannot listen on {}: ", self.address)?;
        match self.cause.kind() {
            ErrorKind::AddrInUse => write!(out, "another program listens there; stop it or write another port"),
            ErrorKind::PermissionDenied => write!(
                out,
                "ports below {} need a right this process does not have; write a higher port, run as root, or give the binary CAP_NET_BIND_SERVICE",
                1024
            ),
            ErrorKind::AddrNotAvailable => {
                write!(out, "this machine has no such address; write one of its own, 0.0.0.0 for all of them, or 127.0.0.1")
            }
            _ => write!(out, "{}", self.cause),
        }
    }
}

impl std::error::Error for ListenError {}

/// Listens on `address` with one socket for each of `loops` loops; port 0 takes a free one.
///
/// The port is first asked for alone (without `SO_REUSEPORT`), so that two processes never share it by accident.
///
/// # Errors
/// [`ListenError`] when the address is taken, not ours or not allowed.
pub fn listen(address: SocketAddr, loops: usize) -> Result<Listener, ListenError> {
    let fail = |cause| ListenError { address, cause };
    // It listens, alone, until our sockets do: there is no moment at which another process could join or take the port.
    let alone = open(address, false).map_err(fail)?;
    let real = local(&alone).map_err(fail)?;
    alone.set_reuse_port(true).map_err(fail)?;
    open_all(address, real, loops)
}

/// As [`listen`], and also where one of `ours`, addresses that this process listens on, is in the way: as `127.0.0.1:80` is for
/// `0.0.0.0:80`. Of two such the narrower address has its connections as long as it is listened on.
///
/// # Errors
/// As [`listen`].
pub fn listen_beside(address: SocketAddr, loops: usize, ours: &[SocketAddr]) -> Result<Listener, ListenError> {
    match listen(address, loops) {
        Err(error) if error.is_taken() && ours.iter().any(|held| overlap(*held, address)) => open_all(address, address, loops),
        opened => opened,
    }
}

/// Whether two sockets would meet there.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let (a, b) = (one.ip().to_canonical(), other.ip().to_canonical());
    one.port() == other.port() && (a == b || a.is_unspecified() || b.is_unspecified())
}

fn open_all(asked: SocketAddr, address: SocketAddr, loops: usize) -> Result<Listener, ListenError> {
    let fail = |cause| ListenError { address: asked, cause };
    let sockets = (0..loops.max(1)).map(|_| open(address, true)).collect::<io::Result<Vec<_>>>().map_err(fail)?;
    Ok(Listener { asked, address, sockets: sockets.into_iter().map(Into::into).collect() })
}

fn open(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit it: an answer's last piece never waits for an acknowledgement.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn local(socket: &Socket) -> io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| io::Error::other("not an internet address"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn any() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn port_0_is_a_real_port_on_every_loop() {
        let listener = listen(any(), 3).unwrap();
        assert_ne!(listener.address.port(), 0);
        for index in 0..3 {
            assert_eq!(listener.socket(index).unwrap().local_addr().unwrap(), listener.address);
        }
        TcpStream::connect(listener.address).unwrap();
    }

    #[test]
    fn a_taken_port_is_an_error_even_if_it_is_shared() {
        let first = listen(any(), 2).unwrap();
        let error = listen(first.address, 2).unwrap_err();
        assert!(error.is_taken());
        assert!(error.to_string().contains("another program listens there"), "{error}");
    }

    #[test]
    fn of_many_at_once_one_gets_the_port() {
        for _ in 0..50 {
            let free = listen(any(), 1).unwrap().address;
            let start = std::sync::Barrier::new(4);
            let won = std::thread::scope(|scope| {
                let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| (start.wait(), listen(free, 2).ok()).1)).collect();
                tries.into_iter().filter_map(|one| one.join().unwrap()).collect::<Vec<_>>().len()
            });
            assert!(won <= 1, "{won} share {free}");
        }
    }

    #[test]
    fn a_closed_port_is_free_at_once() {
        let first = listen(any(), 2).unwrap();
        let address = first.address;
        let client = TcpStream::connect(address).unwrap();
        drop((first, client));
        listen(address, 2).unwrap();
    }

    #[test]
    fn an_address_grows_and_shrinks_beside_itself() {
        let narrow = listen(any(), 2).unwrap();
        let all: SocketAddr = ([0, 0, 0, 0], narrow.address.port()).into();
        assert!(listen(all, 2).unwrap_err().is_taken() && listen_beside(all, 2, &[any()]).unwrap_err().is_taken());
        let wide = listen_beside(all, 2, &[narrow.address]).unwrap();
        drop(narrow);
        TcpStream::connect(("127.0.0.1", all.port())).unwrap();
        let narrow = listen_beside(([127, 0, 0, 1], all.port()).into(), 2, &[wide.address]).unwrap();
        drop(wide);
        TcpStream::connect(narrow.address).unwrap();
    }

    #[test]
    fn of_an_address_that_is_partly_anothers_nothing_is_taken() {
        let ours = listen(any(), 1).unwrap();
        let (port, theirs) = (ours.address.port(), TcpListener::bind(("127.0.0.2", ours.address.port())));
        let _theirs = theirs.unwrap();
        assert!(listen_beside(([0, 0, 0, 0], port).into(), 1, &[ours.address]).unwrap_err().is_taken());
    }

    #[test]
    fn what_waits_at_shared_sockets_outlives_one_of_both() {
        let one = listen(any(), 1).unwrap();
        let other = one.share().unwrap();
        let client = TcpStream::connect(one.address).unwrap();
        drop(one);
        let accepted = other.socket(0).unwrap().accept().unwrap();
        assert_eq!(accepted.1, client.local_addr().unwrap());
    }

    #[test]
    fn a_strange_address_says_what_to_do() {
        let error = listen("192.0.2.1:0".parse().unwrap(), 1).unwrap_err();
        assert!(error.to_string().contains("no such address"), "{error}");
    }
}
