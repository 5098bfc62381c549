//! Keys, whatever they hold.

use super::{Command, Group, KeySpec, READS_FAST, WRITES};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, View};

pub(super) const COMMANDS: &[Command] = &[
    Command::on_keys("del", -2, WRITES, Group::Keyspace, KeySpec::REST, delete),
    Command::on_keys("exists", -2, READS_FAST, Group::Keyspace, KeySpec::REST, exists),
    Command::on_keys("type", 2, READS_FAST, Group::Keyspace, KeySpec::ONE, kind),
];

fn delete(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = args.from(1).iter().filter(|key| view.delete(key, Class::GENERIC, "del")).count();
    reply.int(count as i64);
    Ok(())
}

fn exists(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let count = args.from(1).iter().filter(|key| view.touch(key)).count();
    reply.int(count as i64);
    Ok(())
}

fn kind(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    reply.simple(view.kind(args.at(1)).map_or("none", Kind::name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::desk::Desk;

    #[test]
    fn keys_go_and_are_counted_as_often_as_they_are_named() {
        let mut desk = Desk::new();
        desk.says("SET a 1", "+OK\r\n");
        desk.says("EXISTS a a b", ":2\r\n");
        desk.says("TYPE a", "+string\r\n");
        desk.says("DEL a a b", ":1\r\n");
        desk.says("TYPE a", "+none\r\n");
        assert_eq!(desk.events(), ["set a", "keymiss b", "del a"]);
    }
}
