//! Who listens on what in one database. No IO.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::inbox::Sender;
use super::{Channel, Wish};
use crate::server::Key;

/// The clients of one database that listen.
#[derive(Debug, Default)]
pub(super) struct Line {
    clients: BTreeMap<u64, Member>,
    channels: BTreeMap<Channel, BTreeSet<u64>>,
    echoes: HashMap<u64, oneshot::Sender<()>>,
    /// Echoes that nobody waited for when they came: who waits may have been slower to say so.
    early: VecDeque<u64>,
}

#[derive(Debug)]
struct Member {
    key: Arc<Key>,
    channels: BTreeSet<Channel>,
    sender: Sender,
    mute: Option<(BTreeSet<Channel>, u64)>,
}

/// What the connection has to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) listen: BTreeSet<Channel>,
    pub(super) unlisten: BTreeSet<Channel>,
}

/// Echoes that are remembered.
const EARLY: usize = 4096;

/// The channel of echoes. Those of others come, too: their numbers mean nothing here.
pub(super) const ECHOES: &str = "_plimsoll_echo";

impl Change {
    pub(super) fn is_nothing(&self) -> bool {
        self.listen.is_empty() && self.unlisten.is_empty()
    }

    /// The statements, in the database's encoding.
    pub(super) fn sql(&self) -> Vec<u8> {
        let mut sql = Vec::new();
        for (verb, channels) in [(&b"UNLISTEN"[..], &self.unlisten), (b"LISTEN", &self.listen)] {
            for channel in channels {
                sql.extend_from_slice(verb);
                sql.extend_from_slice(b" \"");
                channel.iter().for_each(|byte| sql.extend_from_slice(if *byte == b'"' { b"\"\"" } else { std::slice::from_ref(byte) }));
                sql.extend_from_slice(b"\";");
            }
        }
        sql
    }

    /// Takes so many channels of it out.
    pub(super) fn take(&mut self, most: usize) -> Change {
        let mut taken = Change::default();
        for _ in 0..most {
            if let Some(channel) = self.unlisten.pop_first() {
                taken.unlisten.insert(channel);
            } else if let Some(channel) = self.listen.pop_first() {
                taken.listen.insert(channel);
            } else {
                break;
            }
        }
        taken
    }

    /// This, and after it `later`.
    pub(super) fn then(&mut self, later: Change) {
        for channel in later.listen {
            self.unlisten.remove(&channel);
            self.listen.insert(channel);
        }
        for channel in later.unlisten {
            self.listen.remove(&channel);
            self.unlisten.insert(channel);
        }
    }
}

impl Member {
    /// It does not listen there any more. Whether it did.
    fn drop_channel(&mut self, channel: &Channel) -> bool {
        // Who listens there again later hears all.
        if let Some((muted, _)) = &mut self.mute {
            muted.remove(channel);
        }
        self.channels.remove(channel)
    }
}

/// One client less listens on a channel.
fn drop_channel(channels: &mut BTreeMap<Channel, BTreeSet<u64>>, client: u64, channel: &Channel, change: &mut Change) {
    let Some(clients) = channels.get_mut(channel) else { return };
    clients.remove(&client);
    if clients.is_empty() {
        channels.remove(channel);
        change.unlisten.insert(channel.clone());
    }
}

impl Line {
    /// What a client listens on changes. Without a sender it must have come with one before, and not have been left alone
    /// since.
    pub(super) fn hear(&mut self, (key, client): (&Arc<Key>, u64), wish: Wish) -> Change {
        let Wish { listen, unlisten, sender, mute } = wish;
        let mut change = Change::default();
        if let Some(sender) = sender {
            change = self.leave(client);
            self.clients.insert(client, Member { key: key.clone(), channels: BTreeSet::new(), sender, mute: None });
        }
        let Some(member) = self.clients.get_mut(&client) else { return change };
        for channel in unlisten.iter().filter(|channel| member.drop_channel(channel)) {
            drop_channel(&mut self.channels, client, channel, &mut change);
        }
        member.mute = mute.or(member.mute.take());
        for channel in listen {
            let is_new = !self.channels.contains_key(&channel);
            self.channels.entry(channel.clone()).or_default().insert(client);
            member.channels.insert(channel.clone());
            if is_new {
                change.then(Change { listen: BTreeSet::from([channel]), ..Change::default() });
            }
        }
        change
    }

    /// A client listens no more.
    pub(super) fn leave(&mut self, client: u64) -> Change {
        let mut change = Change::default();
        if let Some(member) = self.clients.remove(&client) {
            member.channels.iter().for_each(|channel| drop_channel(&mut self.channels, client, channel, &mut change));
        }
        change
    }

