//! Between a door and its server: a Unix socket whose connections can break in ways that a real server's only sometimes do.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use contract::{Database, ServerAddress};
use tempfile::TempDir;
use testkit::Postgres;

/// Passes everything on.
pub struct Between {
    folder: TempDir,
    /// The door's sides.
    connections: Arc<Mutex<Vec<UnixStream>>>,
    /// What is said with the server's next `ReadyForQuery`, and that was the last.
    farewell: Arc<Mutex<Vec<u8>>>,
}

impl Between {
    pub fn new(server: &Postgres) -> Between {
        let (folder, connections) = (TempDir::new().unwrap(), Arc::<Mutex<Vec<UnixStream>>>::default());
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let farewell = Arc::<Mutex<Vec<u8>>>::default();
        let (known, says, port) = (connections.clone(), farewell.clone(), server.port());
        spawn(move || {
            while let Ok((door, _)) = listener.accept() {
                known.lock().unwrap().push(door.try_clone().unwrap());
                join(door, TcpStream::connect(("127.0.0.1", port)).unwrap(), says.clone());
            }
        });
        Between { folder, connections, farewell }
    }

    /// The server, as the door sees it.
    pub fn database(&self) -> Database {
        Database::outside(ServerAddress::Unix(Arc::new(self.folder.path().join("socket"))))
    }

    /// The server ends the connection that answers next, with this error, at once behind its answer.
    pub fn end_next(&self, error: &[u8]) {
        *self.farewell.lock().unwrap() = error.to_vec();
    }

    /// The connections that there are take nothing more, which only who writes to them finds out. Gives how many.
    pub fn deafen(&self) -> usize {
        let mut connections = self.connections.lock().unwrap();
        connections.drain(..).map(|door| door.shutdown(Shutdown::Read).unwrap()).count()
    }
}

fn join(door: UnixStream, server: TcpStream, farewell: Arc<Mutex<Vec<u8>>>) {
    let (mut from_door, mut to_door) = (door.try_clone().unwrap(), door);
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    spawn(move || {
        pass_on(&mut from_server, &mut to_door, &farewell);
        let _ = to_door.shutdown(Shutdown::Both);
    });
    spawn(move || {
        // A door that is not heard any more has not gone.
        let _ = copy(&mut from_door, &mut to_server);
    });
}

fn pass_on(from: &mut TcpStream, to: &mut UnixStream, farewell: &Mutex<Vec<u8>>) {
    let mut space = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut space) {
        let mut said = space[..count].to_vec();
        if said.ends_with(b"Z\0\0\0\x05I") {
            said.append(&mut farewell.lock().unwrap());
        }
        if to.write_all(&said).is_err() || said.len() > count {
            return;
        }
    }
}
