//! pubsub: who has subscribed to what, and what is said there.
//!
//! One lock orders everything: a message goes to all who had subscribed before it, and everybody hears messages in the same order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::{Message, Peer};
use crate::frame::{Protocol, Reply};
use crate::glob;

/// What can be subscribed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    Channel,
    Pattern,
    /// A channel of a shard, which are names of their own.
    Shard,
}

/// What a client has subscribed to.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions([BTreeSet<Box<[u8]>>; 3]);

/// Everybody's subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Channels(Mutex<[HashMap<Box<[u8]>, Subscribers>; 3]>);

/// By the number of the client.
type Subscribers = BTreeMap<u64, Arc<Peer>>;

impl Subscriptions {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeSet::is_empty)
    }

    /// Of channels, patterns and channels of shards.
    pub(crate) fn counts(&self) -> [usize; 3] {
        [self.0[0].len(), self.0[1].len(), self.0[2].len()]
    }

    /// As an answer counts them: those of shards by themselves.
    pub(crate) fn count(&self, to: To) -> usize {
        let [channels, patterns, shards] = self.counts();
        if to == To::Shard { shards } else { channels + patterns }
    }

    /// The names of one sort.
    pub(crate) fn names(&self, to: To) -> Vec<Box<[u8]>> {
        self.0[to as usize].iter().cloned().collect()
    }
}

impl Channels {
    fn locked(&self) -> MutexGuard<'_, [HashMap<Box<[u8]>, Subscribers>; 3]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self, peer: &Arc<Peer>, mine: &mut Subscriptions, to: To, name: &[u8]) {
        if mine.0[to as usize].insert(name.into()) {
            self.locked()[to as usize].entry(name.into()).or_default().insert(peer.id, peer.clone());
        }
    }

    pub(crate) fn unsubscribe(&self, id: u64, mine: &mut Subscriptions, to: To, name: &[u8]) {
        if mine.0[to as usize].remove(name) {
            forget(&mut self.locked()[to as usize], id, name);
        }
    }

    /// The end of all subscriptions of a client.
    pub(crate) fn leave(&self, id: u64, mine: &mut Subscriptions) {
        if mine.is_empty() {
            return;
        }
        let mut all = self.locked();
        for (names, there) in mine.0.iter_mut().zip(all.iter_mut()) {
            std::mem::take(names).iter().for_each(|name| forget(there, id, name));
        }
    }

    /// Says `message` to all who have subscribed; gives how often it was said.
    pub(crate) fn publish(&self, to: To, channel: &[u8], message: &[u8]) -> usize {
        let all = self.locked();
        let kind: &[u8] = if to == To::Shard { b"smessage" } else { b"message" };
        let mut count = 0;
        if let Some(subscribers) = all[to as usize].get(channel) {
            count += say(subscribers, &[kind, channel, message]);
        }
        if to == To::Channel {
            for (pattern, subscribers) in &all[To::Pattern as usize] {
                if glob::matches(pattern, channel, false) {
                    count += say(subscribers, &[b"pmessage", pattern, channel, message]);
                }
            }
        }
        count
    }

    /// Who has subscribed to something that is against it.
    pub(crate) fn heard_against(&self, is_against: impl Fn(&Peer, &[u8], bool) -> bool) -> Vec<Arc<Peer>> {
        let all = self.locked();
        let mut found = BTreeMap::new();
        for (to, names) in [To::Channel, To::Pattern, To::Shard].into_iter().zip(all.iter()) {
            for (name, peer) in names.iter().flat_map(|(name, peers)| peers.values().map(move |peer| (name, peer))) {
                if is_against(peer, name, to == To::Pattern) {
                    found.insert(peer.id, peer.clone());
                }
            }
        }
        found.into_values().collect()
    }

    /// The names of one sort that are subscribed to and are as a pattern says.
    pub(crate) fn names(&self, to: To, pattern: Option<&[u8]>) -> Vec<Box<[u8]>> {
        let all = self.locked();
        let names = all[to as usize].keys();
        names.filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false))).cloned().collect()
    }

    /// How many have subscribed to one name.
    pub(crate) fn subscribers(&self, to: To, name: &[u8]) -> usize {
        self.locked()[to as usize].get(name).map_or(0, BTreeMap::len)
    }

    /// How many names of one sort are subscribed to.
    pub(crate) fn count(&self, to: To) -> usize {
        self.locked()[to as usize].len()
    }
}

fn forget(there: &mut HashMap<Box<[u8]>, Subscribers>, id: u64, name: &[u8]) {
    if let Some(subscribers) = there.get_mut(name) {
        subscribers.remove(&id);
        if subscribers.is_empty() {
            there.remove(name);
        }
    }
}

/// Writes it once for each protocol that is spoken.
fn say(subscribers: &Subscribers, words: &[&[u8]]) -> usize {
    let mut written: [Option<Message>; 2] = [None, None];
    for peer in subscribers.values() {
        let protocol = peer.protocol();
        let message = written[usize::from(protocol == Protocol::Resp3)].get_or_insert_with(|| push(protocol, words));
        peer.post(message);
    }
    subscribers.len()
}

fn push(protocol: Protocol, words: &[&[u8]]) -> Message {
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, protocol);
    reply.push(words.len());
    words.iter().for_each(|word| reply.bulk(word));
    out.into()
}
