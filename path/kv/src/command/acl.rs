//! `ACL`: users, and what each may do.

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use super::admit::admitted;
use super::{Categories, Command, Flags, Group, Here, help, ruled, wrong_use};
use crate::client::Ends;
use crate::door::now;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::users::{Changed, Denied, Rights, User};

const SELF: Flags = Flags::NO_SCRIPT.and(Flags::LOADING).and(Flags::STALE);
const ADMIN: Flags = SELF.and(Flags::ADMIN);
const S: Group = Group::Server;

pub(super) const COMMANDS: &[Command] = &[
    Command::container("acl", S),
    Command::here("acl|cat", -2, SELF, S, categories),
    Command::here("acl|deluser", -3, ADMIN, S, delete),
    Command::here("acl|dryrun", -4, ADMIN, S, dry_run),
    Command::here("acl|genpass", -2, SELF, S, password),
    Command::here("acl|getuser", 3, ADMIN, S, get),
    Command::here("acl|help", 2, Flags::LOADING.and(Flags::STALE), S, |_, _, reply| help(reply, "ACL", HELP)),
    Command::here("acl|list", 2, ADMIN, S, |here, _, reply| {
        let all = here.common.users.all();
        reply.array(all.len());
        all.iter().for_each(|user| reply.bulk(&user.said()));
        Ok(())
    }),
    Command::here("acl|load", 2, ADMIN, S, |_, _, _| Err(NO_FILE)),
    Command::here("acl|log", -2, ADMIN, S, log),
    Command::here("acl|save", 2, ADMIN, S, |_, _, _| Err(NO_FILE)),
    Command::here("acl|setuser", -3, ADMIN, S, set),
    Command::here("acl|users", 2, ADMIN, S, |here, _, reply| {
        let all = here.common.users.all();
        reply.array(all.len());
        all.iter().for_each(|user| reply.bulk(&user.name));
        Ok(())
    }),
    Command::here("acl|whoami", 2, SELF, S, |here, _, reply| {
        reply.bulk(&here.client.user.name);
        Ok(())
    }),
];

const HELP: &[&str] = &[
    "CAT [<category>]",
    "DELUSER <username> [<username> ...]",
    "DRYRUN <username> <command> [<arg> ...]",
    "GETUSER <username>",
    "GENPASS [<bits>]",
    "LIST",
    "LOAD",
    "LOG [<count> | RESET]",
    "SAVE",
    "SETUSER <username> <attribute> [<attribute> ...]",
    "USERS",
    "WHOAMI",
];

const NO_FILE: Fault = Fault::fixed(
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then \
     issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
);
/// Bits of a password that is made.
const BITS: i64 = 256;
const MOST_BITS: i64 = 4096;

fn categories(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    match args.len() {
        2 => {
            reply.array(Categories::all().count());
            Categories::all().for_each(|(name, _)| reply.bulk(name.as_bytes()));
        }
        3 => {
            let unknown = || Fault::made(format!("ERR Unknown category '{}'", String::from_utf8_lossy(args.at(2))));
            let category = Categories::named(args.at(2)).ok_or_else(unknown)?;
            let of: Vec<_> = ruled().filter(|(_, command)| command.categories().has(category)).collect();
            reply.array(of.len());
            of.iter().for_each(|(_, command)| reply.bulk(command.name.as_bytes()));
        }
        _ => return Err(wrong_use(args)),
    }
    Ok(())
}

fn set(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (name, words) = (args.at(2), args.from(3).iter().collect::<Vec<_>>());
    let opens = here.common.config.text("acl-pubsub-default") == "allchannels";
    let changed = here.common.users.set(name, &words, opens).map_err(|why| Fault::made(format!("ERR {why}")))?;
    end_deaf(here, &changed);
    reply.ok();
    Ok(())
}

/// Clients that have subscribed to what their user may not hear any more are closed.
fn end_deaf(here: &mut Here<'_>, Changed { before, after }: &Changed) {
    if before.is_none() {
        return;
    }
    for peer in here.common.channels.heard_against(|peer, name, is_pattern| *peer.user() == *after.name && !after.hears(name, is_pattern)) {
        here.end(&peer);
    }
}

