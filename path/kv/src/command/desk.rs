//! A desk for tests: commands as text, answers as bytes, and a clock that stands until it is told otherwise.

use super::admit::admitted;
use super::execute::{in_view, on_keys, shards};
use super::{Command, Run, find};
use crate::error::Fault;
use crate::frame::{Owned, Protocol, Reply};
use crate::store::{Class, Ms, Outcome, Random, Store};

/// A store of its own.
pub(crate) struct Desk {
    store: Store,
    now: Ms,
    protocol: Protocol,
    outcome: Outcome,
    /// Does what would take long, too.
    is_patient: bool,
}

impl Desk {
    /// With four shards, at a moment of 2026, in RESP2; all events and effects are kept.
    pub(crate) fn new() -> Desk {
        let outcome = Outcome {
            wanted: Class::parse(b"KEAm").expect("they are letters"),
            logs: true,
            random: Random::seeded(5),
            ..Outcome::default()
        };
        Desk {
            store: Store::new(16 << 20, 1).expect("a thread starts"),
            now: 1_790_000_000_000,
            protocol: Protocol::Resp2,
            outcome,
            is_patient: false,
        }
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
        let Ok(mut guards) = self.store.lock_many(numbers.into_iter()) else { panic!("no worker has the keys") };
        let keys = guards.iter_mut().map(|(number, guard)| (*number, &mut **guard));
        let mut view = self.store.view_many(keys, self.now, &mut self.outcome);
        let run = match command.run {
            Run::Keys(run) => run,
            // It may not wait.
            Run::Waits(_) => return on_keys(command, owned.args(), &mut view, reply),
            _ => panic!("{} needs a client", command.name),
        };
        match in_view(command, run, owned.args(), &mut view, reply) {
            Some(done) => done,
            None if self.is_patient => run(&mut view, owned.args(), reply),
            None => panic!("{} would take long", command.name),
        }
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
        let effects = self.outcome.effects.drain(..);
        effects.map(|words| words.iter().map(|word| word.escape_ascii().to_string()).collect::<Vec<_>>().join(" ")).collect()
    }
}
