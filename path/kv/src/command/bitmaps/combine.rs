//! `BITOP`.

use crate::command::strings::{peek, read};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::{Class, Kind, View};

/// What is done to each bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
}

impl Operation {
    fn read(args: Args<'_>) -> Result<Operation, Fault> {
        const ONE: Fault = Fault::fixed("ERR BITOP NOT must be called with a single source key.");
        let all = [("AND", Operation::And), ("OR", Operation::Or), ("XOR", Operation::Xor), ("NOT", Operation::Not)];
        let (_, operation) = all.into_iter().find(|(name, _)| args.is(1, name)).ok_or(Fault::SYNTAX)?;
        if operation == Operation::Not && args.len() != 4 { Err(ONE) } else { Ok(operation) }
    }

    /// Combines one string with what there is; behind the end of the shorter one there are zeros.
    fn with(self, all: &mut Vec<u8>, other: &[u8]) {
        all.resize(all.len().max(other.len()), 0);
        let pairs = all.iter_mut().zip(other);
        match self {
            Operation::And => {
                pairs.for_each(|(byte, other)| *byte &= other);
                all[other.len()..].fill(0);
            }
            Operation::Or => pairs.for_each(|(byte, other)| *byte |= other),
            Operation::Xor => pairs.for_each(|(byte, other)| *byte ^= other),
            Operation::Not => unreachable!("it has one source"),
        }
    }

    fn of(self, sources: &[&[u8]]) -> Vec<u8> {
        let mut all = sources[0].to_vec();
        if self == Operation::Not {
            all.iter_mut().for_each(|byte| *byte = !*byte);
        }
        sources[1..].iter().for_each(|other| self.with(&mut all, other));
        all
    }
}

pub(super) fn combine(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let (operation, target, sources) = (Operation::read(args)?, args.at(2), args.from(3));
    for key in sources.iter() {
        read(view, key)?;
    }
    let texts: Vec<&[u8]> = sources.iter().map(|key| peek(view, key).unwrap_or_default()).collect();
    let all = operation.of(&texts);
    if all.is_empty() {
        view.delete(target, Class::GENERIC, "del");
    } else {
        let mut slot = view.open_any(target, Kind::Str);
        slot.put_until(&all, None);
        slot.set_mark(true);
        slot.changed(Class::STRING, "set");
    }
    reply.int(all.len() as i64);
    Ok(())
}

pub(super) fn cost(view: &View<'_>, args: Args<'_>) -> usize {
    let bytes: usize = args.from(3).iter().map(|key| peek(view, key).map_or(0, <[u8]>::len)).sum();
    args.len() + bytes / 1024
}
