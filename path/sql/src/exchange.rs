//! exchange: the traffic between one client and the server connection that it has: what goes up, what comes down, when
//! the connection is free again.
//!
//! Decisions are in `intake` (what the client sends), `prepared`, `lent` and `reuse` (names of statements) and `answers` (what the
//! server says), without IO; `flow` moves the bytes; `receive`, `hold`, `relay` and `leave` are a client's turns.

mod answers;
mod consequences;
mod desk;
mod expected;
mod flow;
pub(crate) mod fuzzing;
mod hold;
mod intake;
mod leave;
mod lent;
mod limits;
mod local;
mod memory;
mod message;
mod messages;
mod outgoing;
mod own;
mod prepared;
mod receive;
mod records;
mod relay;
mod reuse;
mod said;
mod shapes;
mod turn;
mod worth;

pub(crate) use desk::Desk;
pub(crate) use flow::{Flow, Stopped};
pub(crate) use hold::hold;
pub(crate) use limits::Clock;
pub(crate) use local::answer_locally;
pub(crate) use memory::Memory;
pub(crate) use receive::{Came, receive};
pub(crate) use records::Measured;
pub(crate) use relay::relay;
pub(crate) use turn::Rules;
pub(crate) use worth::Reuse;

#[cfg(test)]
mod tests;
