//! Addresses and URLs of the file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::{Fault, nearest};

/// An address to listen on: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or `:80` for every address of the machine.
///
/// # Errors
/// No port, a bad one, or a name that is no address.
pub fn parse_listen(text: &str, ipv6: bool) -> Result<SocketAddr, Fault> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let bad = |reason: &str| Fault::new(format!("\"{text}\" is no address to listen on: {reason}"));
    if text.contains("://") {
        return Err(bad("it is a URL").hint("write the address alone, \"127.0.0.1:8080\""));
    }
    if text.parse::<u16>().is_ok() {
        return Err(bad("a port alone").hint(format!("write \"127.0.0.1:{text}\" for this machine only or \":{text}\" for everyone")));
    }
    if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Err(bad("the port is missing").hint(format!("write \"{}\"", SocketAddr::new(ip, 8080))));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(bad("the port is missing").hint("write \"127.0.0.1:8080\""));
    };
    let port = port.parse().map_err(|_| bad(&format!("`{port}` is no port")).hint("a port is 0 to 65535; 0 picks a free one"))?;
    match host {
        "" if ipv6 => Ok(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)),
        "" => Ok(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)),
        "localhost" => Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        _ => {
            Err(bad(&format!("`{host}` is no IP address"))
                .hint(format!("write an address of this machine, or \":{port}\" for all of them")))
        }
    }
}

/// The parts of a URL that matter to a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `postgres`.
    pub scheme: String,
    /// Hosts, in order; more than one for Sentinel and Cluster, none when the query names it (`?host=/run/postgresql`).
    pub hosts: Vec<String>,
    /// Whether it carries a password.
    pub password: bool,
}

impl Url {
    /// Whether it leads nowhere but to this machine.
    pub fn is_loopback(&self) -> bool {
        let is_socket = |host: &str| host.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2F"));
        self.hosts.iter().all(|host| host == "localhost" || is_socket(host) || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()))
    }
}

/// Takes a URL apart: `scheme://[user[:password]@]host[:port][,host…][/path]`.
///
/// # Errors
/// No scheme or one that does not belong here, no host, a bad port, blanks. The URL itself is not repeated: it may hold a password.
pub fn parse_url(text: &str, schemes: &[&str]) -> Result<Url, Fault> {
    let example = format!("write \"{}://…\"", schemes[0]);
    let (scheme, rest) = text.split_once("://").ok_or_else(|| Fault::new("the URL has no scheme").hint(&example))?;
    if !schemes.contains(&scheme) {
        let near = nearest(scheme, schemes.iter().copied()).map_or(example, |near| format!("did you mean `{near}`?"));
        return Err(Fault::new(format!("a URL with `{scheme}://` does not fit here")).hint(near));
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Fault::new("the URL contains a blank").hint("write it as %20"));
    }
    if scheme == "file" {
        return match rest.strip_prefix('/') {
            Some(_) => Ok(Url { scheme: scheme.into(), hosts: Vec::new(), password: false }),
            None => Err(Fault::new("a file URL needs an absolute path").hint("write three slashes, \"file:///var/…\"")),
        };
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let hosts = match hosts {
        "" if names_host(rest) => Vec::new(),
        hosts => hosts.split(',').map(host).collect::<Result<Vec<_>, _>>()?,
    };
    Ok(Url { scheme: scheme.into(), hosts, password: user.contains(':') })
}

/// Whether the host stands behind the `?`, as libpq allows.
fn names_host(rest: &str) -> bool {
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|parameter| parameter.strip_prefix("host=").is_some_and(|host| !host.is_empty()))
}

fn host(text: &str) -> Result<String, Fault> {
    let (host, port) = match text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, after)) => (inner, after.strip_prefix(':')),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() {
        return Err(Fault::new("the URL has no host"));
    }
    match port {
        Some(port) if port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(host.into()),
        Some(port) => Err(Fault::new(format!("`{port}` is no port")).hint("a port is 1 to 65535")),
        None => Ok(host.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_listen_on() {
        assert_eq!(parse_listen(":80", true).unwrap().to_string(), "[::]:80");
        assert_eq!(parse_listen(":80", false).unwrap().to_string(), "0.0.0.0:80");
        assert_eq!(parse_listen("localhost:0", true).unwrap().to_string(), "127.0.0.1:0");
        for bad in ["8080", "127.0.0.1", "::1", "http://127.0.0.1:1", "example.com:80", "127.0.0.1:99999", "", "a"] {
            assert!(parse_listen(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls_are_taken_apart() {
        let url = parse_url("postgres://app:s@[::1]:5432/shop?x=1", &["postgres"]).unwrap();
        assert!(url.password && url.is_loopback());
        let sentinel = parse_url("redis-sentinel://a:26379,b/main", &["redis", "redis-sentinel"]).unwrap();
        assert_eq!((sentinel.hosts.join(" "), sentinel.is_loopback()), ("a b".into(), false));
        for socket in ["postgres://app:s@%2Frun%2Fpostgresql/shop", "postgres:///shop?user=app&host=/run/postgresql"] {
            assert!(parse_url(socket, &["postgres"]).unwrap().is_loopback(), "{socket}");
        }
        assert_eq!(parse_url("postgre://a", &["postgres"]).unwrap_err().suggestion.unwrap(), "did you mean `postgres`?");
        for bad in ["a", "postgres://", "postgres://a:0", "postgres://a:x/", "postgres://a b"] {
            assert!(parse_url(bad, &["postgres"]).is_err(), "{bad}");
        }
    }
}
