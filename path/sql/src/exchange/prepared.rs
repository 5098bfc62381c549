//! Names of prepared statements: what a client calls them and what the server does.
//!
//! A statement has a name of the door's at each server connection, where it is prepared when somebody first needs it
//! there. What a client was told of its columns holds: where the server's answer would be another, it is the error that
//! Postgres gives for it.

use std::sync::Arc;

use super::consequences::means;
use super::expected::{CLOSED, Described, Expected, Kind};
use super::intake::Intake;
use super::message;
use super::own::write_parse;
use super::turn::{May, Renamed, Turn};
use crate::error::{Fault, code};
use crate::frame;
use crate::parse::{Constants, Effects, Recognised, Strings, Touched, recognise};
use crate::server::{Held, Number, Origin, Place, Wanted, name_of};
use crate::session::{Found, Named, Statement};

/// What executing a statement does of which the door knows only that SQL's own `PREPARE` may have made it.
const EXECUTE: &[u8] = b"EXECUTE unknown";

/// Bytes of a `Bind` that are waited for if the names of parameters may be among its values.
const LONGEST_NAMING: usize = 8 << 10;

/// How a message names its statement at the server.
enum Resolved {
    /// As the client does.
    AsIs(Option<Named>),
    /// By a number.
    Kept(Number, Named),
    /// It must not be used: its columns are not what the client was told.
    Changed,
    /// An answer is needed first.
    Wait,
}

impl Intake {
    pub(super) fn parse(&mut self, length: usize, statement: &Arc<Statement>, turn: &mut Turn<'_>) -> May {
        if self.show(&statement.recognised, false, turn) == May::Wait {
            return May::Wait;
        }
        self.mark = Some(turn.begins(&statement.recognised, &statement.text));
        let name = frame::split_text(turn.body(length)).map_or(&b""[..], |split| split.0);
        if name.is_empty() {
            return self.parse_unnamed(length, statement, turn);
        }
        match turn.records.names.find(turn.records.changes, name, self.batch) {
            Found::Later => May::Wait,
            // What would be lent the server may refuse, and what it has then would be closed.
            Found::Here(_) if turn.records.names.is_yet_of_sql(turn.records.changes, name) => May::Wait,
            Found::Here(_) => {
                // The server shall say that it is there already, when all else is right.
                turn.lend_name(name, b"", b"\0\0");
                self.forward(length, Kind::Parse(None), turn);
                May::Go
            }
            Found::Nowhere if turn.records.names.is_of_sql(turn.records.changes, name) => {
                // The server has it under this very name, and says so when all else is right.
                self.send(length, true, turn);
                let parse = turn.records.names.number_parse();
                let named = Named::new(statement.clone(), self.origin(&statement.recognised, parse, turn));
                turn.records.changes.push(name, Some(named), self.batch);
                turn.expect(Expected::client(Kind::Parse(None)).with_name().measured(self.mark));
                May::Go
            }
            Found::Nowhere if turn.records.names.is_full() => {
                let fault = Fault::new(code::PROGRAM_LIMIT_EXCEEDED, "this client has too many prepared statements");
                turn.refuse(fault.hint("Close those that are of no use any more, or give them no name."));
                self.send(length, false, turn);
                May::Go
            }
            Found::Nowhere => {
                turn.vacate(name);
                let parse = turn.records.names.number_parse();
                let (number, origin) = self.keep(statement, parse, turn);
                turn.rename(Renamed { tag: b'P', length, before: b"", old: name.len(), new: &name_of(number) });
                self.send(length - frame::HEADER - name.len(), true, turn);
                turn.records.changes.push(name, Some(Named::new(statement.clone(), origin)), self.batch);
                turn.expect(Expected::client(Kind::Parse(Some(number))).with_name().measured(self.mark));
                May::Go
            }
        }
    }

    fn parse_unnamed(&mut self, length: usize, statement: &Arc<Statement>, turn: &mut Turn<'_>) -> May {
        self.reused = None;
        turn.records.names.use_unnamed(false);
        let named = Named::unnamed(statement.clone(), self.origin(&statement.recognised, 0, turn));
        turn.records.changes.push(b"", Some(named), self.batch);
        if self.parse_kept(length, statement, turn) {
            return May::Go;
        }
        turn.records.prepared.set_unnamed(turn.rules.client, statement, self.batch);
        self.send(length, true, turn);
        turn.expect(Expected::client(Kind::Parse(None)).with_name().measured(self.mark));
        May::Go
    }

