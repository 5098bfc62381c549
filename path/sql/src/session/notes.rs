//! What a client's statements do to its session, as they go and as they end.

use loops::now;

use super::{Rare, Session, touched};
use crate::frame;
use crate::parse::{Effects, Name, Recognised, Step, Touched};
use crate::pins::{Pin, Pins, Who};
use crate::server::Connection;

/// What nobody has to remember.
const FOR_SESSIONS: Effects = Effects::PARAMETERS
    .and(Effects::TEMPORARY)
    .and(Effects::LOCKS)
    .and(Effects::CURSORS)
    .and(Effects::PREPARED)
    .and(Effects::SEQUENCES_READ)
    .and(Effects::SEQUENCES_USED)
    .and(Effects::LISTENING)
    .and(Effects::NOTIFIES)
    .and(Effects::OPAQUE)
    .and(Effects::DEFINES)
    .and(Effects::SEED)
    .and(Effects::LOAD);

/// What may leave something on a connection that only the server knows of.
const UNKNOWN: Effects =
    TEMPORARY.and(Effects::LOCKS).and(Effects::CURSORS).and(Effects::PREPARED).and(Effects::LISTENING).and(Effects::OPAQUE);

/// What may make something temporary: where `search_path` begins with `pg_temp` any definition does.
pub(super) const TEMPORARY: Effects = Effects::TEMPORARY.and(Effects::DEFINES);

impl Session {
    /// A text goes to the server; to be said before its bytes go, for each time that it is executed.
    pub(crate) fn sends(&mut self, connection: &mut Connection, text: &Recognised) {
        if !text.effects.has(FOR_SESSIONS) {
            return;
        }
        self.server = connection.process();
        let mut effects = self.with_prepared(text);
        self.follow_sequences(connection, effects);
        if text.effects.has(Effects::PARAMETERS) {
            self.rare().changed.add(text);
        }
        if effects.has(Effects::LISTENING) && self.ears().is_none() && text.steps.iter().all(|step| !listens(step)) {
            effects = effects.without(Effects::LISTENING);
        }
        self.effects = self.effects.and(effects);
    }

    /// The body of a `Bind`, as far as it has come, of a text whose touched parameters are not known: a name that is given
    /// as a value of its own is found.
    pub(crate) fn sends_values(&mut self, text: &Recognised, bind: &[u8]) {
        if text.effects.has(Effects::PARAMETERS) && matches!(text.touched(), Touched::All(_)) {
            let values = values(bind);
            let names = values.iter().flatten().filter_map(|value| touched::custom_name(value));
            if !self.rare().changed.add_names(names) || values.is_none() {
                self.effects = self.effects.and(Effects::NAMELESS);
            }
        }
    }

    /// Step `step` of a text has succeeded.
    pub(crate) fn note(&mut self, text: &Recognised, step: usize) {
        // What only may have happened inside a body is not worth a connection.
        if text.effects.has(Effects::SEED) && !text.effects.has(Effects::OPAQUE) {
            self.pin(Pin::Seed);
        }
        if text.effects.has(Effects::LOAD) {
            self.pin(Pin::Library);
        }
        match text.steps.get(step) {
            Some(Step::DiscardAll) => self.rare().is_discarded = true,
            Some(step @ (Step::Set(_) | Step::Reset(_))) => {
                let startup = self.startup.clone();
                self.rare().changed.note(step, &startup);
            }
            _ => {}
        }
    }

    /// Whether [`super::probe`] is due before the connection goes back, the transaction being over.
    pub(crate) fn must_probe(&self) -> bool {
        let effects = self.effects;
        effects.has(Effects::PARAMETERS.and(Effects::LISTENING))
            || effects.has(Effects::NOTIFIES) && self.ears().is_some()
            || self.rare.as_ref().is_some_and(|rare| rare.is_discarded)
            || if self.is_pinned() { self.may_differ() } else { self.may_leave() }
    }

    /// Whether the client keeps its connection between transactions.
    pub(crate) fn is_pinned(&self) -> bool {
        !self.place.pins().is_empty()
    }

    /// Whether something may be on its connection that only the server knows of, the client's pins aside.
    pub(super) fn may_leave(&self) -> bool {
        self.effects.has(UNKNOWN)
    }

    /// Whether something that pins may be gone or new; what else may have happened can wait while the client is pinned.
    fn may_differ(&self) -> bool {
        let pins = self.place.pins();
        let asks = Effects::TEMPORARY.and(Effects::LOCKS).and(Effects::CURSORS).and(Effects::PREPARED);
        pins.has(Pin::Unknown) || self.effects.has(asks) || pins.has(Pin::Temporary) && self.effects.has(Effects::DEFINES)
    }

    /// What a text does, together with what SQL's own prepared statements do when it executes them.
    fn with_prepared(&mut self, text: &Recognised) -> Effects {
        let effects = text.effects;
        if !effects.has(Effects::PREPARED) {
            return effects;
        }
        if text.steps.iter().any(|step| matches!(step, Step::Prepare(_))) {
            let prepared = &mut self.rare().prepared;
            prepared.effects = prepared.effects.and(effects.without(Effects::PREPARED));
            prepared.changed.add(text);
        }
        let executes = |step: &Step| matches!(step, Step::Execute(_));
        if self.rare.is_none() || !text.steps.iter().any(executes) {
            return effects;
        }
        let Rare { changed, prepared, .. } = self.rare();
        changed.join(&prepared.changed);
        let all = effects.and(prepared.effects);
        // Nothing else can be in them: it was read when they were prepared.
        if text.steps.iter().all(executes) { all.without(Effects::PREPARED.and(Effects::OPAQUE)).and(prepared.effects) } else { all }
    }

    pub(super) fn pin(&mut self, pin: Pin) {
        self.set_pins(self.place.pins().with(pin));
    }

    pub(super) fn unpin(&mut self, pin: Pin) {
        self.set_pins(self.place.pins().without(pin));
    }

    pub(super) fn set_pins(&mut self, pins: Pins) {
        let (client, told, server) = (&self.client, &self.told, self.server);
        let who =
            || Who { key: client.key.clone(), application: told.application(), address: client.address, process: client.process, server };
        self.place.set(who, pins, now());
    }
}

/// Whether a step may add a channel, or take all away together with all else.
fn listens(step: &Step) -> bool {
    matches!(step, Step::Listen(_) | Step::DiscardAll)
}

/// Whether a step takes channels away.
pub(super) fn unlistens(step: &Step) -> bool {
    matches!(step, Step::Unlisten(Name::One(_) | Name::All))
}

/// The values in the body of a `Bind`; `None`: they have not all come.
fn values(bind: &[u8]) -> Option<Vec<&[u8]>> {
    let (_, rest) = frame::split_text(bind)?;
    let (_, rest) = frame::split_text(rest)?;
    let (formats, rest) = rest.split_first_chunk()?;
    let rest = rest.get(2 * usize::from(u16::from_be_bytes(*formats))..)?;
    let (count, mut rest) = rest.split_first_chunk()?;
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk()?;
        let length = i32::from_be_bytes(*length);
        let (value, after) = after.split_at_checked(length.max(0) as usize)?;
        values.extend((length >= 0).then_some(value));
        rest = after;
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_bind_are_read_when_all_have_come() {
        let whole = b"\0s\0\0\x01\0\0\0\x03\0\0\0\x04my.x\xff\xff\xff\xff\0\0\0\x01v\0\0";
        assert_eq!(values(whole), Some(vec![&b"my.x"[..], b"v"]));
        for end in 0..whole.len() - 2 {
            assert_eq!(values(&whole[..end]), None, "{end}");
        }
    }
}
