//! A server as small as can be that keeps to the protocol: what Postgres says to messages, statements and names, with
//! one row of one column for every question.

use std::collections::{BTreeMap, VecDeque};

use crate::frame::{self, HEADER};
use crate::parse::{Effects, Name, Recognised, Step, Strings, recognise, statements};

type Map = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// One session.
#[derive(Debug)]
pub(super) struct Postgres {
    statements: Map,
    portals: Map,
    status: u8,
    skips: bool,
    copy: Option<Copy>,
    input: Vec<u8>,
    /// What it has said so far.
    pub(super) said: Vec<u8>,
    /// SQL's own `PREPARE` was used: the session cannot be anybody else's.
    pub(super) is_pinned: bool,
    has_ended: bool,
}

/// Data is taken in; in a `Query` these statements follow.
#[derive(Debug)]
enum Copy {
    Query(VecDeque<Box<[u8]>>),
    Execute,
}

/// What became of a statement.
enum Done {
    Said,
    Copies,
}

/// A SQLSTATE.
type Code = &'static str;

impl Default for Postgres {
    fn default() -> Postgres {
        let (statements, portals, input, said) = Default::default();
        Postgres { statements, portals, status: b'I', skips: false, copy: None, input, said, is_pinned: false, has_ended: false }
    }
}

