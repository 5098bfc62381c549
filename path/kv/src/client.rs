//! client: a connection from its first byte on, and what is known of who uses it.

pub(crate) mod accept;

use std::net::SocketAddr;

use crate::frame::{Limits, Protocol};

/// One client, as its commands see it.
#[derive(Debug)]
pub(crate) struct Client {
    /// A number that no other client has.
    pub(crate) id: u64,
    pub(crate) address: SocketAddr,
    pub(crate) name: Box<[u8]>,
    pub(crate) protocol: Protocol,
    /// What it may send.
    pub(crate) limits: Limits,
    /// It is closed once the commands up to here are answered.
    pub(crate) leaves: bool,
}

impl Client {
    pub(crate) fn new(id: u64, address: SocketAddr) -> Client {
        Client { id, address, name: Box::default(), protocol: Protocol::Resp2, limits: Limits::default(), leaves: false }
    }
}
