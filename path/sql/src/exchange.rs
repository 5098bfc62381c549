//! exchange: the traffic between one client and the server connection that it has: what goes up, what comes down, when
//! the connection is free again.
//!
//! Decisions are in `intake` (what the client sends), `prepared` and `reuse` (names of statements) and `answers` (what the
//! server says), without IO; `flow` moves the bytes; `receive`, `hold`, `relay` and `leave` are a client's turns.

mod answers;
mod expected;
mod intake;
mod memory;
mod message;
mod messages;
mod outgoing;
mod prepared;
mod records;
mod reuse;
mod said;
mod turn;
mod worth;

pub(crate) use memory::Memory;
pub(crate) use turn::Rules;
pub(crate) use worth::Reuse;

#[cfg(test)]
mod tests;
