//! The words that mean something here, and finding which one a word of a text is.

use super::hash::of_word;

macro_rules! words {
    ($($name:ident $text:literal),* $(,)?) => {
        /// A word of SQL or a function's name that this door looks at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        #[repr(u8)]
        pub(super) enum Word {
            /// Any other one.
            #[default]
            Other,
            $($name),*
        }
        const WORDS: &[(&str, Word)] = &[$(($text, Word::$name)),*];
    };
}

words! {
    Abort "abort", All "all", Alter "alter", Analyse "analyse", Analyze "analyze", And "and", Array "array", As "as", Atomic "atomic",
    Authorization "authorization", Begin "begin", By "by", Call "call", Case "case", Characteristics "characteristics", Close "close",
    Commit "commit", Conflict "conflict", Constraint "constraint", Constraints "constraints", Copy "copy", Create "create", Database "database",
    Deallocate "deallocate", Declare "declare", Default "default", Delete "delete", Discard "discard", Distinct "distinct", Do "do",
    Drop "drop", Else "else", End "end", Execute "execute", Exists "exists", Explain "explain", False "false", Fetch "fetch",
    First "first", For "for", From "from", Function "function", Global "global", Grant "grant", Having "having", Hold "hold",
    Import "import", In "in", Insert "insert", Into "into", Is "is", Join "join", Key "key", Like "like", Limit "limit",
    Listen "listen", Load "load", Local "local", Locked "locked", Merge "merge", Names "names", Next "next", No "no", Not "not",
    Nothing "nothing", Notify "notify", Nowait "nowait", Null "null", Of "of", Offset "offset", On "on", Only "only", Or "or",
    Plans "plans", Prepare "prepare", Prepared "prepared", Procedure "procedure", Reassign "reassign", Refresh "refresh", Release "release",
    Replace "replace", Reset "reset", Returning "returning", Revoke "revoke", Role "role", Rollback "rollback", Row "row",
    Rows "rows", Savepoint "savepoint", Schema "schema", Select "select", Sequences "sequences", Session "session", Set "set",
    Share "share", Skip "skip", Start "start", Stdin "stdin", Stdout "stdout", Temp "temp", Temporary "temporary", Then "then",
    Time "time", To "to", Transaction "transaction", True "true", Union "union", Unlisten "unlisten", Update "update",
    Using "using", Values "values", Verbose "verbose", When "when", Where "where", With "with", Work "work", Xml "xml", Zone "zone",
    // functions and one schema; what stands before is keywords
    AdvisoryLock "pg_advisory_lock", AdvisoryLockShared "pg_advisory_lock_shared", AdvisoryUnlock "pg_advisory_unlock",
    AdvisoryUnlockAll "pg_advisory_unlock_all", AdvisoryUnlockShared "pg_advisory_unlock_shared", CurrentValue "currval",
    DblinkConnect "dblink_connect", DblinkConnectAs "dblink_connect_u",
    LastValue "lastval", NextValue "nextval", PgBackupStart "pg_backup_start", PgNotify "pg_notify", PgSettings "pg_settings", PgStartBackup "pg_start_backup",
    CopyLogicalSlot "pg_copy_logical_replication_slot", CopyPhysicalSlot "pg_copy_physical_replication_slot",
    CreateLogicalSlot "pg_create_logical_replication_slot", CreatePhysicalSlot "pg_create_physical_replication_slot",
    SetUpOrigin "pg_replication_origin_session_setup", PgTemp "pg_temp", SetConfig "set_config", SetSeed "setseed",
    SetValue "setval", TryAdvisoryLock "pg_try_advisory_lock", TryAdvisoryLockShared "pg_try_advisory_lock_shared",
}

/// Places of the table; a power of two, four times the words or so.
const PLACES: usize = 512;

/// Number of a word in `WORDS` plus one, at the first free place from its hash.
static TABLE: [u8; PLACES] = {
    let (mut table, mut number) = ([0; PLACES], 0);
    while number < WORDS.len() {
        let mut place = place(of_word(WORDS[number].0.as_bytes()));
        while table[place] != 0 {
            place = (place + 1) % PLACES;
        }
        table[place] = number as u8 + 1;
        number += 1;
    }
    table
};

const fn place(hash: u64) -> usize {
    (hash >> 32) as usize % PLACES
}

impl Word {
    /// Which word `text` is, in any case; `hash` is its `of_word`.
    pub(super) fn find(text: &[u8], hash: u64) -> Word {
        let mut place = place(hash);
        while TABLE[place] != 0 {
            let (word, found) = WORDS[usize::from(TABLE[place]) - 1];
            if word.as_bytes().eq_ignore_ascii_case(text) {
                return found;
            }
            place = (place + 1) % PLACES;
        }
        Word::Other
    }

    /// Which function or schema a name in quotes is: there case counts, and no keyword is one.
    pub(super) fn quoted(name: &[u8]) -> Word {
        if name.iter().any(u8::is_ascii_uppercase) {
            return Word::Other;
        }
        let word = Word::find(name, of_word(name));
        if word as u8 >= Word::AdvisoryLock as u8 { word } else { Word::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_any_case() {
        for (text, word) in WORDS {
            assert_eq!(Word::find(text.as_bytes(), of_word(text.as_bytes())), *word);
            let upper = text.to_uppercase();
            assert_eq!(Word::find(upper.as_bytes(), of_word(upper.as_bytes())), *word);
            assert_eq!(Word::quoted(upper.as_bytes()), Word::Other);
            let longer = format!("{text}s_");
            assert_eq!(Word::find(longer.as_bytes(), of_word(longer.as_bytes())), Word::Other);
        }
        assert!(WORDS.len() < 255 && WORDS.len() * 3 < PLACES);
    }
}
