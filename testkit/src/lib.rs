//! Development only: what a test needs to treat Plimsoll as a user would. A [`Plimsoll`] process, a raw HTTP
//! [`Client`], a [`WebSocket`], fake apps as [`Origin`]s, and [`until`], which waits for a condition and never
//! for a time. Fakes only of the outside; nothing here knows Plimsoll's code.

mod client;
mod origin;
mod plimsoll;
mod processes;
mod until;
mod websocket;

pub use client::{Answer, Client, get, request};
pub use origin::{Origin, Received, Reply};
pub use plimsoll::{Ended, Plimsoll, Ready, Up};
pub use processes::{descendants, exists, kill, marked, terminate};
pub use until::{DEADLINE, holds_within, until};
pub use websocket::{Frame, WebSocket};
