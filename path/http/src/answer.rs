//! Answers that need no app: the static site, the door's own small answers, security headers.
//!
//! Everything here takes plain data ([`Asked`], [`Splice`]) and writes a whole response head into a given
//! buffer; bodies are handed back as [`Body`] for the connection to send. Nothing here touches a socket.

mod asked;
mod clock;
mod condition;
mod entry;
mod folder;
mod hashed;
mod kind;
mod media;
mod place;
mod remembered;
mod reply;
mod security;
pub(crate) mod send;
mod site;
mod small;
#[cfg(test)]
mod tests;
mod warm;
mod words;

pub use asked::{Asked, Splice};
pub use clock::Clock;
pub use reply::{Body, Reply};
pub use security::{Present, SECURITY};
pub use site::{Need, SiteFiles};
pub use small::{Small, reason};
pub use warm::warm;
