//! `primary`: a URL as libpq reads it, taken apart. No message repeats it: it holds a password.
//!
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

use std::net::IpAddr;
use std::path::Path;

use contract::ServerAddress;
use settings::{Fault, World, nearest};

use crate::server::Trust;
use crate::{Password, ServerTls, SslMode};

const MODES: [(&str, SslMode); 6] = [
    ("disable", SslMode::Disable),
    ("allow", SslMode::Prefer),
    ("prefer", SslMode::Prefer),
    ("require", SslMode::Require),
    ("verify-ca", SslMode::VerifyCa),
    ("verify-full", SslMode::VerifyFull),
];

/// Parameters that would change what a session is or how it is secured, and that nothing here does.
const REFUSED: [&str; 8] = ["options", "sslcert", "sslkey", "sslcrl", "hostaddr", "service", "passfile", "requirepeer"];

/// A server and how to come in there.
#[derive(Debug)]
pub(super) struct Primary {
    pub(super) address: ServerAddress,
    pub(super) user: String,
    pub(super) password: Password,
    pub(super) database: String,
    pub(super) tls: ServerTls,
    /// Parameters that are left out without harm.
    pub(super) ignored: Vec<Fault>,
}

/// The parts as they are written, decoded; what the query says wins.
#[derive(Default)]
struct Parts {
    host: String,
    port: String,
    user: String,
    password: String,
    database: String,
    mode: Option<String>,
    roots: Option<String>,
    ignored: Vec<Fault>,
}

impl Primary {
    pub(super) fn parse(url: &str, world: &World) -> Result<Primary, Fault> {
        let parts = Parts::of(url)?;
        if parts.user.is_empty() {
            return Err(Fault::new("the URL has no user").hint("write \"postgres://USER:PASSWORD@HOST/DATABASE\""));
        }
        if parts.password.is_empty() {
            return Err(Fault::new("the URL has no password, by which the door knows who comes in")
                .hint("write \"postgres://USER:PASSWORD@HOST/DATABASE\""));
        }
        let address = parts.address()?;
        Ok(Primary {
            tls: parts.tls(&address, world)?,
            address,
            database: if parts.database.is_empty() { parts.user.clone() } else { parts.database },
            user: parts.user,
            password: Password(parts.password.into()),
            ignored: parts.ignored,
        })
    }
}

impl Parts {
    fn of(url: &str) -> Result<Parts, Fault> {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (host, port) = split_port(place);
        let mut parts = Parts {
            host: decoded(host)?,
            port: port.into(),
            user: decoded(user)?,
            password: decoded(password)?,
            database: decoded(database)?,
            ..Parts::default()
        };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            parts.parameter(name, decoded(value)?)?;
        }
        Ok(parts)
    }

    fn parameter(&mut self, name: &str, value: String) -> Result<(), Fault> {
        match name {
            "host" => self.host = value,
            "port" => self.port = value,
            "user" => self.user = value,
            "dbname" => self.database = value,
            "sslmode" => self.mode = Some(value),
            "sslrootcert" => self.roots = Some(value),
            "password" => return Err(Fault::new("the password stands behind the `?`").hint("write it before the host: USER:PASSWORD@HOST")),
            refused if REFUSED.contains(&refused) => {
                return Err(Fault::new(format!("the parameter `{refused}` is not understood here")).hint("remove it"));
            }
            other => self.ignored.push(Fault::new(format!("the parameter `{other}` has no effect here")).hint("remove it")),
        }
        Ok(())
    }

    fn address(&self) -> Result<ServerAddress, Fault> {
        let port = match self.port.as_str() {
            "" => 5432,
            text => text
                .parse()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| Fault::new("the URL's port is none").hint("a port is 1 to 65535"))?,
        };
        match self.host.as_str() {
            "" => Err(Fault::new("the URL has no host")),
            folder if folder.starts_with('/') => Ok(ServerAddress::Unix(Path::new(folder).join(format!(".s.PGSQL.{port}")).into())),
            hosts if hosts.contains(',') => {
                Err(Fault::new("the URL names more than one host").hint("name the one that writes; a standby comes with a later version"))
            }
            host => Ok(ServerAddress::Tcp(host.into(), port)),
        }
    }

    /// On this machine nobody listens on the way: there it takes `sslmode` to have TLS.
    fn tls(&self, address: &ServerAddress, world: &World) -> Result<ServerTls, Fault> {
        let near = match address {
            ServerAddress::Unix(_) => true,
            ServerAddress::Tcp(host, _) => &**host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
        };
        let system = self.roots.as_deref() == Some("system");
        let mode = match &self.mode {
            Some(text) => mode(text)?,
            None if system => SslMode::VerifyFull,
            None if near => SslMode::Disable,
            None => SslMode::Prefer,
        };
        let roots = self.roots.as_ref().filter(|_| !system).map(|path| world.path(path));
        if let Some(roots) = roots.as_ref().filter(|_| mode != SslMode::Disable) {
            std::fs::File::open(roots)
                .map_err(|error| Fault::new(format!("`sslrootcert`: {} cannot be read: {error}", roots.display())))?;
        }
        let tls = ServerTls { mode, roots };
        if tls.roots.is_some() {
            // As the door will.
            Trust::new(&tls).map_err(Fault::new)?;
        }
        Ok(tls)
    }
}

