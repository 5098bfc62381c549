//! Channels and patterns: to subscribe to, and to be spoken to.

use super::{Command, Flags, Group, Here, help, wrong_use};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::pubsub::To;

const QUIET: Flags = Flags::PUBSUB.and(Flags::NO_SCRIPT).and(Flags::LOADING).and(Flags::STALE);
const SAYS: Flags = Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE).and(Flags::FAST);
const ASKS: Flags = Flags::PUBSUB.and(Flags::LOADING).and(Flags::STALE);

pub(super) const COMMANDS: &[Command] = &[
    Command::here("subscribe", -2, QUIET, Group::PubSub, |here, args, reply| subscribe(here, To::Channel, "subscribe", args, reply)),
    Command::here("psubscribe", -2, QUIET, Group::PubSub, |here, args, reply| subscribe(here, To::Pattern, "psubscribe", args, reply)),
    Command::here("ssubscribe", -2, QUIET, Group::PubSub, |here, args, reply| subscribe(here, To::Shard, "ssubscribe", args, reply)),
    Command::here("unsubscribe", -1, QUIET, Group::PubSub, |here, args, reply| unsubscribe(here, To::Channel, "unsubscribe", args, reply)),
    Command::here("punsubscribe", -1, QUIET, Group::PubSub, |here, args, reply| {
        unsubscribe(here, To::Pattern, "punsubscribe", args, reply)
    }),
    Command::here("sunsubscribe", -1, QUIET, Group::PubSub, |here, args, reply| unsubscribe(here, To::Shard, "sunsubscribe", args, reply)),
    Command::here("publish", 3, SAYS, Group::PubSub, |here, args, reply| publish(here, To::Channel, args, reply)),
    Command::here("spublish", 3, SAYS, Group::PubSub, |here, args, reply| publish(here, To::Shard, args, reply)),
    Command::container("pubsub", Group::PubSub),
    Command::here("pubsub|channels", -2, ASKS, Group::PubSub, |here, args, reply| channels(here, To::Channel, args, reply)),
    Command::here("pubsub|shardchannels", -2, ASKS, Group::PubSub, |here, args, reply| channels(here, To::Shard, args, reply)),
    Command::here("pubsub|numsub", -2, ASKS, Group::PubSub, |here, args, reply| counts(here, To::Channel, args, reply)),
    Command::here("pubsub|shardnumsub", -2, ASKS, Group::PubSub, |here, args, reply| counts(here, To::Shard, args, reply)),
    Command::here("pubsub|numpat", 2, ASKS, Group::PubSub, patterns),
    Command::here("pubsub|help", 2, Flags::LOADING.and(Flags::STALE), Group::PubSub, |_, _, reply| {
        help(
            reply,
            "PUBSUB",
            &["CHANNELS [pattern]", "NUMPAT", "NUMSUB [channel ...]", "SHARDCHANNELS [pattern]", "SHARDNUMSUB [channel ...]"],
        )
    }),
];

fn subscribe(here: &mut Here<'_>, to: To, word: &str, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Here { client, common, in_transaction } = here;
    if to == To::Shard && *in_transaction {
        return Err(Fault::fixed("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"));
    }
    for name in args.from(1).iter() {
        common.channels.subscribe(&client.peer, &mut client.subscriptions, to, name);
        confirm(reply, word, Some(name), client.subscriptions.count(to));
    }
    client.look();
    Ok(())
}

fn unsubscribe(here: &mut Here<'_>, to: To, word: &str, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Here { client, common, .. } = here;
    let names = match args.len() {
        1 => client.subscriptions.names(to),
        _ => args.from(1).iter().map(Into::into).collect(),
    };
    for name in &names {
        common.channels.unsubscribe(client.peer.id, &mut client.subscriptions, to, name);
        // What was said there comes before its end.
        client.take_mail(reply);
        confirm(reply, word, Some(name), client.subscriptions.count(to));
    }
    if names.is_empty() {
        confirm(reply, word, None, client.subscriptions.count(to));
    }
    client.look();
    Ok(())
}

fn confirm(reply: &mut Reply<'_>, word: &str, name: Option<&[u8]>, count: usize) {
    reply.push(3);
    reply.bulk(word.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.int(count as i64);
}

fn publish(here: &mut Here<'_>, to: To, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let published = here.common.channels.publish(to, args.at(1), args.at(2));
    if !here.in_transaction {
        here.client.posting = published.posting();
    }
    if here.client.posting.is_none() {
        // Who speaks to itself hears it before it is answered.
        here.client.take_mail(reply);
        reply.int(published.count as i64);
    }
    Ok(())
}

fn channels(here: &mut Here<'_>, to: To, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    if args.len() > 3 {
        return Err(wrong_use(args));
    }
    let names = here.common.channels.names(to, args.get(2));
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name));
    Ok(())
}

fn counts(here: &mut Here<'_>, to: To, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.array(args.from(2).len() * 2);
    for name in args.from(2).iter() {
        reply.bulk(name);
        reply.int(here.common.channels.subscribers(to, name) as i64);
    }
    Ok(())
}

fn patterns(here: &mut Here<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.int(here.common.channels.count(To::Pattern) as i64);
    Ok(())
}
