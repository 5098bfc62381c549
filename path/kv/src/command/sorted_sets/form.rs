//! How members are told: alone, or with their scores, which RESP3 has in pairs.

use crate::frame::{Protocol, Reply};

/// See above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::command) enum Form {
    Alone,
    /// A score behind each member.
    Flat,
    /// Each member and its score in a list of their own.
    Pairs,
}

impl Form {
    /// As the client's protocol has it.
    pub(in crate::command) fn of(with_scores: bool, reply: &Reply<'_>) -> Form {
        match (with_scores, reply.protocol()) {
            (false, _) => Form::Alone,
            (true, Protocol::Resp2) => Form::Flat,
            (true, Protocol::Resp3) => Form::Pairs,
        }
    }

    /// The list of `count` members.
    pub(in crate::command) fn head(self, count: usize, reply: &mut Reply<'_>) {
        reply.array(if self == Form::Flat { count * 2 } else { count });
    }

    pub(in crate::command) fn tell(self, member: &[u8], score: f64, reply: &mut Reply<'_>) {
        if self == Form::Pairs {
            reply.array(2);
        }
        reply.bulk(member);
        if self != Form::Alone {
            reply.double(score);
        }
    }
}
