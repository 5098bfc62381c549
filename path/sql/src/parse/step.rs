//! From the first tokens of a statement to what it is.

use super::names;
use super::recognised::{Effects, Name, Step};
use super::tokens::{Kind, Token};
use super::touched::Touches;
use super::words::Word;

/// The first tokens of a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) text: &'a [u8],
    pub(super) tokens: &'a [Token],
}

impl<'a> Head<'a> {
    fn token(&self, at: usize) -> Token {
        self.tokens.get(at).copied().unwrap_or_default()
    }

    fn word(&self, at: usize) -> Word {
        self.token(at).word
    }

    /// The name at `at`; an empty one, which no name is, if it cannot be read.
    fn name(&self, at: usize) -> Box<str> {
        names::name(self.text, &self.token(at)).unwrap_or_default()
    }

    fn name_or_all(&self, at: usize) -> Name {
        if self.word(at) == Word::All { Name::All } else { Name::One(self.name(at)) }
    }

    /// Whether what stands at `at` is a parameter's name, because what may follow one follows.
    fn is_assigned(&self, at: usize) -> bool {
        let next = self.token(at + 1);
        next.is(Word::To) || next.kind == Kind::Dot || (next.kind == Kind::Operator && next.of(self.text).starts_with(b"="))
    }

    /// `name.name…` from `at`; `None` if it cannot be read.
    fn parameter(&self, at: usize) -> Option<Box<str>> {
        let mut name = names::name(self.text, &self.token(at))?.into_string();
        let mut at = at + 1;
        while self.token(at).kind == Kind::Dot {
            name = format!("{name}.{}", names::name(self.text, &self.token(at + 1))?);
            at += 2;
        }
        // longer than what is kept of the head
        (at < self.tokens.len() || self.tokens.len() < super::statement::HEAD).then(|| names::parameter(&name))
    }
}

/// What a prepared statement might do, whose text is not there.
pub(super) const EXECUTES: Effects = Effects::PREPARED.and(Effects::SEQUENCES_USED).and(Effects::OPAQUE);

/// The step that begins with `head`, and what it does beyond what words anywhere in it say.
pub(super) fn of(head: Head<'_>, touches: &mut Touches) -> (Step, Effects) {
    match head.word(0) {
        Word::Begin => (Step::Begin, Effects::TRANSACTION),
        Word::Start if head.word(1) == Word::Transaction => (Step::Begin, Effects::TRANSACTION),
        Word::Commit | Word::End if head.word(1) != Word::Prepared => (Step::Commit, Effects::TRANSACTION),
        Word::Rollback | Word::Abort if head.word(1) != Word::Prepared => (rollback(head), Effects::TRANSACTION),
        Word::Savepoint | Word::Release => (Step::Savepoint, Effects::TRANSACTION),
        Word::Prepare if head.word(1) == Word::Transaction && is_string(head.token(2)) => (Step::Commit, Effects::TRANSACTION),
        Word::Prepare => (Step::Prepare(head.name(1)), Effects::PREPARED),
        Word::Execute => (Step::Execute(head.name(1)), EXECUTES),
        Word::Deallocate => (deallocate(head), Effects::PREPARED),
        Word::Set => set(head, touches),
        Word::Reset => reset(head, touches),
        Word::Discard => discard(head),
        Word::Listen => (Step::Listen(head.name(1)), Effects::LISTENING),
        Word::Unlisten if head.token(1).kind == Kind::Operator => (Step::Unlisten(Name::All), Effects::LISTENING),
        Word::Unlisten => (Step::Unlisten(Name::One(head.name(1))), Effects::LISTENING),
        Word::Notify => (Step::Notify, Effects::NOTIFIES),
        verb => (Step::Other, other(verb).and(databases(verb, head.word(1)))),
    }
}

fn other(verb: Word) -> Effects {
    match verb {
        Word::Close => Effects::CURSORS,
        Word::Do | Word::Call => Effects::OPAQUE.and(Effects::SEQUENCES_USED),
        Word::Load => Effects::LOAD,
        // What was prepared may have defined anything.
        Word::Commit => Effects::DEFINES,
        // A column that is added, a view that is filled again may take numbers for what is there already.
        Word::Alter => Effects::DEFINES.and(Effects::SEQUENCES_USED),
        Word::Refresh => Effects::SEQUENCES_USED,
        Word::Create | Word::Drop | Word::Import | Word::Grant | Word::Revoke | Word::Reassign => Effects::DEFINES,
        _ => Effects::NONE,
    }
}

fn databases(verb: Word, what: Word) -> Effects {
    let is_one = matches!(verb, Word::Create | Word::Alter | Word::Drop) && what == Word::Database;
    if is_one { Effects::DATABASES } else { Effects::NONE }
}

fn is_string(token: Token) -> bool {
    matches!(token.kind, Kind::Text | Kind::Escaped | Kind::Dollar)
}

