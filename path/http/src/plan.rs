//! What the door shall do: checked and complete, plain data, made from the file by `settings.rs`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The HTTP door's whole plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Addresses to listen on, at least one.
    pub listen: Vec<Listen>,
    /// Host names served, lower case, without port; empty: any. Another host is 421.
    pub hosts: Vec<String>,
    /// Networks of peers whose `Forwarded`/`X-Forwarded-*` are believed.
    pub trust: Vec<Network>,
    /// Which requests the access log tells of.
    pub log: AccessLog,
    /// Bounds.
    pub max: Max,
    /// Waits.
    pub timeout: Timeout,
    /// The static site, if there is one.
    pub site: Option<Site>,
    /// Apps that take requests, each with at least one prefix.
    pub apps: Vec<AppRoute>,
}

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Port 0: a free one.
    pub address: SocketAddr,
    /// Written in the file (a taken port is an error) or the default (a taken port means another one).
    pub written: bool,
}

/// An address range, `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Its first address.
    pub base: IpAddr,
    /// Leading bits that must agree.
    pub bits: u8,
}

impl Network {
    /// Whether `address` lies inside; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        fn agree(a: u128, b: u128, width: u32, bits: u8) -> bool {
            bits == 0 || (a ^ b) >> (width - u32::from(bits)) == 0
        }
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => agree(u32::from(base).into(), u32::from(address).into(), 32, self.bits),
            (IpAddr::V6(base), IpAddr::V6(address)) => agree(base.into(), address.into(), 128, self.bits),
            _ => false,
        }
    }
}

/// `[http] log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// None.
    Off,
    /// One request of a hundred, and every answer of 500 and above.
    Sampled,
    /// Every request.
    Full,
}

/// `[http.max]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Max {
    /// Bytes of a request body; beyond it 413. Default 10 MB.
    pub body: u64,
    /// Bytes of a request or response head; beyond it 431. A target has at most 8 KB, or this when it is
    /// less; beyond it 414. Default 32 KB.
    pub head: usize,
    /// Header fields of a head; beyond it 431. Default 100.
    pub headers: usize,
    /// Client connections in all; beyond it new ones are closed at once. Default 20,000.
    pub connections: usize,
    /// Client connections of one address. Default 1,000.
    pub connections_per_ip: usize,
    /// Requests of one app that wait for a first healthy endpoint; beyond it 503. Default 1,000.
    pub queue: usize,
    /// Requests open at one endpoint over all loops; beyond it another one or the queue. Default 1,000.
    pub in_flight: usize,
}

impl Default for Max {
    fn default() -> Max {
        Max { body: 10 << 20, head: 32 << 10, headers: 100, connections: 20_000, connections_per_ip: 1_000, queue: 1_000, in_flight: 1_000 }
    }
}

/// `[http.timeout]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// From the first byte of a request head to its last. Default 10 s, then 408.
    pub head: Duration,
    /// The longest pause inside a body, from or to a client. Default 30 s.
    pub body: Duration,
    /// A connection between requests. Default 75 s.
    pub idle: Duration,
    /// Connecting to an endpoint. Default 3 s.
    pub connect: Duration,
    /// From the request sent to the first byte of its answer. Default 60 s, then 504.
    pub first_byte: Duration,
    /// How long requests may finish at a stop or a reload. Default 30 s.
    pub drain: Duration,
    /// A connection to an endpoint between requests; below Node's 5 s. Default 4 s.
    pub upstream_idle: Duration,
    /// Waiting for a first healthy endpoint while an instance starts. Default 10 s, then 503.
    pub queue: Duration,
}

impl Default for Timeout {
    fn default() -> Timeout {
        let s = Duration::from_secs;
        Timeout { head: s(10), body: s(30), idle: s(75), connect: s(3), first_byte: s(60), drain: s(30), upstream_idle: s(4), queue: s(10) }
    }
}

/// `[site]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The folder, absolute.
    pub dir: PathBuf,
    /// A file that exists answers before any app.
    pub first: bool,
}

/// One app as the door sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRoute {
    /// Its name in the file.
    pub app: Arc<str>,
    /// Prefixes, each beginning with `/`; matched at `/` boundaries, the longest of all apps wins.
    pub routes: Vec<String>,
    /// Path of the health check; absent: the port accepts.
    pub health: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_compare_leading_bits() {
        let network = Network { base: "10.1.0.0".parse().unwrap(), bits: 16 };
        assert!(network.contains("10.1.255.3".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.0.1".parse().unwrap()));
        assert!(!network.contains("10.2.0.0".parse().unwrap()));
        assert!(Network { base: "::".parse().unwrap(), bits: 0 }.contains("fe80::1".parse().unwrap()));
    }
}
