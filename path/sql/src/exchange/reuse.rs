//! Statements that the server keeps although their client gave them no name, and statements that are tried as the server
//! has them: if that fails before anything was told to the client, the same is done again with a true `Parse`.
//!
//! Only a whole batch is tried, outside of a transaction: its failure has done nothing.

use std::sync::Arc;

use super::answers::Trial;
use super::expected::{Expected, Kind, PARSED};
use super::intake::Intake;
use super::turn::{Renamed, Turn};
use super::worth::Verdict;
use crate::frame;
use crate::server::{Held, Number, Wanted, name_of};
use crate::session::Statement;

impl Intake {
    /// Keeps the unnamed statement of the `Parse` at the front, or does without that `Parse`. Whether it did.
    pub(super) fn parse_kept(&mut self, length: usize, statement: &Arc<Statement>, turn: &mut Turn<'_>) -> bool {
        // Only a `Bind` lets the server look whether the statement is what it was.
        if !self.may_try(length, turn) || !self.messages.bind_unnamed(&turn.rest()[length..]) {
            return false;
        }
        let wanted = Wanted { statement: statement.clone(), place: self.place(&statement.recognised, 0, turn) };
        if !self.is_worth(&wanted, turn) {
            return false;
        }
        match turn.records.prepared.find(&wanted, self.batch, turn.generation) {
            Held::Later => return false,
            Held::Here(number, _) => {
                self.begin_trial(number, true, turn);
                self.send(length, false, turn);
                turn.expect(Expected::client(Kind::Ours(PARSED)).with_name());
                self.reused = Some(number);
            }
            Held::Nowhere => {
                let (number, _) = self.keep(statement, 0, turn);
                turn.rename(Renamed { tag: b'P', length, before: b"", old: 0, new: &name_of(number) });
                self.send(length - frame::HEADER, true, turn);
                turn.expect(Expected::client(Kind::Parse(Some(number))).with_name().measured(self.mark));
                self.reused = Some(number);
            }
        }
        true
    }

    /// A statement that its client named is used as the server has it; it may be outdated. Where the client asks for the
    /// columns anyway, it need not know.
    pub(super) fn try_named(&mut self, length: usize, number: Number, turn: &mut Turn<'_>) {
        if self.may_try(length, turn) && self.messages.has_describe() {
            self.begin_trial(number, false, turn);
        }
    }

    fn begin_trial(&mut self, number: Number, is_parsed: bool, turn: &mut Turn<'_>) {
        turn.answers.trial = Trial::Open { number, is_parsed };
        self.trying = self.batch;
    }

    /// Whether the input, with the message of `length` at its front, is one whole batch that has not begun, no transaction is
    /// open, and nothing failed so before.
    fn may_try(&self, length: usize, turn: &Turn<'_>) -> bool {
        let is_at_rest = turn.answers.outstanding() == 0 && !turn.answers.is_open() && turn.answers.status() == b'I';
        is_at_rest && !self.is_wary && turn.rest().get(length..).is_some_and(|rest| self.messages.are_one_batch(rest))
    }

    fn is_worth(&mut self, wanted: &Wanted, turn: &Turn<'_>) -> bool {
        match turn.worth.judge(turn.key, wanted, turn.rules.reuse, turn.generation) {
            Verdict::Yes => true,
            Verdict::No => false,
            Verdict::Unknown => {
                self.unsure = Some(wanted.clone());
                false
            }
        }
    }
}
