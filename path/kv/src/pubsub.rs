//! pubsub: who has subscribed to what, and what is said there.
//!
//! One lock orders everything: a message goes to all who had subscribed before it, and everybody hears messages in the same order.
//! Many subscribers are told some at a time, by a task of its own; who published waits for it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::client::{Message, Peer};
use crate::door::Shared;
use crate::frame::{Protocol, Reply};
use crate::glob;
use crate::visit::Visit;

/// Clients that are told at once: one after the other, for they may sleep on other loops, that takes some 50 µs.
const AT_ONCE: usize = 128;
/// Messages to many that may wait.
const MOST: usize = 1024;

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
pub(crate) struct Subscriptions([BTreeSet<Box<[u8]>>; 3], usize);

/// Bytes that a subscription takes beside its name, here and among all.
const SLOT: usize = 64;

/// Everybody's subscriptions, and what is still to be said.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    all: Mutex<All>,
    /// Something is still to be said.
    more: Notify,
    /// Some of it was.
    said: Notify,
}

#[derive(Debug, Default)]
struct All {
    names: [HashMap<Box<[u8]>, Subscribers>; 3],
    /// What is to be said to many, in order: all that is said later comes after it.
    rest: VecDeque<Rest>,
    /// How many of them there were, and how many are done.
    begun: u64,
    done: u64,
}

/// By the number of the client.
type Subscribers = BTreeMap<u64, Arc<Peer>>;

