//! Between a door and its server: a Unix socket whose connections can break in ways that a real server's only sometimes do.

use std::io::copy;
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
}

impl Between {
    pub fn new(server: &Postgres) -> Between {
        let (folder, connections) = (TempDir::new().unwrap(), Arc::<Mutex<Vec<UnixStream>>>::default());
        let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
        let (known, port) = (connections.clone(), server.port());
        spawn(move || {
            while let Ok((door, _)) = listener.accept() {
                known.lock().unwrap().push(door.try_clone().unwrap());
                join(door, TcpStream::connect(("127.0.0.1", port)).unwrap());
            }
        });
        Between { folder, connections }
    }

    /// The server, as the door sees it.
    pub fn database(&self) -> Database {
        Database::outside(ServerAddress::Unix(Arc::new(self.folder.path().join("socket"))))
    }

    /// The connections that there are take nothing more, which only who writes to them finds out. Gives how many.
    pub fn deafen(&self) -> usize {
        let mut connections = self.connections.lock().unwrap();
        connections.drain(..).map(|door| door.shutdown(Shutdown::Read).unwrap()).count()
    }
}

fn join(door: UnixStream, server: TcpStream) {
    let (mut from_door, mut to_door) = (door.try_clone().unwrap(), door);
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    spawn(move || {
        let _ = copy(&mut from_server, &mut to_door);
        let _ = to_door.shutdown(Shutdown::Both);
    });
    spawn(move || {
        // A door that is not heard any more has not gone.
        let _ = copy(&mut from_door, &mut to_server);
    });
}
