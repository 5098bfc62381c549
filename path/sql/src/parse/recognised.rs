use std::ops::Deref;
use std::sync::Arc;

use super::constants::Constants;
use super::touched::{Touched, Touches};

/// What a text of one or more statements does to its session, beyond its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recognised {
    /// Hash of the text and of how it was read; not keyed: compare texts too.
    pub(crate) hash: u64,
    /// All that its statements do together.
    pub(crate) effects: Effects,
    /// One for each statement, in order, as the server answers them; none for an empty text. A text of more than 16,384
    /// statements has no steps for those behind, and is [`Effects::OPAQUE`].
    pub(crate) steps: Steps,
    pub(super) touches: Touches,
    /// The same for texts that differ only in constants, lengths of lists, spaces, comments and case.
    pub(crate) fingerprint: u64,
    /// What its string constants are.
    pub(crate) constants: Constants,
    /// Whether a plan kept for it could be worth having: a plain lookup, insert, update or delete by equality with
    /// parameters. Which columns and table: see `lookup`.
    pub(crate) lookup: Option<Arc<Lookup>>,
}

impl Recognised {
    /// Parameters of the session that it may have changed, however that ended; what is only for a transaction is not
    /// among them, nor is what happens inside functions that it calls. `RESET ALL` and `DISCARD ALL` touch what the
    /// session has, which only the session knows: they are seen in [`Recognised::steps`].
    pub(crate) fn touched(&self) -> Touched<'_> {
        self.touches.touched()
    }
}

/// The steps of a text: a slice that needs no memory of its own for a single one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Steps {
    /// One, as nearly always.
    One(Step),
    /// None or several.
    Many(Vec<Step>),
}

impl Default for Steps {
    fn default() -> Steps {
        Steps::Many(Vec::new())
    }
}

impl Steps {
    pub(super) fn push(&mut self, step: Step) {
        *self = match std::mem::take(self) {
            Steps::Many(steps) if steps.is_empty() => Steps::One(step),
            Steps::One(first) => Steps::Many(vec![first, step]),
            Steps::Many(mut steps) => {
                steps.push(step);
                Steps::Many(steps)
            }
        };
    }
}

impl Deref for Steps {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        match self {
            Steps::One(step) => std::slice::from_ref(step),
            Steps::Many(steps) => steps,
        }
    }
}

/// A statement `… table … WHERE column = $n AND …` with nothing else that chooses a plan, or an `INSERT … VALUES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// In quotes, with its schema if one was written: what `to_regclass` takes.
    pub(crate) table: Box<str>,
    /// What is compared by equality; empty for an insert.
    pub(crate) compared: Box<[Compared]>,
}

/// `column = …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    /// As the catalogue holds it.
    pub(crate) column: Box<str>,
    /// With what.
    pub(crate) with: Operand,
}

/// What a column is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// A constant whose type follows the column's.
    Constant,
    /// `$n`, from 1: of the type that the client declared or of the column's.
    Parameter(u16),
    /// `$n::type`: the type, as written.
    Cast(Box<str>),
}

/// A name or everything of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// This one, folded to lower case unless it was quoted.
    One(Box<str>),
    /// `ALL`, `*`.
    All,
}

/// One statement, as far as a pool must know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Anything that is none of these.
    Other,
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`, `PREPARE TRANSACTION`; with `AND CHAIN` the next transaction begins at once.
    Commit,
    /// `ROLLBACK`, `ABORT` of the whole transaction.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`.
    Savepoint,
    /// `SET [SESSION] name …`, with the name of the parameter it changes: `SET TIME ZONE` is `timezone`, `SET NAMES`
    /// `client_encoding`, `SET ROLE` `role`, `SET SESSION AUTHORIZATION` `session_authorization` (and `role` is touched
    /// too), `SET SESSION CHARACTERISTICS` `default_transaction_isolation` (and two more). Empty: cannot be read.
    Set(Box<str>),
    /// `SET LOCAL …`, `SET TRANSACTION …`, `SET CONSTRAINTS …`: ends with its transaction.
    SetLocal,
    /// `RESET …`, with the parameter's name as for `Set`.
    Reset(Name),
    /// SQL's own `PREPARE name AS …`.
    Prepare(Box<str>),
    /// `EXECUTE name`, also below `EXPLAIN` and `CREATE TABLE … AS`.
    Execute(Box<str>),
    /// `DEALLOCATE …`.
    Deallocate(Name),
    /// `DISCARD ALL`.
    DiscardAll,
    /// `DISCARD PLANS | TEMP | SEQUENCES`.
    Discard,
    /// `LISTEN channel`.
    Listen(Box<str>),
    /// `UNLISTEN …`.
    Unlisten(Name),
    /// `NOTIFY …`.
    Notify,
    /// `DECLARE … CURSOR WITH HOLD`.
    DeclareHold,
    /// `COPY … FROM STDIN` or `TO STDOUT`.
    Copy,
}

