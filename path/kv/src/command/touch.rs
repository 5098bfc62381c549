//! What a command does to each of its keys: it reads what they hold, or changes them, or both.

use super::{Command, Flags};
use crate::frame::Args;

/// What is done to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touch(u8);

impl Touch {
    /// It is only looked at from outside: that it is there, or how long it is.
    pub(crate) const NONE: Touch = Touch(0);
    pub(crate) const READ: Touch = Touch(1);
    pub(crate) const WRITE: Touch = Touch(2);
    pub(crate) const BOTH: Touch = Touch(3);

    pub(crate) fn and(self, other: Touch) -> Touch {
        Touch(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    pub(crate) fn has(self, other: Touch) -> bool {
        self.0 & other.0 == other.0
    }

    /// As rules write it in front of a pattern.
    pub(crate) fn sign(self) -> &'static [u8] {
        match self {
            Touch::READ => b"%R~",
            Touch::WRITE => b"%W~",
            _ => b"~",
        }
    }
}

/// What is done to the first key, and to the others, where it does not follow from whether the command writes.
const TOUCHES: &[(&[&str], Touch, Touch)] = &[
    (
        &[
            "exists",
            "hexists",
            "hlen",
            "hstrlen",
            "llen",
            "memory|usage",
            "object|encoding",
            "object|freq",
            "object|idletime",
            "object|refcount",
            "scard",
            "sismember",
            "strlen",
            "touch",
            "type",
            "watch",
            "xlen",
            "zcard",
        ],
        Touch::NONE,
        Touch::NONE,
    ),
    (
        &[
            "blmpop",
            "blpop",
            "brpop",
            "bzmpop",
            "bzpopmax",
            "bzpopmin",
            "decr",
            "decrby",
            "getdel",
            "getex",
            "getset",
            "hincrby",
            "hincrbyfloat",
            "incr",
            "incrby",
            "incrbyfloat",
            "lmpop",
            "lpop",
            "move",
            "rpop",
            "setbit",
            "spop",
            "zincrby",
            "zmpop",
            "zpopmax",
            "zpopmin",
            "eval",
            "evalsha",
            "fcall",
        ],
        Touch::BOTH,
        Touch::BOTH,
    ),
    (&["blmove", "brpoplpush", "lmove", "rename", "renamenx", "rpoplpush", "smove"], Touch::BOTH, Touch::WRITE),
    (&["copy", "sort", "georadius", "georadiusbymember"], Touch::READ, Touch::WRITE),
    (&["pfmerge"], Touch::BOTH, Touch::READ),
    (&["pfdebug", "xreadgroup"], Touch::READ, Touch::READ),
    (
        &["bitop", "geosearchstore", "sdiffstore", "sinterstore", "sunionstore", "zdiffstore", "zinterstore", "zrangestore", "zunionstore"],
        Touch::WRITE,
        Touch::READ,
    ),
];

impl Command {
    /// The words that are keys, with what is done to each.
    pub(crate) fn touches(&self, args: Args<'_>) -> Vec<(usize, Touch)> {
        let mut places = Vec::new();
        self.keys.places(args, |place| places.push(place));
        let (first, rest) = self.touch(args);
        places.into_iter().enumerate().map(|(at, place)| (place, if at == 0 { first } else { rest })).collect()
    }

    fn touch(&self, args: Args<'_>) -> (Touch, Touch) {
        match self.name {
            "set" if (3..args.len()).any(|at| args.is(at, "GET")) => (Touch::BOTH, Touch::BOTH),
            "bitfield" if (2..args.len()).any(|at| args.is(at, "SET") || args.is(at, "INCRBY")) => (Touch::BOTH, Touch::BOTH),
            "bitfield" => (Touch::READ, Touch::READ),
            name => match TOUCHES.iter().find(|(names, ..)| names.contains(&name)) {
                Some((_, first, rest)) => (*first, *rest),
                None if self.flags.has(Flags::WRITE) => (Touch::WRITE, Touch::WRITE),
                None => (Touch::READ, Touch::READ),
            },
        }
    }

    /// The words that are channels, to be spoken to or heard.
    pub(crate) fn channels(&self, args: Args<'_>) -> std::ops::Range<usize> {
        match self.name {
            "publish" | "spublish" => 1..2,
            "subscribe" | "psubscribe" | "ssubscribe" => 1..args.len(),
            _ => 0..0,
        }
    }

    /// Whether they are patterns.
    pub(crate) fn channels_are_patterns(&self) -> bool {
        self.name == "psubscribe"
    }
}
