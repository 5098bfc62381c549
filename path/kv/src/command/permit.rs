//! Whether a user may have a command done, and what is said and kept when it may not.

use super::{Command, Here, sort};
use crate::client::{Client, Peer};
use crate::door::{Shared, now};
use crate::error::Fault;
use crate::frame::Args;
use crate::users::{Context, Denied, Reason, User};

/// Whether the client's user may have `command` done on these words.
///
/// # Errors
/// It may not; that is kept, and counted.
pub(crate) fn permitted(client: &Client, common: &Shared, command: &'static Command, args: Args<'_>) -> Result<(), Fault> {
    let Err(denied) = client.user.check(command, args) else { return Ok(()) };
    let context = if client.transaction.is_some() { Context::Transaction } else { Context::Plain };
    common.denied_to(client, denied, command, args, context);
    Err(match denied {
        Denied::Command => Fault::made(format!("NOPERM this user has no permissions to run the '{}' command", command.ruled().name)),
        Denied::Key(_) => Fault::fixed("NOPERM this user has no permissions to access one of the keys used as arguments"),
        Denied::Channel(_) => Fault::fixed("NOPERM this user has no permissions to access one of the channels used as arguments"),
    })
}

/// Whether a command of a transaction may still be done: its user may have been changed since.
///
/// # Errors
/// As [`permitted`].
pub(super) fn still_permitted(here: &mut Here<'_>, command: &'static Command, args: Args<'_>) -> Result<(), Fault> {
    let Here { client, common, .. } = here;
    if !common.users.are_known_to(client) {
        common.users.show(client);
    }
    if let Err(denied) = client.user.check(command, args) {
        common.denied_to(client, denied, command, args, Context::Transaction);
        let why = match denied {
            Denied::Command => "no permission to execute the command or subcommand",
            Denied::Key(_) => "no permission to touch the specified keys",
            Denied::Channel(_) => "no permission to access one of the channels used as arguments to the command",
        };
        return Err(Fault::made(format!(
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer \
             allowed for the following reason: {why}"
        )));
    }
    may_reach(&client.user, command, args)
}

/// Whether a command that its words lead to other keys may be: SORT by patterns.
///
/// # Errors
/// Its user may not read all keys.
pub(super) fn may_reach(user: &User, command: &'static Command, args: Args<'_>) -> Result<(), Fault> {
    if user.may_all || !matches!(command.name, "sort" | "sort_ro") {
        return Ok(());
    }
    match sort::leading_option(args) {
        Some(option) if !user.reads_all_keys(command, args) => {
            Err(Fault::made(format!("ERR {option} option of SORT denied due to insufficient ACL permissions.")))
        }
        _ => Ok(()),
    }
}

/// Where a command of a client is done.
pub(super) fn context(here: &Here<'_>) -> Context {
    if here.in_transaction { Context::Transaction } else { Context::Plain }
}

/// Whether the user of a script may have a command of it done.
///
/// # Errors
/// It may not, in Redis's text; that is kept, and counted.
pub(crate) fn permitted_in_script(client: &Client, common: &Shared, command: &'static Command, args: Args<'_>) -> Result<(), Fault> {
    if let Err(denied) = client.user.check(command, args) {
        common.denied_to(client, denied, command, args, Context::Script);
        return Err(Fault::fixed(match denied {
            Denied::Command => "ERR The user executing the script can't run this command or subcommand",
            Denied::Key(_) => "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
            Denied::Channel(_) => "ERR The user executing the script can't publish to the channel mentioned in the command",
        }));
    }
    may_reach(&client.user, command, args)
}

impl Shared {
    fn denied_to(&self, client: &Client, denied: Denied, command: &'static Command, args: Args<'_>, context: Context) {
        let object = match denied {
            Denied::Command => command.ruled().name.as_bytes(),
            Denied::Key(place) | Denied::Channel(place) => args.at(place),
        };
        self.denied(&client.peer, &client.user.name, (denied.into(), object), context);
    }

    /// Something was denied to a client that is, or says that it is, this user.
    pub(crate) fn denied(&self, peer: &Peer, user: &[u8], what: (Reason, &[u8]), context: Context) {
        self.events.denied(what.0);
        let most = usize::try_from(self.config.number("acllog-max-len")).unwrap_or(0);
        self.users.log.note(peer, user, what, context, (now(), most));
    }
}
