//! One message of the server's held against the answer that is expected: what becomes of it, and what it changes.

use super::trial::is_outdated;
use super::{Answers, Breach, CopyIn, Fate, Trial};
use crate::exchange::expected::{Described, Expected, Kind, Whose};
use crate::exchange::records::{Measured, Records};
use crate::exchange::said;
use crate::frame;
use crate::listening::is_of;

impl Answers {
    /// Holds one message against what is expected.
    pub(super) fn meet(&mut self, tag: u8, body: Option<&[u8]>, records: &mut Records<'_>) -> Result<Fate, Breach> {
        match tag {
            // Rows and what is told at any time: most of what comes.
            b'D' | b'd' | b'N' | b'c' | b't' => {}
            b'S' => records.told(body.unwrap_or_default()),
            b'A' => return Ok(notified(body, records)),
            b'Z' => return self.ready(body.ok_or(Breach)?, records),
            b'E' => return self.fail(body, records),
            b'C' | b'I' | b's' => return self.end(tag, body, records),
            // It belongs to what has failed.
            b'n' if self.trial == Trial::Failing => {}
            b'T' | b'n' => return self.describe(tag, body, records),
            b'1' => return self.complete(|kind| matches!(kind, Kind::Parse(_) | Kind::Lent(..) | Kind::Refusal(_)), records),
            b'2' => return self.complete(|kind| matches!(kind, Kind::Bind(_)), records),
            b'3' => return self.complete(|kind| matches!(kind, Kind::Close(_)), records),
            b'G' | b'W' => self.open_copy(),
            b'V' => self.called(records),
            _ => {}
        }
        Ok(self.fate())
    }

    fn open_copy(&mut self) {
        self.copy = if self.early_ends > 0 { CopyIn::Ended } else { CopyIn::Open };
        self.early_ends = self.early_ends.saturating_sub(1);
        self.has_data = false;
    }

    /// A call has ended.
    fn called(&self, records: &mut Records<'_>) {
        if let Some(Expected { kind: Kind::Function(Some(text)), .. }) = self.expected.front() {
            records.ended(text, 0, b"");
        }
    }

    /// What becomes of a message that is part of the present answer.
    fn fate(&self) -> Fate {
        match self.expected.front() {
            Some(Expected { whose: Whose::Own | Whose::Quiet, .. }) => Fate::Swallow,
            _ => Fate::Pass,
        }
    }

    /// An answer of one message that says that it is done.
    fn complete(&mut self, is_meant: impl Fn(&Kind) -> bool, records: &mut Records<'_>) -> Result<Fate, Breach> {
        let front = self.expected.front().ok_or(Breach)?;
        if !is_meant(&front.kind) {
            return Err(Breach);
        }
        let fate = self.fate();
        if let Kind::Parse(Some(number)) = front.kind {
            records.prepared.confirm(number);
        }
        self.pop(records);
        Ok(fate)
    }

    /// The columns, or that there are none.
    fn describe(&mut self, tag: u8, body: Option<&[u8]>, records: &mut Records<'_>) -> Result<Fate, Breach> {
        let fate = self.fate();
        match self.expected.front().map(|front| &front.kind) {
            Some(Kind::Describe(described)) => {
                if let (Some(described), Some(body)) = (described, body) {
                    note(described, said::shape(tag, body), records);
                }
                self.pop(records);
            }
            Some(Kind::Portal) => self.pop(records),
            Some(Kind::Query(_) | Kind::Execute(_)) => {}
            _ => return Err(Breach),
        }
        Ok(fate)
    }

    /// A statement has ended.
    fn end(&mut self, tag: u8, body: Option<&[u8]>, records: &mut Records<'_>) -> Result<Fate, Breach> {
        let fate = self.fate();
        self.copy = CopyIn::None;
        self.statements += 1;
        self.rows += body.filter(|_| tag == b'C').map_or(0, said::rows);
        match self.expected.front().map(|front| &front.kind) {
            Some(Kind::Execute(text)) => {
                if let Some(text) = text.as_ref().filter(|_| tag == b'C') {
                    records.ended(text, 0, body.unwrap_or_default());
                }
                self.measure(records);
                self.pop(records);
            }
            Some(Kind::Query(text)) => {
                if let Some(text) = text {
                    records.ended(text, self.step, body.unwrap_or_default());
                }
                self.step += 1;
            }
            _ => return Err(Breach),
        }
        Ok(fate)
    }

