//! Free ports for instances, below the range from which the kernel gives out ports for connections.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use socket2::{Domain, Socket, Type};

const FIRST: u16 = 20_000;
/// Used when the kernel's own range leaves no room below it.
const WITHOUT_ROOM: Range<u16> = FIRST..30_000;
const ROOM: u16 = 100;

/// Hands out ports. Clones share what is handed out.
#[derive(Debug, Clone)]
pub(crate) struct Ports(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    range: Range<u16>,
    next: AtomicU16,
    taken: Mutex<BTreeSet<u16>>,
}

/// A port that no other instance gets, of this or another Plimsoll, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    pub(crate) port: u16,
    ports: Ports,
    /// A name in the network namespace that only one process can hold, and that its end frees.
    _name: UnixDatagram,
}

impl Ports {
    /// Ports of this machine; `seed` spreads several Plimsolls over them.
    pub(crate) fn of_this_machine(seed: u32) -> Ports {
        let written = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
        Ports::within(below(&written), seed)
    }

    fn within(range: Range<u16>, seed: u32) -> Ports {
        let offset = (seed.wrapping_mul(2_654_435_761) % u32::from(range.end - range.start)) as u16;
        Ports(Arc::new(Shared { next: AtomicU16::new(offset), range, taken: Mutex::default() }))
    }

    /// The next port that is free now.
    pub(crate) fn reserve(&self) -> io::Result<Reserved> {
        let Range { start, end } = self.0.range;
        for _ in start..end {
            let step = self.0.next.fetch_add(1, Ordering::Relaxed);
            let port = start + step % (end - start);
            if let Some(reserved) = self.try_reserve(port) {
                return Ok(reserved);
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, format!("no port from {start} to {end} is free")))
    }

    fn try_reserve(&self, port: u16) -> Option<Reserved> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.contains(&port) || !is_free(port) {
            return None;
        }
        let name = SocketAddr::from_abstract_name(format!("plimsoll.port.{port}")).ok()?;
        let name = UnixDatagram::bind_addr(&name).ok()?;
        taken.insert(port);
        Some(Reserved { port, ports: self.clone(), _name: name })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.ports.0.taken.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.port);
    }
}

/// The ports below the kernel's range, written as in /proc.
fn below(written: &str) -> Range<u16> {
    let low = written.split_ascii_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(0);
    if low >= FIRST + ROOM { FIRST..low } else { WITHOUT_ROOM }
}

/// Whether a server could listen on it, whatever address it chooses.
fn is_free(port: u16) -> bool {
    let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
    Socket::new(Domain::IPV4, Type::STREAM, None).and_then(|socket| socket.bind(&address.into())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_lie_below_the_kernels_own() {
        assert_eq!(below("32768\t60999\n"), 20_000..32_768);
        assert_eq!(below("1024 65535"), WITHOUT_ROOM);
        assert_eq!(below(""), WITHOUT_ROOM);
    }

    #[test]
    fn no_port_is_handed_out_twice() {
        let ports = Ports::of_this_machine(std::process::id());
        let other = Ports(Arc::new(Shared {
            range: ports.0.range.clone(),
            next: AtomicU16::new(ports.0.next.load(Ordering::Relaxed)),
            taken: Mutex::default(),
        }));
        let held: Vec<Reserved> = (0..20).flat_map(|_| [ports.reserve().unwrap(), other.reserve().unwrap()]).collect();
        let distinct: BTreeSet<u16> = held.iter().map(|reserved| reserved.port).collect();
        assert_eq!(distinct.len(), held.len());
    }

    #[test]
    fn a_port_that_listens_is_passed_over_and_a_dropped_one_comes_back() {
        let ports = Ports::of_this_machine(std::process::id() ^ 0xffff);
        let first = ports.reserve().unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", first.port)).unwrap();
        let one = Ports::within(first.port..first.port + 1, 0);
        drop(first);
        assert!(one.reserve().is_err());
        drop(listener);
        assert!(one.reserve().is_ok());
    }
}