impl Subscriptions {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeSet::is_empty)
    }

    /// Bytes that they take.
    pub(crate) fn bytes(&self) -> usize {
        self.1
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
    fn locked(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscribe(&self, peer: &Arc<Peer>, mine: &mut Subscriptions, to: To, name: &[u8]) {
        if mine.0[to as usize].insert(name.into()) {
            mine.1 += SLOT + name.len();
            self.locked().names[to as usize].entry(name.into()).or_default().insert(peer.id, peer.clone());
        }
    }

    pub(crate) fn unsubscribe(&self, id: u64, mine: &mut Subscriptions, to: To, name: &[u8]) {
        if mine.0[to as usize].remove(name) {
            mine.1 -= SLOT + name.len();
            forget(&mut self.locked().names[to as usize], id, name);
        }
    }

    /// The end of all subscriptions of a client.
    pub(crate) fn leave(&self, id: u64, mine: &mut Subscriptions) {
        if mine.is_empty() {
            return;
        }
        mine.1 = 0;
        let mut all = self.locked();
        for (names, there) in mine.0.iter_mut().zip(all.names.iter_mut()) {
            std::mem::take(names).iter().for_each(|name| forget(there, id, name));
        }
    }

    /// Says `message` to all who have subscribed; to many of them it is said in a while.
    pub(crate) fn publish(&self, to: To, channel: &[u8], message: &[u8]) -> Published {
        let all = &mut *self.locked();
        let kind: &[u8] = if to == To::Shard { b"smessage" } else { b"message" };
        let (mut count, mut rest) = (0, Vec::new());
        let mut tell = |to: To, name: &[u8], subscribers: &Subscribers, words: &[&[u8]]| {
            count += subscribers.len();
            // What is said at once must not overtake what is not.
            if all.rest.is_empty() && rest.is_empty() && count <= AT_ONCE {
                Saying::default().say(subscribers.values(), words);
            } else {
                rest.push(Rest {
                    to,
                    name: name.into(),
                    words: words.iter().map(|word| Box::from(*word)).collect(),
                    saying: Saying::default(),
                    from: 0,
                });
            }
        };
        if let Some(subscribers) = all.names[to as usize].get(channel) {
            tell(to, channel, subscribers, &[kind, channel, message]);
        }
        if to == To::Channel {
            for (pattern, subscribers) in &all.names[To::Pattern as usize] {
                if glob::matches(pattern, channel, false) {
                    tell(To::Pattern, pattern, subscribers, &[b"pmessage", pattern, channel, message]);
                }
            }
        }
        if rest.is_empty() {
            return Published { count, number: None };
        }
        all.begun += rest.len() as u64;
        all.rest.extend(rest);
        // Events of keys wait for nobody: there must be an end to them.
        while all.rest.len() > MOST {
            self.go_on(all);
        }
        self.more.notify_one();
        Published { count, number: Some(all.begun) }
    }

    /// Says some of what is still to be said; `false` when there is no more.
    fn deliver(&self) -> bool {
        let all = &mut *self.locked();
        self.go_on(all);
        !all.rest.is_empty()
    }

    fn go_on(&self, all: &mut All) {
        let Some(rest) = all.rest.front_mut() else { return };
        let subscribers = all.names[rest.to as usize].get(&rest.name);
        let mut some = subscribers.iter().flat_map(|subscribers| subscribers.range(rest.from..)).take(AT_ONCE);
        let words: Vec<&[u8]> = rest.words.iter().map(|word| &**word).collect();
        let (mut told, mut last) = (0, None);
        rest.saying.say(some.by_ref().inspect(|(id, _)| (told, last) = (told + 1, Some(**id))).map(|(_, peer)| peer), &words);
        match last {
            // Who has left meanwhile is not told, and who has come may be.
            Some(last) if told == AT_ONCE => rest.from = last + 1,
            _ => {
                all.rest.pop_front();
                all.done += 1;
                self.said.notify_waiters();
            }
        }
    }

    /// Who has subscribed to something that is against it.
    pub(crate) fn heard_against(&self, is_against: impl Fn(&Peer, &[u8], bool) -> bool) -> Vec<Arc<Peer>> {
        let all = self.locked();
        let mut found = BTreeMap::new();
        for (to, names) in [To::Channel, To::Pattern, To::Shard].into_iter().zip(all.names.iter()) {
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
        let names = all.names[to as usize].keys();
        names.filter(|name| pattern.is_none_or(|pattern| glob::matches(pattern, name, false))).cloned().collect()
    }

    /// How many have subscribed to one name.
    pub(crate) fn subscribers(&self, to: To, name: &[u8]) -> usize {
        self.locked().names[to as usize].get(name).map_or(0, BTreeMap::len)
    }

    /// How many names of one sort are subscribed to.
    pub(crate) fn count(&self, to: To) -> usize {
        self.locked().names[to as usize].len()
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

/// A message as it is written in each protocol, once somebody who speaks it is told.
#[derive(Debug, Default)]
struct Saying([Option<Message>; 2]);

/// What is to be said to many.
#[derive(Debug)]
struct Rest {
    /// Whoever has subscribed to this is told.
    to: To,
    name: Box<[u8]>,
    words: Vec<Box<[u8]>>,
    saying: Saying,
    /// The first who is not told yet.
    from: u64,
}

/// To how many something was, or will be, said.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) count: usize,
    /// It is done when so many are.
    number: Option<u64>,
}

/// A client that waits until what it said is with all who hear it.
#[derive(Debug)]
pub(crate) struct Posting {
    number: u64,
    count: usize,
}

impl Published {
    /// What is to be waited for.
    pub(crate) fn posting(&self) -> Option<Posting> {
        self.number.map(|number| Posting { number, count: self.count })
    }
}

impl Posting {
    /// Waits, and answers.
    pub(crate) async fn over(self, visit: &mut Visit<'_>) {
        let channels = &visit.door.common.channels;
        loop {
            let said = channels.said.notified();
            if channels.locked().done >= self.number {
                break;
            }
            said.await;
        }
        // Who speaks to itself hears it before it is answered.
        if !visit.client.is_silent() {
            visit.hears();
        }
        let mut out = Vec::new();
        Reply::new(&mut out, visit.client.protocol).int(self.count as i64);
        visit.says(&out);
    }
}

/// Says what is to be said to many, some at a time, until it is dropped.
pub(crate) async fn deliver(common: Arc<Shared>) {
    loop {
        while common.channels.deliver() {
            tokio::task::yield_now().await;
        }
        common.channels.more.notified().await;
    }
}

impl Saying {
    fn say<'p>(&mut self, peers: impl Iterator<Item = &'p Arc<Peer>>, words: &[&[u8]]) {
        for peer in peers {
            let protocol = peer.protocol();
            peer.post(self.0[usize::from(protocol == Protocol::Resp3)].get_or_insert_with(|| push(protocol, words)));
        }
    }
}

fn push(protocol: Protocol, words: &[&[u8]]) -> Message {
    let mut out = Vec::new();
    let mut reply = Reply::new(&mut out, protocol);
    reply.push(words.len());
    words.iter().for_each(|word| reply.bulk(word));
    out.into()
}
