use std::io::Result;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Policy, Work};

/// HAProxy as its documentation tunes it: connections to the app shared and kept, counters on as always.
pub fn command(program: &Path, work: &Work, address: SocketAddr, scratch: &Path) -> Result<Command> {
    let file = scratch.join("haproxy.cfg");
    std::fs::write(&file, settings(work, address))?;
    let mut command = Command::new(program);
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

fn settings(work: &Work, address: SocketAddr) -> String {
    let balance = if work.policy == Policy::LeastConnections { "leastconn" } else { "roundrobin" };
    let (timeout, health, check) = match work.health {
        false => ("60s", String::new(), ""),
        true => (
            "1s",
            "  option httpchk GET /healthz\n  retry-on all-retryable-errors\n  retries 1\n  option redispatch 1\n  timeout check 1s\n"
                .to_string(),
            " check inter 1s fall 2 rise 1",
        ),
    };
    let servers: String =
        work.endpoints.iter().enumerate().map(|(index, endpoint)| format!("  server s{index} {endpoint}{check}\n")).collect();
    format!(
        "global\n  nbthread {}\n  maxconn 8192\ndefaults\n  mode http\n  timeout connect 3s\n  timeout client 75s\n  timeout http-request 10s
  timeout server {timeout}\n  http-reuse always\n  option http-keep-alive\n  option forwardfor\nfrontend door\n  bind {address} backlog 4096
  http-response add-header Via \"1.1 haproxy\"\n  default_backend app
backend app\n  balance {balance}\n{health}{servers}",
        work.threads
    )
}