    pub(super) fn bind(&mut self, length: usize, turn: &mut Turn<'_>) -> May {
        let Some((portal, name)) = message::bind(turn.body(length)) else {
            // The server will refuse it.
            self.forward(length, Kind::Bind(None), turn);
            return May::Go;
        };
        let body = turn.body(length);
        if body.len() < (length - frame::HEADER).min(LONGEST_NAMING) && self.names_by_value(name, turn) {
            return May::Wait;
        }
        let before = &body[..portal.len() + 1];
        let head = |new| Renamed { tag: b'B', length, before, old: name.len(), new };
        let resolved = self.resolve(name, true, turn);
        // SQL's own `PREPARE` may have made it.
        let is_unknown = !name.is_empty() && matches!(resolved, Resolved::AsIs(None));
        let (number, named) = match resolved {
            Resolved::Wait => return May::Wait,
            Resolved::Changed => {
                turn.refuse(Fault::new(code::FEATURE_NOT_SUPPORTED, "cached plan must not change result type"));
                self.send(length, false, turn);
                (None, None)
            }
            Resolved::AsIs(named) => {
                self.send(length, true, turn);
                (None, named)
            }
            Resolved::Kept(number, named) => {
                if !name.is_empty() {
                    self.try_named(length, number, turn);
                }
                turn.rename(head(&name_of(number)));
                self.send(length - frame::HEADER - before.len() - name.len(), true, turn);
                (Some(number), Some(named))
            }
        };
        self.mark = named.as_ref().map(|named| turn.begins(&named.statement.recognised, &named.statement.text));
        turn.expect(Expected::client(Kind::Bind(number)).measured(self.mark));
        if let Some(named) = named {
            self.bound(portal, &named.statement.recognised, body, turn);
        } else if is_unknown {
            self.bound(portal, &Arc::new(recognise(EXECUTE, Strings::Standard)), body, turn);
        }
        May::Go
    }

    /// Whether the values of a `Bind` of statement `name` may be names of parameters.
    fn names_by_value(&self, name: &[u8], turn: &Turn<'_>) -> bool {
        let Found::Here(named) = turn.records.names.find(turn.records.changes, name, self.batch) else { return false };
        let text = &named.statement.recognised;
        text.effects.has(Effects::PARAMETERS) && matches!(text.touched(), Touched::All(_))
    }

    /// A portal executes this from now on.
    fn bound(&mut self, portal: &[u8], text: &Arc<Recognised>, body: &[u8], turn: &mut Turn<'_>) {
        self.note(text, turn);
        if text.effects.has(Effects::PARAMETERS) {
            turn.records.done.values.push((text.clone(), body.into()));
        }
        self.portals.retain(|(name, _)| **name != *portal);
        if means(text) {
            self.portals.push((portal.into(), text.clone()));
        }
    }

    pub(super) fn describe(&mut self, length: usize, turn: &mut Turn<'_>) -> May {
        let Some((b'S', name)) = message::target(turn.body(length)) else {
            self.forward(length, Kind::Portal, turn);
            return May::Go;
        };
        let head = |new| Renamed { tag: b'D', length, before: b"S", old: name.len(), new };
        match self.resolve(name, false, turn) {
            Resolved::Wait => return May::Wait,
            Resolved::Kept(number, named) => {
                turn.rename(head(&name_of(number)));
                self.send(1, true, turn);
                let described = Described { number: Some(number), told: named.shape };
                turn.expect(Expected::client(Kind::Describe(Some(described.into()))));
            }
            Resolved::AsIs(_) | Resolved::Changed => self.forward(length, Kind::Describe(None), turn),
        }
        May::Go
    }

    pub(super) fn close(&mut self, length: usize, turn: &mut Turn<'_>) -> May {
        let Some((b'S', name)) = message::target(turn.body(length)) else {
            if let Some((b'P', portal)) = message::target(turn.body(length)) {
                self.portals.retain(|(name, _)| **name != *portal);
            }
            self.forward(length, Kind::Close(None), turn);
            return May::Go;
        };
        match turn.records.names.find(turn.records.changes, name, self.batch) {
            Found::Later => return May::Wait,
            Found::Here(named) if !name.is_empty() => {
                // In a batch that has begun it may yet be skipped.
                if !turn.answers.is_open() {
                    turn.records.prepared.end(&Wanted { statement: named.statement, place: named.origin.place });
                }
                self.send(length, false, turn);
                turn.records.changes.push(name, None, self.batch);
                turn.expect(Expected::client(Kind::Ours(CLOSED)).with_name());
            }
            _ => {
                if name.is_empty() {
                    turn.records.prepared.forget_unnamed();
                }
                turn.vacate(name);
                turn.records.changes.push(name, None, self.batch);
                self.send(length, true, turn);
                turn.expect(Expected::client(Kind::Close(None)).with_name());
            }
        }
        May::Go
    }

