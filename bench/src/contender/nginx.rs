use std::io::Result;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::{Policy, Work};

/// nginx as its documentation tunes it: keep-alive to the app, no access log, no cap on requests, bodies streamed,
/// sendfile and a cache of open files.
pub fn command(program: &Path, work: &Work, address: SocketAddr, scratch: &Path) -> Result<Command> {
    let file = scratch.join("nginx.conf");
    std::fs::write(&file, settings(work, address, scratch))?;
    let mut command = Command::new(program);
    command.arg("-p").arg(scratch).arg("-e").arg(scratch.join("error.log")).arg("-c").arg(file);
    Ok(command)
}

fn settings(work: &Work, address: SocketAddr, scratch: &Path) -> String {
    let user = if rustix::process::getuid().is_root() { "user root;\n" } else { "" };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("    {name}_temp_path {}/{name};\n", scratch.display()))
        .concat();
    let (upstream, location) = match &work.folder {
        Some(folder) => (String::new(), format!("root {};", folder.display())),
        None => (upstream(work), proxy(work)),
    };
    format!(
        "{user}daemon off;\nworker_processes {};\nworker_rlimit_nofile 16400;\npid {scratch}/nginx.pid;\nerror_log {scratch}/error.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000000;
    client_max_body_size 64m;
    client_header_timeout 10s;
    client_body_timeout 30s;
    open_file_cache max=1000 inactive=60s;
    open_file_cache_valid 60s;
    default_type application/octet-stream;
{temporary}{upstream}    server {{
        listen {address} reuseport backlog=4096;
        location / {{ {location} }}
    }}
}}
",
        work.threads,
        scratch = scratch.display(),
    )
}

fn upstream(work: &Work) -> String {
    let policy = if work.policy == Policy::LeastConnections { "least_conn; " } else { "" };
    let servers: String = work.endpoints.iter().map(|endpoint| format!("server {endpoint}; ")).collect();
    format!("    upstream app {{ {policy}{servers}keepalive 256; keepalive_requests 1000000000; }}\n")
}

fn proxy(work: &Work) -> String {
    let mut text = "proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $http_host; \
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; add_header Via \"1.1 nginx\"; \
        proxy_request_buffering off; proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_buffer_size 16k; proxy_busy_buffers_size 256k;"
        .to_string();
    if work.health {
        text += " proxy_read_timeout 1s; proxy_connect_timeout 1s; proxy_next_upstream error timeout; proxy_next_upstream_tries 2;";
    }
    text
}
