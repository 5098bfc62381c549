//! Last stage: which endpoint takes a request, what becomes of an attempt that failed, and which endpoints are well.
//!
//! Decisions are pure functions of a snapshot and a `now` (`choice`, `latency`, `eject`, `slow_start`, `retry`,
//! `budget`, `health`); `group`, `exchange` and `checker` carry them out. Nothing here opens a connection for a
//! request: the path does, and tells an [`Exchange`] what happened.

mod attempt;
mod budget;
mod checker;
mod choice;
mod deliver;
mod downward;
mod eject;
mod events;
mod exchange;
pub(crate) mod forward;
mod group;
mod health;
mod latency;
mod member;
pub(crate) mod pipe;
pub(crate) mod pool;
pub(crate) mod pump;
pub(crate) mod response;
mod retry;
mod slow_start;
mod turn;
mod upgrade;
mod upward;
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
