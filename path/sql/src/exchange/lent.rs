//! Names that texts of SQL use, `EXECUTE s` say: what a client calls its statements of the protocol is lent to them.

use super::expected::{Expected, Kind};
use super::intake::Intake;
use super::turn::{May, Turn};
use crate::parse::{Effects, Name, Recognised, Step};
use crate::session::Found;

/// `Sync`.
const SYNC: &[u8] = b"S\0\0\0\x04";

impl Intake {
    /// Names that `text` uses as SQL's own prepared statements are there under the client's names: in Postgres those of
    /// the protocol are the same.
    #[inline]
    pub(super) fn show(&mut self, text: &Recognised, is_query: bool, turn: &mut Turn<'_>) -> May {
        let may = if text.effects.has(Effects::PREPARED) { self.show_each(text, is_query, turn) } else { May::Go };
        // While it waits it is looked at again.
        self.borrows &= may == May::Wait;
        may
    }

    fn show_each(&mut self, text: &Recognised, is_query: bool, turn: &mut Turn<'_>) -> May {
        let is_unsure = is_query && turn.answers.outstanding() > 0;
        // What an open batch has done since is not known.
        let has_failed = turn.answers.status() == b'E' && !turn.answers.has_begun();
        for step in text.steps.iter() {
            let (name, runs) = match step {
                Step::Deallocate(Name::One(name)) | Step::Prepare(name) => (name.as_bytes(), false),
                Step::Execute(name) => (name.as_bytes(), true),
                _ => continue,
            };
            match turn.records.names.find(turn.records.changes, name, self.batch) {
                Found::Later => return May::Wait,
                Found::Nowhere => turn.vacate(name),
                Found::Here(_) if is_unsure || turn.records.names.is_yet_of_sql(turn.records.changes, name) => return May::Wait,
                Found::Here(_) if turn.records.prepared.is_doomed(name) => {}
                // Postgres says what it says of any statement in a failed transaction.
                Found::Here(_) if is_query && has_failed => {}
                Found::Here(named) => {
                    let (text, types) = if runs { (&*named.statement.text, &*named.statement.types) } else { (&b""[..], &b"\0\0"[..]) };
                    match (is_query, turn.answers.has_begun()) {
                        (false, _) => turn.lend_name(name, text, types),
                        (true, false) => turn.lend_query(name, text, types),
                        (true, true) => {
                            // A `Sync` would end what the batch has begun: the loan must have succeeded first.
                            turn.lend_name(name, text, types);
                            self.borrows = true;
                            return May::Wait;
                        }
                    }
                }
            }
        }
        May::Go
    }

    /// The `Query` at the front could not be lent what it needs, and the server skips: a `Sync` stands for it.
    pub(super) fn query_fails(&mut self, length: usize, turn: &mut Turn<'_>) {
        self.borrows = false;
        let names = self.drop_unnamed(turn);
        turn.up.write(turn.input, |own| own.extend_from_slice(SYNC));
        self.send(length, false, turn);
        turn.expect(Expected { names, ..Expected::client(Kind::Sync) });
        self.begin_batch();
    }
}