    /// An echo will come, or has just come.
    pub(super) fn expect(&mut self, number: u64, done: oneshot::Sender<()>) {
        if self.early.contains(&number) {
            // It waits no more.
            let _ = done.send(());
            return;
        }
        self.echoes.insert(number, done);
        // Those who waited too long do so no more.
        self.echoes.retain(|_, done| !done.is_closed());
    }

    /// A notification came, a whole message; gives the clients that let too much wait, who are gone from here.
    pub(super) fn deliver(&mut self, channel: &[u8], payload: &[u8], message: &[u8]) -> Vec<u64> {
        if channel == ECHOES.as_bytes() {
            let number = std::str::from_utf8(payload).ok().and_then(|number| number.parse().ok());
            number.into_iter().for_each(|number| self.echoed(number));
            return Vec::new();
        }
        let Some(clients) = self.channels.get(channel) else { return Vec::new() };
        let message: Arc<[u8]> = message.into();
        clients.iter().copied().filter(|client| !self.is_mute(*client, channel) && !self.send(*client, &message)).collect()
    }

    fn echoed(&mut self, number: u64) {
        match self.echoes.remove(&number) {
            // It waits no more.
            Some(done) => drop(done.send(())),
            None => self.early.push_back(number),
        }
        if self.early.len() > EARLY {
            self.early.pop_front();
        }
        for member in self.clients.values_mut().filter(|member| member.mute.as_ref().is_some_and(|(_, until)| *until == number)) {
            member.mute = None;
        }
    }

    fn is_mute(&self, client: u64, channel: &[u8]) -> bool {
        let mute = self.clients.get(&client).and_then(|member| member.mute.as_ref());
        mute.is_some_and(|(channels, _)| channels.contains(channel))
    }

    /// The same to everybody; gives as [`Line::deliver`].
    pub(super) fn tell_all(&self, message: &[u8]) -> Vec<u64> {
        let message: Arc<[u8]> = message.into();
        self.clients.keys().copied().filter(|client| !self.send(*client, &message)).collect()
    }

    fn send(&self, client: u64, message: &Arc<[u8]>) -> bool {
        self.clients.get(&client).is_none_or(|member| member.sender.try_send(message.clone()).is_ok())
    }

