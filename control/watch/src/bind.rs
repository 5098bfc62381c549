use std::io::{Error, ErrorKind, Result};
use std::net::{SocketAddr, TcpListener};

/// Listens at `address`. A taken address that nobody wrote gives way to a free port of the same host, and the note says so.
///
/// The listener is non-blocking and shares its port with no other process.
///
/// # Errors
/// As the system says it, with the address.
pub fn bind(address: SocketAddr, written: bool) -> Result<(TcpListener, Option<String>)> {
    let (listener, note) = match TcpListener::bind(address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && !written => {
            let listener = TcpListener::bind((address.ip(), 0)).map_err(|error| named(address, &error))?;
            let note = format!("{address} is taken; {} is used instead", listener.local_addr()?);
            (listener, Some(note))
        }
        bound => (bound.map_err(|error| named(address, &error))?, None),
    };
    listener.set_nonblocking(true)?;
    Ok((listener, note))
}

fn named(address: SocketAddr, error: &Error) -> Error {
    let reason = match error.kind() {
        ErrorKind::AddrInUse => "another process listens there".to_string(),
        ErrorKind::AddrNotAvailable => "this machine has no such address".to_string(),
        ErrorKind::PermissionDenied => "ports below 1024 need a right that this user lacks".to_string(),
        _ => error.to_string(),
    };
    Error::new(error.kind(), format!("cannot listen at {address}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_default_gives_way_and_a_written_one_is_an_error() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let (other, note) = bind(address, false).unwrap();
        assert_ne!(other.local_addr().unwrap(), address);
        assert!(note.unwrap().starts_with(&format!("{address} is taken")));
        let error = bind(address, true).unwrap_err().to_string();
        assert_eq!(error, format!("cannot listen at {address}: another process listens there"));
    }

    #[test]
    fn a_free_port_is_no_news() {
        assert_eq!(bind("127.0.0.1:0".parse().unwrap(), true).unwrap().1, None);
    }
}
