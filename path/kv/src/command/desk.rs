//! A desk for tests: commands as text, answers as bytes, and a clock that stands until it is told otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::admit::admitted;
use super::execute::{at_once, in_view, shards};
use super::{Command, Run, find};
use crate::error::Fault;
use crate::frame::{Owned, Protocol, Reply};
use crate::persist::unit;
use crate::store::{Class, Ms, Outcome, Random, Store};

/// A store of its own.
pub(crate) struct Desk {
    store: Arc<Store>,
    now: Ms,
    protocol: Protocol,
    outcome: Outcome,
    /// Does what would take long, too.
    is_patient: bool,
    log: Option<Vec<u8>>,
}

impl Desk {
    /// With four shards, at a moment of 2026, in RESP2; all events and effects are kept.
    pub(crate) fn new() -> Desk {
        let outcome = Outcome { wanted: Class::parse(b"KEAm").expect("they are letters"), random: Random::seeded(5), ..Outcome::default() };
        let store = Store::new(16 << 20, 1).expect("a thread starts");
        for number in 0..store.count() {
            let Ok(mut keys) = store.lock(number) else { panic!("no worker has the keys") };
            keys.logs = true;
        }
        Desk { store: Arc::new(store), now: 1_790_000_000_000, protocol: Protocol::Resp2, outcome, is_patient: false, log: None }
    }

    /// From now on in RESP3.
    pub(crate) fn hello_3(&mut self) {
        self.protocol = Protocol::Resp3;
    }

    /// From now on keys that are new are events, too.
    pub(crate) fn want_new(&mut self) {
        self.outcome.wanted = Class::parse(b"KEAmn").expect("they are letters");
    }

    /// From now on a command may take long.
    pub(crate) fn be_patient(&mut self) {
        self.is_patient = true;
    }

    /// So many milliseconds pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        self.now += ms;
    }

    /// Takes away all that is overdue, as the loops do from time to time.
    pub(crate) fn sweep(&mut self) {
        let Ok(mut guards) = self.store.lock_many(0..self.store.count()) else { panic!("no worker has the keys") };
        for (_, keys) in &mut guards {
            let mut from = keys.sweep(0, 4, self.now, &mut self.outcome);
            while from > 0 {
                from = keys.sweep(from, 4, self.now, &mut self.outcome);
            }
        }
    }

    /// The answer to a command whose words are split at spaces.
    pub(crate) fn run(&mut self, line: &str) -> String {
        self.answer(&line.split(' ').map(str::as_bytes).collect::<Vec<_>>())
    }

    /// The answer to a command of these words, with what is no text escaped.
    pub(crate) fn answer(&mut self, words: &[&[u8]]) -> String {
        String::from_utf8(self.bytes(words)).unwrap_or_else(|bytes| bytes.into_bytes().escape_ascii().to_string())
    }

    /// The answer to a command of these words.
    pub(crate) fn bytes(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let owned: Owned = words.iter().copied().collect();
        let args = owned.args();
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, self.protocol);
        assert!(find(args.at(0)).is_some(), "there is no {}", args.at(0).escape_ascii());
        let done = admitted(args).and_then(|command| self.execute(command, &owned, &mut reply));
        if let Err(fault) = done {
            reply.error(&fault);
        }
        out
    }

    fn execute(&mut self, command: &Command, owned: &Owned, reply: &mut Reply<'_>) -> Result<(), Fault> {
        let numbers = shards(&self.store, command.keys, owned.args());
        let mut guards = loop {
            match self.store.lock_many(numbers.iter().copied()) {
                Ok(guards) => break guards,
                Err(_) => std::thread::yield_now(),
            }
        };
        let keys = guards.iter_mut().map(|(number, guard)| (*number, &mut **guard));
        let mut view = self.store.view_many(keys, self.now, &mut self.outcome);
        let (before, changes) = (reply.written(), view.outcome.changes);
        let done = match command.run {
            Run::Keys(run) => match in_view(command, run, owned.args(), &mut view, reply) {
                Some(done) => done,
                None if self.is_patient => run(&mut view, owned.args(), reply),
                None => panic!("{} would take long", command.name),
            },
            Run::Waits(_) => at_once(command, owned.args(), &mut view, reply),
            _ => panic!("{} needs a client", command.name),
        };
        if done.is_err() {
            reply.undo(before);
        }
        if let Some(log) = &mut self.log {
            view.outcome.tell(owned.args().iter(), changes);
            log.extend_from_slice(&unit(self.now, &view.outcome.said));
            view.outcome.clear();
        }
        done
    }

    /// From now on what is done is kept as the log has it, instead of its effects.
    pub(crate) fn keep_log(&mut self) {
        self.log = Some(Vec::new());
    }

    /// What was done since this was asked last.
    pub(crate) fn take_log(&mut self) -> Vec<u8> {
        self.log.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub(crate) fn now(&self) -> Ms {
        self.now
    }

    /// All keys that are there now, with their kinds, what they hold, and when they are overdue.
    pub(crate) fn contents(&mut self) -> BTreeMap<String, String> {
        let keys = self.bytes(&[b"KEYS", b"*"]);
        let names: Vec<Vec<u8>> =
            keys.split(|byte| *byte == b'\n').skip(2).step_by(2).map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect();
        let names = names.into_iter().filter(|_| keys.first() == Some(&b'*'));
        let mut ask = |words: &[&[u8]]| self.answer(words);
        names
            .map(|key| {
                let said = [ask(&[b"TYPE", &key]), ask(&[b"PEXPIRETIME", &key]), ask(&[b"DEBUG", b"DIGEST-VALUE", &key])];
                (key.escape_ascii().to_string(), said.concat())
            })
            .collect()
    }

    /// The answer to `line` is `answer`.
    #[track_caller]
    pub(crate) fn says(&mut self, line: &str, answer: &str) {
        assert_eq!(self.run(line), answer, "{line}");
    }

    /// `event key` of all that happened since this was asked last.
    pub(crate) fn events(&mut self) -> Vec<String> {
        let events = self.outcome.events.drain(..);
        events.map(|event| format!("{} {}", event.name, event.key.escape_ascii())).collect()
    }

    /// What the log would say since this was asked last, besides the commands themselves.
    pub(crate) fn effects(&mut self) -> Vec<String> {
        let effects = self.outcome.gone.drain(..).chain(self.outcome.effects.drain(..));
        effects.map(|words| words.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")).collect()
    }
}
