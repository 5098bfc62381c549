//! What belongs to one client beyond its connection, and how it follows the client from server to server.
//!
//! In order: [`settle`] before a client's statements go to a connection, [`prepare`] before those that need more,
//! [`Session::sends`] as they go, [`Session::note`] as they end, [`probe`] before the connection goes back.

mod hearing;
mod interned;
mod leave;
mod local;
mod notes;
mod parameters;
mod prepare;
mod probe;
mod quote;
mod reported;
mod resting;
mod sequences;
mod settle;
mod statements;
mod touched;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use interned::Interned;
pub(crate) use local::answer_locally;
pub(crate) use parameters::Parameters;
pub(crate) use prepare::{prepare, restore};
pub(crate) use probe::{Verdict, probe};
pub(crate) use reported::Reported;
pub(crate) use resting::Resting;
pub(crate) use sequences::{Readers, Traces};
pub(crate) use settle::{Unsettled, settle};
pub(crate) use statements::{Changes, Found, Named, Names, Statement};

use crate::error::ErrorResponse;
use crate::listening::{Ears, Listeners};
use crate::parse::{Effects, Strings};
use crate::pins::{PinBoard, PinPlace};
use crate::server::Key;
use sequences::{ReadersHere, Sequences};
use touched::Changed;

/// What the sessions of one loop share.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) interned: Interned,
    pub(crate) pins: Rc<PinBoard>,
    pub(crate) listeners: Listeners,
    /// How long a client waits at most until somebody listens for it: the plan's `pool.wait`.
    pub(crate) patience: Cell<Duration>,
    /// Custom parameters that sessions were seen to have: what might be set where nobody sees it.
    custom: RefCell<BTreeSet<Box<str>>>,
    readers: ReadersHere,
}

/// Most names of custom parameters that are kept.
const MOST_CUSTOM: usize = 64;

impl Sessions {
    pub(crate) fn new(pins: Rc<PinBoard>, listeners: Listeners, readers: Arc<Readers>, patience: Duration) -> Rc<Sessions> {
        let (interned, custom) = Default::default();
        let readers = ReadersHere::new(readers);
        Rc::new(Sessions { interned, pins, listeners, patience: Cell::new(patience), custom, readers })
    }

    fn note_custom<'n>(&self, names: impl Iterator<Item = &'n Box<str>>) {
        let mut known = self.custom.borrow_mut();
        for name in names {
            if known.len() < MOST_CUSTOM && !known.contains(name) {
                known.insert(name.clone());
            }
        }
    }
}

/// Who a client is.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// A number that no other client of the door has.
    pub(crate) number: u64,
    /// The process id that it was told.
    pub(crate) process: u32,
    pub(crate) key: Arc<Key>,
    /// Where it comes from.
    pub(crate) address: Option<SocketAddr>,
}

/// One client's session. Small: there may be many that do nothing.
#[derive(Debug)]
pub(crate) struct Session {
    here: Rc<Sessions>,
    client: Rc<Client>,
    /// What it asked for when it came.
    startup: Arc<Parameters>,
    /// What is set in it.
    parameters: Arc<Parameters>,
    /// What it knows of the server's parameters.
    told: Arc<Reported>,
    /// Of what it did since the server was last asked.
    effects: Effects,
    sequences: Sequences,
    place: PinPlace,
    /// The process of the server that it last left something at.
    server: u32,
    rare: Option<Box<Rare>>,
}

/// What few sessions have.
#[derive(Debug, Default)]
struct Rare {
    changed: Changed,
    /// Parameters that are set and that the user who logged in could not set.
    unmovable: BTreeSet<Box<str>>,
    ears: Option<Ears>,
    prepared: Prepared,
    /// What a server said to parameters that could not be set.
    refused: Option<(Arc<Parameters>, ErrorResponse)>,
    /// Something whose text is not known was done: it may have set a parameter that nobody can ask for.
    is_obscure: bool,
    /// It listens on more channels than a client may.
    is_crowded: bool,
    /// `DISCARD ALL` has succeeded as far as the client knows.
    is_discarded: bool,
}

/// What SQL's own `PREPARE`d statements do when they are executed, all together.
#[derive(Debug, Default)]
struct Prepared {
    effects: Effects,
    changed: Changed,
}

impl Session {
    /// Of a client that asked for `startup` and is `told` what a server reported.
    pub(crate) fn new(here: &Rc<Sessions>, client: Client, startup: &Arc<Parameters>, told: &Arc<Reported>) -> Session {
        let startup = here.interned.shared(startup);
        Session {
            place: here.pins.place(client.number),
            client: Rc::new(client),
            parameters: startup.clone(),
            startup,
            told: here.interned.reported(told),
            effects: Effects::NONE,
            sequences: Sequences::default(),
            server: 0,
            rare: None,
            here: here.clone(),
        }
    }

    /// Who the client is.
    pub(crate) fn client(&self) -> &Rc<Client> {
        &self.client
    }

    /// How the server reads its texts.
    pub(crate) fn strings(&self) -> Strings {
        match self.told.get("standard_conforming_strings") {
            Some(b"off") => Strings::Backslash,
            _ => Strings::Standard,
        }
    }

    /// What is set in it.
    pub(crate) fn parameters(&self) -> &Arc<Parameters> {
        &self.parameters
    }

    /// What the client was told of the server's parameters.
    pub(crate) fn told(&self) -> &Arc<Reported> {
        &self.told
    }

    /// Whether it listens on more channels than a client may.
    pub(crate) fn is_crowded(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.is_crowded)
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    fn ears(&self) -> Option<&Ears> {
        self.rare.as_ref()?.ears.as_ref()
    }

    fn ears_mut(&mut self) -> Option<&mut Ears> {
        self.rare.as_mut()?.ears.as_mut()
    }
}

#[cfg(test)]
mod size {
    #[test]
    fn a_session_that_has_nothing_special_is_small() {
        assert!(size_of::<super::Session>() <= 176, "{}", size_of::<super::Session>());
    }
}
