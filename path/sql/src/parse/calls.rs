//! Functions whose call changes or reads the session.

use super::names;
use super::recognised::Effects;
use super::step;
use super::tokens::{Kind, Token, Tokens};
use super::touched::Touches;
use super::words::Word;

/// What a call of `function` does.
pub(super) fn effects(function: Word) -> Effects {
    match function {
        Word::AdvisoryLock | Word::AdvisoryLockShared | Word::TryAdvisoryLock | Word::TryAdvisoryLockShared => Effects::LOCKS,
        Word::AdvisoryUnlock | Word::AdvisoryUnlockShared | Word::AdvisoryUnlockAll => Effects::LOCKS,
        Word::LastValue | Word::CurrentValue => Effects::SEQUENCES_READ,
        Word::NextValue | Word::SetValue => Effects::SEQUENCES_USED,
        Word::PgNotify => Effects::NOTIFIES,
        Word::SetSeed => Effects::SEED,
        Word::DblinkConnect | Word::DblinkConnectAs | Word::PgBackupStart | Word::PgStartBackup => Effects::LOAD,
        _ => Effects::NONE,
    }
}

/// What the view `pg_settings` means in a statement that begins with `verb`: to update it is to `SET`.
pub(super) fn settings(verb: Word, touches: &mut Touches) -> Effects {
    if verb == Word::Select {
        return Effects::NONE;
    }
    touches.all();
    Effects::PARAMETERS
}

/// Whatever a name that cannot be read might do, or a text that is not there to be read.
pub(super) fn unknown(touches: &mut Touches) -> Effects {
    touches.all();
    let sequences = Effects::SEQUENCES_READ.and(Effects::SEQUENCES_USED);
    Effects::PARAMETERS.and(Effects::TEMPORARY).and(Effects::LOCKS).and(sequences).and(Effects::SEED).and(Effects::NOTIFIES)
}

/// Most tokens of a value given to `set_config` that are looked over for the argument behind it.
const LONGEST_VALUE: usize = 32;

/// What `set_config(` does, `arguments` being what follows: nothing when it is for the transaction only.
pub(super) fn set_config(arguments: Tokens<'_>, touches: &mut Touches) -> Effects {
    let text = arguments.text;
    let mut arguments = arguments.peekable();
    let name = arguments.next().and_then(|first| names::string(text, &first));
    let followed = arguments.next_if(|token| token.kind == Kind::Comma).is_some();
    let Some(name) = name.filter(|_| followed) else {
        touches.all();
        return Effects::PARAMETERS;
    };
    if is_local(text, &mut arguments) {
        return Effects::NONE;
    }
    match &*name.to_ascii_lowercase() {
        "seed" => Effects::SEED,
        name => {
            step::touch(&names::parameter(name), touches);
            Effects::PARAMETERS
        }
    }
}

/// Whether the value, which is passed over, is followed by `true` and the end.
fn is_local(text: &[u8], arguments: &mut impl Iterator<Item = Token>) -> bool {
    let mut depth = 0usize;
    let comma = arguments.by_ref().take(LONGEST_VALUE).find(|token| {
        match token.kind {
            Kind::Open | Kind::OpenBracket => depth += 1,
            Kind::Close | Kind::CloseBracket if depth == 0 => return true,
            Kind::Close | Kind::CloseBracket => depth -= 1,
            _ => {}
        }
        depth == 0 && token.kind == Kind::Comma
    });
    let (Some(comma), Some(local), Some(end)) = (comma, arguments.next(), arguments.next()) else { return false };
    let says_true = local.is(Word::True) || names::string(text, &local).is_some_and(|said| said == "true" || said == "t");
    comma.kind == Kind::Comma && says_true && end.kind == Kind::Close
}

/// What the body of a `DO` might do, as far as its words tell.
pub(super) fn of_body(body: Tokens<'_>, touches: &mut Touches) -> Effects {
    let mut effects = Effects::NONE;
    for token in body {
        if token.kind == Kind::UnicodeQuoted {
            effects = effects.and(unknown(touches));
        }
        effects = effects.and(match token.word {
            Word::Set | Word::Reset | Word::SetConfig | Word::Discard | Word::PgSettings => {
                touches.all();
                Effects::PARAMETERS
            }
            // a text made there and then
            Word::Execute => unknown(touches).and(Effects::DEFINES),
            Word::Temp | Word::Temporary | Word::PgTemp => Effects::TEMPORARY,
            Word::Create | Word::Alter | Word::Drop => Effects::DEFINES,
            Word::Notify => Effects::NOTIFIES,
            Word::Load => Effects::LOAD,
            function => self::effects(function),
        });
    }
    effects
}