fn mode(text: &str) -> Result<SslMode, Fault> {
    let known = MODES.iter().find(|(name, _)| *name == text);
    known.map(|(_, mode)| *mode).ok_or_else(|| {
        let names = MODES.map(|(name, _)| name);
        let hint =
            nearest(text, names).map_or_else(|| format!("known here: {}", names.join(", ")), |near| format!("did you mean `{near}`?"));
        Fault::new(format!("`sslmode` {text:?} is not known")).hint(hint)
    })
}

/// `[::1]:5432` and `db1:5432`.
fn split_port(place: &str) -> (&str, &str) {
    match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or("")),
        None => place.split_once(':').unwrap_or((place, "")),
    }
}

/// `%40` is `@`.
fn decoded(text: &str) -> Result<String, Fault> {
    let broken = || Fault::new("a `%` in the URL is not followed by two hexadecimal digits").hint("a percent sign itself is written %25");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| (digit as char).to_digit(16));
                let (high, low) = (digit().ok_or_else(broken)?, digit().ok_or_else(broken)?);
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(Fault::new("a part of the URL is no text when its %XX are decoded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        World { folder: "/".into(), environment: Default::default(), root: false, ipv6: true }
    }

    fn parse(url: &str) -> Result<Primary, Fault> {
        Primary::parse(url, &world())
    }

    #[test]
    fn a_url_is_taken_apart() {
        let primary = parse("postgres://a%40b:p%3Aw%25@db1.example.com:6000/sh%6fp?sslmode=verify-full&application_name=x").unwrap();
        assert_eq!(primary.address, ServerAddress::Tcp("db1.example.com".into(), 6000));
        assert_eq!((primary.user.as_str(), &*primary.password.0, primary.database.as_str()), ("a@b", "p:w%", "shop"));
        assert_eq!(primary.tls, ServerTls { mode: SslMode::VerifyFull, roots: None });
        assert_eq!(primary.ignored[0].reason, "the parameter `application_name` has no effect here");
    }

    #[test]
    fn what_is_absent_is_as_libpq_has_it() {
        let primary = parse("postgresql://app:s@[::1]").unwrap();
        assert_eq!(primary.address, ServerAddress::Tcp("::1".into(), 5432));
        assert_eq!((primary.database.as_str(), primary.tls.mode), ("app", SslMode::Disable));
        assert_eq!(parse("postgres://app:s@db1").unwrap().tls.mode, SslMode::Prefer);
        assert_eq!(parse("postgres://app:s@db1?sslrootcert=system").unwrap().tls, ServerTls { mode: SslMode::VerifyFull, roots: None });
    }

    #[test]
    fn a_folder_is_a_unix_socket() {
        let unix = |path: &str| ServerAddress::Unix(std::path::PathBuf::from(path).into());
        assert_eq!(parse("postgres://app:s@%2Frun%2Fpg:5433/shop").unwrap().address, unix("/run/pg/.s.PGSQL.5433"));
        assert_eq!(parse("postgres://app:s@/shop?host=/run/pg").unwrap().address, unix("/run/pg/.s.PGSQL.5432"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_without_the_password() {
        for (url, reason) in [
            ("postgres://db1/shop", "no user"),
            ("postgres://app@db1/shop", "no password"),
            ("postgres://app:hush@db1,db2/shop", "more than one host"),
            ("postgres://app:hush@db1/shop?sslmode=verify", "`sslmode` \"verify\" is not known"),
            ("postgres://app:hush@db1/shop?options=-cx%3D1", "`options` is not understood"),
            ("postgres://app@db1/shop?password=hush", "behind the `?`"),
            ("postgres://app:hush%2@db1/shop", "hexadecimal"),
            ("postgres://app:hush%00@db1/shop", "no text"),
            ("postgres://app:hush@db1/shop?sslmode=require&sslrootcert=/no/such/file", "cannot be read"),
        ] {
            let fault = parse(url).unwrap_err();
            assert!(fault.reason.contains(reason), "{url}: {}", fault.reason);
            assert!(!format!("{fault:?}").contains("hush"), "{fault:?}");
        }
    }
}
