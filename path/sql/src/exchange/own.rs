//! What the door itself has a server do, between a client's messages: statements are prepared there, closed, asked for.

use super::expected::{Described, Expected, Kind};
use super::turn::Turn;
use crate::error::Fault;
use crate::frame;
use crate::server::{Number, name_of};

/// A text that no server takes: it stands in for a statement that must fail.
const UNTAKEABLE: &[u8] = b"cached plan must not change result type";

impl Turn<'_> {
    /// A message of the door's goes to the server; its answer is swallowed.
    pub(super) fn own(&mut self, kind: Kind, tag: u8, write: impl FnOnce(&mut Vec<u8>)) {
        self.up.write(self.input, |own| frame::message(own, tag, write));
        self.expect(Expected::own(kind));
    }

    /// Closes at the server what nobody is to find there.
    pub(super) fn close_doomed(&mut self) {
        while let Some(name) = self.records.prepared.next_doomed() {
            self.close(name);
        }
        let numbers: Vec<_> = self.records.prepared.next_doomed_numbers().rev().collect();
        numbers.into_iter().for_each(|name| self.close((*name).into()));
    }

    /// The same in the midst of a batch, for one more statement that the server gets: two, so that they become fewer.
    pub(super) fn close_some(&mut self) {
        for _ in 0..2 {
            if let Some(name) = self.records.prepared.next_doomed_of_many() {
                self.close((*name).into());
            }
        }
    }

    /// The server has nothing of the door's under a name that the client means.
    pub(super) fn vacate(&mut self, name: &[u8]) {
        // The server may skip what was sent before to close it; what SQL has there is not the door's.
        let is_unsure = self.answers.outstanding() > 0 && !self.records.names.is_of_sql(self.records.changes, name);
        if self.records.prepared.yield_name(name, is_unsure) {
            self.close(name.into());
        }
    }

    fn close(&mut self, name: Box<[u8]>) {
        self.own(Kind::Close(Some(name.clone())), b'C', |out| {
            out.push(b'S');
            frame::text(out, &name);
        });
    }

    /// The client was told columns: they must be the same here, and that is known only when the server has told them.
    pub(super) fn ask_shape(&mut self, number: Number) {
        if self.records.prepared.must_ask(number) {
            let described = Described { number: Some(number), told: None };
            self.own(Kind::Describe(Some(described.into())), b'D', |out| {
                out.push(b'S');
                frame::text(out, &name_of(number));
            });
        }
    }

    /// There is no unnamed statement at the server: another client's must not be found.
    pub(super) fn forget_unnamed(&mut self) {
        self.own(Kind::Close(None), b'C', |out| out.extend_from_slice(b"S\0"));
        self.records.prepared.forget_unnamed();
    }

    /// The server refuses what the client asks for.
    pub(super) fn refuse(&mut self, fault: Fault) {
        self.records.prepared.forget_unnamed();
        self.own(Kind::Refusal(fault.into()), b'P', |out| write_parse(out, b"", UNTAKEABLE, b"\0\0"));
    }

    /// A statement is there under the client's name, until the next batch.
    pub(super) fn lend_name(&mut self, name: &[u8], text: &[u8], types: &[u8]) {
        if !self.records.prepared.is_doomed(name) {
            self.vacate(name);
            let loan = self.records.prepared.doom(name);
            self.own(Kind::Lent(name.into(), loan), b'P', |out| write_parse(out, name, text, types));
        }
    }

    /// As [`Turn::lend_name`], before a `Query`, which an error must not let the server skip.
    pub(super) fn lend_query(&mut self, name: &[u8], text: &[u8], types: &[u8]) {
        self.vacate(name);
        self.up.write(self.input, |own| {
            frame::message(own, b'P', |out| write_parse(out, name, text, types));
            frame::message(own, b'S', |_| {});
        });
        let loan = self.records.prepared.doom(name);
        self.expect(Expected::quiet(Kind::Lent(name.into(), loan)));
        self.expect(Expected::quiet(Kind::Sync));
    }
}

/// The body of a `Parse`.
pub(super) fn write_parse(out: &mut Vec<u8>, name: &[u8], text: &[u8], types: &[u8]) {
    frame::text(out, name);
    frame::text(out, text);
    out.extend_from_slice(types);
}
