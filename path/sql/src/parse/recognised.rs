use std::sync::Arc;

/// What a text of one or more statements does to its session, beyond its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recognised {
    /// Hash of the text.
    pub(crate) hash: u64,
    /// All that its statements do together.
    pub(crate) effects: Effects,
    /// One for each statement, in order; none for an empty text.
    pub(crate) steps: Box<[Step]>,
    /// The text with its literals replaced, for the top list: the same for statements that differ only there.
    pub(crate) fingerprint: u64,
    /// Whether a plan kept for it could be worth having: a plain lookup, insert, update or delete by equality with
    /// parameters. Which columns and table: see `lookup`.
    pub(crate) lookup: Option<Arc<Lookup>>,
}

/// A statement `… table … WHERE column = $n AND …` with nothing else that chooses a plan, or an `INSERT … VALUES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// As written, quotes and schema included.
    pub(crate) table: Box<str>,
    /// Columns compared by equality, folded to what the catalogue holds; none for an insert.
    pub(crate) columns: Box<[Box<str>]>,
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
    /// `COMMIT`, `END`, `PREPARE TRANSACTION`.
    Commit,
    /// `ROLLBACK`, `ABORT` of the whole transaction.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`.
    Savepoint,
    /// `SET [SESSION] name …`, with the name of the parameter it changes: `SET TIME ZONE` is `timezone`, `SET NAMES`
    /// `client_encoding`, `SET ROLE` `role`, `SET SESSION AUTHORIZATION` both that and `role`.
    Set(Box<str>),
    /// `SET LOCAL …`, `SET TRANSACTION …`, `SET CONSTRAINTS …`: ends with its transaction.
    SetLocal,
    /// `RESET …`.
    Reset(Name),
    /// SQL's own `PREPARE name AS …`.
    Prepare(Box<str>),
    /// `EXECUTE name`.
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
    /// Temporary tables, views, sequences, functions: `CREATE TEMP`, `INTO TEMP`, `pg_temp`.
    pub(crate) const TEMPORARY: Effects = Effects(1 << 1);
    /// Session advisory locks: `pg_advisory_lock(`, `pg_try_advisory_lock…(`, their unlocks.
    pub(crate) const LOCKS: Effects = Effects(1 << 2);
    /// Cursors `WITH HOLD`, and their `CLOSE`.
    pub(crate) const CURSORS: Effects = Effects(1 << 3);
    /// SQL's own `PREPARE`, `EXECUTE`, `DEALLOCATE`.
    pub(crate) const PREPARED: Effects = Effects(1 << 4);
    /// Reads a session's sequence state: `lastval(`, `currval(`.
    pub(crate) const SEQUENCES_READ: Effects = Effects(1 << 5);
    /// Might advance a sequence: `nextval(`, `INSERT`, `COPY … FROM`, `MERGE`, `CALL`, `DO`, `setval(`.
    pub(crate) const SEQUENCES_USED: Effects = Effects(1 << 6);
    /// `LISTEN`, `UNLISTEN`.
    pub(crate) const LISTENING: Effects = Effects(1 << 7);
    /// `NOTIFY`, `pg_notify(`.
    pub(crate) const NOTIFIES: Effects = Effects(1 << 8);
    /// `DO`, `CALL`: anything may have happened in there.
    pub(crate) const OPAQUE: Effects = Effects(1 << 9);
    /// `setseed(`, `SET SEED`: the random numbers of this session cannot be moved.
    pub(crate) const SEED: Effects = Effects(1 << 10);
    /// `LOAD`: a library loaded into this server process.
    pub(crate) const LOAD: Effects = Effects(1 << 11);
    /// Begins, ends or saves a transaction.
    pub(crate) const TRANSACTION: Effects = Effects(1 << 12);
    /// `CREATE`, `ALTER`, `DROP` and other definitions: plans kept may be invalid.
    pub(crate) const DEFINES: Effects = Effects(1 << 13);

    /// Both together.
    pub(crate) const fn and(self, other: Effects) -> Effects {
        Effects(self.0 | other.0)
    }

    /// Whether any of `other` is in it.
    pub(crate) const fn has(self, other: Effects) -> bool {
        self.0 & other.0 != 0
    }
}
