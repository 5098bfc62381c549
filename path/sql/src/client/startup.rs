//! The first packet of a connection: what it asks for. No IO.
//!
//! As Postgres 18 reads it (`ProcessStartupPacket` in `backend_startup.c`), with its words for what is wrong.

use super::options;
use crate::error::{Fault, code};
use crate::frame;

/// Longest packet, bytes: Postgres's own bound (`MAX_STARTUP_PACKET_LENGTH`), without the length.
pub(crate) const LONGEST: usize = 10_000;

const CANCEL: u32 = 80_877_102;
const TLS: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// The newest protocol that the door speaks: 3.2.
const NEWEST: u32 = 3 << 16 | 2;

/// Longest secret of a cancel key.
const LONGEST_SECRET: usize = 256;

/// What a packet asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// TLS.
    Tls,
    /// Encryption by GSSAPI.
    Gss,
    /// That a statement of another connection be cancelled.
    Cancel {
        /// Whose.
        process: u32,
        /// The proof.
        secret: Box<[u8]>,
    },
    /// A session.
    Startup(Startup),
}

/// Who wants a session, and what shall be set in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Startup {
    /// As asked for.
    pub(crate) protocol: Protocol,
    pub(crate) user: Box<str>,
    /// `None`: not named.
    pub(crate) database: Option<Box<str>>,
    /// Parameters in the order in which they count: a later one replaces an earlier one.
    pub(crate) parameters: Vec<Setting>,
    /// Protocol options that the door does not know.
    pub(crate) unknown: Vec<Box<str>>,
}

/// A parameter's name and value.
pub(crate) type Setting = (Box<str>, Box<str>);

/// A version of protocol 3.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Protocol(u32);

impl Protocol {
    /// 3.0.
    #[cfg(test)]
    pub(crate) const OLDEST: Protocol = Protocol(3 << 16);

    /// Bytes of a cancel key's secret in it.
    pub(crate) fn secret(self) -> usize {
        if self.0 >= NEWEST { 32 } else { 4 }
    }
}

/// Reads a packet without its length.
///
/// # Errors
/// What the client is told before it is left. `None`: nothing, as the packet is not of this protocol at all.
pub(crate) fn packet(bytes: &[u8]) -> Result<Packet, Option<Fault>> {
    let (version, rest) = bytes.split_first_chunk().ok_or(None)?;
    match u32::from_be_bytes(*version) {
        TLS => Ok(Packet::Tls),
        GSS => Ok(Packet::Gss),
        CANCEL => cancel(rest),
        version if version >> 16 == 3 => startup(version, rest).map(Packet::Startup).map_err(Some),
        version => Err(Some(unsupported(version))),
    }
}

fn cancel(rest: &[u8]) -> Result<Packet, Option<Fault>> {
    let (process, secret) = rest.split_first_chunk().ok_or(None)?;
    if secret.is_empty() || secret.len() > LONGEST_SECRET {
        return Err(None);
    }
    Ok(Packet::Cancel { process: u32::from_be_bytes(*process), secret: secret.into() })
}

fn unsupported(version: u32) -> Fault {
    let (major, minor) = (version >> 16, version & 0xffff);
    Fault::new(code::FEATURE_NOT_SUPPORTED, format!("unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2"))
}

/// What is said to a request that was made already: there is no such version.
pub(super) fn repeated(bytes: &[u8]) -> Fault {
    unsupported(bytes.first_chunk().map_or(0, |version| u32::from_be_bytes(*version)))
}

fn startup(version: u32, mut rest: &[u8]) -> Result<Startup, Fault> {
    let mut startup = Startup { protocol: Protocol(version), ..Startup::default() };
    let (mut settings, mut line) = (Vec::new(), None);
    while let Some((name, value, after)) = pair(rest)? {
        rest = after;
        match &*name {
            "user" => startup.user = value,
            "database" => startup.database = Some(value).filter(|name| !name.is_empty()),
            "options" => line = Some(value),
            "replication" => refuse_replication(&value)?,
            name if name.starts_with("_pq_.") => startup.unknown.push(name.into()),
            _ => settings.push((name, value)),
        }
    }
    if rest != [0] {
        return Err(Fault::protocol("invalid startup packet layout: expected terminator as last byte"));
    }
    if startup.user.is_empty() {
        return Err(Fault::new(code::INVALID_AUTHORIZATION, "no PostgreSQL user name specified in startup packet"));
    }
    // The command line first, so that a parameter of its own wins.
    startup.parameters = line.map_or(Ok(Vec::new()), |line| options::read(&line))?;
    startup.parameters.extend(settings);
    Ok(startup)
}

type Pair<'a> = (Box<str>, Box<str>, &'a [u8]);

/// The next name and value and what follows them; `None` at the end or where the layout breaks.
fn pair(rest: &[u8]) -> Result<Option<Pair<'_>>, Fault> {
    let Some((name, after)) = frame::split_text(rest).filter(|pair| !pair.0.is_empty()) else { return Ok(None) };
    let Some((value, after)) = frame::split_text(after) else { return Ok(None) };
    Ok(Some((utf8(name)?, utf8(value)?, after)))
}

fn utf8(bytes: &[u8]) -> Result<Box<str>, Fault> {
    let text = std::str::from_utf8(bytes);
    text.map(Box::from)
        .map_err(|_| Fault::new(code::CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\" in startup packet"))
}

fn refuse_replication(value: &str) -> Result<(), Fault> {
    match &*value.to_ascii_lowercase() {
        "false" | "off" | "no" | "0" => Ok(()),
        "database" | "true" | "on" | "yes" | "1" => {
            let fault = Fault::new(code::FEATURE_NOT_SUPPORTED, "replication connections do not go through Plimsoll's pool");
            Err(fault.hint("Connect to the Postgres server itself."))
        }
        _ => Err(Fault::new(code::INVALID_PARAMETER_VALUE, format!("invalid value for parameter \"replication\": \"{value}\""))
            .hint("Valid values are: \"false\", 0, \"true\", 1, \"database\".")),
    }
}

