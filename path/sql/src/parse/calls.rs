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
        Word::DblinkConnect | Word::DblinkConnectAs | Word::PgBackupStart | Word::PgStartBackup | Word::SetUpOrigin => Effects::LOAD,
        // One that is temporary is the process's.
        Word::CreateLogicalSlot | Word::CreatePhysicalSlot | Word::CopyLogicalSlot | Word::CopyPhysicalSlot => Effects::LOAD,
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

/// Most tokens of an argument of `set_config` that are looked over.
const LONGEST_ARGUMENT: usize = 32;

/// Who says which parameter `set_config(` sets.
enum Named {
    /// The text itself.
    Here(String),
    /// A parameter of the statement.
    Value,
    /// What is computed when it is done.
    Nobody,
}

/// What `set_config(` does in a statement that begins with `verb`, `arguments` being what follows: nothing when it is for
/// the transaction only.
pub(super) fn set_config(mut arguments: Tokens<'_>, verb: Word, touches: &mut Touches) -> Effects {
    let text = arguments.text;
    let name = match argument(&mut arguments) {
        Ok(name) => named(text, &name),
        Err(is_long) => {
            touches.all();
            return if is_long { Effects::PARAMETERS.and(Effects::NAMELESS) } else { Effects::PARAMETERS };
        }
    };
    let strings = match &name {
        Named::Here(name) => step::strings(&names::parameter(name)),
        Named::Value | Named::Nobody => Effects::NONE,
    };
    if is_local(text, &mut arguments) {
        return strings;
    }
    strings.and(lasting(name, verb, touches))
}

/// What it does to set a parameter beyond the transaction.
fn lasting(name: Named, verb: Word, touches: &mut Touches) -> Effects {
    match name {
        Named::Here(name) if name.eq_ignore_ascii_case("seed") => Effects::SEED,
        Named::Here(name) => {
            step::touch(&names::parameter(&name), touches);
            Effects::PARAMETERS
        }
        // Values of SQL's own prepared statements nobody sees.
        Named::Value if verb != Word::Prepare => {
            touches.all();
            Effects::PARAMETERS
        }
        Named::Value | Named::Nobody => {
            touches.all();
            Effects::PARAMETERS.and(Effects::NAMELESS)
        }
    }
}

/// The argument up to a comma. None before the parenthesis closes or the text ends: whether it may be too long.
fn argument(arguments: &mut impl Iterator<Item = Token>) -> Result<Vec<Token>, bool> {
    let (mut depth, mut tokens) = (0usize, Vec::new());
    while tokens.len() < LONGEST_ARGUMENT {
        let token = arguments.next().ok_or(false)?;
        match token.kind {
            Kind::Comma if depth == 0 => return Ok(tokens),
            Kind::Open | Kind::OpenBracket => depth += 1,
            Kind::Close | Kind::CloseBracket => depth = depth.checked_sub(1).ok_or(false)?,
            _ => {}
        }
        tokens.push(token);
    }
    Err(true)
}

/// Who says the name, `argument` being the first one; a cast changes nothing.
fn named(text: &[u8], argument: &[Token]) -> Named {
    let value = match argument {
        [value] => value,
        [value, cast, of] if cast.kind == Kind::Cast && of.kind == Kind::Word => value,
        [name, is, value] if name.of(text).eq_ignore_ascii_case(b"setting_name") && is.of(text) == b"=>" => value,
        _ => return Named::Nobody,
    };
    match names::string(text, value) {
        Some(name) => Named::Here(name),
        None if value.kind == Kind::Parameter => Named::Value,
        None => Named::Nobody,
    }
}

/// Whether the value, which is passed over, is followed by `true` and the end.
fn is_local(text: &[u8], arguments: &mut impl Iterator<Item = Token>) -> bool {
    let is_passed = argument(arguments).is_ok();
    let (Some(local), Some(end)) = (arguments.next(), arguments.next()) else { return false };
    let says_true = local.is(Word::True) || names::string(text, &local).is_some_and(|said| said == "true" || said == "t");
    is_passed && says_true && end.kind == Kind::Close
}

/// What `token` of the body of a `DO` might do, as far as its word tells.
pub(super) fn in_body(token: &Token, touches: &mut Touches) -> Effects {
    match token.word {
        _ if token.kind == Kind::UnicodeQuoted => unknown(touches),
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
        function => effects(function),
    }
}