    /// How `name` is called at the server, which has it then. With `checks` its columns are what the client was told.
    fn resolve(&mut self, name: &[u8], checks: bool, turn: &mut Turn<'_>) -> Resolved {
        let named = match turn.records.names.find(turn.records.changes, name, self.batch) {
            Found::Later => return Resolved::Wait,
            Found::Nowhere if name.is_empty() => {
                turn.forget_unnamed();
                return Resolved::AsIs(None);
            }
            Found::Nowhere => {
                turn.vacate(name);
                return Resolved::AsIs(None);
            }
            Found::Here(named) => named,
        };
        if self.show(&named.statement.recognised, false, turn) == May::Wait {
            return Resolved::Wait;
        }
        if name.is_empty() && checks {
            turn.records.names.use_unnamed(true);
        }
        if let (true, Some(number)) = (name.is_empty(), self.reused.filter(|number| turn.records.prepared.statement(*number).is_some())) {
            return Resolved::Kept(number, named);
        }
        if name.is_empty() {
            if self.need_unnamed(&named.statement, turn) == May::Wait {
                return Resolved::Wait;
            }
            return Resolved::AsIs(Some(named));
        }
        let (number, shape) = match self.held(&named, turn) {
            Held::Later => return Resolved::Wait,
            Held::Here(number, shape) => (number, shape),
            Held::Nowhere => (self.prepare(&named, turn), None),
        };
        match (named.shape.as_ref().and_then(|told| told.get()).filter(|_| checks), shape) {
            (Some(told), Some(shape)) if told != shape => Resolved::Changed,
            (Some(_), None) => {
                turn.ask_shape(number);
                Resolved::Wait
            }
            _ => Resolved::Kept(number, named),
        }
    }

    /// Whether the server has a statement that a client knows, as it was parsed then, or as it would be now.
    fn held(&self, named: &Named, turn: &mut Turn<'_>) -> Held {
        let generation = named.origin.generation;
        let now = self.place(&named.statement.recognised, named.origin.place.parse(), turn);
        let mut wanted = Wanted { statement: named.statement.clone(), place: first_place(named, now) };
        let held = turn.records.prepared.find(&wanted, self.batch, generation);
        if held == Held::Nowhere && wanted.place != now {
            wanted.place = now;
            return turn.records.prepared.find(&wanted, self.batch, generation);
        }
        held
    }

    /// Where and when a text that goes now is parsed.
    fn origin(&self, text: &Recognised, parse: u32, turn: &Turn<'_>) -> Origin {
        Origin { place: self.place(text, parse, turn), generation: turn.generation }
    }

    /// A statement that the server is to keep under a number.
    pub(super) fn keep(&mut self, statement: &Arc<Statement>, parse: u32, turn: &mut Turn<'_>) -> (Number, Origin) {
        let origin = self.origin(&statement.recognised, parse, turn);
        let wanted = Wanted { statement: statement.clone(), place: origin.place };
        turn.close_some();
        (turn.records.prepared.insert(wanted, self.batch, origin.generation, turn.rules.most), origin)
    }

    /// Prepares a statement at the server.
    fn prepare(&mut self, named: &Named, turn: &mut Turn<'_>) -> Number {
        let statement = &named.statement;
        let (number, _) = self.keep(statement, named.origin.place.parse(), turn);
        turn.own(Kind::Parse(Some(number)), b'P', |out| write_parse(out, &name_of(number), &statement.text, &statement.types));
        number
    }

    /// The unnamed statement at the server is this client's, and this one.
    fn need_unnamed(&mut self, statement: &Arc<Statement>, turn: &mut Turn<'_>) -> May {
        match turn.records.prepared.unnamed(turn.rules.client, statement) {
            // The server may skip its `Parse`.
            Some(batch) if batch != self.batch && turn.answers.outstanding() > 0 => return May::Wait,
            Some(_) => {}
            None => {
                turn.own(Kind::Parse(None), b'P', |out| write_parse(out, b"", &statement.text, &statement.types));
                turn.records.prepared.set_unnamed(turn.rules.client, statement, self.batch);
            }
        }
        May::Go
    }
}

/// Where a name is looked for first. Without constants that are read only once, settings count as they are by now.
fn first_place(named: &Named, now: Place) -> Place {
    match (named.origin.place, now) {
        (Place::Sessions(_), Place::Sessions(_)) if named.statement.recognised.constants == Constants::None => now,
        (place, _) => place,
    }
}