/// A set of effects. What a text only might do counts as done: asking the server afterwards tells the truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effects(pub(crate) u32);

impl Effects {
    /// Nothing.
    pub(crate) const NONE: Effects = Effects(0);
    /// Session parameters: `SET`, `RESET`, `set_config(`, `DISCARD ALL`.
    pub(crate) const PARAMETERS: Effects = Effects(1);
    /// Temporary tables, views, sequences, functions: `CREATE TEMP`, `INTO TEMP`, `pg_temp`. A plain `CREATE` makes one too
    /// where `search_path` begins with `pg_temp`.
    pub(crate) const TEMPORARY: Effects = Effects(1 << 1);
    /// Session advisory locks: `pg_advisory_lock(`, `pg_try_advisory_lock…(`, their unlocks.
    pub(crate) const LOCKS: Effects = Effects(1 << 2);
    /// Cursors `WITH HOLD`; with any `CLOSE`, which without a `DeclareHold` can only take away.
    pub(crate) const CURSORS: Effects = Effects(1 << 3);
    /// SQL's own `PREPARE`, `EXECUTE`, `DEALLOCATE`.
    pub(crate) const PREPARED: Effects = Effects(1 << 4);
    /// Reads a session's sequence state: `lastval(`, `currval(`.
    pub(crate) const SEQUENCES_READ: Effects = Effects(1 << 5);
    /// Might advance a sequence or forget it: `nextval(`, `setval(`, `INSERT`, `COPY … FROM`, `MERGE`, `UPDATE` and `DELETE`
    /// (by triggers), `ALTER`, `REFRESH`, `EXECUTE`, `CALL`, `DO`, `DISCARD SEQUENCES`. Functions that a `SELECT` calls might too, unseen.
    pub(crate) const SEQUENCES_USED: Effects = Effects(1 << 6);
    /// `LISTEN`, `UNLISTEN`.
    pub(crate) const LISTENING: Effects = Effects(1 << 7);
    /// `NOTIFY`, `pg_notify(`.
    pub(crate) const NOTIFIES: Effects = Effects(1 << 8);
    /// `DO`, `CALL`, `EXECUTE`: anything may have happened in there. The words of a `DO`'s body count on their own.
    pub(crate) const OPAQUE: Effects = Effects(1 << 9);
    /// `setseed(`, `SET SEED`: the random numbers of this session cannot be moved.
    pub(crate) const SEED: Effects = Effects(1 << 10);
    /// `LOAD`, `dblink_connect(`, `pg_backup_start(`, `pg_replication_origin_session_setup(`, replication slots, which may be
    /// temporary: bound to this server process, and nobody can ask whether it is there.
    pub(crate) const LOAD: Effects = Effects(1 << 11);
    /// Begins, ends or saves a transaction.
    pub(crate) const TRANSACTION: Effects = Effects(1 << 12);
    /// `CREATE`, `ALTER`, `DROP`, `SELECT … INTO` and other definitions: plans kept may be invalid, tables hidden by others.
    pub(crate) const DEFINES: Effects = Effects(1 << 13);
    /// Sets a parameter whose name is computed when it is done: whether it is a custom one nobody can ask.
    pub(crate) const NAMELESS: Effects = Effects(1 << 14);
    /// `standard_conforming_strings` is set or reset, be it for a transaction only: what follows may be read otherwise.
    pub(crate) const STRINGS: Effects = Effects(1 << 15);
    /// `CREATE`, `ALTER`, `DROP DATABASE`: done only when nobody else is in the database, or in the one it is a copy of.
    pub(crate) const DATABASES: Effects = Effects(1 << 17);
    /// Asks the client for data: `COPY … FROM STDIN`.
    pub(crate) const TAKES_DATA: Effects = Effects(1 << 16);

    /// Both together.
    pub(crate) const fn and(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// Without those of `other`.
    pub(crate) const fn without(self, other: Effects) -> Effects {
        Effects(self.0 & !other.0)
    }

    /// Whether any of `other` is in it.
    pub(crate) const fn has(self, other: Effects) -> bool {
        self.0 & other.0 != 0
    }
}
