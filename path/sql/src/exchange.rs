//! exchange: the traffic between one client and the server connection that it has: what goes up, what comes down, when
//! the connection is free again.

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

#[cfg(test)]
mod tests;
