//! The connections to one server, of all loops: lent to a client, taken back, moved to the loop that needs them, never more
//! than the plan's total.
//!
//! Each loop has a [`Side`] with idle connections of its own and the clients that wait there; what the sides share is the
//! [`Pool`], written only when something is opened, closed or waited for. No client waits while any connection is idle: who
//! waits says so and then looks for idle ones everywhere, who makes one idle says so and then looks for those who wait.

mod backoff;
mod choose;
mod inbox;
mod ledger;
mod lent;
mod open;
mod room;
mod shared;
mod shelf;
mod side;
mod sweep;
#[cfg(test)]
mod tests;
mod total;
mod vacate;
mod wish;

pub(crate) use inbox::Message;
pub(crate) use ledger::Ledger;
pub(crate) use lent::{Lent, Refused};
pub(crate) use open::{seed, to_server};
pub(crate) use shared::Pool;
pub(crate) use side::{Attendance, Side};
pub(crate) use vacate::VACATED_FOR;
