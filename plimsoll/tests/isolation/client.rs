//! One client: what it does next, what it must see then, and what it did before something was wrong.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use testkit::Wire;
use testkit::wire::{Answer, Login};

use crate::ground::{Ground, Permit};
use crate::pins::Pins;
use crate::random::Random;
use crate::settings::Values;

/// Steps that a failure prints.
const REMEMBERED: usize = 60;

/// The action that took longest, by its last step.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slowest {
    pub took: Duration,
    pub step: String,
}

impl Slowest {
    fn note(&mut self, took: Duration, step: Option<&String>) {
        if took > self.took {
            *self = Slowest { took, step: step.map(|step| format!("{step:.80}")).unwrap_or_default() };
        }
    }
}

/// What the client's session must hold.
#[derive(Default)]
pub struct Model {
    pub values: Values,
    /// Prepared by the protocol: name and what it is.
    pub statements: BTreeMap<&'static str, Prepared>,
    pub pins: Pins,
    pub listens: bool,
}

/// A prepared statement.
#[derive(Clone, PartialEq)]
pub enum Prepared {
    /// Tells this, and its parameter.
    Canary(String),
    /// Text that every client has: adds 1.
    Shared,
    /// Text that every client has and that finds another table for each.
    Mine,
}

pub struct Client<'a> {
    pub ground: &'a Ground,
    pub id: usize,
    pub random: Random,
    pub model: Model,
    pub permit: Option<Permit<'a>>,
    /// Rows of its own table that were committed.
    pub rows: usize,
    wire: Option<Wire>,
    serial: u64,
    steps: VecDeque<String>,
}

impl<'a> Client<'a> {
    pub fn new(ground: &'a Ground, id: usize, seed: u64) -> Client<'a> {
        let random = Random::new(seed, id);
        let (model, steps) = Default::default();
        Client { ground, id, random, model, permit: None, rows: 0, wire: None, serial: 0, steps }
    }

    /// Acts until the time is over or somebody failed; how many actions that were.
    pub fn run(mut self, time: Duration) -> u64 {
        let end = Instant::now() + time;
        let (mut done, mut slowest) = (0, Slowest::default());
        self.connect();
        while Instant::now() < end && !self.ground.stop.load(Ordering::SeqCst) {
            let begun = Instant::now();
            self.act();
            done += 1;
            slowest.note(begun.elapsed(), self.steps.back());
        }
        self.check_settings();
        self.check_statements();
        self.check_rows();
        self.ground.note(slowest);
        match self.random.once_in(2) {
            true => self.wire.take().unwrap().terminate(),
            false => self.wire.take().unwrap().vanish(),
        }
        done
    }

    fn act(&mut self) {
        match self.random.below(100) {
            0..8 => self.set(),
            8..10 => self.reset(),
            10..12 => self.set_role(),
            12..20 => self.check_settings(),
            20..23 => self.show(),
            23..26 => self.own_table(),
            26..34 => self.prepare(),
            34..46 => self.execute(),
            46..49 => self.forget_statement(),
            49..50 => self.discard(),
            50..62 => self.pin(),
            62..70 => self.check_pins(),
            70..77 => self.transaction(),
            77..83 => self.pipeline(),
            83..86 => self.copy(),
            86..88 => self.large(),
            88..90 => self.notice(),
            90..93 => self.notify(),
            93..94 => self.cancelled(),
            94..97 => self.stopped(),
            _ => self.leave(),
        }
        self.release();
    }

    /// A new session, some with settings of their own from the first message on.
    pub fn connect(&mut self) {
        self.note("connect");
        self.model = Model::default();
        self.permit = None;
        let mut login = Login::new("app", "app");
        if self.random.once_in(3) {
            let (setting, value) = self.some_setting();
            if setting.name != "search_path" {
                login = login.with(setting.name, &value);
                self.model.values.startup.insert(setting.name, value);
            }
        }
        self.wire = Some(self.ground.connect_as(&login));
    }

    /// A number that this client has not used before.
    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A word that no other client says.
    pub fn canary(&mut self) -> String {
        let serial = self.serial();
        format!("canary-{}-{serial}", self.id)
    }

    pub fn wire(&mut self) -> &mut Wire {
        self.wire.as_mut().expect("it is connected")
    }

    pub fn take_wire(&mut self) -> Wire {
        self.wire.take().expect("it is connected")
    }

    pub fn note(&mut self, step: impl Into<String>) {
        self.steps.push_back(step.into());
        if self.steps.len() > REMEMBERED {
            self.steps.pop_front();
        }
    }

    pub fn query(&mut self, sql: &str) -> Answer {
        self.note(sql);
        let answer = self.wire().query(sql);
        self.heard(answer)
    }

    pub fn ask(&mut self, sql: &str, parameters: &[&str]) -> Answer {
        self.note(format!("{sql} {parameters:?}"));
        let answer = self.wire().ask(sql, parameters);
        self.heard(answer)
    }

    /// Messages, and the answer up to the next ReadyForQuery.
    pub fn exchange(&mut self, step: String, messages: &[Vec<u8>]) -> Answer {
        self.note(step);
        self.wire().send(&messages.concat()).unwrap();
        self.answer()
    }

    pub fn answer(&mut self) -> Answer {
        let answer = self.wire().answer();
        self.heard(answer)
    }

    /// An answer that may hold nobody else's notifications, and no cancel of another's.
    fn heard(&mut self, answer: std::io::Result<Answer>) -> Answer {
        let answer = answer.unwrap_or_else(|error| panic!("client {}: {error}", self.id));
        for (channel, payload) in &answer.notifications {
            assert!(self.model.listens && *channel == format!("news_{}", self.id), "client {} heard {channel} {payload}", self.id);
        }
        let expected = answer.errors.iter().all(|error| error.code != "57014" || error.text.contains("COPY from stdin"));
        assert!(expected, "client {} was cancelled: {answer:?}", self.id);
        answer
    }

    /// Gives the permit back when nothing pins any more.
    fn release(&mut self) {
        if self.model.pins.nothing() {
            self.permit = None;
        }
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.ground.stop.store(true, Ordering::SeqCst);
            let steps: Vec<String> = self.steps.iter().map(|step| format!("  {step:.160}\n")).collect();
            eprintln!("client {} did:\n{}", self.id, steps.concat());
        }
    }
}
