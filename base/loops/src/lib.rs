//! One loop per core: its thread, its listening sockets, its deadlines and its buffers.
//!
//! A loop is a tokio `LocalRuntime` on a thread of its own: tasks are not `Send`, nothing is shared between
//! cores, nothing on a loop may take more than 200 µs at a time. What a door runs on a loop gets a [`Loop`].
//! Control does not belong here: it has a runtime of its own; only [`probe`] runs on either.

mod accept;
mod alarm;
mod buffer;
mod clock;
mod listen;
mod orders;
mod probe;
mod seats;
pub mod socket;
mod threads;
pub mod time;

pub use accept::{Accepted, accept};
pub use alarm::{Alarm, Alarms, Expired};
pub use buffer::{BUFFER_BYTES, Buffer, Buffers};
pub use clock::now;
pub use listen::{ListenError, Listener, listen, listen_beside};
pub use orders::{Orders, until_none};
pub use probe::{Unwell, probe};
pub use seats::{Newcomer, Seat, Seated, Seats};
pub use threads::{Loop, Loops, allowed};
