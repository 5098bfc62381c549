//! Development only: what a test needs to treat Plimsoll as a user would. A [`Plimsoll`] process, a raw HTTP
//! [`Client`], a [`WebSocket`], fake apps as [`Origin`]s, a scratch [`Postgres`] a raw client of it, a [`Wire`],
//! and one of Redis's protocol, a [`Redis`], and [`until`], which waits for a condition and never for a time. Fakes only of the outside; nothing here knows Plimsoll's code.

mod app;
mod browser;
mod client;
mod load;
mod origin;
mod plimsoll;
pub mod postgres;
mod processes;
mod redis;
mod terminal;
mod until;
mod websocket;
pub mod wire;

pub use app::{app_command, serve_app};
pub use browser::Browser;
pub use client::{Answer, Client, get, request};
pub use load::{Ask, Failure, Load};
pub use origin::{Origin, Received, Reply};
pub use plimsoll::{Ended, Plimsoll, Ready, Up};
pub use postgres::Postgres;
pub use processes::{descendants, exists, inside, kill, listens, marked, peak_memory, terminate};
pub use redis::Redis;
pub use terminal::Terminal;
pub use until::{DEADLINE, holds_within, until};
pub use websocket::{Frame, WebSocket};
pub use wire::Wire;
