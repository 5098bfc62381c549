//! `[console]`.

use std::net::SocketAddr;

/// The console's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where it listens; port 0: a free one.
    pub listen: SocketAddr,
    /// Written in the file (a taken port is an error) or the default (a taken port means another one).
    pub written: bool,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { listen: SocketAddr::from(([127, 0, 0, 1], 9000)), written: false }
    }
}
