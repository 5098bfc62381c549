//! TLS on the sockets of a loop, and the certificates that doors show: read, checked and told of as `tls = { cert, key }` says.
//!
//! The protocol is rustls's; this moves its bytes, and does what takes long elsewhere than on a loop.

mod certificate;
mod connection;
pub mod der;
mod settings;
mod stream;
mod validity;

pub use certificate::Certificate;
pub use connection::{Tls, accept, connect};
pub use settings::{CERTIFICATE, read};
pub use stream::{Stream, Unregistered};
