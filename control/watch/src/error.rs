use std::fmt;
use std::io;
use std::net::SocketAddr;

/// Why the console did not start.
#[derive(Debug)]
pub enum Error {
    /// It would be open to the network without authentication: the file is at fault.
    Open(SocketAddr),
    /// The operating system refused.
    Io(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Open(address) => {
                write!(out, "the console at {address} would be open to the network without authentication: listen on 127.0.0.1")
            }
            Error::Io(error) => write!(out, "the console cannot start: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Io(error)
    }
}
