//! Last stage: which endpoint takes a request, what becomes of an attempt that failed, and which endpoints are well.
//!
//! Decisions are pure functions of a snapshot and a `now` (`choice`, `latency`, `eject`, `slow_start`, `retry`,
//! `budget`, `health`); `group`, `exchange` and `checker` carry them out. Nothing here opens a connection for a
//! request: the path does, and tells an [`Exchange`] what happened.

mod budget;
mod checker;
mod choice;
mod eject;
mod events;
mod exchange;
mod group;
mod health;
mod latency;
mod member;
pub(crate) mod response;
mod retry;
mod slow_start;
mod turn;
mod waiting;

pub use checker::keep;
pub use exchange::{Exchange, Outcome, Upgraded};
pub use group::{Bounds, Group, NoPeer};
pub use health::Check;
pub use member::{Peer, PeerState, State};
pub use retry::{Attempt, Decision, Failure};
pub use waiting::Waiting;

#[cfg(test)]
mod tests;