    /// What a new connection has to do.
    pub(super) fn all(&self) -> Change {
        let echo = ECHOES.as_bytes().into();
        Change { listen: self.channels.keys().cloned().chain([echo]).collect(), unlisten: BTreeSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    pub(super) fn clients(&self) -> usize {
        self.clients.len()
    }

    /// The key to log in with: that of the first client after number `after`, round and round.
    pub(super) fn key(&self, after: u64) -> Option<(u64, Arc<Key>)> {
        let first = self.clients.range(after.saturating_add(1)..).next().or_else(|| self.clients.iter().next());
        first.map(|(client, member)| (*client, member.key.clone()))
    }

    /// The connection is lost: echoes that were on their way do not come.
    pub(super) fn forget_echoes(&mut self) {
        self.echoes.clear();
        self.clients.values_mut().for_each(|member| member.mute = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listening::Ears;

    fn key() -> Arc<Key> {
        Arc::new(Key { user: "u".into(), database: "d".into() })
    }

    fn channels(names: &[&str]) -> BTreeSet<Channel> {
        names.iter().map(|name| name.as_bytes().into()).collect()
    }

    fn wish(names: &[&str], sender: Option<Sender>) -> Wish {
        Wish { listen: channels(names), sender, ..Wish::default() }
    }

    fn change(listen: &[&str], unlisten: &[&str]) -> Change {
        Change { listen: channels(listen), unlisten: channels(unlisten) }
    }

    #[test]
    fn the_connection_listens_on_what_anybody_does() {
        let (mut line, key) = (Line::default(), key());
        let (_one, first) = Ears::shared();
        let (_two, second) = Ears::shared();
        assert_eq!(line.hear((&key, 1), wish(&["a", "b"], Some(first))), change(&["a", "b"], &[]));
        assert_eq!(line.hear((&key, 2), wish(&["b", "c"], Some(second))), change(&["c"], &[]));
        let other = Wish { unlisten: channels(&["a", "b", "x"]), ..wish(&["c", "d"], None) };
        assert_eq!(line.hear((&key, 1), other), change(&["d"], &["a"]));
        assert_eq!(line.hear((&key, 1), wish(&["e"], None)), change(&["e"], &[]));
        assert_eq!(line.leave(2), change(&[], &["b"]));
        assert_eq!(line.all().listen.len(), 4);
        assert_eq!(line.hear((&key, 3), wish(&["x"], None)), change(&[], &[]));
        assert_eq!(line.leave(1), change(&[], &["c", "d", "e"]));
        assert!(line.is_empty());
    }

    #[test]
    fn a_client_that_comes_back_with_new_ears_keeps_what_is_common() {
        let (mut line, key) = (Line::default(), key());
        let (_one, first) = Ears::shared();
        let (_two, second) = Ears::shared();
        line.hear((&key, 1), wish(&["a", "b"], Some(first)));
        assert_eq!(line.hear((&key, 1), wish(&["b", "c"], Some(second))), change(&["b", "c"], &["a"]));
    }

    #[test]
    fn each_client_gets_its_own_and_a_slow_one_is_named() {
        let (mut line, key) = (Line::default(), key());
        let (mut one, first) = Ears::shared();
        let (_slow, second) = Ears::shared();
        one.channels = channels(&["a"]);
        line.hear((&key, 1), wish(&["a"], Some(first)));
        line.hear((&key, 2), wish(&["b"], Some(second)));
        let message = b"A\0\0\0\x0b\0\0\0\x01a\0\0";
        assert!(line.deliver(b"a", b"", message).is_empty() && line.deliver(b"c", b"", message).is_empty());
        let mut out = Vec::new();
        one.take(&mut out).unwrap();
        assert_eq!(out, message);
        for _ in 0..super::super::inbox::MOST {
            assert!(line.deliver(b"b", b"", message).is_empty());
        }
        assert_eq!(line.deliver(b"b", b"", message), [2]);
    }

    #[test]
    fn what_a_client_heard_by_itself_does_not_come_again() {
        let (mut line, key) = (Line::default(), key());
        let (mut ears, sender) = Ears::shared();
        ears.channels = channels(&["a", "b"]);
        line.hear((&key, 1), Wish { mute: Some((channels(&["a"]), 5)), ..wish(&["a", "b"], Some(sender)) });
        let message = |channel: &str| [&b"A\0\0\0\x0b\0\0\0\x01"[..], channel.as_bytes(), b"\0\0"].concat();
        for (channel, payload) in [("a", ""), ("b", ""), (ECHOES, "4"), ("a", ""), (ECHOES, "5"), ("a", "")] {
            line.deliver(channel.as_bytes(), payload.as_bytes(), &message(channel));
        }
        let mut out = Vec::new();
        ears.take(&mut out).unwrap();
        assert_eq!(out, [message("b"), message("a")].concat());
    }

    #[test]
    fn what_is_listened_on_meanwhile_changes_nothing_in_what_it_heard_by_itself() {
        let (mut line, key) = (Line::default(), key());
        let (mut ears, sender) = Ears::shared();
        ears.channels = channels(&["a", "b", "c"]);
        line.hear((&key, 1), Wish { mute: Some((channels(&["a", "b"]), 5)), ..wish(&["a", "b"], Some(sender)) });
        line.hear((&key, 1), wish(&["c"], None));
        line.hear((&key, 1), Wish { unlisten: channels(&["b"]), ..Wish::default() });
        line.hear((&key, 1), wish(&["b"], None));
        let message = |channel: &str| [&b"A\0\0\0\x0b\0\0\0\x01"[..], channel.as_bytes(), b"\0\0"].concat();
        for channel in ["a", "b", "c"] {
            line.deliver(channel.as_bytes(), b"", &message(channel));
        }
        let mut out = Vec::new();
        ears.take(&mut out).unwrap();
        assert_eq!(out, [message("b"), message("c")].concat());
    }

    #[test]
    fn an_echo_wakes_who_waits_for_it() {
        let mut line = Line::default();
        let (done, mut heard) = oneshot::channel();
        line.expect(5, done);
        line.deliver(ECHOES.as_bytes(), b"4", b"");
        assert!(heard.try_recv().is_err());
        line.deliver(ECHOES.as_bytes(), b"5", b"");
        assert!(heard.try_recv().is_ok());
        let (done, mut late) = oneshot::channel();
        line.expect(4, done);
        assert!(late.try_recv().is_ok(), "it came before who waits for it had said so");
        for number in 0..2 * EARLY {
            line.deliver(ECHOES.as_bytes(), number.to_string().as_bytes(), b"");
        }
        assert_eq!(line.early.len(), EARLY);
    }

    #[test]
    fn names_are_quoted_and_a_later_wish_counts() {
        let mut sum = change(&["a"], &["b"]);
        sum.then(change(&["b"], &["a"]));
        assert_eq!(sum, change(&["b"], &["a"]));
        assert_eq!(String::from_utf8(change(&["it\"s"], &["x"]).sql()).unwrap(), "UNLISTEN \"x\";LISTEN \"it\"\"s\";");
    }

    #[test]
    fn keys_are_tried_in_turn() {
        let (mut line, key) = (Line::default(), key());
        let (_one, first) = Ears::shared();
        let (_two, second) = Ears::shared();
        line.hear((&key, 3), wish(&["a"], Some(first)));
        line.hear((&key, 9), wish(&["a"], Some(second)));
        let numbers = [0, 3, 9].map(|after| line.key(after).unwrap().0);
        assert_eq!(numbers, [3, 9, 3]);
    }
}
