//! client: a connection from its first byte on, and what is known of who uses it.

pub(crate) mod accept;
pub(crate) mod bounds;
mod dismiss;
mod line;
mod mail;
mod peer;
mod roster;
mod transaction;

use std::sync::Arc;

use crate::frame::{Limits, Protocol, Reply};
use crate::plan::Max;
use crate::pubsub::Posting;
use crate::users::User;

pub(crate) use dismiss::dismiss;
pub(crate) use mail::Message;
pub(crate) use peer::{Ends, Peer};
pub(crate) use roster::Roster;
pub(crate) use transaction::{Transaction, Watch};

/// Which of its answers a client wants (`CLIENT REPLY`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Wants {
    #[default]
    All,
    None,
    /// Not the next one.
    NotNext,
    /// Not this one.
    NotThis,
}

/// One client, as its commands see it.
#[derive(Debug)]
pub(crate) struct Client {
    /// What others see of it.
    pub(crate) peer: Arc<Peer>,
    /// Who it is, as far as it knows.
    pub(crate) user: Arc<User>,
    /// Changes of users that it has seen.
    pub(crate) users_seen: u64,
    pub(crate) protocol: Protocol,
    /// What it may send.
    pub(crate) limits: Limits,
    /// It is closed once the commands up to here are answered.
    pub(crate) leaves: bool,
    /// Each of its commands is looked at before it is done; [`Client::look`] says it.
    pub(crate) is_special: bool,
    pub(crate) wants: Wants,
    /// Since MULTI.
    pub(crate) transaction: Option<Box<Transaction>>,
    /// Since WATCH.
    pub(crate) watches: Vec<Watch>,
    /// Channels and patterns it has subscribed to.
    pub(crate) subscriptions: crate::pubsub::Subscriptions,
    /// It sees all commands.
    pub(crate) is_monitor: bool,
    /// What it said to many is on its way.
    pub(crate) posting: Option<Posting>,
    /// It speaks memcached's protocol.
    pub(crate) memcached: Option<Box<crate::memcached::Session>>,
}

impl Client {
    /// One that is this user, as it was after so many changes of users.
    pub(crate) fn new(peer: Arc<Peer>, (user, users_seen): (Arc<User>, u64)) -> Client {
        Client {
            peer,
            user,
            users_seen,
            protocol: Protocol::Resp2,
            limits: Limits::default(),
            leaves: false,
            is_special: false,
            wants: Wants::All,
            transaction: None,
            watches: Vec::new(),
            subscriptions: crate::pubsub::Subscriptions::default(),
            is_monitor: false,
            posting: None,
            memcached: None,
        }
    }

    /// A number that no other client has.
    pub(crate) fn id(&self) -> u64 {
        self.peer.id
    }

    /// It is this user from now on.
    pub(crate) fn becomes(&mut self, user: Arc<User>) {
        self.limits.known = true;
        self.peer.set_user(&user);
        self.user = user;
        self.look();
    }

    /// What it may send is bounded so from now on.
    pub(crate) fn keep_within(&mut self, max: Max) {
        (self.limits.argument, self.limits.request) = (max.value, max.request);
    }

    /// Something was changed that commands depend on.
    pub(crate) fn look(&mut self) {
        let is_plain = self.transaction.is_none()
            && self.wants == Wants::All
            && self.limits.known
            && self.user.may_all
            && self.subscriptions.is_empty()
            && !self.is_monitor;
        self.is_special = !is_plain;
        self.peer.shows(self);
    }

    /// Bytes that it holds beside what it sends and is sent.
    pub(crate) fn weight(&self) -> usize {
        let queued = self.transaction.as_ref().map_or(0, |transaction| transaction.bytes);
        queued + self.watches.iter().map(Watch::size).sum::<usize>() + self.subscriptions.bytes()
    }

    /// Whether its answers are not written.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self.wants, Wants::None | Wants::NotThis)
    }

    /// Writes what others had to say to it in the midst of an answer, unless that is not written.
    pub(crate) fn take_mail(&self, reply: &mut Reply<'_>) {
        if !self.is_silent() {
            self.hear(reply);
        }
    }

    /// Writes what others had to say to it.
    pub(crate) fn hear(&self, reply: &mut Reply<'_>) {
        if self.peer.mail.is_waiting() {
            self.peer.hear(reply);
        }
    }
}
