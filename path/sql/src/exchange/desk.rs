use loops::{Buffer, Buffers};

use super::answers::Answers;
use super::intake::{Intake, Planned};
use super::outgoing::Outgoing;
use super::records::Done;
use crate::session::Changes;

/// Reused memory of a busy client; kept by the loop between them. Buffers are there only while something is in them.
#[derive(Debug)]
pub(crate) struct Desk {
    /// What the client sent and is not dealt with.
    pub(crate) input: Option<Buffer>,
    /// What the server said and is not dealt with.
    pub(super) output: Option<Buffer>,
    pub(crate) intake: Intake,
    pub(crate) answers: Answers,
    pub(super) up: Outgoing,
    pub(super) down: Outgoing,
    pub(super) changes: Changes,
    pub(super) done: Done,
    /// How long the input must be before more of it can be framed.
    pub(super) least_input: usize,
    /// How long the output must be before more of it can be decided on.
    pub(super) least_output: usize,
    /// Why planning stopped the last time.
    pub(super) planned: Planned,
    /// Something has come that planning may go on with.
    pub(super) plan_due: bool,
    /// What is said to the client is said now; what of it is ours alone waits for what the server says.
    pub(super) tell_due: bool,
    /// Something was sent to the server that is lent now.
    pub(super) is_sent: bool,
    /// Nobody listens any more: what the server says is read and forgotten.
    pub(crate) is_deaf: bool,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk {
            input: None,
            output: None,
            intake: Intake::default(),
            answers: Answers::default(),
            up: Outgoing::default(),
            down: Outgoing::default(),
            changes: Changes::default(),
            done: Done::default(),
            least_input: 0,
            least_output: 0,
            planned: Planned::All,
            plan_due: false,
            tell_due: false,
            is_sent: false,
            is_deaf: false,
        }
    }
}

impl Desk {
    /// As for a client that was silent; keeps its memory.
    pub(crate) fn clear(&mut self) {
        (self.input, self.output) = (None, None);
        self.intake.clear();
        self.end_lending();
        self.down.clear();
        (self.least_input, self.is_deaf, self.planned, self.plan_due, self.tell_due) = (0, false, Planned::All, false, false);
    }

    /// Another server connection comes next, or none.
    pub(crate) fn end_lending(&mut self) {
        self.answers.clear();
        self.up.clear();
        self.changes.clear();
        self.done.clear();
        (self.least_output, self.is_sent) = (0, false);
    }

    /// Gives buffers back in which nothing is.
    pub(crate) fn rest(&mut self) {
        self.input.take_if(|input| input.is_empty());
        self.output.take_if(|output| output.is_empty());
    }

    pub(super) fn take_buffers(&mut self, buffers: &Buffers) {
        self.input.get_or_insert_with(|| buffers.take());
        self.output.get_or_insert_with(|| buffers.take());
    }
}
