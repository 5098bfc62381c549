//! Whether a command is done at all, and now: its name, its words, and what its client may say.

use super::permit::{may_reach, permitted};
use super::{Command, Flags, Run, called, find};
use crate::client::{Client, Wants};
use crate::door::Shared;
use crate::error::Fault;
use crate::frame::{Args, Protocol, Reply};

/// Longest name of a command with the one it belongs to.
const LONGEST: usize = 48;

/// The command that is asked for, if it is one and its words are as many as it takes.
pub(crate) fn admitted(args: Args<'_>) -> Result<&'static Command, Fault> {
    let command = looked_up(args).ok_or_else(|| if called(args.at(0)).is_none() { unknown(args) } else { unknown_sub(args) })?;
    if command.takes(args.len()) { Ok(command) } else { Err(command.wrong_count()) }
}

/// The command that these words begin with.
pub(crate) fn looked_up(args: Args<'_>) -> Option<&'static Command> {
    let command = called(args.at(0))?;
    match (command.run, args.get(1)) {
        (Run::Container, Some(sub)) => find_sub(command.name, sub),
        _ => Some(command),
    }
}

/// The command `container|sub`.
pub(super) fn find_sub(container: &str, sub: &[u8]) -> Option<&'static Command> {
    let (mut name, length) = ([0; LONGEST], container.len() + 1 + sub.len());
    let name = name.get_mut(..length)?;
    name[..container.len()].copy_from_slice(container.as_bytes());
    name[container.len()] = b'|';
    name[container.len() + 1..].copy_from_slice(sub);
    find(name)
}

/// As Redis says it: with the first words that fit.
fn unknown(args: Args<'_>) -> Fault {
    let mut said = String::new();
    for word in args.from(1).iter() {
        if said.len() >= 128 {
            break;
        }
        let most = 128 - said.len();
        said += &format!("'{}' ", String::from_utf8_lossy(&word[..word.len().min(most)]));
    }
    let name = String::from_utf8_lossy(&args.at(0)[..args.at(0).len().min(128)]).into_owned();
    Fault::made(format!("ERR unknown command '{name}', with args beginning with: {said}"))
}

fn unknown_sub(args: Args<'_>) -> Fault {
    let sub = &args.at(1)[..args.at(1).len().min(128)];
    let container = String::from_utf8_lossy(args.at(0)).to_uppercase();
    Fault::made(format!("ERR unknown subcommand '{}'. Try {container} HELP.", String::from_utf8_lossy(sub)))
}

/// Whether a client that is special may have `command` done at all.
///
/// # Errors
/// What the client is told instead.
pub(super) fn may(client: &Client, common: &Shared, command: &'static Command, args: Args<'_>) -> Result<(), Fault> {
    if !client.limits.known && common.users.needs_login() && !command.flags.has(Flags::NO_AUTH) {
        return Err(Fault::fixed("NOAUTH Authentication required."));
    }
    if client.transaction.is_some() && command.flags.has(Flags::NO_MULTI) {
        return Err(Fault::fixed("ERR Command not allowed inside a transaction"));
    }
    permitted(client, common, command, args)
}

/// Whether a client that is special, and may have `command` done, has it done now. `false`: it is for later, and that was said.
///
/// # Errors
/// What the client is told instead.
pub(super) fn may_now(client: &mut Client, command: &'static Command, args: Args<'_>, reply: &mut Reply<'_>) -> Result<bool, Fault> {
    if !client.subscriptions.is_empty() && client.protocol == Protocol::Resp2 && !is_for_subscribers(command) {
        return Err(Fault::made(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            command.name
        )));
    }
    match &mut client.transaction {
        Some(transaction) if !is_done_at_once(command) => {
            if !transaction.is_flawed {
                transaction.queue(command, args.owned());
            }
            client.peer.queues(client);
            reply.simple("QUEUED");
            Ok(false)
        }
        _ => may_reach(&client.user, command, args).map(|()| true),
    }
}

/// What a subscriber may say in RESP2.
fn is_for_subscribers(command: &Command) -> bool {
    matches!(
        command.name,
        "ping" | "subscribe" | "ssubscribe" | "unsubscribe" | "sunsubscribe" | "psubscribe" | "punsubscribe" | "quit" | "reset"
    )
}

/// What is not queued in a transaction.
fn is_done_at_once(command: &Command) -> bool {
    matches!(command.name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

/// A command was refused before it was done: a transaction will be, too. Gives what EXEC says then.
pub(super) fn refused(client: &mut Client, args: Args<'_>, fault: Fault) -> Fault {
    if args.is(0, "exec") {
        // Also when there is none, as Redis says it.
        let why = fault.0.strip_prefix("ERR ").unwrap_or(&fault.0);
        return Fault::made(format!("EXECABORT Transaction discarded because of: {why}"));
    }
    if let Some(transaction) = &mut client.transaction {
        transaction.is_flawed = true;
    }
    fault
}

/// What becomes of the answer to `args` that was written from `before` on: what is pushed is heard in any case.
pub(crate) fn silenced(client: &mut Client, args: Option<Args<'_>>, reply: &mut Reply<'_>, before: usize) {
    if client.is_silent() && !args.is_some_and(is_confirmed) {
        reply.undo(before);
    }
    match client.wants {
        Wants::All | Wants::None => return,
        Wants::NotNext => client.wants = Wants::NotThis,
        Wants::NotThis => client.wants = Wants::All,
    }
    client.look();
}

/// Whether the answer to a command is pushed.
fn is_confirmed(args: Args<'_>) -> bool {
    // All that has to do with channels and is not for scripts.
    find(args.at(0)).is_some_and(|command| command.flags.has(Flags::PUBSUB) && command.flags.has(Flags::NO_SCRIPT))
}

/// Whether a paused door that goes on reading would do it; of a script its marks may say so, too.
pub(crate) fn only_reads(command: &Command) -> bool {
    let may_write = matches!(command.name, "publish" | "spublish" | "pfcount" | "eval" | "evalsha" | "fcall");
    !command.flags.has(Flags::WRITE) && !may_write
}
/// Whether a command, or what EXEC will do, may need more memory.
pub(super) fn needs_room(client: &Client, command: &Command) -> bool {
    is_or_does(client, command, Flags::DENY_OOM)
}

/// Whether a command, or what EXEC will do, may change keys.
pub(crate) fn writes(client: &Client, command: &Command) -> bool {
    is_or_does(client, command, Flags::WRITE)
}

fn is_or_does(client: &Client, command: &Command, flags: Flags) -> bool {
    let mut queued = client.transaction.iter().flat_map(|transaction| &transaction.queued);
    command.flags.has(flags) || matches!(command.run, Run::Exec) && queued.any(|queued| queued.command.flags.has(flags))
}