impl Postgres {
    /// A client's bytes.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while !self.has_ended
            && let Some((tag, body, after)) = message(rest)
        {
            self.take(tag, body);
            rest = after;
        }
        self.has_ended |= !is_begun(rest);
        self.input = rest.to_vec();
    }

    /// Whether it waits for data of a COPY.
    pub(super) fn asks_for_data(&self) -> bool {
        self.copy.is_some()
    }

    fn say(&mut self, tag: u8, body: &[u8]) {
        frame::message(&mut self.said, tag, |out| out.extend_from_slice(body));
    }

    fn complete(&mut self, tag: &str) {
        self.say(b'C', &[tag.as_bytes(), b"\0"].concat());
    }

    fn fail(&mut self, code: Code) {
        self.say(b'E', format!("SERROR\0VERROR\0C{code}\0\0").as_bytes());
        match self.status {
            b'I' => self.portals.clear(),
            _ => self.status = b'E',
        }
    }

    fn ready(&mut self) {
        if self.status == b'I' {
            self.portals.clear();
        }
        self.say(b'Z', &[self.status]);
    }

    fn take(&mut self, tag: u8, body: &[u8]) {
        if self.copy.is_some() {
            return self.take_data(tag);
        }
        match tag {
            b'X' => self.has_ended = true,
            b'S' => {
                self.skips = false;
                self.ready();
            }
            b'd' | b'c' | b'f' | b'H' => {}
            _ if self.skips => {}
            b'Q' => self.query(body),
            b'F' => {
                match self.status {
                    b'E' => self.fail("25P02"),
                    _ => self.say(b'V', &[255; 4]),
                }
                self.ready();
            }
            _ => {
                if let Err(code) = self.extended(tag, body) {
                    self.fail(code);
                    self.skips = true;
                }
            }
        }
    }

    fn take_data(&mut self, tag: u8) {
        let code = match tag {
            b'd' | b'H' | b'S' => return,
            b'c' => None,
            b'f' => Some("57014"),
            // It is left in the middle: nobody else is told anything.
            b'X' => return self.has_ended = true,
            _ => Some("08P01"),
        };
        match (self.copy.take(), code) {
            (Some(Copy::Query(rest)), None) => {
                self.complete("COPY 1");
                self.run(rest);
            }
            (Some(Copy::Query(_)), Some(code)) => {
                self.fail(code);
                self.ready();
            }
            (_, None) => self.complete("COPY 1"),
            (_, Some(code)) => {
                self.fail(code);
                self.skips = true;
            }
        }
    }

    fn query(&mut self, body: &[u8]) {
        self.statements.remove(&b""[..]);
        let text = match frame::split_text(body) {
            Some((text, [])) => text,
            _ => {
                self.fail("08P01");
                return self.ready();
            }
        };
        if is_broken(text) {
            self.fail("42601");
            return self.ready();
        }
        let all: VecDeque<Box<[u8]>> = statements(text, Strings::Standard).into_iter().map(|range| text[range].into()).collect();
        if all.is_empty() {
            self.say(b'I', b"");
        }
        self.run(all);
    }

    fn run(&mut self, mut statements: VecDeque<Box<[u8]>>) {
        while let Some(text) = statements.pop_front() {
            match self.execute(&text, true) {
                Ok(Done::Said) => {}
                Ok(Done::Copies) => return self.copy = Some(Copy::Query(statements)),
                Err(code) => {
                    self.fail(code);
                    break;
                }
            }
        }
        self.ready();
    }

    fn extended(&mut self, tag: u8, body: &[u8]) -> Result<(), Code> {
        match tag {
            b'P' => self.parse(body),
            b'B' => self.bind(body),
            b'E' => {
                let (portal, rest) = frame::split_text(body).ok_or("08P01")?;
                if rest.len() != 4 {
                    return Err("08P01");
                }
                let text = self.portals.get(key(portal)).ok_or("34000")?.clone();
                match statements(&text, Strings::Standard).is_empty() {
                    true => self.say(b'I', b""),
                    false => {
                        if let Done::Copies = self.execute(&text, false)? {
                            self.copy = Some(Copy::Execute);
                        }
                    }
                }
                Ok(())
            }
            _ => self.describe_or_close(tag, body),
        }
    }

    fn parse(&mut self, body: &[u8]) -> Result<(), Code> {
        let (name, rest) = frame::split_text(body).ok_or("08P01")?;
        let (text, types) = frame::split_text(rest).ok_or("08P01")?;
        let count = types.first_chunk().map(|count| usize::from(u16::from_be_bytes(*count)));
        if count.is_none_or(|count| types.len() != 2 + 4 * count) {
            return Err("08P01");
        }
        if name.is_empty() {
            self.statements.remove(&b""[..]);
        }
        if is_broken(text) || statements(text, Strings::Standard).len() > 1 {
            return Err("42601");
        }
        self.check(text)?;
        if !name.is_empty() && self.statements.contains_key(key(name)) {
            return Err("42P05");
        }
        self.statements.insert(key(name).into(), text.into());
        self.say(b'1', b"");
        Ok(())
    }

    fn bind(&mut self, body: &[u8]) -> Result<(), Code> {
        let (portal, rest) = frame::split_text(body).ok_or("08P01")?;
        let (name, rest) = frame::split_text(rest).ok_or("08P01")?;
        let text = self.statements.get(key(name)).ok_or("26000")?.clone();
        if rest != [0; 6] {
            return Err("08P01");
        }
        self.check(&text)?;
        if !portal.is_empty() && self.portals.contains_key(key(portal)) {
            return Err("42P03");
        }
        self.portals.insert(key(portal).into(), text);
        self.say(b'2', b"");
        Ok(())
    }

    fn describe_or_close(&mut self, tag: u8, body: &[u8]) -> Result<(), Code> {
        let (kind, rest) = body.split_first().ok_or("08P01")?;
        let Some((name, [])) = frame::split_text(rest) else { return Err("08P01") };
        let (map, missing) = match kind {
            b'S' => (&mut self.statements, "26000"),
            b'P' => (&mut self.portals, "34000"),
            _ => return Err("08P01"),
        };
        if tag == b'C' {
            map.remove(key(name));
            self.say(b'3', b"");
            return Ok(());
        }
        let text = map.get(key(name)).ok_or(missing)?.clone();
        if gives_rows(&text) && self.status == b'E' {
            return Err("25P02");
        }
        if *kind == b'S' {
            // A real one describes a statement without rows; the door cannot where it must parse it first (guide/pool.md).
            self.check(&text)?;
            self.say(b't', &[0; 2]);
        }
        if gives_rows(&text) {
            self.say(b'T', ROW_DESCRIPTION)
        } else {
            self.say(b'n', b"")
        }
        Ok(())
    }

    /// In a failed transaction only its end is done.
    fn check(&self, text: &[u8]) -> Result<(), Code> {
        let ends = matches!(*recognise(text, Strings::Standard).steps, [Step::Commit | Step::Rollback] | []);
        if self.status == b'E' && !ends { Err("25P02") } else { Ok(()) }
    }

    fn execute(&mut self, text: &[u8], is_query: bool) -> Result<Done, Code> {
        self.check(text)?;
        if is_query {
            self.portals.remove(&b""[..]);
        }
        if has(text, b"fail") {
            return Err("22012");
        }
        let recognised = recognise(text, Strings::Standard);
        match &recognised.steps[0] {
            Step::Begin => self.status = b'T',
            Step::Commit | Step::Rollback => {
                self.status = b'I';
                self.portals.clear();
            }
            Step::Savepoint if self.status == b'I' => return Err("25P01"),
            Step::Prepare(name) if self.statements.contains_key(name.as_bytes()) => return Err("42P05"),
            Step::Prepare(name) => {
                self.is_pinned = true;
                self.statements.insert(name.as_bytes().into(), (*b"SELECT 1").into());
            }
            Step::Execute(name) => {
                let inner = self.statements.get(name.as_bytes()).ok_or("26000")?;
                if !gives_rows(inner) {
                    return Err("0A000");
                }
                self.rows(is_query);
                return Ok(Done::Said);
            }
            Step::Deallocate(Name::One(name)) => drop(self.statements.remove(name.as_bytes()).ok_or("26000")?),
            Step::DiscardAll if self.status != b'I' => return Err("25001"),
            Step::Deallocate(Name::All) | Step::DiscardAll => self.statements.retain(|name, _| name.is_empty()),
            Step::Copy if recognised.effects.has(Effects::SEQUENCES_USED) => {
                self.say(b'G', &[0; 3]);
                return Ok(Done::Copies);
            }
            Step::Copy => {
                self.say(b'H', &[0; 3]);
                self.say(b'd', b"data");
                self.say(b'c', b"");
            }
            _ if gives_rows(text) => {
                self.rows(is_query);
                return Ok(Done::Said);
            }
            _ => {}
        }
        self.complete(tag(&recognised));
        Ok(Done::Said)
    }

    fn rows(&mut self, is_query: bool) {
        if is_query {
            self.say(b'T', ROW_DESCRIPTION);
        }
        self.say(b'D', b"\0\x01\0\0\0\x01x");
        self.complete("SELECT 1");
    }
}

