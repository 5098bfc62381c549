use std::sync::Arc;
use std::time::Instant;

use telemetry::Log;

use super::notation::{back, front, read_back, read_front};
use crate::exchange::answers::{Answers, Breach, Trial};
use crate::exchange::intake::{Intake, Planned};
use crate::exchange::memory::Memory;
use crate::exchange::outgoing::Outgoing;
use crate::exchange::records::{Done, Records};
use crate::exchange::turn::{Rules, Turn, Watch};
use crate::exchange::worth::{Reuse, Worth};
use crate::parse::Strings;
use crate::server::{Key, Prepared};
use crate::session::{Changes, Names};
use crate::top::{Measure, Top};

/// A server connection, as clients leave it.
#[derive(Default)]
pub(super) struct Server {
    pub(super) prepared: Prepared,
}

/// A client, while it has a server connection.
pub(super) struct Scene<'s> {
    pub(super) server: &'s mut Server,
    pub(super) intake: Intake,
    pub(super) answers: Answers,
    pub(super) names: Names,
    changes: Changes,
    pub(super) done: Done,
    memory: Memory,
    input: Vec<u8>,
    output: Vec<u8>,
    up: Outgoing,
    down: Outgoing,
    pub(super) rules: Rules,
    pub(super) generation: u64,
    pub(super) worth: Worth,
    measure: Measure,
    pub(super) came: Instant,
    pub(super) hears: Option<(u32, u32)>,
    pub(super) key: Arc<Key>,
    pub(super) planned: Planned,
}

impl<'s> Scene<'s> {
    pub(super) fn new(server: &'s mut Server) -> Scene<'s> {
        Scene {
            server,
            intake: Intake::default(),
            answers: Answers::default(),
            names: Names::default(),
            changes: Changes::default(),
            done: Done::default(),
            memory: Memory::default(),
            input: Vec::new(),
            output: Vec::new(),
            up: Outgoing::default(),
            down: Outgoing::default(),
            rules: Rules { client: 1, process: 300, environment: 0, most: 10, is_private: false, reuse: Reuse::Never },
            generation: 0,
            worth: Worth::default(),
            measure: Measure::new(Top::new("main".into(), 1, None, Log::nowhere()), 0),
            came: Instant::now(),
            hears: None,
            key: Arc::new(Key { user: "u".into(), database: "d".into() }),
            planned: Planned::All,
        }
    }

    /// The same client has another connection now.
    pub(super) fn on<'o>(self, server: &'o mut Server) -> Scene<'o> {
        assert!(self.answers.is_settled());
        Scene { names: self.names, rules: self.rules, generation: self.generation, worth: self.worth, key: self.key, ..Scene::new(server) }
    }

    /// The client's transaction is over, its connection is lent anew.
    pub(super) fn settle(self) -> Scene<'s> {
        let Scene { server, names, rules, generation, worth, key, .. } = self;
        Scene { names, rules, generation, worth, key, ..Scene::new(server) }
    }

    /// The client sends `words`; what goes to the server.
    pub(super) fn client(&mut self, words: &str) -> String {
        read_front(&self.client_bytes(&front(words)))
    }

    /// The server says `words`; what goes to the client, and then to the server.
    pub(super) fn server(&mut self, words: &str) -> (String, String) {
        let down = self.server_bytes(&back(words)).expect("it keeps to the protocol");
        (read_back(&down), read_front(&self.client_bytes(b"")))
    }

    /// The server says `words`, and nothing more goes to it.
    pub(super) fn answer(&mut self, words: &str) -> String {
        let (down, up) = self.server(words);
        assert_eq!(up, "", "after {words}");
        down
    }

    pub(super) fn client_bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.input.extend_from_slice(bytes);
        match self.answers.trial {
            Trial::None => self.take_input(),
            Trial::Failed => {
                self.up.clear();
                self.intake.begin_again();
                self.answers.trial = Trial::None;
            }
            Trial::Open { .. } | Trial::Failing => return Vec::new(),
        }
        self.intake.read(&self.input, &mut self.memory, Strings::Standard);
        let records = Records {
            names: &mut self.names,
            changes: &mut self.changes,
            prepared: &mut self.server.prepared,
            done: &mut self.done,
            hears: self.hears,
            elsewhere: None,
        };
        self.planned = self.intake.plan(&mut Turn {
            input: &self.input,
            up: &mut self.up,
            output: &self.output,
            down: &mut self.down,
            answers: &mut self.answers,
            records,
            rules: self.rules,
            generation: self.generation,
            key: &self.key,
            worth: &self.worth,
            watch: Watch { measure: &mut self.measure, came: self.came, strings: Strings::Standard },
        });
        let written = self.up.written(&self.input);
        if self.answers.trial == Trial::None {
            self.take_input();
        }
        written
    }

    fn take_input(&mut self) {
        self.input.drain(..self.up.decided());
        self.up.clear();
    }

    pub(super) fn server_bytes(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Breach> {
        self.output.extend_from_slice(bytes);
        let mut records = Records {
            names: &mut self.names,
            changes: &mut self.changes,
            prepared: &mut self.server.prepared,
            done: &mut self.done,
            hears: self.hears,
            elsewhere: None,
        };
        self.answers.scan(&self.output, &mut self.down, &mut records)?;
        Ok(if self.answers.holds_back() { Vec::new() } else { take(&mut self.output, &mut self.down) })
    }

    /// What the door has to say without the server.
    pub(super) fn said(&mut self) -> String {
        read_back(&take(&mut self.output, &mut self.down))
    }
}

fn take(source: &mut Vec<u8>, out: &mut Outgoing) -> Vec<u8> {
    let written = out.written(source);
    source.drain(..out.decided());
    out.clear();
    written
}

/// What a client sends that prepares `s`.
pub(super) const PREPARED: &str = "P s SELECT a | S";

/// An `ErrorResponse`.
pub(super) fn error(code: &str, message: &str, routine: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    crate::frame::message(&mut bytes, b'E', |out| {
        out.extend_from_slice(format!("SERROR\0VERROR\0C{code}\0M{message}\0R{routine}\0\0").as_bytes());
    });
    bytes
}
