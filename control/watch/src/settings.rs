//! `[console]`: its definition, and the plan made of it.

use std::net::SocketAddr;

use settings::{Fault, Key, Kind, Report, Section, Table, Value};

const DEFAULT: &str = "127.0.0.1:9000";

/// `[console]`.
pub const CONSOLE: Section = Section::new(
    "The console's listener: `/metrics`, `/healthz`. It is always there.",
    &[
        Key::new("listen", Kind::Listen, "Its address; beyond this machine it needs a token.").default(DEFAULT),
        Key::new("token", Kind::Secret, "Who comes from beyond this machine must show it.").unbuilt(),
    ],
)
.rule(beyond_loopback)
.mistaken(&[("port", "write `listen = \"127.0.0.1:9000\"`"), ("address", "write `listen`"), ("host", "write `listen`")]);

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

/// What the file says about the console, checked key by key.
#[derive(Debug)]
pub struct Settings<'a> {
    /// `[console]`, when it is written.
    pub console: Option<&'a Table>,
}

impl Settings<'_> {
    /// The plan.
    pub fn plan(self) -> Plan {
        match self.console.and_then(|table| table.get("listen")).map(|item| &item.value) {
            Some(Value::Listen(listen)) => Plan { listen: *listen, written: true },
            _ => Plan::default(),
        }
    }
}

/// Who could reach the console without proving anything may not.
fn beyond_loopback(console: &Table, report: &mut Report) {
    let Some(item) = console.get("listen") else { return };
    if let Value::Listen(address) = item.value
        && !address.ip().to_canonical().is_loopback()
        && !console.has("token")
    {
        let fault =
            Fault::new(format!("`{}.listen`: the console listens beyond this machine, and nobody has to prove who they are", console.path));
        report.problem(item.place, fault.hint(format!("write \"127.0.0.1:{}\" and come by an SSH tunnel", address.port())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_one_in_the_reference() {
        assert_eq!(Settings { console: None }.plan().listen.to_string(), DEFAULT);
    }
}
