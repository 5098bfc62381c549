//! client: takes a connection from its first byte to a session: encryption, who it is, what it is told, how it cancels.
//! `arrival` is that way; what a client does then is a visit.

pub(crate) mod accept;
mod arrival;
pub(crate) mod cancel;
pub(crate) mod fuzzing;
mod gate;
mod guest;
mod login;
mod options;
mod scram;
mod startup;
mod welcome;
mod wire;

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use loops::time::timeout;

use crate::error::{Fault, Severity, code};
use crate::server::Key;
use crate::session::{Interned, Parameters};
use tls::Stream;

pub(crate) use cancel::Seat;
pub(crate) use gate::Gate;
pub(crate) use guest::Guest;
pub(crate) use welcome::{Known, Welcomes, greet};

use login::Mechanism;
use startup::{Packet, Startup};
use wire::Wire;

/// From the first byte to the right password: Postgres's `authentication_timeout`.
const LOGIN: Duration = Duration::from_secs(60);

/// The first byte of a client that starts with TLS at once: a handshake record.
const HANDSHAKE: u8 = 0x16;

/// What a loop's door holds ready for those who come.
pub(crate) struct Entrance<'d> {
    pub(crate) gate: &'d Gate,
    pub(crate) registry: &'d Rc<cancel::Registry>,
    pub(crate) interned: &'d Interned,
    /// Why no session can be had now; cancelling is still possible.
    pub(crate) refusal: Option<Fault>,
}

/// A client that has logged in.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) stream: Stream,
    pub(crate) key: Arc<Key>,
    /// What it asked for when it came.
    pub(crate) startup: Arc<Parameters>,
    /// Its number, its secret, and what may be cancelled.
    pub(crate) seat: Seat,
    /// What came before it could know that it is in; mostly nothing.
    pub(crate) early: Box<[u8]>,
}

/// How a login ended without a session.
#[derive(Debug)]
enum Left {
    /// The client is gone, or sent what deserves no answer, or wanted no session.
    Gone,
    /// It is told why.
    Refused(Box<Fault>),
}

/// Lets a client in.
///
/// `None`: it went away or only cancelled something. What is left to do is the welcome.
///
/// # Errors
/// Why it was not let in; it has been told.
pub(crate) async fn enter(stream: Stream, entrance: &Entrance<'_>) -> Result<Option<Client>, Box<Fault>> {
    // Boxed: the task of an idle client has the size of its largest state.
    let late = |_| Err(Fault::new(code::QUERY_CANCELED, "canceling authentication due to timeout").into());
    // As Postgres: who is late is not told.
    timeout(LOGIN, Box::pin(arrive(stream, entrance))).await.unwrap_or_else(late)
}

async fn arrive(stream: Stream, entrance: &Entrance<'_>) -> Result<Option<Client>, Box<Fault>> {
    let mut wire = Wire::new(stream);
    let (startup, user) = match admit(&mut wire, entrance).await {
        Ok(admitted) => admitted,
        Err(Left::Gone) => return Ok(None),
        Err(Left::Refused(fault)) => {
            let mut out = Vec::new();
            fault.write(&mut out, Severity::Fatal);
            // Whether it hears it is its own affair.
            let _ = wire.write(&out).await;
            return Err(fault);
        }
    };
    let database = startup.database.as_deref().map_or_else(|| entrance.gate.database.clone(), Arc::from);
    let seat = entrance.registry.seat(startup.spoken());
    let startup = entrance.interned.shared(&Arc::new(startup.parameters.into_iter().collect()));
    let client = |(stream, early)| Client { stream, key: Arc::new(Key { user, database }), startup, seat, early };
    Ok(wire.into_parts().map(client))
}

/// From the first byte to the right password.
async fn admit(wire: &mut Wire, entrance: &Entrance<'_>) -> Result<(Startup, Arc<str>), Left> {
    let startup = opening(wire, entrance).await?;
    if let Some(fault) = &entrance.refusal {
        return Err(fault.clone().into());
    }
    let mut out = Vec::new();
    startup.negotiate(&mut out);
    let user = login::login(wire, entrance.gate, &startup.user, &mut out).await?;
    wire.write(&out).await?;
    Ok((startup, user))
}

/// Until it is said who wants a session.
async fn opening(wire: &mut Wire, entrance: &Entrance<'_>) -> Result<Startup, Left> {
    let (mut may_ask_tls, mut may_ask_gss) = (true, true);
    if wire.first().await? == HANDSHAKE {
        direct(wire, entrance.gate).await?;
        (may_ask_tls, may_ask_gss) = (false, false);
    }
    loop {
        let bytes = wire.packet().await?;
        match startup::packet(&bytes).map_err(|fault| fault.map_or(Left::Gone, Left::from))? {
            Packet::Startup(startup) => return Ok(startup),
            Packet::Tls if may_ask_tls => {
                may_ask_tls = false;
                may_ask_gss &= !encrypt(wire, entrance.gate).await?;
            }
            Packet::Gss if may_ask_gss => {
                may_ask_gss = false;
                nothing_early(wire, "received unencrypted data after GSSAPI encryption request")?;
                wire.write(b"N").await?;
            }
            Packet::Tls | Packet::Gss => return Err(startup::repeated(&bytes).into()),
            Packet::Cancel { process, secret } => {
                entrance.registry.cancel(process, secret).await;
                return Err(Left::Gone);
            }
        }
    }
}

/// Answers the wish for TLS; whether it is spoken now.
async fn encrypt(wire: &mut Wire, gate: &Gate) -> Result<bool, Left> {
    nothing_early(wire, "received unencrypted data after SSL request")?;
    let Some(tls) = &gate.tls else {
        wire.write(b"N").await?;
        return Ok(false);
    };
    wire.write(b"S").await?;
    wire.secure(tls.config.clone()).await?;
    Ok(true)
}

/// TLS without having asked (`sslnegotiation=direct`).
async fn direct(wire: &mut Wire, gate: &Gate) -> Result<(), Left> {
    let tls = gate.tls.as_ref().ok_or(Left::Gone)?;
    wire.secure(tls.config.clone()).await?;
    // Without it another protocol's client could be made to talk to us.
    if wire.agreed() == Some(gate::PROTOCOL) { Ok(()) } else { Err(Left::Gone) }
}

/// What came before encryption must not count as having come after it (CVE-2021-23214).
fn nothing_early(wire: &Wire, message: &'static str) -> Result<(), Left> {
    if !wire.has_unread() {
        return Ok(());
    }
    let detail = "This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.";
    Err(Fault::protocol(message).detail(detail).into())
}

impl From<Fault> for Left {
    fn from(fault: Fault) -> Left {
        Left::Refused(Box::new(fault))
    }
}

impl From<io::Error> for Left {
    fn from(_: io::Error) -> Left {
        Left::Gone
    }
}

#[cfg(test)]
pub(crate) mod tests;
