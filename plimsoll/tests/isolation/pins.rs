//! What cannot be moved from one server connection to another: temporary tables, advisory locks, held cursors,
//! statements prepared by SQL, sequences that were read.

use crate::client::{Client, Model};

#[derive(Default)]
pub struct Pins {
    temporary: Option<String>,
    pub locks: Vec<u32>,
    /// The number that the held cursor tells next, and the last.
    held: Option<(u64, u64)>,
    pub prepared: Option<String>,
    pub sequence: Sequence,
}

/// What `lastval` must say.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Sequence {
    #[default]
    Unused,
    /// Used, and nobody has asked yet: the door may not know that it matters.
    Used(u64),
    /// It was asked, and so the door knows.
    Known(Option<u64>),
}

impl Pins {
    pub fn nothing(&self) -> bool {
        let none = self.temporary.is_none() && self.locks.is_empty() && self.held.is_none() && self.prepared.is_none();
        none && self.sequence == Sequence::Unused
    }
}

/// Locks of one client have numbers of their own.
const KEYS: u64 = 100_000;

impl Client<'_> {
    /// Takes or gives back something that pins.
    pub fn pin(&mut self) {
        if self.permit.is_none() {
            self.permit = self.ground.permit();
        }
        if self.permit.is_none() {
            return;
        }
        match self.random.below(8) {
            0 | 1 => self.temporary(),
            2..5 => self.lock(),
            5 => self.hold(),
            6 => self.prepare_by_sql(),
            _ => self.next_number(),
        }
    }

    fn temporary(&mut self) {
        if self.model.values.role.is_some() {
            return; // another owner
        }
        if self.model.pins.temporary.take().is_some() {
            let sql = self.random.of(&["DROP TABLE canary", "DISCARD TEMP", "DROP TABLE IF EXISTS canary"]);
            self.query(sql).fine();
            return;
        }
        let canary = self.canary();
        let create = format!("CREATE TEMP TABLE canary AS SELECT '{canary}'::text AS v; GRANT ALL ON canary TO public");
        self.query(&create).fine();
        self.model.pins.temporary = Some(canary);
    }

    /// Within a transaction or not, and a rollback does not give it back.
    fn lock(&mut self) {
        if self.model.pins.locks.len() > 2 || (!self.model.pins.locks.is_empty() && self.random.once_in(3)) {
            return self.unlock();
        }
        let key = (self.id as u64 * KEYS + self.serial() % KEYS) as u32;
        match self.random.below(4) {
            0 => drop(self.query(&format!("SELECT pg_advisory_lock(4711, {key})")).fine()),
            1 => drop(self.ask("SELECT pg_try_advisory_lock(4711, $1::int)", &[&key.to_string()]).fine()),
            2 => drop(self.query(&format!("BEGIN; SELECT pg_advisory_lock(4711, {key}); ROLLBACK")).fine()),
            _ => drop(self.query(&format!("SELECT pg_advisory_lock_shared(4711, {key}), pg_advisory_lock_shared(4711, {key})")).fine()),
        }
        self.model.pins.locks.push(key);
        assert!(!self.ground.is_free(key), "client {} has lost its lock {key}", self.id);
    }

    fn unlock(&mut self) {
        if self.random.once_in(2) {
            self.query("SELECT pg_advisory_unlock_all()").fine();
            let keys = std::mem::take(&mut self.model.pins.locks);
            assert!(keys.iter().all(|key| self.ground.is_free(*key)));
            return;
        }
        let key = self.model.pins.locks.remove(0);
        let sql = format!("SELECT pg_advisory_unlock_shared(4711, {key}), pg_advisory_unlock_shared(4711, {key})");
        let shared = self.query(&sql).fine();
        if shared.rows[0][0].as_deref() == Some("f") {
            assert_eq!(self.ask("SELECT pg_advisory_unlock(4711, $1::int)", &[&key.to_string()]).value(), "t", "lock {key}");
        }
        assert!(self.ground.is_free(key), "lock {key} was given back");
    }

    fn hold(&mut self) {
        if self.model.pins.held.take().is_some() {
            self.query("CLOSE held").fine();
            return;
        }
        let first = self.id as u64 * KEYS + self.serial() % KEYS;
        let last = first + 5;
        self.query(&format!("DECLARE held CURSOR WITH HOLD FOR SELECT generate_series({first}, {last})")).fine();
        self.model.pins.held = Some((first, last));
    }

    fn prepare_by_sql(&mut self) {
        if self.model.pins.prepared.take().is_some() {
            self.query("DEALLOCATE by_sql").fine();
            return;
        }
        let canary = self.canary();
        self.query(&format!("PREPARE by_sql AS SELECT '{canary}'::text")).fine();
        self.model.pins.prepared = Some(canary);
    }

    fn next_number(&mut self) {
        let answer = self.query(&format!("SELECT nextval('own_{}.numbers')", self.id)).fine();
        let value: u64 = answer.value().parse().unwrap();
        assert_eq!(value / 1_000_000, self.id as u64 + 1);
        self.model.pins.sequence = match self.model.pins.sequence {
            Sequence::Known(_) => Sequence::Known(Some(value)),
            _ => Sequence::Used(value),
        };
    }

    /// One of them is as it was left, also when it was never there.
    pub fn check_pins(&mut self) {
        match self.random.below(6) {
            0 => {
                let answer = self.query("SELECT v FROM canary");
                let expected = self.model.pins.temporary.as_deref();
                assert_eq!((expected, answer.code()), (first(&answer), if expected.is_none() { Some("42P01") } else { None }));
            }
            1 | 2 => self.check_locks(),
            3 => self.fetch(),
            4 => {
                let answer = self.query("EXECUTE by_sql");
                let expected = self.model.pins.prepared.as_deref();
                assert_eq!((expected, answer.code()), (first(&answer), if expected.is_none() { Some("26000") } else { None }));
            }
            _ => self.check_sequence(),
        }
    }

    fn check_locks(&mut self) {
        let sql = "SELECT DISTINCT objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() ORDER BY 1";
        let answer = self.query(sql).fine();
        let mut expected: Vec<_> = self.model.pins.locks.iter().map(|key| vec![Some(key.to_string())]).collect();
        expected.sort();
        let mut rows = answer.rows;
        rows.sort();
        assert_eq!(rows, expected, "locks of client {}", self.id);
        assert!(self.model.pins.locks.iter().all(|key| !self.ground.is_free(*key)));
    }

    fn fetch(&mut self) {
        let answer = self.query("FETCH 1 FROM held");
        let Some((next, last)) = &mut self.model.pins.held else {
            return assert_eq!(answer.code(), Some("34000"), "{answer:?}");
        };
        let rows = answer.fine().rows;
        let expected = (*next <= *last).then(|| vec![Some(next.to_string())]);
        assert_eq!(rows, expected.into_iter().collect::<Vec<_>>(), "cursor of client {}", self.id);
        *next += 1;
    }

    /// Its own last number or none: never another's.
    fn check_sequence(&mut self) {
        if self.model.pins.sequence == Sequence::Unused && self.permit.is_none() {
            assert_eq!(self.query("SELECT lastval()").code(), Some("55000"));
            // a door that has seen this keeps the connection from the next use on, for which there is no permit
            return;
        }
        let answer = self.query("SELECT lastval()");
        let own = answer.errors.is_empty().then(|| answer.value().parse::<u64>().unwrap());
        assert!(own.is_some() || answer.code() == Some("55000"), "{answer:?}");
        match self.model.pins.sequence {
            Sequence::Unused => assert_eq!(own, None),
            Sequence::Used(value) => {
                assert!(own.is_none_or(|own| own == value), "client {}: {own:?} for {value}", self.id);
                self.model.pins.sequence = Sequence::Known(own);
            }
            Sequence::Known(value) => assert_eq!(own, value, "lastval of client {}", self.id),
        }
    }

    /// Everything goes, on this connection only.
    pub fn discard(&mut self) {
        self.query("DISCARD ALL").fine();
        let startup = std::mem::take(&mut self.model.values.startup);
        self.model = Model::default();
        self.model.values.startup = startup;
    }
}

fn first(answer: &testkit::wire::Answer) -> Option<&str> {
    answer.rows.first().and_then(|row| row[0].as_deref())
}