fn delete(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let gone = here.common.users.delete(args.from(2).iter()).map_err(|why| Fault::made(format!("ERR {why}")))?;
    here.common.roster.all_of(gone.iter().map(|user| &*user.name)).iter().for_each(|peer| here.end(peer));
    reply.int(gone.len() as i64);
    Ok(())
}

fn user(here: &Here<'_>, name: &[u8]) -> Option<Arc<User>> {
    here.common.users.get(name)
}

fn get(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some(user) = user(here, args.at(2)) else {
        reply.null();
        return Ok(());
    };
    let (own, selectors) = user.rights();
    reply.map(6);
    reply.bulk(b"flags");
    reply.set(user.flags().count());
    user.flags().for_each(|flag| reply.bulk(flag.as_bytes()));
    reply.bulk(b"passwords");
    let passwords = user.passwords();
    reply.array(passwords.len());
    passwords.for_each(|digits| reply.bulk(digits.as_bytes()));
    say(own, reply);
    reply.bulk(b"selectors");
    reply.array(selectors.len());
    for rights in selectors {
        reply.map(3);
        say(rights, reply);
    }
    Ok(())
}

fn say(rights: &Rights, reply: &mut Reply<'_>) {
    let parts = [("commands", rights.commands_said().into_bytes()), ("keys", rights.keys_said()), ("channels", rights.channels_said())];
    for (name, said) in parts {
        reply.bulk(name.as_bytes());
        reply.bulk(&said);
    }
}

fn password(_: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let bits = match args.len() {
        2 => BITS,
        3 => args.int(2)?,
        _ => return Err(wrong_use(args)),
    };
    if !(1..=MOST_BITS).contains(&bits) {
        return Err(Fault::made(format!(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to {MOST_BITS}"
        )));
    }
    let digits = (bits as usize).div_ceil(4);
    let mut bytes = vec![0; digits.div_ceil(2)];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::fixed("ERR the system has no random numbers"))?;
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    reply.bulk(&text.as_bytes()[..digits]);
    Ok(())
}

fn log(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let mut kept = here.common.users.log.kept();
    let most = match args.len() {
        2 => 10,
        3 if args.is(2, "RESET") => {
            kept.clear();
            reply.ok();
            return Ok(());
        }
        3 => args.int(2)?.max(0) as usize,
        _ => return Err(wrong_use(args)),
    };
    let now = now();
    reply.array(kept.len().min(most));
    for denial in kept.iter().take(most) {
        reply.map(7);
        reply.bulk(b"count");
        reply.int(denial.count as i64);
        let texts = [("reason", denial.reason.name().as_bytes()), ("context", denial.context.name().as_bytes())];
        for (name, text) in texts.into_iter().chain([("object", &*denial.object), ("username", &*denial.user)]) {
            reply.bulk(name.as_bytes());
            reply.bulk(text);
        }
        reply.bulk(b"age-seconds");
        reply.double(now.saturating_sub(denial.at) as f64 / 1000.0);
        reply.bulk(b"client-info");
        reply.bulk(&denial.client);
    }
    Ok(())
}

fn dry_run(here: &mut Here<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    let Some(user) = user(here, args.at(2)) else { return Err(Fault::made(format!("ERR User '{}' not found", text(args.at(2))))) };
    let words = args.from(3);
    let command = admitted(words).map_err(|fault| match fault.0.starts_with("ERR unknown") {
        true => Fault::made(format!("ERR Command '{}' not found", text(words.at(0)))),
        false => fault,
    })?;
    let said = match user.check(command, words) {
        Ok(()) => {
            reply.ok();
            return Ok(());
        }
        Err(Denied::Command) => format!("This user has no permissions to run the '{}' command", command.ruled().name),
        Err(Denied::Key(place)) => format!("This user has no permissions to access the '{}' key", text(words.at(place))),
        Err(Denied::Channel(place)) => format!("This user has no permissions to access the '{}' channel", text(words.at(place))),
    };
    reply.bulk(said.as_bytes());
    Ok(())
}

impl Here<'_> {
    /// Ends a client; this one once it is answered.
    pub(super) fn end(&mut self, peer: &crate::client::Peer) {
        if peer.id == self.client.id() {
            self.client.leaves = true;
        } else {
            peer.end(Ends::Killed);
        }
    }
}