    /// `ReadyForQuery`.
    fn ready(&mut self, body: &[u8], records: &mut Records<'_>) -> Result<Fate, Breach> {
        let [status @ (b'I' | b'T' | b'E')] = *body else { return Err(Breach) };
        if !self.expected.front().is_some_and(Expected::ends_batch) {
            return Err(Breach);
        }
        let fate = self.fate();
        (self.status, self.copy, self.step) = (status, CopyIn::None, 0);
        self.has_committed |= status == b'I';
        if matches!(fate, Fate::Pass) {
            self.forget_words();
        }
        self.measure(records);
        self.pop(records);
        if self.trial == Trial::Failing && self.expected.is_empty() {
            self.trial = Trial::Failed;
            return Ok(Fate::Swallow);
        }
        Ok(fate)
    }

    /// An error: of the statement, or of the connection.
    fn fail(&mut self, body: Option<&[u8]>, records: &mut Records<'_>) -> Result<Fate, Breach> {
        if let Some(body) = body.filter(|body| said::is_fatal(body)) {
            return Ok(self.end_connection(body));
        }
        self.errors += 1;
        let Some(front) = self.expected.front_mut() else { return Ok(Fate::Pass) };
        let failed = front.mark.take().filter(|_| self.trial == Trial::None);
        records.done.measured.extend(failed.map(|mark| Measured { mark, rows: 0, failed: true }));
        if matches!(front.kind, Kind::Parse(None)) && front.names && records.changes.begins_unnamed() {
            // Postgres drops the old one before it looks at the new one.
            records.names.drop_unnamed();
        }
        let ends_batch = front.ends_batch();
        let fate = self.word(body, records);
        if let Some(Expected { kind: Kind::Bind(Some(number)), .. }) = self.expected.front()
            && body.is_some_and(|body| is_outdated(said::code(body)))
        {
            records.prepared.retire(*number);
        }
        if !ends_batch {
            self.skip(records);
        }
        self.copy = CopyIn::None;
        Ok(fate)
    }

    /// The server ends the connection, which may not be the client's any more.
    fn end_connection(&mut self, body: &[u8]) -> Fate {
        self.is_ending = true;
        if !self.is_settled() || self.status != b'I' {
            return Fate::Pass;
        }
        self.farewell = Some(said::whole(body).into());
        Fate::Swallow
    }

    /// The server skips what it was sent up to the next `Sync`, which it may not have been sent yet.
    fn skip(&mut self, records: &mut Records<'_>) {
        while let Some(front) = self.expected.front() {
            if matches!(front.kind, Kind::Sync) {
                return;
            }
            let skipped = self.take().expect("there is a front");
            records.skipped(skipped);
        }
        self.skipping = true;
    }

    /// The statement of the present answer has ended: it is measured.
    fn measure(&mut self, records: &mut Records<'_>) {
        let rows = std::mem::take(&mut self.rows);
        if let Some(mark) = self.expected.front().and_then(|front| front.mark) {
            records.done.measured.push(Measured { mark, rows, failed: false });
        }
    }

    /// The present answer is whole.
    #[inline]
    pub(super) fn pop(&mut self, records: &mut Records<'_>) {
        if self.take().is_some_and(|front| front.names) {
            records.names.confirm(records.changes);
        }
    }

    #[inline]
    fn take(&mut self) -> Option<Expected> {
        let front = self.expected.pop_front()?;
        match front.kind {
            Kind::Ours(_) => self.ours -= 1,
            _ if self.copies > 0 && front.may_copy() => (self.copies, self.early_ends) = (self.copies - 1, 0),
            _ => {}
        }
        Some(front)
    }
}

/// A notification is the client's if it hears there, and not elsewhere; its own bears the number that it knows as its own.
fn notified(body: Option<&[u8]>, records: &Records<'_>) -> Fate {
    match (records.hears, body) {
        (None, _) => Fate::Swallow,
        (_, Some(body)) if records.elsewhere.is_some_and(|channels| is_of(body, channels)) => Fate::Swallow,
        (Some((from, to)), Some(body)) if body.starts_with(&from.to_be_bytes()) => {
            let mut bytes = Vec::new();
            frame::message(&mut bytes, b'A', |out| {
                out.extend_from_slice(&to.to_be_bytes());
                out.extend_from_slice(&body[4..]);
            });
            Fate::Instead(bytes)
        }
        _ => Fate::Pass,
    }
}

fn note(described: &Described, shape: u64, records: &mut Records<'_>) {
    if let Some(number) = described.number {
        records.prepared.describe(number, shape);
    }
    if let Some(told) = &described.told {
        told.set(Some(shape));
    }
}