const ROW_DESCRIPTION: &[u8] = b"\0\x01c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn tag(text: &Recognised) -> &'static str {
    match text.steps[0] {
        Step::Begin => "BEGIN",
        Step::Commit => "COMMIT",
        Step::Rollback => "ROLLBACK",
        Step::Deallocate(Name::All) => "DEALLOCATE ALL",
        Step::Deallocate(_) => "DEALLOCATE",
        Step::DiscardAll => "DISCARD ALL",
        Step::Prepare(_) => "PREPARE",
        Step::Copy => "COPY 1",
        _ => "DONE",
    }
}

/// The first message, whole, and what follows it.
fn message(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let header = frame::header(bytes).ok()??;
    if !is_begun(bytes) {
        return None;
    }
    let (whole, after) = bytes.split_at_checked(HEADER + header.body)?;
    Some((header.tag, &whole[HEADER..], after))
}

/// Whether such a message there is, as far as can be seen.
fn is_begun(bytes: &[u8]) -> bool {
    crate::exchange::message::frame(bytes).is_ok()
}

fn key(name: &[u8]) -> &[u8] {
    &name[..name.len().min(63)]
}

fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

fn is_broken(text: &[u8]) -> bool {
    has(text, b"broken")
}

fn gives_rows(text: &[u8]) -> bool {
    let recognised = recognise(text, Strings::Standard);
    matches!(*recognised.steps, [Step::Other]) && text.trim_ascii_start().starts_with(b"SELECT")
        || matches!(*recognised.steps, [Step::Execute(_)])
}