impl Startup {
    /// The version that both sides speak.
    pub(crate) fn spoken(&self) -> Protocol {
        Protocol(self.protocol.0.min(NEWEST))
    }

    /// Appends `NegotiateProtocolVersion` if the client asked for more than the door knows.
    pub(crate) fn negotiate(&self, out: &mut Vec<u8>) {
        if self.protocol.0 <= NEWEST && self.unknown.is_empty() {
            return;
        }
        frame::message(out, b'v', |out| {
            out.extend_from_slice(&self.spoken().0.to_be_bytes());
            out.extend_from_slice(&(self.unknown.len() as u32).to_be_bytes());
            self.unknown.iter().for_each(|name| frame::text(out, name.as_bytes()));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(version: u32, pairs: &[(&str, &str)]) -> Vec<u8> {
        let mut out = version.to_be_bytes().to_vec();
        for (name, value) in pairs {
            frame::text(&mut out, name.as_bytes());
            frame::text(&mut out, value.as_bytes());
        }
        out.push(0);
        out
    }

    fn read(version: u32, pairs: &[(&str, &str)]) -> Result<Startup, Fault> {
        match packet(&bytes(version, pairs)) {
            Ok(Packet::Startup(startup)) => Ok(startup),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault.unwrap()),
        }
    }

    #[test]
    fn a_session_is_asked_for() {
        let startup = read(3 << 16, &[("user", "a"), ("database", "b"), ("TimeZone", "UTC"), ("options", "-c timezone=x -c b=c")]).unwrap();
        assert_eq!((&*startup.user, startup.database.as_deref()), ("a", Some("b")));
        let seen: Vec<_> = startup.parameters.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(seen, [("timezone", "x"), ("b", "c"), ("TimeZone", "UTC")]);
        let mut out = Vec::new();
        startup.negotiate(&mut out);
        assert!(out.is_empty());
        assert_eq!(startup.spoken().secret(), 4);
    }

    #[test]
    fn newer_protocols_and_unknown_options_are_negotiated() {
        let negotiated = |version, pairs: &[(&str, &str)]| {
            let (startup, mut out) = (read(version, pairs).unwrap(), Vec::new());
            startup.negotiate(&mut out);
            (startup.spoken().secret(), out)
        };
        assert_eq!(negotiated(3 << 16 | 1, &[("user", "a")]), (4, vec![]));
        assert_eq!(negotiated(3 << 16 | 2, &[("user", "a")]), (32, vec![]));
        assert_eq!(negotiated(3 << 16 | 9999, &[("user", "a")]), (32, b"v\0\0\0\x0c\0\x03\0\x02\0\0\0\0".to_vec()));
        let unknown = negotiated(3 << 16, &[("user", "a"), ("_pq_.x", "1")]);
        assert_eq!(unknown, (4, b"v\0\0\0\x13\0\x03\0\0\0\0\0\x01_pq_.x\0".to_vec()));
    }

    #[test]
    fn what_the_door_does_not_do_is_refused_with_its_code() {
        let code_of = |version, pairs: &[(&str, &str)]| read(version, pairs).unwrap_err().code;
        assert_eq!(code_of(2 << 16, &[]), code::FEATURE_NOT_SUPPORTED);
        assert_eq!(code_of(3 << 16, &[]), code::INVALID_AUTHORIZATION);
        assert_eq!(code_of(3 << 16, &[("user", "a"), ("replication", "database")]), code::FEATURE_NOT_SUPPORTED);
        assert_eq!(code_of(3 << 16, &[("user", "a"), ("replication", "maybe")]), code::INVALID_PARAMETER_VALUE);
        assert!(read(3 << 16, &[("user", "a"), ("replication", "false")]).is_ok());
    }

    #[test]
    fn requests_without_a_session() {
        assert_eq!(packet(&80_877_103_u32.to_be_bytes()), Ok(Packet::Tls));
        assert_eq!(packet(&80_877_104_u32.to_be_bytes()), Ok(Packet::Gss));
        let cancel = |secret: &[u8]| packet(&[&80_877_102_u32.to_be_bytes()[..], &[0, 0, 0, 7], secret].concat());
        assert_eq!(cancel(&[1; 4]), Ok(Packet::Cancel { process: 7, secret: [1; 4].into() }));
        assert!(cancel(&[1; 32]).is_ok() && cancel(&[1; 256]).is_ok());
        assert_eq!((cancel(&[]), cancel(&[1; 257])), (Err(None), Err(None)));
    }

    #[test]
    fn a_packet_that_breaks_off_is_refused() {
        let whole = bytes(3 << 16, &[("user", "a"), ("b", "c")]);
        for end in 4..whole.len() {
            assert_eq!(packet(&whole[..end]).unwrap_err().map(|fault| fault.code), Some(code::PROTOCOL_VIOLATION), "{end}");
        }
        assert_eq!(packet(&[&whole[..], &[0]].concat()).unwrap_err().unwrap().code, code::PROTOCOL_VIOLATION);
        assert_eq!(packet(b"\0\x03\0\0user\0\xff\0\0").unwrap_err().unwrap().code, code::CHARACTER_NOT_IN_REPERTOIRE);
        assert_eq!(packet(&[]), Err(None));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(rest in prop::collection::vec(any::<u8>(), 0..200), version in prop_oneof![Just(3_u32 << 16), any::<u32>()]) {
            let _ = packet(&[&version.to_be_bytes()[..], &rest].concat());
        }
    }
}
