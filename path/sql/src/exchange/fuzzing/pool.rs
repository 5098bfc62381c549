use std::sync::Arc;
use std::time::Instant;

use telemetry::Log;

use super::postgres::Postgres;
use crate::exchange::answers::{Answers, Trial};
use crate::exchange::intake::{Intake, Planned};
use crate::exchange::memory::Memory;
use crate::exchange::outgoing::Outgoing;
use crate::exchange::records::{Done, Records};
use crate::exchange::turn::{Rules, Turn, Watch};
use crate::exchange::worth::Reuse;
use crate::frame::{HEADER, header};
use crate::parse::Strings;
use crate::server::{Key, Prepared};
use crate::session::{Changes, Names};
use crate::top::{Measure, Top};

/// Two clients and two server connections.
pub(super) struct Pool {
    guests: [Guest; 2],
    /// The one that was given back last is lent first.
    idle: Vec<Server>,
    here: Here,
}

/// What a loop keeps.
struct Here {
    memory: Memory,
    measure: Measure,
    key: Arc<Key>,
}

impl Here {
    fn new() -> Here {
        let key = Arc::new(Key { user: "u".into(), database: "d".into() });
        let top = Top::new("main".into(), 1, None, Log::nowhere());
        Here { memory: Memory::default(), measure: Measure::new(top, 0), key }
    }
}

/// A server connection.
#[derive(Default)]
struct Server {
    prepared: Prepared,
    postgres: Postgres,
}

/// A client, and the server connection that it holds.
#[derive(Default)]
struct Guest {
    number: u64,
    intake: Intake,
    answers: Answers,
    names: Names,
    changes: Changes,
    done: Done,
    input: Vec<u8>,
    output: Vec<u8>,
    up: Outgoing,
    down: Outgoing,
    held: Option<Server>,
    told: Vec<u8>,
    hears: Option<(u32, u32)>,
    /// Nothing that it sends is dealt with any more.
    has_left: bool,
    /// It did not keep to the protocol: what it is told is its own affair.
    is_astray: bool,
}

impl Pool {
    pub(super) fn new() -> Pool {
        let guests = [1, 2].map(|number| Guest { number, ..Guest::default() });
        Pool { guests, idle: vec![Server::default(), Server::default()], here: Here::new() }
    }

    /// A client sends `bytes`, and everything is done that follows.
    pub(super) fn client(&mut self, guest: usize, bytes: &[u8]) {
        let Pool { guests, idle, here } = self;
        let guest = &mut guests[guest];
        if guest.has_left || guest.is_astray {
            return;
        }
        guest.input.extend_from_slice(bytes);
        loop {
            guest.intake.read(&guest.input, &mut here.memory, Strings::Standard);
            if guest.intake.is_at_boundary() && guest.intake.messages.front().is_none() {
                guest.has_left |= guest.intake.messages.refused().is_some();
                return;
            }
            let server = guest.held.take().or_else(|| idle.pop()).expect("there is one for each");
            guest.held = Some(server);
            guest.flow(here);
            if !guest.gives_back(idle) || guest.has_left {
                return;
            }
        }
    }

    /// What a client was told is what a server of its own would have told it.
    pub(super) fn compare(&self, guest: usize, sent: &[u8], alone: &[u8]) {
        let guest = &self.guests[guest];
        if guest.is_astray {
            return;
        }
        let is_asked = guest.held.as_ref().is_some_and(|server| server.postgres.asks_for_data());
        let is_due = is_asked || !guest.intake.is_at_boundary();
        assert!(is_due || guest.answers.outstanding() == 0, "it waits for ever");
        assert!(guest.told == alone, "sent:\n{}\ntold:\n{}\nalone:\n{}", shown(sent), shown(&guest.told), shown(alone));
    }
}

impl Guest {
    /// Moves bytes both ways until nothing moves.
    fn flow(&mut self, here: &mut Here) {
        loop {
            let asked = self.plan(here);
            let heard = self.hear(here).expect("the server keeps to the protocol");
            if self.answers.is_adrift() {
                self.is_astray = true;
                return;
            }
            if !asked && !heard {
                return;
            }
        }
    }