/// `ROLLBACK [WORK | TRANSACTION] TO …` takes back to a savepoint, not the whole.
fn rollback(head: Head<'_>) -> Step {
    let noise = usize::from(matches!(head.word(1), Word::Work | Word::Transaction));
    if head.word(1 + noise) == Word::To { Step::Savepoint } else { Step::Rollback }
}

/// `PREPARE` before a name is noise; alone it is the name.
fn deallocate(head: Head<'_>) -> Step {
    let noise = usize::from(head.word(1) == Word::Prepare && head.tokens.len() > 2);
    Step::Deallocate(head.name_or_all(1 + noise))
}

const AUTHORIZATION: [&str; 2] = ["session_authorization", "role"];
const CHARACTERISTICS: [&str; 3] = ["default_transaction_isolation", "default_transaction_read_only", "default_transaction_deferrable"];
const OF_A_TRANSACTION: [&str; 3] = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"];

fn set(head: Head<'_>, touches: &mut Touches) -> (Step, Effects) {
    let scope = match head.word(1) {
        Word::Local if !head.is_assigned(1) => return (Step::SetLocal, strings(&head.parameter(2).unwrap_or_default())),
        Word::Session if !head.is_assigned(1) && !matches!(head.word(2), Word::Authorization | Word::Characteristics) => 1,
        _ => 0,
    };
    let at = 1 + scope;
    if !head.is_assigned(at) && matches!(head.word(at), Word::Transaction | Word::Constraints) {
        return (Step::SetLocal, Effects::NONE);
    }
    let names: &[&str] = match (head.word(at), head.word(at + 1)) {
        _ if head.is_assigned(at) => return set_named(head.parameter(at), touches),
        (Word::Session, Word::Authorization) => &AUTHORIZATION,
        (Word::Session, Word::Characteristics) => &CHARACTERISTICS,
        (Word::Time, Word::Zone) => &["timezone"],
        (Word::Xml, _) => &["xmloption"],
        (Word::Names, _) => &["client_encoding"],
        (Word::Schema, _) => &["search_path"],
        (Word::Role, _) => &["role"],
        // `name FROM CURRENT`, and what is an error
        _ => return set_named(head.parameter(at), touches),
    };
    names.iter().for_each(|name| touches.name(name));
    (Step::Set(names[0].into()), Effects::PARAMETERS)
}

fn set_named(name: Option<Box<str>>, touches: &mut Touches) -> (Step, Effects) {
    match name {
        Some(name) if &*name == "seed" => (Step::Set(name), Effects::SEED),
        Some(name) if OF_A_TRANSACTION.contains(&&*name) => (Step::SetLocal, Effects::NONE),
        Some(name) => {
            touch(&name, touches);
            let effects = Effects::PARAMETERS.and(strings(&name));
            (Step::Set(name), effects)
        }
        None => {
            touches.all();
            (Step::Set("".into()), Effects::PARAMETERS)
        }
    }
}

/// What it does to texts to set parameter `name`.
pub(super) fn strings(name: &str) -> Effects {
    if name == "standard_conforming_strings" { Effects::STRINGS } else { Effects::NONE }
}

/// Another session user means another role.
pub(super) fn touch(name: &str, touches: &mut Touches) {
    touches.name(name);
    if name == AUTHORIZATION[0] {
        touches.name(AUTHORIZATION[1]);
    }
}

fn reset(head: Head<'_>, touches: &mut Touches) -> (Step, Effects) {
    let name = match (head.word(1), head.word(2)) {
        (Word::All, _) => None,
        (Word::Session, Word::Authorization) => Some(AUTHORIZATION[0].into()),
        (Word::Time, Word::Zone) => Some("timezone".into()),
        (Word::Transaction, _) => return (Step::SetLocal, Effects::NONE),
        _ => head.parameter(1),
    };
    match name {
        Some(name) if OF_A_TRANSACTION.contains(&&*name) => (Step::SetLocal, Effects::NONE),
        Some(name) => {
            touch(&name, touches);
            let effects = Effects::PARAMETERS.and(strings(&name));
            (Step::Reset(Name::One(name)), effects)
        }
        None if head.word(1) == Word::All => (Step::Reset(Name::All), Effects::PARAMETERS),
        None => {
            touches.all();
            (Step::Reset(Name::One("".into())), Effects::PARAMETERS)
        }
    }
}

fn discard(head: Head<'_>) -> (Step, Effects) {
    match head.word(1) {
        Word::All => {
            let lost = Effects::PARAMETERS.and(Effects::TEMPORARY).and(Effects::LOCKS).and(Effects::CURSORS);
            (Step::DiscardAll, lost.and(Effects::PREPARED).and(Effects::LISTENING).and(Effects::SEQUENCES_USED))
        }
        Word::Temp | Word::Temporary => (Step::Discard, Effects::TEMPORARY),
        Word::Sequences => (Step::Discard, Effects::SEQUENCES_USED),
        _ => (Step::Discard, Effects::NONE),
    }
}