    /// Whether something went to the server.
    fn plan(&mut self, here: &mut Here) -> bool {
        if self.answers.holds_back() {
            return false;
        }
        self.forget_input();
        let server = self.held.as_mut().expect("it holds one");
        let records = Records {
            names: &mut self.names,
            changes: &mut self.changes,
            prepared: &mut server.prepared,
            done: &mut self.done,
            hears: self.hears,
            elsewhere: None,
        };
        let planned = self.intake.plan(&mut Turn {
            input: &self.input,
            up: &mut self.up,
            output: &self.output,
            down: &mut self.down,
            answers: &mut self.answers,
            records,
            rules: Rules {
                client: self.number,
                process: self.number as u32,
                environment: 0,
                most: 2,
                is_private: false,
                reuse: Reuse::Always,
            },
            generation: 0,
            key: &here.key,
            worth: &here.memory.worth,
            watch: Watch { measure: &mut here.measure, came: Instant::now(), strings: Strings::Standard },
        });
        self.has_left |= planned == Planned::Leaves;
        self.done.clear();
        let up = self.up.written(&self.input);
        server.postgres.hear(&up);
        let has_moved = self.up.decided() > 0 || !up.is_empty();
        if !self.answers.holds_back() {
            self.forget_input();
        }
        has_moved
    }

    /// What was decided has gone.
    fn forget_input(&mut self) {
        self.input.drain(..self.up.decided());
        self.up.clear();
    }

    /// Whether the server said something; `None`: what it said is against the protocol.
    fn hear(&mut self, here: &mut Here) -> Option<bool> {
        let server = self.held.as_mut().expect("it holds one");
        let said = std::mem::take(&mut server.postgres.said);
        self.output.extend_from_slice(&said);
        let mut records = Records {
            names: &mut self.names,
            changes: &mut self.changes,
            prepared: &mut server.prepared,
            done: &mut self.done,
            hears: self.hears,
            elsewhere: None,
        };
        let is_kept = self.answers.scan(&self.output, &mut self.down, &mut records).is_ok();
        if self.answers.trial == Trial::Failed {
            self.answers.trial = Trial::None;
            self.up.clear();
            self.intake.begin_again();
            self.intake.read(&self.input, &mut here.memory, Strings::Standard);
        }
        if !self.answers.holds_back() {
            self.told.extend(self.down.written(&self.output));
            self.output.drain(..self.down.decided());
            self.down.clear();
        }
        is_kept.then_some(!said.is_empty())
    }

    /// The connection goes when nothing is open on it, and so it does when its client left.
    fn gives_back(&mut self, idle: &mut Vec<Server>) -> bool {
        let Guest { answers, intake, .. } = &*self;
        let is_settled = answers.is_settled() && answers.status() == b'I' && intake.is_at_boundary();
        if is_settled {
            self.intake.settle();
        }
        let Some(server) = self.held.take_if(|server| is_settled && !server.postgres.is_pinned) else { return false };
        self.answers.clear();
        self.changes.clear();
        self.done.clear();
        self.intake.rewind();
        idle.insert(0, server);
        true
    }
}

/// What a client that sent `asked` is told when the server says `said`, piece by piece, and whether the server broke the
/// protocol.
pub(super) fn answered<'s>(asked: &[u8], said: impl Iterator<Item = &'s [u8]>) -> (Vec<u8>, bool) {
    let mut here = Here::new();
    let mut guest = Guest { held: Some(Server::default()), input: asked.to_vec(), hears: Some((1, 2)), ..Guest::default() };
    guest.intake.read(&guest.input, &mut here.memory, Strings::Standard);
    guest.plan(&mut here);
    for piece in said {
        guest.held.as_mut().expect("it holds one").postgres.said = piece.to_vec();
        if guest.hear(&mut here).is_none() {
            return (guest.told, true);
        }
    }
    (guest.told, false)
}

/// Messages a line each.
fn shown(mut bytes: &[u8]) -> String {
    let mut lines = Vec::new();
    while let Some((whole, rest)) = header(bytes).ok().flatten().and_then(|header| bytes.split_at_checked(HEADER + header.body)) {
        lines.push(format!("  {} {}", whole[0].escape_ascii(), whole[HEADER..].escape_ascii()));
        bytes = rest;
    }
    lines.join("\n") + &format!(" and {}", bytes.escape_ascii())
}
